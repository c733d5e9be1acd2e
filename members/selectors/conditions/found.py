"""Of whom something is true, as an app says it: tests of rows, put together by and, or and not.

Nothing here asks the database. `campaigns.selectors.segments.compiling` makes one statement of it.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet


@dataclasses.dataclass(frozen=True, slots=True)
class RowTest:
    """Her one row of a table passes. `rows` are of a table with at most one row a member (or narrowed to that) and join
    no other table; `where` may ask others in subqueries. A member without a row does not pass."""

    rows: QuerySet[Any]
    where: Q
    member: str = "member_id"


@dataclasses.dataclass(frozen=True, slots=True)
class SetTest:
    """She has a row among many, or rows whose sums pass. `member` is the path to her key."""

    rows: QuerySet[Any]
    member: str = "member_id"
    sums: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    having: Q | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Every:
    """All of these are true of her; of an empty one everybody."""

    parts: tuple["Found", ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Some:
    """At least one of these is."""

    parts: tuple["Found", ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Not:
    """It is not true of her, for whatever reason, a missing row too."""

    part: "Found"


Found = RowTest | SetTest | Every | Some | Not


def within(name: str, bounds: Mapping[str, int]) -> Q:
    """The column, or sum, lies within what `Bounds` read."""
    low, high = bounds.get("at_least"), bounds.get("at_most")
    wanted = Q() if low is None else Q(**{f"{name}__gte": low})
    return wanted if high is None else wanted & Q(**{f"{name}__lte": high})


def row_within(rows: QuerySet[Any], name: str, bounds: Mapping[str, int]) -> Found:
    """The same of her one row's number; who has no row has nought. Bounds are never below nought."""
    if bounds.get("at_least", 0) > 0:
        return RowTest(rows, within(name, bounds))
    outside = {
        f"{name}__{sign}": bounds[side]
        for side, sign in (("at_least", "lt"), ("at_most", "gt"))
        if side in bounds
    }
    return Every(tuple(Not(RowTest(rows, Q(**{path: number}))) for path, number in outside.items()))


def sum_within(
    rows: QuerySet[Any], sums: Mapping[str, Any], bounds: Mapping[str, int], member: str = "member_id"
) -> Found:
    """The sum of her rows (the only one in `sums`, never negative) lies within; who has no row has nought."""
    [name] = sums
    if bounds.get("at_least", 0) > 0:
        return SetTest(rows, member, sums, within(name, bounds))
    if "at_most" not in bounds:
        return Every(())
    return Not(SetTest(rows, member, sums, Q(**{f"{name}__gt": bounds["at_most"]})))
