"""Targets, and where everybody stands against them."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from core import clock
from core.errors import NotFound
from guides import selectors as guide_selectors
from sales.contracts import MetricName, TargetChangeLine, TargetKey, TargetKind, TargetProgress
from sales.models import Metric, Target, TargetChange
from sales.selectors.forecasting import (
    ENOUGH_DAYS,
    WEEKS,
    Pattern,
    expected_value,
    forecast_value,
    pattern_of,
)
from sales.selectors.spans import add_months

_WHOLE_BP: Final = 10_000
_HISTORY: Final = """
SELECT metric, {column}, coalesce(sum(value) FILTER (WHERE period = 'month'), 0)::bigint,
       coalesce(sum(value) FILTER (WHERE period = 'day' AND starts_on = %(today)s), 0)::bigint,
       {weekdays},
       count(*) FILTER (WHERE period = 'day' AND starts_on < %(today)s AND value > 0),
       coalesce(%(today)s - min(starts_on) FILTER (WHERE period = 'day' AND starts_on < %(today)s AND value > 0), 0)
FROM {table}
WHERE metric = ANY(%(metrics)s) AND {column} = ANY(%(ids)s)
  AND (period = 'month' AND starts_on = %(month)s
       OR period = 'day' AND starts_on >= %(since)s AND starts_on <= %(today)s)
