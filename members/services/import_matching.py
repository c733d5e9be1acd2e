"""Who the rows of an import are: members by their identities, new people, or a question for a person.

Works on two temporary tables of one transaction: `import_plan` (a line, the member it is, and the verdict) and
`import_key` (the identities of each line). A batch is settled in rounds, as if its lines came one by one: a line
that shares an identity with an earlier one waits for the next round, in which that identity has an owner.

Verdicts: '' open · later (next round) · match → matched · create → created · candidate · known.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from core import crypto
from members.models import CandidateState, CandidateWhy
from members.services.import_staging import STREET_CONTEXT

Pair = tuple[int, int, str]  # line, member, why

# The hashes of a batch, and the flush of the index of name tokens, in memory.
_ROOM: Final = "SET LOCAL work_mem = '64MB'"
_DROP: Final = "DROP TABLE IF EXISTS import_plan, import_key"
_PLAN: Final = """
CREATE TEMP TABLE import_plan ON COMMIT DROP AS
SELECT row.id AS row_id, row.line, row.row_key, row.public_id, NULL::bigint AS member_id, ''::text AS verdict
FROM members_importrow row
WHERE row.job_id = %(job)s AND (row.id = ANY(%(rows)s) OR (%(rows)s IS NULL AND NOT row.is_waiting))
ORDER BY row.line LIMIT %(limit)s
"""
_KEYS: Final = """
CREATE TEMP TABLE import_key ON COMMIT DROP AS
SELECT plan.line, key.kind, key.app_id, key.value
FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id
CROSS JOIN LATERAL (VALUES
    ('phone', '', row.phone_index), ('pos_card', '', row.card), ('unionid', '', row.unionid),
    ('openid', %(app)s, row.openid), ('mini_openid', %(mini)s, row.mini_openid)) AS key (kind, app_id, value)
WHERE key.value <> ''
"""
_INDEXES: Final = (
    "CREATE UNIQUE INDEX ON import_plan (line)",
    "CREATE INDEX ON import_key (line)",
    "ANALYZE import_plan, import_key",
)
_OWNERS: Final = """
SELECT member.id FROM members_member member WHERE member.id IN (
    SELECT owned.member_id FROM import_key key
    JOIN members_memberidentity owned
        ON owned.kind = key.kind AND owned.app_id = key.app_id AND owned.value = key.value)
ORDER BY member.id FOR NO KEY UPDATE
"""
_OPEN_AGAIN: Final = "UPDATE import_plan SET verdict = '' WHERE verdict = 'later'"
_MATCH: Final = """
WITH hit AS (
    SELECT key.line, min(owned.member_id) AS first_owner, max(owned.member_id) AS last_owner
    FROM import_plan open JOIN import_key key USING (line)
    JOIN members_memberidentity owned
        ON owned.kind = key.kind AND owned.app_id = key.app_id AND owned.value = key.value
    WHERE open.verdict = '' GROUP BY key.line)
UPDATE import_plan plan
SET member_id = hit.first_owner,
    verdict = CASE WHEN hit.first_owner = hit.last_owner THEN 'match' ELSE 'two_owners' END
FROM hit WHERE hit.line = plan.line
"""
# The planner takes the verdicts for what they were before the match, and joins them row by row.
_MATCH_KNOWN: Final = "ANALYZE import_plan (verdict, member_id)"
# She has a phone, the row has another: which is hers is not for a file to say. Likewise with the unionid.
_CONTRADICTION: Final = """
WITH odd AS (
    SELECT DISTINCT plan.line
    FROM import_plan plan JOIN import_key key USING (line)
    JOIN members_memberidentity hers ON hers.member_id = plan.member_id AND hers.kind = key.kind
    LEFT JOIN members_memberidentity same
        ON same.kind = key.kind AND same.app_id = key.app_id AND same.value = key.value
    WHERE plan.verdict = 'match' AND key.kind IN ('phone', 'unionid') AND same.id IS NULL)
UPDATE import_plan plan SET verdict = 'other_phone' FROM odd WHERE odd.line = plan.line
"""
# Two lines give one member two phones: the later one is looked at again when the earlier is hers.
_RIVALS: Final = """
UPDATE import_plan plan SET verdict = 'later', member_id = NULL
FROM (SELECT matched.line, key.value,
             first_value(key.value) OVER (PARTITION BY matched.member_id, key.kind ORDER BY matched.line) AS first
      FROM import_plan matched JOIN import_key key USING (line)
      WHERE matched.verdict = 'match' AND key.kind IN ('phone', 'unionid')) rival
