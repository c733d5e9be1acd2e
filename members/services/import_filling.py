"""What a row adds to a member who is there already: identities, blanks, an address, tags.

A filled value stays, unless the job says that the file is newer; a phone is never overwritten. Every statement
changes only what differs, so that the same file a second time changes nothing.
"""

import datetime as dt
from typing import Any, Final

from core import crypto
from core.actor import Actor
from members.models import Tag, TagOrigin
from members.services.import_staging import STREET_CONTEXT
from members.services.import_writing import audit_sql, audit_values
from members.services.tags import tag_members

# Of several rows of one member the first that says something counts, or the last where the newer wins.
_FILL: Final = """
WITH given AS (
    SELECT plan.member_id,
           {pick}(plan.line) FILTER (WHERE row.name <> '') AS name_line,
           {pick}(plan.line) FILTER (WHERE row.gender <> '') AS gender_line,
           {pick}(plan.line) FILTER (WHERE row.birthday IS NOT NULL) AS birthday_line,
           min(plan.line) FILTER (WHERE row.phone <> '') AS phone_line
    FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id
    WHERE plan.verdict = 'match' GROUP BY plan.member_id),
change AS (
    SELECT member.id,
           named.name <> '' AND {name_gives_way} AS has_name, named.name, named.name_tokens,
           gendered.gender <> '' AND {gender_gives_way} AS has_gender, gendered.gender,
           born.birthday IS NOT NULL AND {birthday_gives_way} AS has_birthday, born.birthday,
           phoned.phone <> '' AND member.phone = '' AND EXISTS (
               SELECT FROM members_memberidentity hers WHERE hers.member_id = member.id
               AND hers.kind = 'phone' AND hers.value = phoned.phone_index) AS has_phone,
           phoned.phone, phoned.phone_tail
    FROM given JOIN members_member member ON member.id = given.member_id
    LEFT JOIN members_importrow named ON named.job_id = %(job)s AND named.line = given.name_line
    LEFT JOIN members_importrow gendered ON gendered.job_id = %(job)s AND gendered.line = given.gender_line
    LEFT JOIN members_importrow born ON born.job_id = %(job)s AND born.line = given.birthday_line
    LEFT JOIN members_importrow phoned ON phoned.job_id = %(job)s AND phoned.line = given.phone_line),
"""
_APPLY: Final = """
done AS (
    UPDATE members_member member
    SET name = CASE WHEN change.has_name THEN change.name ELSE member.name END,
        name_given_through = CASE WHEN change.has_name THEN 'import' ELSE member.name_given_through END,
        name_tokens = CASE WHEN change.has_name THEN change.name_tokens ELSE member.name_tokens END,
        gender = CASE WHEN change.has_gender THEN change.gender ELSE member.gender END,
        birthday = CASE WHEN change.has_birthday THEN change.birthday ELSE member.birthday END,
        phone = CASE WHEN change.has_phone THEN change.phone ELSE member.phone END,
        phone_tail = CASE WHEN change.has_phone THEN change.phone_tail ELSE member.phone_tail END,
        stage = CASE WHEN change.has_phone THEN 'member' ELSE member.stage END
    FROM change
    WHERE change.id = member.id
        AND (change.has_name OR change.has_gender OR change.has_birthday OR change.has_phone)
    RETURNING member.id, array_remove(ARRAY[
        CASE WHEN change.has_name THEN 'name' END, CASE WHEN change.has_gender THEN 'gender' END,
        CASE WHEN change.has_birthday THEN 'birthday' END, CASE WHEN change.has_phone THEN 'phone' END], NULL))
SELECT * FROM done
"""
_BLANK: Final = {
    "pick": "min",
    "name_gives_way": "member.name = ''",
    "gender_gives_way": "member.gender = ''",
    "birthday_gives_way": "member.birthday IS NULL",
}
_NEWER: Final = {
    "pick": "max",
    "name_gives_way": "member.name_tokens IS DISTINCT FROM named.name_tokens",
    "gender_gives_way": "member.gender <> gendered.gender",
    "birthday_gives_way": "member.birthday IS DISTINCT FROM born.birthday",
}
# The same unless she has a phone or unionid already: a second one is not taken over, whatever was decided.
_LINK: Final = """
INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
SELECT plan.member_id, key.kind, key.app_id, key.value, %(at)s::timestamptz, ARRAY['import']
FROM import_plan plan JOIN import_key key USING (line)
WHERE plan.verdict = 'match' AND NOT (key.kind IN ('phone', 'unionid') AND EXISTS (
    SELECT FROM members_memberidentity hers WHERE hers.member_id = plan.member_id AND hers.kind = key.kind))
ORDER BY key.kind, key.app_id, key.value
ON CONFLICT (kind, app_id, value) DO NOTHING
RETURNING member_id, ARRAY[kind]::text[]
"""
# A phone of hers that stands in the file was given to the shop as well: it outlives a withdrawal inside WeChat.
_VOUCH: Final = """
UPDATE members_memberidentity hers SET given_through = hers.given_through || 'import'::varchar
FROM import_plan plan JOIN import_key key USING (line)
WHERE plan.verdict = 'match' AND key.kind = 'phone' AND hers.kind = 'phone' AND hers.app_id = key.app_id
    AND hers.value = key.value AND hers.member_id = plan.member_id AND NOT 'import' = ANY(hers.given_through)
"""
_STRANGERS: Final = """
SELECT EXISTS (
    SELECT FROM import_plan plan JOIN import_key key USING (line)
    JOIN members_memberidentity owned ON owned.kind = key.kind AND owned.app_id = key.app_id AND owned.value = key.value
    WHERE plan.verdict = 'match' AND owned.member_id <> plan.member_id)
"""
_MATCHED: Final = "UPDATE import_plan SET verdict = 'matched' WHERE verdict = 'match'"
_PLACES: Final = """
SELECT DISTINCT ON (plan.member_id) plan.member_id, row.province, row.city, row.district, row.street
FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id
WHERE plan.verdict IN ('created', 'matched') AND (row.province <> '' OR row.street <> '')
ORDER BY plan.member_id, plan.line {order}
"""
_SETTLE_PLACES: Final = f"""
INSERT INTO members_memberaddress (member_id, province, city, district, street, given_through, changed_at)
SELECT place.*, 'import', %(at)s::timestamptz FROM ({_PLACES.format(order="ASC")}) place
ON CONFLICT (member_id) DO NOTHING RETURNING member_id
"""
_OLD_PLACES: Final = f"""
SELECT place.member_id, (place.province, place.city, place.district) <> (home.province, home.city, home.district),
       place.street, home.street
FROM ({_PLACES.format(order="DESC")}) place JOIN members_memberaddress home ON home.member_id = place.member_id
"""
_MOVE: Final = f"""
UPDATE members_memberaddress home
SET province = place.province, city = place.city, district = place.district, street = place.street,
    given_through = 'import', changed_at = %(at)s::timestamptz
FROM ({_PLACES.format(order="DESC")}) place
WHERE place.member_id = home.member_id AND home.member_id = ANY(%(moved)s)
"""
_TAGGED: Final = """
SELECT DISTINCT plan.member_id
FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id
WHERE plan.verdict IN ('created', 'matched') AND %(word)s = ANY(row.tags)
    AND NOT EXISTS (
        SELECT FROM members_membertag held
        WHERE held.member_id = plan.member_id AND held.removed_at IS NULL
            AND (held.expires_at IS NULL OR held.expires_at > %(at)s::timestamptz)
            AND (held.tag_id = %(tag)s OR (held.exclusive_group_id = %(group)s AND NOT %(newer)s)))
"""


