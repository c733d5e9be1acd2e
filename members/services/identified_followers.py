"""Unionids of many followers at a time: nearly all are news of one person only, and are linked by one statement."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.db import connection, transaction

from core import clock
from core.actor import Actor
from members.models import Identity
from members.services.followers import identify_follower
from members.services.identities import check_identities
from members.services.import_writing import audit_sql, audit_values

# Whoever has the openid, and whoever has the unionid already. Looked up one by one: while a first pass fills the table, its
# statistics know no unionid yet, and a join would read all of them for each of these.
_JUDGE: Final = """
SELECT told.openid, mine.member_id, owner.member_id
FROM unnest(%(openids)s::text[], %(unionids)s::text[]) told (openid, unionid)
CROSS JOIN LATERAL (
    SELECT member_id FROM members_memberidentity
    WHERE kind = %(openid_kind)s AND app_id = %(app_id)s AND value = told.openid LIMIT 1) mine
LEFT JOIN LATERAL (
    SELECT member_id FROM members_memberidentity
    WHERE kind = %(unionid_kind)s AND app_id = '' AND value = told.unionid LIMIT 1) owner ON TRUE
"""
_NOTED: Final = audit_sql(
    members="SELECT member_id, '' FROM linked", details="jsonb_build_object('kind', %(unionid_kind)s::text)"
)
# Under the lock of her row she is still the one with the openid; whoever was faster with the unionid is asked about alone.
_LINK: Final = f"""
WITH told AS MATERIALIZED (
    SELECT openid, unionid FROM unnest(%(openids)s::text[], %(unionids)s::text[]) told (openid, unionid)),
locked AS MATERIALIZED (
    SELECT member.id FROM members_member member WHERE member.id = ANY(%(members)s) AND member.merged_into_id IS NULL
    ORDER BY member.id FOR NO KEY UPDATE),
linked AS (
    INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
    SELECT mine.member_id, %(unionid_kind)s, '', told.unionid, %(at)s, '{{}}'
    FROM told JOIN members_memberidentity mine
        ON mine.kind = %(openid_kind)s AND mine.app_id = %(app_id)s AND mine.value = told.openid
    JOIN locked ON locked.id = mine.member_id
    ORDER BY told.unionid
    ON CONFLICT (kind, app_id, value) DO NOTHING
    RETURNING member_id, value),
noted AS ({_NOTED})
SELECT told.openid FROM told JOIN members_memberidentity mine
    ON mine.kind = %(openid_kind)s AND mine.app_id = %(app_id)s AND mine.value = told.openid
JOIN linked ON linked.value = told.unionid AND linked.member_id = mine.member_id
"""  # noqa: S608  (a constant of this module)


def identify_followers(
    *, app_id: str, unionids: Mapping[str, str], actor: Actor, at: dt.datetime | None = None
) -> int:
    """The unionids of these openids of the app are known; of how many it is news. Strangers are passed over, and who turns
    out to be somebody we know is merged, as `identify_follower` does for one. Repeating it changes nothing.

    Refuses identities WeChat cannot have given; then nothing is written for anybody.
    """
    at = at or clock.now()
    for openid, unionid in unionids.items():
        check_identities(app_id=app_id, openid=openid, unionid=unionid)
    values: dict[str, Any] = {
        "app_id": app_id,
        "openid_kind": Identity.OPENID.value,
        "unionid_kind": Identity.UNIONID.value,
        **audit_values(action="members.identity_linked", actor=actor, at=at),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_JUDGE, values | _arrays(unionids))
        judged = [(openid, mine, owner) for openid, mine, owner in cursor.fetchall() if mine != owner]
        plain = {openid: unionids[openid] for openid, _mine, owner in judged if owner is None}
        members = sorted({mine for openid, mine, _owner in judged if openid in plain})
        linked: set[str] = set()
        if plain:
            cursor.execute(_LINK, values | _arrays(plain) | {"members": members})
            linked = {row[0] for row in cursor.fetchall()}
    for openid, _mine, _owner in judged:
        if openid not in linked:
            identify_follower(app_id=app_id, openid=openid, unionid=unionids[openid], actor=actor, at=at)
    return len(judged)


def _arrays(unionids: Mapping[str, str]) -> dict[str, list[str]]:
    return {"openids": list(unionids), "unionids": list(unionids.values())}
