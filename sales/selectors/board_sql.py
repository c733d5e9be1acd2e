"""The statements that boards are read with, composed of sources. A statement's text depends on what kind of board is
asked for alone, so it is composed once in a process and prepared once in a connection; values come with each asking.

Rows are (part, subject, value, rank): the first places, one's own, who stands around it, the gap, how many there are,
where those shown stood before, and whatever else the source tells.
"""

import functools
from typing import Final

# What adds up is added up once; what stands in an index is looked up there each time.
_STANDING: Final = "{name} AS {kind} ({sql})"
_FIRST: Final = """
first AS MATERIALIZED (
    SELECT subject, value, rank() OVER (ORDER BY value DESC) AS rank FROM (
        SELECT subject, value FROM standing ORDER BY value DESC, subject LIMIT %(limit)s) best)
"""
# Two places above and two below her own, each found by its end of the index. Equal ones are told apart by id, as on the
# board; the rank of each is counted between her value and its own.
_AROUND: Final = """
mine AS MATERIALIZED (SELECT coalesce((SELECT value FROM standing WHERE subject = %(own)s), 0) AS value),
{better},
higher AS MATERIALIZED (
    SELECT subject, value FROM standing WHERE value > (SELECT value FROM mine)
    ORDER BY value, subject DESC LIMIT 2),
above AS (
    (SELECT subject, value FROM standing WHERE value = (SELECT value FROM mine) AND subject < %(own)s
     ORDER BY subject DESC LIMIT 2)
    UNION ALL SELECT subject, value FROM higher ORDER BY value, subject DESC LIMIT 2),
below AS (
    (SELECT subject, value FROM standing WHERE value = (SELECT value FROM mine) AND subject > %(own)s
     ORDER BY subject LIMIT 2)
    UNION ALL
    (SELECT subject, value FROM standing WHERE value < (SELECT value FROM mine)
     ORDER BY value DESC, subject LIMIT 2)
    ORDER BY value DESC, subject LIMIT 2),
around AS MATERIALIZED (
    SELECT subject, value, (SELECT count FROM better) + 1 - (
        SELECT count(*) FROM standing between_us
        WHERE between_us.value > (SELECT value FROM mine) AND between_us.value <= above.value) AS rank FROM above
    UNION ALL
    SELECT subject, value, (SELECT count FROM better) + 1 + (
        SELECT count(*) FROM standing between_us
        WHERE between_us.value > below.value AND between_us.value <= (SELECT value FROM mine)) FROM below)
"""
_BETTER: Final = (
    "better AS MATERIALIZED (SELECT count(*) AS count FROM standing WHERE value > (SELECT value FROM mine))"
)
# From the end of the index that is nearer: how many there are is known.
_BETTER_BY_SIZE: Final = """
better AS MATERIALIZED (SELECT CASE
    WHEN (SELECT value FROM mine) >= coalesce((SELECT middle FROM size), (SELECT value FROM mine))
    THEN (SELECT count(*) FROM standing WHERE value > (SELECT value FROM mine))
    ELSE (SELECT count FROM size) - (SELECT count(*) FROM standing WHERE value <= (SELECT value FROM mine))
    END AS count)"""
_TOLD_AROUND: Final = """
UNION ALL SELECT 'own', %(own)s::bigint, mine.value, better.count + 1 FROM mine, better
UNION ALL SELECT 'gap', 0, (SELECT min(value) FROM higher) - mine.value, 0 FROM mine WHERE EXISTS (SELECT FROM higher)
UNION ALL SELECT 'around', subject, value, rank FROM around
"""
_TOLD_SIZE: Final = "UNION ALL SELECT 'count', 0, count, 0 FROM size\n"
_TOLD_COUNT: Final = "UNION ALL SELECT 'count', 0, count(*), 0 FROM standing\n"
# Where those who are shown stood in the period before: how many were better than each of their values.
_SHOWN: Final = "shown AS MATERIALIZED (SELECT subject FROM first{more})"
_SHOWN_AROUND: Final = " UNION SELECT subject FROM around UNION SELECT %(own)s::bigint"
# In an index: values from the best to the worst, and who stands between one and the next is counted once.
_BEFORE_IN_INDEX: Final = """
held AS MATERIALIZED (
    SELECT subject, (SELECT value FROM before WHERE before.subject = shown.subject) AS value FROM shown),
marks AS (
    SELECT value, lag(value) OVER (ORDER BY value DESC) AS above
    FROM (SELECT DISTINCT value FROM held WHERE value IS NOT NULL) values_held),
ranks AS MATERIALIZED (
    SELECT value, 1 + sum((
        SELECT count(*) FROM before
        WHERE before.value > marks.value AND before.value <= coalesce(marks.above, 9223372036854775807)
    )) OVER (ORDER BY value DESC) AS rank FROM marks)
"""
# Added up: one pass that sorts nothing. Thresholds are negative, so that width_bucket counts those that a value reaches
# or stays below.
_BEFORE_ADDED_UP: Final = """
held AS MATERIALIZED (SELECT subject, before.value FROM before JOIN shown USING (subject)),
marks AS MATERIALIZED (SELECT array_agg(DISTINCT -value ORDER BY -value) AS values FROM held),
counted AS MATERIALIZED (
    SELECT width_bucket(-value, (SELECT values FROM marks)) AS bucket, count(*) AS count
    FROM before WHERE value > (SELECT min(value) FROM held) GROUP BY 1),
ranks AS MATERIALIZED (
    SELECT DISTINCT value, 1 + coalesce((
        SELECT sum(counted.count) FROM counted
        WHERE counted.bucket < width_bucket(-held.value, (SELECT values FROM marks))), 0) AS rank FROM held)
"""
_TOLD_BEFORE: Final = """
UNION ALL SELECT 'before', subject, value, ranks.rank::bigint FROM held JOIN ranks USING (value)
"""


@functools.lru_cache(maxsize=512)
def compose(
    *,
    now: str,
    is_sum: bool,
    told: str,
    size: str,
    before: str,
    is_sum_before: bool,
    has_own: bool,
    has_count: bool,
) -> str:
    """One statement for all of it. `before` empty: nobody asks how they moved."""
    parts = [_part("standing", now, is_sum), _FIRST]
    rows = "SELECT 'first' AS part, subject, value, rank FROM first\n"
    if size:
        parts.append(f"size AS MATERIALIZED ({size})")
    if has_own:
        parts.append(_AROUND.format(better=_BETTER_BY_SIZE if size else _BETTER))
        rows += _TOLD_AROUND
    if has_count:
        rows += _TOLD_SIZE if size else _TOLD_COUNT
    if before:
        parts.append(_part("before", before, is_sum_before))
        parts.append(_SHOWN.format(more=_SHOWN_AROUND if has_own else ""))
        parts.append(_BEFORE_ADDED_UP if is_sum_before else _BEFORE_IN_INDEX)
        rows += _TOLD_BEFORE
    return "WITH " + ",\n".join(parts) + rows + told


def _part(name: str, sql: str, is_sum: bool) -> str:
    return _STANDING.format(name=name, kind="MATERIALIZED" if is_sum else "NOT MATERIALIZED", sql=sql)
