"""Writing people in bulk: the one set of statements that makes many members at a time.

Reads the rows that `import_plan` names from a table shaped like `ImportRow`, and the identities of `import_key`
(see members.services.import_matching). Personal values are copied as they lie there, sealed for their new place.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from core.actor import Actor
from members.models import Member

# Whence the values that a row of a file does not have; a list of people in memory brings them along.
FROM_FILE: Final = {
    "rows": "members_importrow",
    "source": "'import'",
    "given_through": "'import'",
    "scene": "''",
    "following": "false",
    "followed": "NULL::timestamptz",
}
_AUDIT: Final = """
INSERT INTO core_auditentry
    (at, actor_kind, actor_id, actor_label, action, subject_kind, subject_id, details)
SELECT %(at)s::timestamptz, %(actor_kind)s, %(actor_id)s::bigint, %(actor_label)s, %(action)s, %(subject)s,
"""
_CREATE: Final = f"""
WITH made AS (
    INSERT INTO members_member
        (public_id, code, stage, name, name_tokens, name_given_through, gender, birthday, phone, phone_tail, source,
         source_scene, is_following, follow_changed_at, registered_at)
    SELECT row.public_id, row.code, CASE WHEN row.phone = '' THEN 'prospect' ELSE 'member' END, row.name,
           row.name_tokens, CASE WHEN row.name = '' THEN '' ELSE {{given_through}} END, row.gender, row.birthday,
           row.phone, row.phone_tail, {{source}}, {{scene}}, {{following}}, {{followed}},
           coalesce(row.registered_at, %(at)s::timestamptz)
    FROM import_plan plan JOIN {{rows}} row ON row.id = plan.row_id
    WHERE plan.verdict = 'create' ORDER BY plan.line
    RETURNING id, public_id, source),
noted AS ({_AUDIT} id, jsonb_build_object('source', source) FROM made)
UPDATE import_plan plan SET member_id = made.id FROM made WHERE made.public_id = plan.public_id
"""
_IDENTIFY: Final = """
INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
SELECT plan.member_id, key.kind, key.app_id, key.value, coalesce(row.registered_at, %(at)s::timestamptz),
       ARRAY[{given_through}]
FROM import_plan plan JOIN import_key key USING (line) JOIN {rows} row ON row.id = plan.row_id
WHERE plan.verdict = 'create' ORDER BY key.kind, key.app_id, key.value
"""
_CREATED: Final = "UPDATE import_plan SET verdict = 'created' WHERE verdict = 'create'"


def create_people(
    *, cursor: Any, sources: Mapping[str, str] = FROM_FILE, actor: Actor, at: dt.datetime
) -> int:
    """Every `create` row of the plan is a member with her identities and one audit row; how many.

    The unique identity decides against whoever came first: its IntegrityError is the caller's.
    """
    values = audit_values(action="members.imported", actor=actor, at=at)
    cursor.execute(_CREATE.format(**sources), values)
    count = int(cursor.rowcount)
    if count:
        cursor.execute(_IDENTIFY.format(**sources), values)
        cursor.execute(_CREATED)
    return count


def audit_values(*, action: str, actor: Actor, at: dt.datetime) -> dict[str, Any]:
    """The parameters of an audit row about members, for statements that write many."""
    return {
        "at": at,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label[:80],
        "action": action,
        "subject": Member._meta.label_lower,
    }


def audit_sql(*, members: str, details: str) -> str:
    """The statement that notes one audit row for each id that `members` selects, to go with `audit_values`."""
    return f"{_AUDIT} member_id, {details} FROM ({members}) touched (member_id, fields)"
