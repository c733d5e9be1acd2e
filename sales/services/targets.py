"""Targets are set by hand, by file, or by splitting one down."""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, Sum

from core import audit, clock
from core.actor import Actor
from core.models import changed_fields
from guides import selectors as guide_selectors
from sales.contracts import (
    MetricName,
    SplitLine,
    SplitPlan,
    TargetEntry,
    TargetKey,
    TargetKind,
    TargetOriginName,
)
from sales.errors import NoSuchTargetSubject, NothingToSplit, SplitChanged, TargetUnusable
from sales.models import (
    MONEY_METRICS,
    TARGET_METRICS,
    GuideTotal,
    StoreTotal,
    Target,
    TargetChange,
    TargetSettings,
)
from sales.selectors import add_months, find_targets, key_of_target
from sales.services.target_splitting import YUAN, Child, Shape, deal

# Two who write targets at once wait for each other: a split looks at many of them.
_LOCK: Final = 7_302_002
MOST_FEN: Final = 10**14
_RECENT_MONTHS: Final = 3


def set_targets(
    *,
    month_on: dt.date,
    entries: Sequence[TargetEntry],
    metric: MetricName = "sales_fen",
    origin: TargetOriginName = "hand",
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """These subjects have these targets; how many changed. What is entered by hand stays when a target above is split
    again. Refuses numbers that make no sense and unknown subjects; then nothing is changed."""
    at, month_on = at or clock.now(), month_on.replace(day=1)
    _check(metric, entries)
    with transaction.atomic():
        _take_lock()
        changed = _write(month_on, metric, entries, origin, actor, at)
        if changed:
            audit.record(
                action="sales.targets_set",
                subject=Target(pk=0),
                actor=actor,
                at=at,
                month=f"{month_on:%Y-%m}",
                count=changed,
                origin=origin,
            )
    return changed


def release_targets(
    *,
    month_on: dt.date,
    keys: Sequence[TargetKey],
    metric: MetricName = "sales_fen",
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """What was entered by hand may be changed by splitting again; how many were fixed."""
    with transaction.atomic():
        _take_lock()
        rows = _rows_of(month_on.replace(day=1), metric, keys)
        released = Target.objects.filter(pk__in=[row.pk for row in rows.values()], is_fixed=True)
        count = released.update(is_fixed=False)
        if count:
            audit.record(
                action="sales.targets_released",
                subject=Target(pk=0),
                actor=actor,
                at=at or clock.now(),
                month=f"{month_on:%Y-%m}",
                count=count,
            )
    return count


def plan_split(
    *, key: TargetKey, month_on: dt.date, metric: MetricName = "sales_fen", is_deep: bool = True
) -> SplitPlan:
    """How the target of a region or store would be dealt to its stores and (`is_deep`) their guides; writes nothing.

    Refuses when there is nothing to deal or nobody to deal it to, and where parts fixed by hand leave no room.
    """
    month_on = month_on.replace(day=1)
    value = find_targets([key], month_on, metric=metric).get(key)
    if value is None or key.kind == "guide":
        raise NothingToSplit
    shape, lines = _deal_below(key, value, month_on, metric)
    if is_deep and key.kind == "region":
        for store in list(lines):
            # A store without guides keeps its target to itself.
            if _children_of(store.key, month_on):
                lines += _deal_below(store.key, store.value, month_on, metric)[1]
    told = repr((key, month_on, metric, value, [(line.key, line.value, line.was_value) for line in lines]))
    return SplitPlan(
        key, month_on, metric, value, shape, tuple(lines), hashlib.sha256(told.encode()).hexdigest()[:32]
    )


def save_split(
    *,
    key: TargetKey,
    month_on: dt.date,
    digest: str,
    metric: MetricName = "sales_fen",
    is_deep: bool = True,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The plan with this digest is what stands; how many targets changed. Refuses when anything it rests on changed
    since it was looked at."""
    at, month_on = at or clock.now(), month_on.replace(day=1)
    with transaction.atomic():
        _take_lock()
        plan = plan_split(key=key, month_on=month_on, metric=metric, is_deep=is_deep)
        if plan.digest != digest:
            raise SplitChanged
        entries = [TargetEntry(line.key, line.value) for line in plan.lines if not line.is_fixed]
        changed = _write(month_on, metric, entries, "split", actor, at)
        row = _rows_of(month_on, metric, [key])[key]
        audit.record(
            action="sales.target_split",
            subject=row,
            actor=actor,
            at=at,
            month=f"{month_on:%Y-%m}",
            count=changed,
        )
    return changed


def decide_effective(
    *, orders_a_week: int, orders_a_month: int, actor: Actor, at: dt.datetime | None = None
) -> None:
    """From now on a guide is effective with so many orders. Refuses numbers that make no sense."""
    if not (1 <= orders_a_week <= 1_000 and 1 <= orders_a_month <= 5_000):
        raise TargetUnusable(field="orders_a_week")
    with transaction.atomic():
        _take_lock()
        values = {"orders_a_week": orders_a_week, "orders_a_month": orders_a_month}
        row = TargetSettings.objects.order_by("pk").first()
        if row is None:
            row, fields = TargetSettings.objects.create(**values), sorted(values)
        else:
            fields = changed_fields(row, **values)
            row.save(update_fields=fields)
        if fields:
            audit.record(
                action="sales.effective_decided",
                subject=row,
                actor=actor,
                at=at or clock.now(),
                fields=fields,
            )


def known_keys(*, keys: Collection[TargetKey]) -> set[TargetKey]:
    """Those of them that exist."""
    ids: dict[TargetKind, list[int]] = defaultdict(list)
    for key in keys:
        ids[key.kind].append(key.subject_id)
    stores, regions, _dealers = guide_selectors.known_place_ids(
        store_ids=ids["store"], region_ids=ids["region"], dealer_ids=()
    )
    guides = guide_selectors.known_guide_ids(ids["guide"])
    known: dict[TargetKind, set[int]] = {"store": stores, "region": regions, "guide": guides}
    return {key for key in keys if key.subject_id in known[key.kind]}


def _take_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _check(metric: MetricName, entries: Sequence[TargetEntry]) -> None:
    if metric not in TARGET_METRICS:
        raise TargetUnusable(field="metric")
    if any(one.value is not None and not 0 <= one.value <= MOST_FEN for one in entries):
        raise TargetUnusable(field="value")
    keys = [one.key for one in entries]
    if len(set(keys)) != len(keys):
        raise TargetUnusable(field="key")
    if known_keys(keys=keys) != set(keys):
        raise NoSuchTargetSubject


def _write(
    month_on: dt.date,
    metric: MetricName,
    entries: Sequence[TargetEntry],
    origin: TargetOriginName,
    actor: Actor,
    at: dt.datetime,
) -> int:
    rows = _rows_of(month_on, metric, [one.key for one in entries])
    changes: list[TargetChange] = []
    for one in entries:
        row = rows.get(one.key)
        was = None if row is None else row.value
        if was == one.value:
            continue
        values = {
            "value": one.value,
            "origin": origin,
            "is_fixed": origin != "split" and one.value is not None and one.key.kind != "region",
            "changed_at": at,
        }
        if row is None:
            row = Target.objects.create(
                month_on=month_on, metric=metric, **{f"{one.key.kind}_id": one.key.subject_id}, **values
            )
        else:
            row.save(update_fields=changed_fields(row, **values))
        changes.append(
            TargetChange(
                target=row, at=at, made_by=actor.label[:90] or actor.kind, origin=origin, from_value=was,
                to_value=one.value,
            )
        )  # fmt: skip
    TargetChange.objects.bulk_create(changes, batch_size=1_000)
    return len(changes)


def _rows_of(month_on: dt.date, metric: MetricName, keys: Sequence[TargetKey]) -> dict[TargetKey, Target]:
    ids: dict[TargetKind, list[int]] = defaultdict(list)
    for key in keys:
        ids[key.kind].append(key.subject_id)
    rows = Target.objects.filter(
        Q(region_id__in=ids["region"]) | Q(store_id__in=ids["store"]) | Q(guide_id__in=ids["guide"]),
        month_on=month_on,
        metric=metric,
    )
    return {key_of_target(row): row for row in rows}


def _children_of(key: TargetKey, month_on: dt.date) -> list[TargetKey]:
    """The open stores of a region and all below it, or the guides who stay in a store to the end of the month."""
    if key.kind == "region":
        stores = guide_selectors.list_store_ids(region_id=key.subject_id)
        return [TargetKey("store", pk) for pk in sorted(stores & guide_selectors.open_store_ids(stores))]
    seats = guide_selectors.list_roster(
        starts_on=month_on, ends_on=add_months(month_on, 1), store_ids=[key.subject_id]
    )
    return [TargetKey("guide", seat.guide_id) for seat in seats if seat.stays]


def _deal_below(
    key: TargetKey, value: int, month_on: dt.date, metric: MetricName
) -> tuple[Shape, list[SplitLine]]:
    children = _children_of(key, month_on)
    rows = _rows_of(month_on, metric, children)
    last_year = _of_a_whole_month(children, metric, add_months(month_on, -12))
    recent = _sold(children, metric, [add_months(month_on, -back) for back in range(1, _RECENT_MONTHS + 1)])
    shapes = [
        Child(
            last_year.get(child, 0),
            recent.get(child, 0),
            rows[child].value if child in rows and rows[child].is_fixed else None,
        )
        for child in children
    ]
    shape, weights, parts = deal(amount=value, children=shapes, grain=YUAN if metric in MONEY_METRICS else 1)
    return shape, [
        SplitLine(
            child,
            key,
            weight,
            part,
            rows[child].value if child in rows else None,
            known.fixed_value is not None,
        )
        for child, weight, part, known in zip(children, weights, parts, shapes, strict=True)
    ]


def _of_a_whole_month(
    keys: Sequence[TargetKey], metric: MetricName, month_on: dt.date
) -> dict[TargetKey, int]:
    """What they sold in that month, of those who sold in the month before it too: who began in it has days to show, and
    would be asked for so much."""
    begun = _sold(keys, metric, [add_months(month_on, -1)])
    return {key: value for key, value in _sold(keys, metric, [month_on]).items() if begun.get(key)}


def _sold(keys: Sequence[TargetKey], metric: MetricName, months: Sequence[dt.date]) -> dict[TargetKey, int]:
    """What they sold in these months together."""
    if not keys:
        return {}
    kind = keys[0].kind
    ids = [key.subject_id for key in keys]
    of_months = Q(period="month", starts_on__in=months, metric=metric)
    if kind == "store":
        sold = StoreTotal.objects.filter(of_months, store_id__in=ids).values_list("store_id")
        return {TargetKey(kind, pk): total for pk, total in sold.annotate(total=Sum("value"))}
    by_guide = GuideTotal.objects.filter(of_months, guide_id__in=ids).values_list("guide_id")
    return {TargetKey(kind, pk): total for pk, total in by_guide.annotate(total=Sum("value"))}
