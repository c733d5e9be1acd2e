"""Where the values of a board stand: which table, for which part of the chain, in which period.

A day, a week and a month read totals straight from the index that has their order. Quarters, years and free ranges add
totals up, and so does a part of the chain that has no totals of its own. A frozen period reads its frozen places.
"""

import dataclasses
import datetime as dt
from typing import Any, Final

from core import clock
from guides import selectors as guide_selectors
from sales.contracts import BoardScope, BoardSubject, MetricName, Span
from sales.models import BoardFreeze, PlaceStore
from sales.selectors.scopes import region_children
from sales.selectors.spans import cover, place_of_dealer, place_of_region

_FREEZABLE: Final = frozenset({"week", "month", "quarter", "year"})


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A statement that selects (subject, value), its values, and whether it adds up: then it is worth keeping for the
    length of a statement that asks several things of it."""

    sql: str
    values: dict[str, Any]
    is_sum: bool
    frozen_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Settled:
    """A part of the chain as it was asked for, which frozen boards know, and how running ones are read: by the totals
    of a place, or by stores (None: the whole chain)."""

    asked: BoardScope
    place: int | None
    store_ids: tuple[int, ...] | None


def settle_scope(subject: BoardSubject, scope: BoardScope) -> Settled:
    """One look for all periods of a board."""
    if subject not in ("guide", "store") or (scope.region_id is None and scope.dealer_id is None):
        return Settled(scope, None, scope.store_ids)
    if scope.region_id is not None:
        place = place_of_region(scope.region_id)
    else:
        place = place_of_dealer(scope.dealer_id or 0)
    if PlaceStore.objects.filter(place=place).exists():
        return Settled(scope, place, None)
    every = guide_selectors.list_all_store_places()
    stores = tuple(
        store.store_id
        for store in every
        if scope.region_id in (None, *store.region_ids) and scope.dealer_id in (None, store.dealer_id)
    )
    return Settled(scope, None, None if len(stores) == len(every) else stores)


def source_of(*, subject: BoardSubject, metric: MetricName, span: Span, scope: Settled) -> Source:
    """Where this board is read from now."""
    freeze = _find_freeze(subject, span)
    if freeze is not None:
        return _frozen(freeze, metric, scope.asked)
    return running_source_of(subject=subject, metric=metric, span=span, scope=scope)


def running_source_of(*, subject: BoardSubject, metric: MetricName, span: Span, scope: Settled) -> Source:
    """The totals, whether or not the period is frozen: they hold still after a close as well."""
    if subject == "guide":
        return _guides(metric, span, scope)
    if subject == "store":
        return _stores(metric, span, scope)
    return _places(subject, metric, span, scope.asked)


def _find_freeze(subject: BoardSubject, span: Span) -> BoardFreeze | None:
    if span.name not in _FREEZABLE or span.ends_on > clock.today():
        return None
    return (
        BoardFreeze.objects.standing()
        .filter(subject=subject, period=span.name, starts_on=span.starts_on)
        .first()
    )


def _frozen(freeze: BoardFreeze, metric: MetricName, scope: BoardScope) -> Source:
    values: dict[str, Any] = {"freeze": freeze.pk, "metric": metric}
    where = "freeze_id = %(freeze)s AND metric = %(metric)s AND "
    if scope.store_ids is not None and len(scope.store_ids) != 1:
        # Several stores: guides are added up over them, stores are taken from the chain's board.
        values["stores"] = list(scope.store_ids)
        if freeze.subject == "guide":
            where += "scope = 'store' AND scope_ref = ANY(%(stores)s)"
            added = _select("sales_frozenplace", "subject_ref", where, values, is_sum=True)
            return dataclasses.replace(added, frozen_at=freeze.frozen_at)
        where += "scope = 'chain' AND scope_ref = 0 AND subject_ref = ANY(%(stores)s)"
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
    if scope.place is not None:
        table, held = "sales_placetotal", "place = %(place)s"
        values["place"] = scope.place
    elif scope.store_ids is None:
        table, held = "sales_guidetotal", "store_id IS NULL"
    elif len(scope.store_ids) == 1:
        table, held = "sales_guidetotal", "store_id = %(store)s"
        values["store"] = scope.store_ids[0]
    else:
        table, held, is_sum = "sales_guidetotal", "store_id = ANY(%(stores)s)", True
        values["stores"] = list(scope.store_ids)
    return _select(table, "guide_id", f"{held} AND {where}", values, is_sum=is_sum)


def _stores(metric: MetricName, span: Span, scope: Settled) -> Source:
    where, values, is_sum = _within(metric, span)
    if scope.place is not None:
        where += " AND store_id IN (SELECT store_id FROM sales_placestore WHERE place = %(place)s)"
        values["place"] = scope.place
    elif scope.store_ids is not None:
        where += " AND store_id = ANY(%(stores)s)"
        values["stores"] = list(scope.store_ids)
    return _select("sales_storetotal", "store_id", where, values, is_sum=is_sum)


def _places(subject: BoardSubject, metric: MetricName, span: Span, scope: BoardScope) -> Source:
    """Regions and dealers are what their stores add up to: a region's own total would be one row that every till in
    it waits for."""
    stores = guide_selectors.list_all_store_places()
    if subject == "region":
        pairs = region_children(stores, parent_id=scope.region_id)
    else:
        pairs = [
            (store.store_id, store.dealer_id)
            for store in stores
            if store.dealer_id is not None and scope.region_id in (None, *store.region_ids)
        ]
    if scope.dealer_id is not None:
        owned = {store.store_id for store in stores if store.dealer_id == scope.dealer_id}
        pairs = [pair for pair in pairs if pair[0] in owned]
    if scope.store_ids is not None:
        pairs = [pair for pair in pairs if pair[0] in scope.store_ids]
    where, values, _is_sum = _within(metric, span)
    values["held"], values["subjects"] = [one[0] for one in pairs], [one[1] for one in pairs]
    sql = (
        "SELECT held.subject, sum(value)::bigint AS value FROM sales_storetotal total"
        " JOIN unnest(%(held)s::bigint[], %(subjects)s::bigint[]) held(store_id, subject) USING (store_id)"
        f" WHERE {where} GROUP BY held.subject"
    )
    return Source(sql, values, is_sum=True)


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