def link_identities(*, cursor: Any, actor: Actor, at: dt.datetime) -> set[int]:
    """The identities of every `match` row are her own; who got any."""
    cursor.execute(_VOUCH)
    cursor.execute(_LINK, {"at": at})
    linked: dict[int, set[str]] = {}
    for member_id, kinds in cursor.fetchall():
        linked.setdefault(member_id, set()).update(kinds)
    _note(cursor, linked, action="members.identity_linked", actor=actor, at=at)
    return set(linked)


def has_strangers(cursor: Any) -> bool:
    """Whether an identity of a `match` row is somebody else's now: linked by another in this very moment."""
    cursor.execute(_STRANGERS)
    return bool(cursor.fetchone()[0])


def fill_blanks(*, cursor: Any, job_id: int, newer_wins: bool, actor: Actor, at: dt.datetime) -> set[int]:
    """What the `match` rows say and their members lack is theirs; the rows are `matched`. Who got anything."""
    statement = _FILL.format(**(_NEWER if newer_wins else _BLANK)) + _APPLY
    cursor.execute(statement, {"job": job_id})
    filled = {member_id: set(fields) for member_id, fields in cursor.fetchall()}
    _note(cursor, filled, action="members.import_filled", actor=actor, at=at)
    cursor.execute(_MATCHED)
    return set(filled)


def settle_places(*, cursor: Any, newer_wins: bool, at: dt.datetime) -> set[int]:
    """Who had no address has the row's; where the newer wins a different one gives way. Who got any."""
    moved: list[int] = []
    if newer_wins:
        cursor.execute(_OLD_PLACES)
        moved = [row[0] for row in cursor.fetchall() if row[1] or _street(row[2]) != _street(row[3])]
        if moved:
            cursor.execute(_MOVE, {"at": at, "moved": moved})
    cursor.execute(_SETTLE_PLACES, {"at": at})
    return {*moved, *(row[0] for row in cursor.fetchall())}


def tag_people(
    *, cursor: Any, tags: dict[str, Tag], newer_wins: bool, actor: Actor, at: dt.datetime
) -> set[int]:
    """Members have the words of their rows as tags; a retired word, and one that follows a rule, is given to nobody. Who
    got any.

    Of a group of which she may have one, what she has stays unless the newer wins.
    """
    cursor.execute(
        "SELECT DISTINCT unnest(row.tags) FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id "
        "WHERE plan.verdict IN ('created', 'matched') ORDER BY 1"
    )
    tagged: set[int] = set()
    for (word,) in cursor.fetchall():
        tag = tags[word]
        if not tag.is_active or tag.origin == TagOrigin.RULE:
            continue
        group = tag.group_id if tag.group.is_exclusive else None
        cursor.execute(
            _TAGGED.replace("%(group)s", "%(group)s::bigint"),
            {"word": word, "tag": tag.pk, "group": group, "newer": newer_wins, "at": at},
        )
        people = {row[0] for row in cursor.fetchall()}
        if people:
            tag_members(member_ids=people, tag_id=tag.pk, origin="import", actor=actor, at=at)
        tagged |= people
    return tagged


def _street(sealed: str) -> str:
    return crypto.unseal(sealed, context=STREET_CONTEXT) if sealed else ""


def _note(cursor: Any, touched: dict[int, set[str]], *, action: str, actor: Actor, at: dt.datetime) -> None:
    """One audit row for each member, with the names of what she got."""
    if not touched:
        return
    members = "SELECT * FROM unnest(%(members)s::bigint[], %(fields)s::text[])"
    details = "jsonb_build_object('fields', string_to_array(fields, ','))"
    cursor.execute(
        audit_sql(members=members, details=details),
        {
            **audit_values(action=action, actor=actor, at=at),
            "members": list(touched),
            "fields": [",".join(sorted(fields)) for fields in touched.values()],
        },
    )