WHERE rival.line = plan.line AND rival.value <> rival.first
"""
# As if the lines came one by one: who shares an identity with an earlier line waits until that one is settled,
# unless both are the same member anyway. The earliest line never waits.
_LEADERS: Final = """
WITH shared AS (
    SELECT key.kind, key.app_id, key.value, min(line) AS first_line
    FROM import_key key JOIN import_plan plan USING (line) WHERE plan.verdict IN ('', 'match')
    GROUP BY key.kind, key.app_id, key.value HAVING count(*) > 1),
behind AS (
    SELECT DISTINCT plan.line
    FROM shared JOIN import_key key USING (kind, app_id, value) JOIN import_plan plan USING (line)
    JOIN import_plan leader ON leader.line = shared.first_line
    WHERE plan.verdict IN ('', 'match') AND plan.line > shared.first_line
        AND (plan.member_id = leader.member_id) IS NOT TRUE)
UPDATE import_plan plan
SET verdict = CASE WHEN behind.line IS NULL THEN 'create' ELSE 'later' END, member_id = NULL
FROM import_plan every LEFT JOIN behind USING (line)
WHERE every.line = plan.line AND (behind.line IS NOT NULL OR plan.verdict = '')
"""
_HARD_PAIRS: Final = """
SELECT DISTINCT plan.line, owned.member_id, plan.verdict
FROM import_plan plan JOIN import_key key USING (line)
JOIN members_memberidentity owned ON owned.kind = key.kind AND owned.app_id = key.app_id AND owned.value = key.value
WHERE plan.verdict IN ('two_owners', 'other_phone')
ORDER BY plan.line, owned.member_id
"""
_SOFT: Final = """
FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id
JOIN members_member member ON member.name_tokens = row.name_tokens AND member.merged_into_id IS NULL
    AND member.id <= %(newest)s AND member.name <> ''
"""
_SAME_BIRTHDAY: Final = f"""
SELECT plan.line, member.id {_SOFT} AND member.birthday = row.birthday
WHERE plan.verdict = 'create' AND row.name <> ''
"""
_SAME_TAIL: Final = f"""
SELECT plan.line, member.id {_SOFT} AND member.phone_tail = row.phone_tail AND row.phone_tail <> ''
WHERE plan.verdict = 'create' AND row.name <> ''
"""
# Streets are sealed, so they are compared here: each opened once, however many rows and members share name and place.
_PLACED: Final = """
FROM import_plan plan JOIN members_importrow row ON row.id = plan.row_id
WHERE plan.verdict = 'create' AND row.name <> '' AND row.street <> ''
"""
_HOMES: Final = f"""
WITH asked AS MATERIALIZED (
    SELECT DISTINCT row.name_tokens, row.province, row.city, row.district {_PLACED})
SELECT (asked.name_tokens, asked.province, asked.city, asked.district)::text, home.street, member.id
FROM asked
JOIN members_member member ON member.name_tokens = asked.name_tokens AND member.merged_into_id IS NULL
    AND member.id <= %(newest)s AND member.name <> ''
JOIN members_memberaddress home ON home.member_id = member.id AND home.province = asked.province
    AND home.city = asked.city AND home.district = asked.district AND home.street <> ''
"""
_STREETS: Final = f"""
SELECT (row.name_tokens, row.province, row.city, row.district)::text, row.street, plan.line {_PLACED}
"""
_ASK: Final = """
INSERT INTO members_importcandidate (job_id, line, row_key, member_id, why, state, decided_by)
SELECT %(job)s, plan.line, plan.row_key, pair.member_id, pair.why, 'waiting', ''
FROM unnest(%(lines)s::bigint[], %(members)s::bigint[], %(whys)s::text[]) AS pair (line, member_id, why)
JOIN import_plan plan ON plan.line = pair.line
ORDER BY plan.row_key, pair.member_id
ON CONFLICT (row_key, member_id) DO NOTHING
"""
# What was said of the same row and member before holds: a row put aside, or asked about elsewhere, is known.
_ANSWERS: Final = """
WITH told AS (
    SELECT plan.line,
           bool_or(asked.state = 'waiting' AND asked.job_id = %(job)s AND asked.line = plan.line) AS is_ours,
           bool_and(asked.state = 'different') AS is_nobody
    FROM unnest(%(lines)s::bigint[], %(members)s::bigint[]) AS pair (line, member_id)
    JOIN import_plan plan ON plan.line = pair.line
    JOIN members_importcandidate asked ON asked.row_key = plan.row_key AND asked.member_id = pair.member_id
    GROUP BY plan.line)
UPDATE import_plan plan
SET verdict = CASE WHEN told.is_ours THEN 'candidate'
                   WHEN told.is_nobody AND plan.verdict = 'create' THEN 'create' ELSE 'known' END
