"""The statements that boards are read with, composed of sources. A statement's text depends on what kind of board is
asked for and how many are shown, so it is composed once in a process and prepared once in a connection; values come with
each asking.

Rows are (part, subject, value, rank): the first places, one's own, who stands around it, the gap, how many there are,
where those shown stood before, and whatever else the source tells.
"""

import functools
from typing import Final

# What adds up is added up once; what stands in an index is looked up there each time.
_STANDING: Final = "{name} AS {kind} ({sql})"
# How many are shown stands in the text: of a limit that is not known the server expects a tenth of the board, and would
# plan anew with every asking what it expects to be dearer than it is.
_FIRST: Final = """
first AS MATERIALIZED (
    SELECT subject, value, rank() OVER (ORDER BY value DESC) AS rank FROM (
        SELECT subject, value FROM standing ORDER BY value DESC, subject LIMIT {limit}) best)
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
# What is known of a board of totals (`BoardSize`), and what moved on it since.
_SIZE: Final = """
{name}_size AS MATERIALIZED (SELECT added, marks, reached FROM sales_boardsize WHERE {key}),
{name}_moves AS NOT MATERIALIZED (
    SELECT before, after FROM sales_boardmove, unnest(befores, afters) moved(before, after) WHERE {key})"""
_NO_SIZE: Final = """
{name}_size AS (SELECT NULL::bigint[] AS marks, NULL::int[] AS reached WHERE false),
{name}_moves AS (SELECT NULL::bigint AS before, NULL::bigint AS after WHERE false)"""
_BOARD_KEY: Final = (
    "place = %({prefix}place)s AND period = %({prefix}period)s AND starts_on = %({prefix}start)s"
    " AND metric = %({prefix}metric)s"
)
# A value's next mark above it, and how many reach that: {values} is what selects the values.
_NEXT_MARK: Final = """
SELECT value, coalesce(marks[slot + 1], 9223372036854775807) AS mark, coalesce(reached[slot + 1], 0) AS reached
FROM {values} LEFT JOIN {name}_size ON true CROSS JOIN LATERAL (SELECT coalesce(width_bucket(value, marks), 0) AS slot) slots
"""
_CROSSED: Final = """
(SELECT coalesce(sum((after >= {mark})::int - coalesce((before >= {mark})::int, 0)), 0) FROM {name}_moves)
"""
# Who reaches the next mark is known, but for what moved since; the rest is counted.
_FROM_NEXT_MARK: Final = """
next AS MATERIALIZED ({next_mark}),
better AS MATERIALIZED (
    SELECT reached + {crossed} + (
        SELECT count(*) FROM standing WHERE value > (SELECT value FROM mine) AND value < (SELECT mark FROM next)) AS count
    FROM next)
"""
_BETTER_BY_MARKS: Final = _FROM_NEXT_MARK.format(
    next_mark=_NEXT_MARK.format(values="mine", name="now"), crossed=_CROSSED.format(mark="mark", name="now")
)
_TOLD_AROUND: Final = """
UNION ALL SELECT 'own', %(own)s::bigint, mine.value, better.count + 1 FROM mine, better
UNION ALL SELECT 'gap', 0, (SELECT min(value) FROM higher) - mine.value, 0 FROM mine WHERE EXISTS (SELECT FROM higher)
UNION ALL SELECT 'around', subject, value, rank FROM around
"""
_TOLD_SIZE: Final = """
UNION ALL SELECT 'count', 0,
    coalesce((SELECT added FROM now_size), 0) + (SELECT count(*) FROM now_moves WHERE before IS NULL), 0
"""
_TOLD_COUNT: Final = "UNION ALL SELECT 'count', 0, count(*), 0 FROM standing\n"
# Where those who are shown stood in the period before: how many were better than each of their values.
_SHOWN: Final = "shown AS MATERIALIZED (SELECT subject FROM first{more})"
_SHOWN_AROUND: Final = " UNION SELECT subject FROM around UNION SELECT %(own)s::bigint"
# In an index: values from the best to the worst, each counted up to the one before it, or to the next mark if that is
# nearer. Boards without marks have one stretch up to the top.
_RANKS_BEFORE: Final = """
held AS MATERIALIZED (
    SELECT subject, (SELECT value FROM before WHERE before.subject = shown.subject) AS value FROM shown),
held_values AS (SELECT DISTINCT value FROM held WHERE value IS NOT NULL),
marked AS ({next_mark}),
parts AS (
    SELECT value, mark, reached, lag(value) OVER (PARTITION BY mark ORDER BY value DESC) AS above FROM marked),
ranks AS MATERIALIZED (
    SELECT value, 1 + reached + {crossed} + sum((
        SELECT count(*) FROM before
        WHERE before.value > parts.value AND before.value <= coalesce(parts.above, parts.mark - 1)
    )) OVER (PARTITION BY mark ORDER BY value DESC) AS rank FROM parts)
"""
_BEFORE_IN_INDEX: Final = _RANKS_BEFORE.format(
    next_mark=_NEXT_MARK.format(values="held_values", name="before"),
    crossed=_CROSSED.format(mark="parts.mark", name="before"),
)
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
    limit: int,
    now: str,
    is_sum: bool,
    told: str,
    is_sized: bool,
    before: str,
    is_sum_before: bool,
    is_sized_before: bool,
    has_own: bool,
    has_count: bool,
) -> str:
    """One statement for all of it. `before` empty: nobody asks how they moved. What is sized has a `BoardSize`."""
    parts = [_part("standing", now, is_sum), _FIRST.format(limit=int(limit))]
    rows = "SELECT 'first' AS part, subject, value, rank FROM first\n"
    if is_sized and (has_own or has_count):
        parts.append(_SIZE.format(name="now", key=_BOARD_KEY.format(prefix="")))
    if has_own:
        parts.append(_AROUND.format(better=_BETTER_BY_MARKS if is_sized else _BETTER))
        rows += _TOLD_AROUND
    if has_count:
        rows += _TOLD_SIZE if is_sized else _TOLD_COUNT
    if before:
        parts.append(_part("before", before, is_sum_before))
        parts.append(_SHOWN.format(more=_SHOWN_AROUND if has_own else ""))
        if is_sum_before:
            parts.append(_BEFORE_ADDED_UP)
        else:
            size = _SIZE if is_sized_before else _NO_SIZE
            parts.append(size.format(name="before", key=_BOARD_KEY.format(prefix="before_")))
            parts.append(_BEFORE_IN_INDEX)
        rows += _TOLD_BEFORE
    return "WITH " + ",\n".join(parts) + rows + told


def _part(name: str, sql: str, is_sum: bool) -> str:
    return _STANDING.format(name=name, kind="MATERIALIZED" if is_sum else "NOT MATERIALIZED", sql=sql)
