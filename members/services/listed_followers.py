"""Followers whom the account's list names: registered by the ten thousand, and quietly."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from core import clock, codes
from core.actor import Actor
from members.models import Identity, Source
from members.services.identities import again_if_moved, check_identities
from members.services.import_writing import audit_sql, audit_values

_CREATE: Final = """
WITH fresh AS MATERIALIZED (
    SELECT told.* FROM unnest(%(openids)s::text[], %(public_ids)s::text[], %(codes)s::text[])
        AS told (openid, public_id, code)
    WHERE NOT EXISTS (
        SELECT FROM members_memberidentity known
        WHERE known.kind = %(kind)s AND known.app_id = %(app_id)s AND known.value = told.openid)),
made AS (
    INSERT INTO members_member
        (public_id, code, stage, name, name_tokens, name_given_through, gender, phone, phone_tail, source, source_scene,
         is_following, follow_changed_at, registered_at)
    SELECT public_id, code, 'prospect', '', '{{}}', '', '', '', '', %(source)s, '', TRUE, %(at)s, %(at)s
    FROM fresh ORDER BY openid
    RETURNING id, public_id, source),
named AS (
    INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
    SELECT made.id, %(kind)s, %(app_id)s, fresh.openid, %(at)s, '{{}}'
    FROM made JOIN fresh USING (public_id) ORDER BY fresh.openid)
{audit}
"""
_REGISTERED: Final = audit_sql(
    members="SELECT id, source FROM made", details="jsonb_build_object('source', fields)"
)
_FOLLOWED: Final = audit_sql(members="SELECT id, '' FROM again", details="'{}'::jsonb")
_FOLLOW: Final = """
WITH known AS MATERIALIZED (
    SELECT member_id FROM members_memberidentity
    WHERE kind = %(kind)s AND app_id = %(app_id)s AND value = ANY(%(openids)s)),
locked AS MATERIALIZED (
    SELECT id FROM members_member WHERE id IN (SELECT member_id FROM known) AND NOT is_following
    ORDER BY id FOR NO KEY UPDATE),
again AS (
    UPDATE members_member SET is_following = TRUE, follow_changed_at = %(at)s
    WHERE id IN (SELECT id FROM locked) AND NOT is_following
        AND (follow_changed_at IS NULL OR follow_changed_at < %(at)s)
    RETURNING id)
{audit}
"""


def register_listed_followers(
    *, app_id: str, openids: Sequence[str], actor: Actor, at: dt.datetime | None = None
) -> int:
    """All of these are members of ours (prospects when new) and follow the account, as its list said at `at`; how many
    are new.

    Nobody is greeted and no event is published: they followed some time ago. Repeating it changes nothing, and news
    that is later than `at` stays. Refuses identities WeChat cannot have given.
    """
    at = at or clock.now()
    for openid in openids:
        check_identities(app_id=app_id, openid=openid, unionid=None)
    values: dict[str, Any] = {
        "openids": list(openids),
        "public_ids": codes.new_public_ids(len(openids)),
        "codes": [codes.new_code_12() for _ in openids],
        "kind": Identity.OPENID.value,
        "app_id": app_id,
        "source": Source.SYNC.value,
    }

    def register() -> int:
        with connection.cursor() as cursor:
            followed = values | audit_values(action="members.followed", actor=actor, at=at)
            cursor.execute(_FOLLOW.format(audit=_FOLLOWED), followed)
            registered = values | audit_values(action="members.registered", actor=actor, at=at)
            cursor.execute(_CREATE.format(audit=_REGISTERED), registered)
            return int(cursor.rowcount)

    return again_if_moved(register)
