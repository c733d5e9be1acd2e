"""Whom a rule yields: how many, ten of them, why she is among them, and what they are like."""

import contextlib
import datetime as dt
import json
import time
from collections.abc import Iterator
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

from campaigns.contracts.segments import Group, Node, Pivot, PivotLine, SegmentCount, Verdict
from campaigns.errors import SegmentTooSlow
from campaigns.selectors.segments.compiling import (
    Sql,
    found_of,
    select_members,
    select_verdicts,
)
from campaigns.selectors.segments.reading import leaves_of
from core import clock
from core.models import StaffAccount
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from members.contracts import MemberCard
from members.selectors.conditions import Facet, all_conditions, all_facets

# What a page waits for before it says that it takes longer.
PATIENCE_MS: Final = 5_000
_MOST_LINES: Final = 30
_COUNT: Final = "SELECT count(*) FROM ({wanted}) AS wanted"
# Ten, spread over all ids and the same ones each time.
_SAMPLE: Final = "SELECT id FROM ({wanted}) AS wanted (id) ORDER BY hashint8(id), id LIMIT 10"
_PAGE: Final = "SELECT id FROM ({wanted}) AS wanted (id) WHERE id > %s ORDER BY id LIMIT %s"
_PIVOTS: Final = "WITH wanted (id) AS MATERIALIZED ({wanted}) {parts}"
_BY_FACET: Final = """
SELECT {place}, to_jsonb(facet.key), count(*)
FROM wanted LEFT JOIN ({rows}) AS facet (id, key) ON facet.id = wanted.id GROUP BY facet.key
"""


def scope_of(staff: StaffAccount | None) -> QuerySet[Any, int] | None:
    """The ids of the members whom the account sees; None: all of them."""
    if staff is None or (staff.is_active and staff.is_superuser):
        return None
    return guide_selectors.scope_members(staff, member_selectors.living_member_ids())


def members_sql(node: Node, *, staff: StaffAccount | None = None, day: dt.date | None = None) -> Sql:
    """The one statement whose rows are the ids of the members of a rule today, of those whom the account sees."""
    return select_members(found_of(node, day or clock.today()), scope=scope_of(staff))


def count_members(
    node: Node, *, staff: StaffAccount | None = None, day: dt.date | None = None
) -> SegmentCount:
    """How many they are, or that it takes longer than a page waits."""
    wanted = members_sql(node, staff=staff, day=day)
    begun = time.monotonic()
    try:
        with asked(_COUNT.format(wanted=wanted.text), wanted.params) as rows:
            count: int | None = rows[0][0]
    except SegmentTooSlow:
        count = None
    return SegmentCount(count, round((time.monotonic() - begun) * 1000))


def list_sample(
    node: Node, *, staff: StaffAccount | None = None, day: dt.date | None = None
) -> tuple[MemberCard, ...]:
    """Ten of them, spread over all ids and the same ones each time. Raises SegmentTooSlow."""
    wanted = members_sql(node, staff=staff, day=day)
    with asked(_SAMPLE.format(wanted=wanted.text), wanted.params) as rows:
        ids = [row[0] for row in rows]
    return _cards(ids)


def list_page(
    node: Node, *, after: int, most: int, staff: StaffAccount | None = None, day: dt.date | None = None
) -> tuple[MemberCard, ...]:
    """The next of them after the one with this id, in the order in which they came to us. Raises SegmentTooSlow."""
    wanted = members_sql(node, staff=staff, day=day)
    with asked(_PAGE.format(wanted=wanted.text), (*wanted.params, after, most)) as rows:
        ids = [row[0] for row in rows]
    return _cards(ids)


def _cards(ids: list[int]) -> tuple[MemberCard, ...]:
    cards = member_selectors.list_member_cards(ids)
    return tuple(cards[member_id] for member_id in ids if member_id in cards)


def explain_member(node: Node, member_id: int, *, day: dt.date | None = None) -> Verdict | None:
    """Why she is among them or not, condition by condition, with what she has of each; None when she is not living."""
    day = day or clock.today()
    leaves = list(leaves_of(node))
    wanted = select_verdicts([found_of(leaf, day) for leaf in leaves], member_id)
    with asked(wanted.text, wanted.params) as rows:
        if not rows:
            return None
        truths = iter(rows[0])
    return _verdict(node, member_id, day, truths)


def _verdict(node: Node, member_id: int, day: dt.date, truths: Iterator[bool]) -> Verdict:
    if not isinstance(node, Group):
        condition = all_conditions()[node.code]
        is_true = next(truths)
        return Verdict(is_true, condition.words(node.values), condition.tell(member_id, node.values, day))
    parts = tuple(_verdict(part, member_id, day, truths) for part in node.parts)
    told = [part.is_true for part in parts]
    is_true = {"all": all(told), "any": any(told), "none": not any(told)}[node.how]
    return Verdict(is_true, "", how=node.how, parts=parts)


def list_pivots(
    node: Node, *, staff: StaffAccount | None = None, day: dt.date | None = None
) -> tuple[Pivot, ...]:
    """The members by each facet, in one statement. Raises SegmentTooSlow."""
    day, facets = day or clock.today(), all_facets()
    wanted = members_sql(node, staff=staff, day=day)
    parts, params = [], list(wanted.params)
    for place, facet in enumerate(facets):
        text, values = facet.rows(day).order_by().query.sql_with_params()
        parts.append(_BY_FACET.format(place=place, rows=text))
        params += values
    text = _PIVOTS.format(wanted=wanted.text, parts=" UNION ALL ".join(parts))
    with asked(text, tuple(params)) as rows:
        counted: list[dict[Any, int]] = [{} for _facet in facets]
        for place, key, count in rows:
            counted[place][None if key is None else json.loads(key)] = count
    return tuple(_pivot(facet, counts) for facet, counts in zip(facets, counted, strict=True))


def _pivot(facet: Facet, counts: dict[Any, int]) -> Pivot:
    """Named lines in the facet's order, the greatest thirty of long ones."""
    whole = sum(counts.values())
    lines = [
        PivotLine(str(label), counts[key], counts[key] * 10_000 // whole)
        for key, label in facet.names(list(counts)).items()
        if key in counts
    ]
    if len(lines) > _MOST_LINES:
        lines = sorted(lines, key=lambda line: -line.member_count)[:_MOST_LINES]
    return Pivot(str(facet.label), tuple(lines))


@contextlib.contextmanager
def asked(text: str, params: tuple[Any, ...]) -> Iterator[list[tuple[Any, ...]]]:
    """The statement's rows; raises SegmentTooSlow when the database was not done in time."""
    is_callers = connection.in_atomic_block
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
            cursor.execute(text, params)
            rows = cursor.fetchall()
            if is_callers:  # a limit of our own transaction ends with it
                cursor.execute("RESET statement_timeout")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise SegmentTooSlow from None
        raise
    yield rows
