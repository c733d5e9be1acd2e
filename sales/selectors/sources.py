"""Where the values of a board stand: which table, for which part of the chain, in which period.

A day, a week and a month read totals straight from the index that has their order. Quarters, years and free ranges add
totals up, and so does a part of the chain that has no totals of its own. A frozen period reads its frozen places.
"""

import dataclasses
import datetime as dt
from typing import Any, Final

from django.db.models import QuerySet

from core import clock
from core.compiled import Given, compiled, named_sql
from guides import selectors as guide_selectors
from sales.contracts import BoardScope, BoardSubject, MetricName, Span
from sales.models import BoardFreeze
from sales.selectors.spans import CHAIN, cover, place_of_dealer, place_of_region

_FREEZABLE: Final = frozenset({"week", "month", "quarter", "year"})
# What a board cannot be read without knowing is asked by the statement that reads it, so that the answer is of one
# moment: whether its period is frozen, whether its region or dealer has totals of its own.
_TOLD_FROZEN: Final = """
UNION ALL SELECT 'frozen', id, 0, 0 FROM sales_boardfreeze
WHERE thawed_at IS NULL AND subject = %(ranked)s AND period = %(freezable)s AND starts_on = %(begins)s
"""
_TOLD_KEPT: Final = """
UNION ALL SELECT 'kept', 0, 0, 0 WHERE EXISTS (SELECT FROM sales_placestore WHERE place = %(place)s)
"""

_SUM_OF_PLACES: Final = """
SELECT held.subject, sum(value)::bigint AS value
FROM sales_storetotal total JOIN ({held}) held(store_id, subject, dealer_id, path) USING (store_id)
WHERE {where} GROUP BY held.subject
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A statement that selects (subject, value), its values, and whether it adds up: then it is worth keeping for the
    length of a statement that asks several things of it. `told` are rows besides it, as `board_sql` has them;
    where it `is_sized` the values name its `BoardSize`."""

    sql: str
    values: dict[str, Any]
    is_sum: bool
    told: str = ""
    is_sized: bool = False
    frozen_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Settled:
    """A part of the chain as it was asked for, which frozen boards know, and how running ones are read: by the totals
    of a place, or by stores (None: the whole chain). `is_sure` is False while nobody has looked whether the place has
    totals."""

    asked: BoardScope
    place: int | None
    store_ids: tuple[int, ...] | None
    is_sure: bool = True


def settle_scope(subject: BoardSubject, scope: BoardScope) -> Settled:
    """How the part is read if its region or dealer has totals of its own, as most have."""
    if subject not in ("guide", "store") or (scope.region_id is None and scope.dealer_id is None):
        return Settled(scope, None, scope.store_ids)
    if scope.region_id is not None:
        return Settled(scope, place_of_region(scope.region_id), None, is_sure=False)
    return Settled(scope, place_of_dealer(scope.dealer_id or 0), None, is_sure=False)


def settle_stores(scope: BoardScope) -> Settled:
    """How a region or a dealer is read that has no totals of its own: it has one store, or all, or none, or was not
    synchronised yet."""
    stores, is_all = guide_selectors.list_store_ids_within(
        region_id=scope.region_id, dealer_id=scope.dealer_id
    )
    return Settled(scope, None, None if is_all else stores)


def running_source_of(*, subject: BoardSubject, metric: MetricName, span: Span, scope: Settled) -> Source:
    """The totals, whether or not the period is frozen: they hold still after a close as well."""
    if subject == "guide":
        source = _guides(metric, span, scope)
    elif subject == "store":
        source = _stores(metric, span, scope)
    else:
        source = _places(subject, metric, span, scope.asked)
    return source if scope.is_sure else dataclasses.replace(source, told=_TOLD_KEPT)


def asking_freeze(source: Source, subject: BoardSubject, span: Span) -> Source:
    """The source; its statement also tells whether the period is frozen, where it may be."""
    if span.name not in _FREEZABLE or span.ends_on > clock.today():
        return source
    asked = {"ranked": subject, "freezable": span.name, "begins": span.starts_on}
    return dataclasses.replace(source, told=source.told + _TOLD_FROZEN, values=source.values | asked)


def frozen_source_of(
    *, subject: BoardSubject, metric: MetricName, span: Span, scope: BoardScope
) -> Source | None:
    """What stood when the period was closed; None where nothing is frozen."""
    if span.name not in _FREEZABLE:
        return None
    freeze = _freeze.first(subject=subject, period=span.name, starts_on=span.starts_on)
    return None if freeze is None else _frozen(freeze, metric, scope)


def thawed_source_of(freeze: BoardFreeze, metric: MetricName, scope: BoardScope) -> Source:
    """What stood when a period was closed that has been opened again since."""
    return _frozen(freeze, metric, scope)


@compiled
def _freeze(*, subject: Given, period: Given, starts_on: Given) -> QuerySet[BoardFreeze]:
    return BoardFreeze.objects.standing().filter(subject=subject, period=period, starts_on=starts_on)