FROM told WHERE told.line = plan.line
"""


def open_plan(
    *, cursor: Any, job_id: int, app_id: str, mini_app_id: str, limit: int | None, rows: Sequence[int] | None
) -> None:
    """The plan of the next `limit` rows of the job (None: all), or of these rows; every verdict is open."""
    values = {
        "job": job_id, "app": app_id, "mini": mini_app_id, "limit": limit,
        "rows": None if rows is None else list(rows),
    }  # fmt: skip
    cursor.execute(_ROOM)
    cursor.execute(_DROP)
    cursor.execute(_PLAN.replace("%(rows)s", "%(rows)s::bigint[]"), values)
    cursor.execute(_KEYS, values)
    for statement in _INDEXES:
        cursor.execute(statement)


def lock_owners(cursor: Any) -> set[int]:
    """The members whose identities the plan names, locked in pk order."""
    cursor.execute(_OWNERS)
    return {row[0] for row in cursor.fetchall()}


def judge(*, cursor: Any, job_id: int, newest_member_id: int, asks: bool) -> int:
    """One round: every open line is a match, a new member, a candidate, known, or for later; how many are later.

    With `asks` the questions are stored, and what was said before is heeded; without, the verdict `candidate`
    only says that a question would be asked.
    """
    cursor.execute(_OPEN_AGAIN)
    cursor.execute(_MATCH)
    cursor.execute(_MATCH_KNOWN)
    cursor.execute(_CONTRADICTION)
    cursor.execute(_RIVALS)
    cursor.execute(_LEADERS)
    pairs = [*_hard_pairs(cursor), *_soft_pairs(cursor, newest_member_id)]
    if pairs:
        _ask(cursor, job_id, pairs, asks=asks)
    cursor.execute("SELECT count(*) FROM import_plan WHERE verdict = 'later'")
    return int(cursor.fetchone()[0])


def _hard_pairs(cursor: Any) -> list[Pair]:
    cursor.execute(_HARD_PAIRS)
    return list(cursor.fetchall())


def _soft_pairs(cursor: Any, newest: int) -> Iterable[Pair]:
    """New people who look like members of before the import; the first likeness found is the reason."""
    if not newest:
        return []
    found: dict[tuple[int, int], str] = {}
    for statement, why in (
        (_SAME_BIRTHDAY, CandidateWhy.NAME_BIRTHDAY),
        (_SAME_TAIL, CandidateWhy.NAME_TAIL),
    ):
        cursor.execute(statement, {"newest": newest})
        for line, member_id in cursor.fetchall():
            found.setdefault((line, member_id), why.value)
    for pair in _same_place(cursor, newest):
        found.setdefault(pair, CandidateWhy.NAME_ADDRESS.value)
    return [(line, member_id, why) for (line, member_id), why in sorted(found.items())]


def _same_place(cursor: Any, newest: int) -> Iterator[tuple[int, int]]:
    """Lines and the members of before who have their name and live in their very street."""
    homes: dict[str, dict[str, list[int]]] = {}
    cursor.execute(_HOMES, {"newest": newest})
    for place, street, member_id in cursor.fetchall():
        plain = crypto.unseal(street, context=STREET_CONTEXT)
        homes.setdefault(place, {}).setdefault(plain, []).append(member_id)
    if not homes:
        return
    cursor.execute(_STREETS)
    for place, street, line in cursor.fetchall():
        if place in homes:
            for member_id in homes[place].get(crypto.unseal(street, context=STREET_CONTEXT), ()):
                yield line, member_id


def _ask(cursor: Any, job_id: int, pairs: Sequence[Pair], *, asks: bool) -> None:
    lines, members, whys = (list(column) for column in zip(*pairs, strict=True))
    if asks:
        cursor.execute(_ASK, {"job": job_id, "lines": lines, "members": members, "whys": whys})
        cursor.execute(_ANSWERS, {"job": job_id, "lines": lines, "members": members})
        return
    cursor.execute(
        "UPDATE import_plan SET verdict = 'candidate' WHERE line = ANY(%s) AND NOT EXISTS ("
        "SELECT FROM members_importcandidate asked WHERE asked.row_key = import_plan.row_key)",
        [lines],
    )
    cursor.execute(
        "UPDATE import_plan plan SET verdict = CASE WHEN plan.verdict = 'create' AND NOT EXISTS ("
        "SELECT FROM members_importcandidate asked WHERE asked.row_key = plan.row_key AND asked.state <> %s) "
        "THEN 'create' ELSE 'known' END WHERE plan.line = ANY(%s) AND plan.verdict <> 'candidate'",
        [CandidateState.DIFFERENT.value, lines],
    )