GROUP BY metric, {column}
"""
_WEEKDAYS: Final = ", ".join(
    "coalesce(sum(value) FILTER (WHERE period = 'day' AND starts_on < %(today)s"
    f" AND extract(isodow FROM starts_on) = {day}), 0)::bigint"
    for day in range(1, 8)
)
_GUIDES: Final = _HISTORY.format(column="guide_id", table="sales_guidetotal", weekdays=_WEEKDAYS)
_STORES: Final = _HISTORY.format(column="store_id", table="sales_storetotal", weekdays=_WEEKDAYS)


@dataclasses.dataclass(frozen=True, slots=True)
class _History:
    """What one subject sold in the month, today, and on the weekdays of eight weeks."""

    done_value: int = 0
    today_value: int = 0
    weekdays: tuple[int, ...] = (0,) * 7
    day_count: int = 0
    age: int = 0  # days since the first sale of the eight weeks

    @property
    def usual_week_value(self) -> int:
        """What a week brings as a rule; younger than a week, nobody knows."""
        return max(0, sum(self.weekdays)) * 7 // self.age if self.age >= 7 else 0

    def __add__(self, other: "_History") -> "_History":
        return _History(
            self.done_value + other.done_value,
            self.today_value + other.today_value,
            tuple(mine + theirs for mine, theirs in zip(self.weekdays, other.weekdays, strict=True)),
            max(self.day_count, other.day_count),
            max(self.age, other.age),
        )


def get_target_progress(
    key: TargetKey, month_on: dt.date, *, metric: MetricName = "sales_fen", at: dt.datetime | None = None
) -> TargetProgress:
    """Where a guide, store or region stands. Raises NotFound when there is no such one."""
    found = list_target_progress([key], month_on, metric=metric, at=at)
    if not found:
        raise NotFound
    return found[0]


def list_target_progress(
    keys: Sequence[TargetKey],
    month_on: dt.date,
    *,
    metric: MetricName = "sales_fen",
    at: dt.datetime | None = None,
) -> tuple[TargetProgress, ...]:
    """The same for many at once, in their order; unknown ones are missing."""
    month_on = month_on.replace(day=1)
    today = clock.business_day(at or clock.now())
    reader = _Reader(keys, month_on, [metric], min(today, add_months(month_on, 1)))
    targets = find_targets(keys, month_on, metric=metric)
    return tuple(
        _progress(key, month_on, metric, today, reader, targets.get(key)) for key in keys if reader.knows(key)
    )


def list_targets_progress(
    key: TargetKey, month_on: dt.date, *, at: dt.datetime | None = None
) -> dict[MetricName, TargetProgress]:
    """Where one subject stands with everything that it is to reach, by metric; in as many queries as one of them."""
    month_on = month_on.replace(day=1)
    today = clock.business_day(at or clock.now())
    targets = list_targets_of(key, month_on)
    if not targets:
        return {}
    reader = _Reader([key], month_on, list(targets), min(today, add_months(month_on, 1)))
    return {
        metric: _progress(key, month_on, metric, today, reader, target)
        for metric, target in targets.items()
        if reader.knows(key)
    }


def find_targets(
    keys: Iterable[TargetKey], month_on: dt.date, *, metric: MetricName = "sales_fen"
) -> dict[TargetKey, int]:
    """The targets in fen of those that have one."""
    ids: dict[TargetKind, list[int]] = defaultdict(list)
    for key in keys:
        ids[key.kind].append(key.subject_id)
    rows = Target.objects.standing().filter(
        Q(region_id__any_of=ids["region"])
        | Q(store_id__any_of=ids["store"])
        | Q(guide_id__any_of=ids["guide"]),
        month_on=month_on,
        metric=metric,
    )
    return {key_of_target(row): row.value or 0 for row in rows}


def list_targets_of(key: TargetKey, month_on: dt.date) -> dict[MetricName, int]:
    """Everything that one subject is to reach in a month, by metric, in one query."""
    hers = {f"{key.kind}_id": key.subject_id}
    rows = Target.objects.standing().filter(month_on=month_on, **hers).values_list("metric", "value")
    return {metric: value or 0 for metric, value in rows}  # type: ignore[misc]


def key_of_target(row: Target) -> TargetKey:
    """Whom a row is for."""
    if row.region_id is not None:
        return TargetKey("region", row.region_id)
    if row.store_id is not None:
        return TargetKey("store", row.store_id)
    return TargetKey("guide", row.guide_id or 0)


def list_target_changes(
    key: TargetKey, month_on: dt.date, *, metric: MetricName = "sales_fen"
) -> tuple[TargetChangeLine, ...]:
    """Who changed it when, from what to what; the newest first."""
    rows = TargetChange.objects.filter(
        target__month_on=month_on.replace(day=1),
        target__metric=metric,
        **{f"target__{key.kind}_id": key.subject_id},
    )
    return tuple(
        TargetChangeLine(row.at, row.made_by, str(row.get_origin_display()), row.from_value, row.to_value)
        for row in rows.order_by("-pk")
    )


class _Reader:
    """Totals of many subjects, and of the stores and regions whose pattern stands in for a thin one."""

    def __init__(
        self, keys: Sequence[TargetKey], month_on: dt.date, metrics: Sequence[MetricName], today: dt.date
    ) -> None:
        self._values: dict[str, Any] = {
            "metrics": [str(Metric(metric)) for metric in metrics],
            "month": month_on,
            "today": today,
            "since": today - dt.timedelta(weeks=WEEKS),
        }
        asked = {
            kind: [key.subject_id for key in keys if key.kind == kind]
            for kind in ("guide", "store", "region")
        }
        self._guides = self._read(_GUIDES, asked["guide"])
        seats = guide_selectors.list_roster(
            starts_on=month_on, ends_on=add_months(month_on, 1), guide_ids=asked["guide"]
        )
        self._store_of = {seat.guide_id: seat.store_id for seat in seats}
        self._known_guides = guide_selectors.known_guide_ids(asked["guide"])
        self._labels = guide_selectors.list_store_labels()
        self._paths = guide_selectors.list_region_paths()
        wanted = set(asked["store"]) | set(self._store_of.values())
        regions = set(asked["region"])
        self._stores = self._read(_STORES, sorted(wanted | self._stores_in(regions)))
        # Stores with a thin history borrow from their region; so do guides of such stores.
        thin = {
            self._labels[store].region_id
            for store in wanted
            if store in self._labels
            and any(self._store(store, metric).day_count < ENOUGH_DAYS for metric in metrics)
        }
        missing = self._stores_in(thin) - {store for _metric, store in self._stores}
        self._stores |= self._read(_STORES, sorted(missing))
        self._regions = {
            (metric, region): sum(
                (self._store(store, metric) for store in self._stores_in({region})), _History()
            )
            for region in regions | thin
            for metric in metrics
        }

    def knows(self, key: TargetKey) -> bool:
        if key.kind == "guide":
            return key.subject_id in self._known_guides
        return key.subject_id in (self._labels if key.kind == "store" else self._paths)

    def own(self, key: TargetKey, metric: MetricName) -> _History:
        """What the subject itself brought."""
        if key.kind == "guide":
            return self._guides.get((metric, key.subject_id), _History())
        if key.kind == "store":
            return self._store(key.subject_id, metric)
        return self._regions.get((metric, key.subject_id), _History())

    def pattern(self, key: TargetKey, metric: MetricName) -> Pattern:
        """Its own weekdays, or those of the next one above that sold on enough days."""
        own = self.own(key, metric)
        for history in self._upwards(key, metric):
            if history.day_count >= ENOUGH_DAYS:
                return pattern_of(history.weekdays, usual_week_value=own.usual_week_value)
        return pattern_of(own.weekdays, usual_week_value=own.usual_week_value)

    def _upwards(self, key: TargetKey, metric: MetricName) -> Iterable[_History]:
        yield self.own(key, metric)
        store = self._store_of.get(key.subject_id) if key.kind == "guide" else key.subject_id
        if key.kind == "guide" and store is not None:
            yield self._store(store, metric)
        if key.kind != "region" and store in self._labels:
            yield self._regions.get((metric, self._labels[store].region_id), _History())

    def _store(self, store_id: int, metric: MetricName) -> _History:
        return self._stores.get((metric, store_id), _History())

    def _stores_in(self, region_ids: set[int]) -> set[int]:
        return {
            store.id
            for store in self._labels.values()
            if region_ids.intersection(self._paths.get(store.region_id, ()))
        }

    def _read(self, statement: str, ids: Sequence[int]) -> dict[tuple[str, int], _History]:
        if not ids:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self._values, "ids": list(ids)})
            return {
                (row[0], row[1]): _History(row[2], row[3], tuple(row[4:11]), *row[11:])
                for row in cursor.fetchall()
            }


def _progress(
    key: TargetKey,
    month_on: dt.date,
    metric: MetricName,
    today: dt.date,
    reader: _Reader,
    target: int | None,
) -> TargetProgress:
    own, pattern = reader.own(key, metric), reader.pattern(key, metric)
    end = add_months(month_on, 1)
    days_left = (end - max(today, month_on)).days if today < end else 0
    passed = min(max((today - month_on).days + 1, 0), (end - month_on).days)
    today_value = own.today_value if month_on <= today < end else 0
    forecast = forecast_value(
        month_on=month_on,
        today=today,
        done_value=own.done_value,
        done_today_value=today_value,
        pattern=pattern,
    )
    # What is missing is shared by today and the days after it; what today brought already counts.
    missing = None
    if target is not None:
        missing = 0 if own.done_value >= target else target - own.done_value + max(0, today_value)
    return TargetProgress(
        key=key,
        month_on=month_on,
        metric=metric,
        target_value=target,
        done_value=own.done_value,
        expected_value=None
        if target is None
        else expected_value(target_value=target, month_on=month_on, today=today, pattern=pattern),
        forecast_value=forecast,
        attainment_bp=own.done_value * _WHOLE_BP // target if target else None,
        forecast_bp=forecast * _WHOLE_BP // target if target else None,
        daily_value=own.done_value // passed if passed else 0,
        needed_daily_value=None if missing is None else (-(-missing // days_left) if days_left else 0),
        days_left=days_left,
    )
