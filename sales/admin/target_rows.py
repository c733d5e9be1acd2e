"""What the target pages show: who is in sight of an account, and cells of their rows."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from core.workbooks import Sheet
from coupons import selectors as coupon_selectors
from guides import selectors as guide_selectors
from sales import selectors
from sales.admin.target_words import TargetUnit
from sales.admin.words import rate
from sales.contracts import SplitPlan, TargetKey, TargetKind, TargetProgress
from sales.models import Target


@dataclasses.dataclass(frozen=True, slots=True)
class TargetRow:
    """One line of the page."""

    key: TargetKey
    name: str
    code: str
    depth: int


class Sight:
    """The regions, stores and guides of one month that a staff account sees, and what their targets are of."""

    def __init__(self, staff: Any, month_on: dt.date, unit: TargetUnit) -> None:
        self.month_on = month_on
        self.unit = unit
        self.store_ids = coupon_selectors.visible_store_ids(staff)
        self.region_ids = guide_selectors.visible_region_ids(staff)
        self.labels = guide_selectors.list_store_labels(self.store_ids)

    @cached_property
    def seats(self) -> Any:
        return guide_selectors.list_roster(
            starts_on=self.month_on,
            ends_on=selectors.add_months(self.month_on, 1),
            store_ids=set(self.labels),
        )

    @cached_property
    def visible(self) -> dict[TargetKind, frozenset[int] | None]:
        """Whom targets may be set for."""
        sees_all = self.store_ids is None
        return {
            "region": self.region_ids,
            "store": self.store_ids,
            "guide": None if sees_all else frozenset(seat.guide_id for seat in self.seats),
        }

    def sees(self, key: TargetKey) -> bool:
        """Whether she may look at it; what there is not looks the same."""
        if key.kind == "region":
            known = {node.id for node in self._regions}
            return key.subject_id in known
        return key.subject_id in self.labels if key.kind == "store" else True

    @cached_property
    def _regions(self) -> list[Any]:
        nodes = guide_selectors.list_region_tree()
        return [node for node in nodes if self.region_ids is None or node.id in self.region_ids]

    def rows(self, store_id: int | None = None) -> list[TargetRow]:
        """Regions, each followed by its own stores; or one store and its guides."""
        if store_id is not None:
            label = self.labels[store_id]
            seats = [seat for seat in self.seats if seat.store_id == store_id]
            return [
                TargetRow(TargetKey("store", store_id), label.name, label.code, 0),
                *(TargetRow(TargetKey("guide", seat.guide_id), seat.name, seat.number, 1) for seat in seats),
            ]
        stores: dict[int, list[Any]] = defaultdict(list)
        for label in sorted(self.labels.values(), key=lambda one: one.code):
            stores[label.region_id].append(label)
        shown: list[TargetRow] = []
        for node in self._regions:
            shown.append(TargetRow(TargetKey("region", node.id), node.name, "", node.depth))
            shown += [
                TargetRow(TargetKey("store", label.id), label.name, label.code, node.depth + 1)
                for label in stores.pop(node.id, [])
            ]
        # Of a dealer or a single store she sees no region.
        rest = [label for labels in stores.values() for label in labels]
        return shown + [TargetRow(TargetKey("store", one.id), one.name, one.code, 0) for one in rest]

    def below(self, key: TargetKey) -> list[TargetKey]:
        """The stores of a region and their guides, or the guides of a store."""
        stores = [key.subject_id]
        if key.kind == "region":
            stores = sorted(guide_selectors.list_store_ids(region_id=key.subject_id) & set(self.labels))
        guides = [TargetKey("guide", seat.guide_id) for seat in self.seats if seat.store_id in stores]
        return guides if key.kind == "store" else [*(TargetKey("store", pk) for pk in stores), *guides]

    def fixed(self, keys: Sequence[TargetKey]) -> set[TargetKey]:
        """Those of them that were decided by hand."""
        ids: dict[str, list[int]] = defaultdict(list)
        for key in keys:
            ids[key.kind].append(key.subject_id)
        rows = Target.objects.standing().filter(
            Q(store_id__in=ids["store"]) | Q(guide_id__in=ids["guide"]),
            month_on=self.month_on,
            metric=self.unit.metric,
            is_fixed=True,
        )
        return {selectors.key_of_target(row) for row in rows}

    def store_name(self, store_id: int) -> str:
        return self.labels[store_id].name if store_id in self.labels else ""

    def name_of(self, key: TargetKey) -> str:
        """As people call it."""
        if key.kind == "region":
            return next((node.name for node in self._regions if node.id == key.subject_id), "")
        if key.kind == "store":
            return self.store_name(key.subject_id)
        seat = next((seat for seat in self.seats if seat.guide_id == key.subject_id), None)
        return "" if seat is None else f"{seat.name}（{seat.number}）"

    def sheets(self) -> list[Sheet]:
        """Regions and stores, then guides; with the two columns that an import reads."""
        rows = self.rows()
        guides = [
            TargetRow(TargetKey("guide", seat.guide_id), seat.name, seat.number, 0) for seat in self.seats
        ]
        progress = {
            one.key: one
            for one in selectors.list_target_progress(
                [row.key for row in [*rows, *guides]], self.month_on, metric=self.unit.metric
            )
        }
        kind = self.unit.column_kind
        heads: list[Any] = [
            (_("编号"), "text"), (_("名称"), "text"), (_("目标"), kind), (_("已完成"), kind), (_("达成率"), "share"),
            (_("预计月末"), kind), (_("预计达成率"), "share"),
        ]  # fmt: skip

        def cells(row: TargetRow) -> list[Any]:
            one = progress[row.key]
            return [
                row.code or row.name, row.name, one.target_value, one.done_value, one.attainment_bp, one.forecast_value,
                one.forecast_bp,
            ]  # fmt: skip

        return [
            Sheet(_("区域和门店"), heads, [cells(row) for row in rows]),
            Sheet(_("导购"), heads, [cells(row) for row in guides]),
        ]


def field_of(key: TargetKey) -> str:
    """The name of its field in the grid."""
    return f"{key.kind}-{key.subject_id}"


def typed_cells(row: TargetRow, typed: Mapping[str, str], wrong: Mapping[str, str]) -> dict[str, Any]:
    """What was typed for the line in place of what is saved, and whether it is wrong."""
    field = field_of(row.key)
    return {"value": typed[field], "is_wrong": field in wrong} if field in typed else {}


def progress_cells(
    row: TargetRow, one: TargetProgress, month_on: dt.date, is_fixed: bool, unit: TargetUnit
) -> dict[str, Any]:
    """One line of the table."""
    month = f"{month_on:%Y-%m}{unit.query}"
    split = reverse("admin:sales_targets_split") + f"?month={month}&of={row.key.kind}-{row.key.subject_id}"
    behind = one.expected_value is not None and one.done_value < one.expected_value
    return {
        "name": row.name,
        "code": row.code,
        "indent": "　" * row.depth,
        "is_region": row.key.kind == "region",
        "field": field_of(row.key),
        "value": unit.field(one.target_value),
        "is_fixed": is_fixed,
        "done": unit.say(one.done_value),
        "attainment": rate(one.attainment_bp),
        "meter": None if one.attainment_bp is None else min(100, max(0, one.attainment_bp // 100)),
        "is_behind": behind,
        "expected": unit.say(one.expected_value),
        "forecast": unit.say(one.forecast_value),
        "forecast_share": rate(one.forecast_bp),
        "needed": unit.say(one.needed_daily_value),
        "url": f"{reverse('admin:sales_target_changelist')}?month={month}&store={row.key.subject_id}"
        if row.key.kind == "store"
        else "",
        "split_url": split if one.target_value and row.key.kind != "guide" else "",
    }


def split_cells(plan: SplitPlan, sight: Sight) -> dict[str, Any]:
    """The plan as a table: each store with its guides below it."""
    unit = sight.unit
    shapes = {"last_year": _("去年同月的业绩"), "recent": _("最近三个月的业绩"), "equal": _("平均分")}
    below: dict[TargetKey, list[Any]] = defaultdict(list)
    for line in plan.lines:
        below[line.parent].append(line)
    ordered = []
    for line in below[plan.key]:
        ordered.append((line, 0))
        ordered += [(child, 1) for child in below.get(line.key, ())]
    return {
        "value": unit.say(plan.value),
        "shape": shapes[plan.shape],
        "digest": plan.digest,
        "refusal": "",
        "changed_count": sum(1 for line in plan.lines if line.value != line.was_value),
        "lines": [
            {
                "name": sight.name_of(line.key),
                "indent": "　" * (depth * 2),
                "is_store": line.key.kind == "store",
                "was": unit.say(line.was_value),
                "value": unit.say(line.value),
                "is_new": line.value != line.was_value,
                "is_fixed": line.is_fixed,
                "share": rate(line.value * 10_000 // max(1, _whole(plan, line.parent))),
            }
            for line, depth in ordered
        ],
    }


def _whole(plan: SplitPlan, parent: TargetKey) -> int:
    return sum(line.value for line in plan.lines if line.parent == parent)


def target_sheets(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Sheet]:
    """Rows that were not taken, with line and reason."""
    width = len(headings)
    heads: list[Any] = [(heading, "text") for heading in headings] + [
        (_("行号"), "text"),
        (_("原因"), "text"),
    ]
    padded = [[*row[:-2][:width], *[""] * (width - len(row[:-2])), *row[-2:]] for row in rows]
    return [Sheet(_("有问题的行"), heads, padded)]
