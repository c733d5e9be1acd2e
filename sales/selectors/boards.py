"""Boards: who sold most, where one stands, and what she lacks to the next.

A day, a week and a month read totals straight from the index that has their order; quarters, years and free ranges
add totals up.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection

from sales.contracts import Board, BoardLine, BoardScope, BoardSubject, MetricName, Span
from sales.selectors.spans import cover, span_before

_AROUND: Final = 2  # places above and below one's own
_TABLES: Final[Mapping[BoardSubject, tuple[str, str]]] = {
    "guide": ("sales_guidetotal", "guide_id"),
    "store": ("sales_storetotal", "store_id"),
}


def get_board(
    *,
    metric: MetricName,
    span: Span,
    subject: BoardSubject = "guide",
    scope: BoardScope | None = None,
    limit: int = 20,
    own_id: int | None = None,
) -> Board:
    """The first `limit` places, how many have one, and with `own_id` her place, the next value above, and who stands
    around her. Who has no total of that period stands behind all who have."""
    standing = _Standing(subject, metric, span, scope or BoardScope())
    before = _Standing(subject, metric, span_before(span), scope or BoardScope())
    first = standing.first(limit)
    own, around, gap = None, [], None
    if own_id is not None:
        value = standing.value_of(own_id)
        above, gap = standing.above(value)
        own = (above + 1, own_id, value)
        around = standing.around(value, own_id)
    ids = {subject_id for subject_id, _value in first} | {one[1] for one in around} | ({own_id} - {None})
    earlier = before.ranks(sorted(one for one in ids if one is not None))
    ranked = _with_ranks(first)

    def line(place: tuple[int, int, int]) -> BoardLine:
        rank, subject_id, value = place
        earlier_rank = earlier.get(subject_id)
        return BoardLine(rank, subject_id, value, None if earlier_rank is None else earlier_rank - rank)

    return Board(
        metric=metric,
        span=span,
        lines=tuple(map(line, ranked)),
        ranked_count=standing.count(),
        own=None if own is None else line(own),
        gap=gap,
        neighbours=tuple(map(line, around)),
    )


class _Standing:
    """The values of one period in one scope, as a table of (subject, value) that statements select from."""

    def __init__(self, subject: BoardSubject, metric: MetricName, span: Span, scope: BoardScope) -> None:
        table, column = _TABLES[subject]
        parts = cover(span)
        where = ["metric = %(metric)s"]
        self.values: dict[str, Any] = {"metric": metric}
        if len(parts) == 1:
            where.append("period = %(period)s AND starts_on = %(start)s")
            self.values |= {"period": parts[0][0], "start": parts[0][1]}
        else:
            where.append(
                "(period, starts_on) IN (SELECT * FROM unnest(%(periods)s::text[], %(starts)s::date[]))"
            )
            self.values |= {"periods": [name for name, _s in parts], "starts": [start for _n, start in parts]}
        many_stores = scope.store_ids is not None and len(scope.store_ids) != 1
        if scope.store_ids is None:
            where.append("store_id IS NULL" if subject == "guide" else "TRUE")
        elif many_stores:
            where.append("store_id = ANY(%(stores)s)")
            self.values["stores"] = list(scope.store_ids)
        else:
            where.append("store_id = %(store)s")
            self.values["store"] = scope.store_ids[0]
        # A subject has one row here, unless periods or stores are added up.
        is_sum = len(parts) != 1 or (many_stores and subject == "guide")
        select = (
            f"SELECT {column} AS subject, {'sum(value)::bigint' if is_sum else 'value'} AS value FROM {table}"
        )
        self.sql = f"{select} WHERE {' AND '.join(where)}" + (f" GROUP BY {column}" if is_sum else "")

    def first(self, limit: int) -> list[tuple[int, int]]:
        rows = self._run(f"{self.sql} ORDER BY value DESC, subject LIMIT %(limit)s", limit=limit)
        return [(subject, value) for subject, value in rows]

    def count(self) -> int:
        count: int = self._run(f"SELECT count(*) FROM ({self.sql}) standing")[0][0]
        return count

    def value_of(self, subject_id: int) -> int:
        rows = self._run(
            f"SELECT value FROM ({self.sql}) standing WHERE subject = %(subject)s", subject=subject_id
        )
        return int(rows[0][0]) if rows else 0

    def above(self, value: int) -> tuple[int, int | None]:
        """How many stand above this value, and what is missing to the next of them."""
        count, nearest = self._run(
            f"SELECT count(*), min(value) FROM ({self.sql}) standing WHERE value > %(value)s", value=value
        )[0]
        return count, None if nearest is None else nearest - value

    def around(self, value: int, own_id: int) -> list[tuple[int, int, int]]:
        """The nearest above and below, with their ranks; equal ones are told apart by id as on the board."""
        rows = self._run(
            f"""
            (SELECT subject, value FROM ({self.sql}) standing
             WHERE value > %(value)s OR value = %(value)s AND subject < %(own)s
             ORDER BY value, subject DESC LIMIT {_AROUND})
            UNION ALL
            (SELECT subject, value FROM ({self.sql}) standing
             WHERE value < %(value)s OR value = %(value)s AND subject > %(own)s
             ORDER BY value DESC, subject LIMIT {_AROUND})
            """,
            value=value,
            own=own_id,
        )
        found = sorted(((one, worth) for one, worth in rows), key=lambda row: (-row[1], row[0]))
        ranks = self.ranks([one for one, _worth in found])
        return [(ranks[one], one, worth) for one, worth in found]

    def ranks(self, subject_ids: Sequence[int]) -> dict[int, int]:
        """The ranks of these, those who have any; one pass over the scope's values."""
        if not subject_ids:
            return {}
        rows = self._run(
            f"SELECT subject, rank FROM (SELECT subject, rank() OVER (ORDER BY value DESC) AS rank"
            f" FROM ({self.sql}) standing) ranked WHERE subject = ANY(%(subjects)s)",
            subjects=list(subject_ids),
        )
        return dict(rows)

    def _run(self, statement: str, **more: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, self.values | more)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _with_ranks(first: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Equal values share a rank; the next one counts all before it."""
    ranked: list[tuple[int, int, int]] = []
    for place, (subject_id, value) in enumerate(first, 1):
        rank = ranked[-1][0] if ranked and ranked[-1][2] == value else place
        ranked.append((rank, subject_id, value))
    return ranked