def _frozen(freeze: BoardFreeze, metric: MetricName, scope: BoardScope) -> Source:
    values: dict[str, Any] = {"freeze": freeze.pk, "metric": metric}
    where = "freeze_id = %(freeze)s AND metric = %(metric)s AND "
    if scope.store_ids is not None and len(scope.store_ids) != 1:
        # Several stores: guides are added up over them, stores are taken from the chain's board.
        values["stores"] = list(scope.store_ids)
        if freeze.subject == "guide":
            where += "scope = 'store' AND scope_ref = ANY(%(stores)s::bigint[])"
            added = _select("sales_frozenplace", "subject_ref", where, values, is_sum=True)
            return dataclasses.replace(added, frozen_at=freeze.frozen_at)
        where += "scope = 'chain' AND scope_ref = 0 AND subject_ref = ANY(%(stores)s::bigint[])"
    else:
        values["scope"], values["ref"] = _scope_key(scope)
        where += "scope = %(scope)s AND scope_ref = %(ref)s"
    read = _select("sales_frozenplace", "subject_ref", where, values, is_sum=False)
    return dataclasses.replace(read, frozen_at=freeze.frozen_at)


def _scope_key(scope: BoardScope) -> tuple[str, int]:
    if scope.store_ids is not None:
        return "store", scope.store_ids[0]
    if scope.region_id is not None:
        return "region", scope.region_id
    if scope.dealer_id is not None:
        return "dealer", scope.dealer_id
    return "chain", 0


def _guides(metric: MetricName, span: Span, scope: Settled) -> Source:
    where, values, is_sum = _within(metric, span)
    is_sized, is_kept = not is_sum, is_sum
    if scope.place is not None:
        table, held = "sales_placetotal", "place = %(place)s"
        values["place"] = scope.place
    elif scope.store_ids is None:
        table, held = "sales_guidetotal", "true"
        values["place"] = CHAIN
    elif len(scope.store_ids) == 1:
        # The guides of one store are few, and no index has their order: they are found once.
        table, held, is_sized, is_kept = "sales_guidestoretotal", "store_id = %(store)s", False, True
        values["store"] = scope.store_ids[0]
    else:
        table, held = "sales_guidestoretotal", "store_id = ANY(%(stores)s::bigint[])"
        is_sized, is_sum, is_kept = False, True, True
        values["stores"] = list(scope.store_ids)
    source = _select(table, "guide_id", f"{held} AND {where}", values, is_sum=is_sum)
    return dataclasses.replace(source, is_sized=is_sized, is_sum=is_kept)


def _stores(metric: MetricName, span: Span, scope: Settled) -> Source:
    where, values, is_sum = _within(metric, span)
    if scope.place is not None:
        where += " AND store_id IN (SELECT store_id FROM sales_placestore WHERE place = %(place)s)"
        values["place"] = scope.place
    elif scope.store_ids is not None:
        where += " AND store_id = ANY(%(stores)s::bigint[])"
        values["stores"] = list(scope.store_ids)
    source = _select("sales_storetotal", "store_id", where, values, is_sum=is_sum)
    # No index has the order of some stores: they are found once.
    return (
        source
        if scope.place is None and scope.store_ids is None
        else dataclasses.replace(source, is_sum=True)
    )


def _places(subject: BoardSubject, metric: MetricName, span: Span, scope: BoardScope) -> Source:
    """Regions and dealers are what their stores add up to: a region's own total would be one row that every till in
    it waits for."""
    where, values, _is_sum = _within(metric, span)
    if subject == "region":
        held = named_sql(guide_selectors.stores_below)
        values["step"], values["above"] = guide_selectors.find_children_step(scope.region_id)
    else:
        held = named_sql(guide_selectors.stores_of_dealers)
        if scope.region_id is not None:
            where += " AND held.path LIKE %(under)s"
            values["under"] = f"%/{scope.region_id}/%"
    if scope.dealer_id is not None:
        where += " AND held.dealer_id = %(owner)s"
        values["owner"] = scope.dealer_id
    if scope.store_ids is not None:
        where += " AND store_id = ANY(%(stores)s::bigint[])"
        values["stores"] = list(scope.store_ids)
    return Source(_SUM_OF_PLACES.format(held=held, where=where), values, is_sum=True)


def _within(metric: MetricName, span: Span) -> tuple[str, dict[str, Any], bool]:
    parts = cover(span)
    if len(parts) == 1:
        period, start = parts[0]
        where = "period = %(period)s AND starts_on = %(start)s AND metric = %(metric)s"
        return where, {"metric": metric, "period": period, "start": start}, False
    where = (
        "metric = %(metric)s AND (period, starts_on) IN"
        " (SELECT * FROM unnest(%(periods)s::text[], %(starts)s::date[]))"
    )
    values = {"periods": [name for name, _s in parts], "starts": [start for _n, start in parts]}
    return where, {"metric": metric, **values}, True


def _select(table: str, column: str, where: str, values: dict[str, Any], *, is_sum: bool) -> Source:
    value = "sum(value)::bigint" if is_sum else "value"
    sql = f"SELECT {column} AS subject, {value} AS value FROM {table} WHERE {where}"
    return Source(sql + (f" GROUP BY {column}" if is_sum else ""), values, is_sum)
