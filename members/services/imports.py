"""Taking over members from another system, in bulk."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import IntegrityError, connection, transaction

from core import clock, codes, crypto
from core.actor import Actor
from core.constraints import violated
from members.contracts import MemberImport
from members.errors import IdentityTaken, PhoneAlreadyRegistered
from members.models import Source
from members.selectors import phone_index
from members.services.import_staging import NAME_CONTEXT, PHONE_CONTEXT
from members.services.import_writing import create_people
from members.services.people import name_columns, usable_name, usable_phone
from members.services.phone_claims import claim_phones

_PEOPLE: Final = """
CREATE TEMP TABLE import_person ON COMMIT DROP AS
SELECT row.*, ''::text AS source, ''::text AS source_scene, FALSE AS is_following, NULL::timestamptz AS followed_at
FROM members_importrow row LIMIT 0
"""
_COLUMNS: Final = (
    "id", "line", "public_id", "code", "name", "name_tokens", "gender", "birthday", "phone", "phone_tail",
    "registered_at", "phone_index", "openid", "source", "source_scene", "is_following", "followed_at",
)  # fmt: skip
_PLAN: Final = """
CREATE TEMP TABLE import_plan ON COMMIT DROP AS
SELECT id AS row_id, line, public_id, NULL::bigint AS member_id, 'create'::text AS verdict FROM import_person
"""
_KEYS: Final = """
CREATE TEMP TABLE import_key ON COMMIT DROP AS
SELECT row.line, key.kind, key.app_id, key.value
FROM import_person row
CROSS JOIN LATERAL (VALUES ('phone', '', row.phone_index), ('openid', %(app)s, row.openid)) AS key (kind, app_id, value)
WHERE key.value <> ''
"""
_SOURCES: Final = {
    "rows": "import_person",
    "source": "row.source",
    "given_through": "CASE row.source "
    + " ".join(f"WHEN '{source.value}' THEN '{source.given_through.value}'" for source in Source)
    + " END",
    "scene": "row.source_scene",
    "following": "row.is_following",
    "followed": "row.followed_at",
}


def import_members(
    *, lines: Sequence[MemberImport], app_id: str, actor: Actor, at: dt.datetime | None = None
) -> list[int]:
    """All these people are members, with identities and one audit row each; ids in the order of `lines`.

    The rows are what one-by-one registration writes, dated as the lines say; no event is published, because
    nothing happened now. Refuses it all for an unusable name or phone, or an identity that is taken.
    `app_id` is the official account the openids belong to.
    """
    at = at or clock.now()
    people = [_person(number, line) for number, line in enumerate(lines)]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            claim_phones(line.phone for line in lines if line.phone)
            cursor.execute("DROP TABLE IF EXISTS import_person, import_plan, import_key")
            cursor.execute(_PEOPLE)
            with cursor.copy(f"COPY import_person ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
                for person in people:
                    copy.write_row(person)
            cursor.execute(_PLAN)
            cursor.execute(_KEYS, {"app": app_id})
            create_people(cursor=cursor, sources=_SOURCES, actor=actor, at=at)
            cursor.execute("SELECT member_id FROM import_plan ORDER BY line")
            member_ids = [row[0] for row in cursor.fetchall()]
            # Thousands of new rows: until the planner has counted them, it searches members in the slowest way.
            cursor.execute("ANALYZE members_member, members_memberidentity")
    except PhoneAlreadyRegistered:
        raise IdentityTaken from None
    except IntegrityError as error:
        if violated(error) == "memberidentity_one_owner":
            raise IdentityTaken from None
        raise
    return member_ids


def _person(number: int, line: MemberImport) -> tuple[Any, ...]:
    named = name_columns(usable_name(line.name) if line.name else "")
    digits = usable_phone(line.phone) if line.phone else ""
    return (
        number,
        number,
        codes.new_public_id(),
        codes.new_code_12(),
        crypto.seal(named["name"], context=NAME_CONTEXT) if named["name"] else "",
        named["name_tokens"],
        line.gender,
        line.birthday,
        crypto.seal(digits, context=PHONE_CONTEXT) if digits else "",
        digits[-4:],
        line.registered_at,
        phone_index(digits) if digits else "",
        line.openid,
        line.source,
        line.source_scene,
        line.is_following,
        line.registered_at if line.openid else None,
    )
