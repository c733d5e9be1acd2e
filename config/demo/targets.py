"""Targets of last month and this one, split down from the whole chain; commission rules; a closed month and one to
look at."""

import datetime as dt
from typing import Any, Final

from django.apps import apps
from django.db.models import Sum

from core import clock
from core.actor import Actor
from sales import selectors, services
from sales.contracts import MetricName, TargetEntry, TargetKey

# Position, name, kind, mode, steps as [from, basis points, fixed fen], what a bounty counts and pays, role, categories.
_RULES: Final[tuple[dict[str, Any], ...]] = (
    {"position": 10, "name": "店长销售提成", "role": "manager", "steps": [[0, 120, 0]]},
    {
        "position": 20,
        "name": "导购销售提成",
        "steps": [[0, 200, 0], [2_000_000, 300, 0], [5_000_000, 400, 0]],
    },
    {
        "position": 30,
        "name": "首购奖",
        "kind": "bounty",
        "bounty_metric": "first_purchase_count",
        "bounty_fen": 1_000,
    },
    {
        "position": 40,
        "name": "月度目标奖",
        "kind": "target",
        "mode": "whole",
        "steps": [[8_000, 30, 0], [10_000, 60, 5_000], [12_000, 100, 10_000]],
    },
)
_PLAIN: Final[dict[str, Any]] = {
    "kind": "sales",
    "mode": "progressive",
    "steps": [],
    "bounty_metric": "",
    "bounty_fen": 0,
    "category_codes": [],
    "region_ids": [],
    "dealer_ids": [],
    "role": "",
    "starts_on": None,
    "ends_on": None,
    "is_active": True,
}
_GROWTH_BP: Final = 10_600
# Money to the thousand yuan, as head offices do; people to the ten.
_MEASURES: Final[tuple[tuple[MetricName, int], ...]] = (("sales_fen", 100_000), ("new_member_count", 10))


def seed_targets(*, at: dt.datetime, actor: Actor) -> bool:
    """Targets and rules exist. Seeds once; whether this call did."""
    if apps.get_model("sales", "CommissionRule").objects.exists():
        return False
    for rule in _RULES:
        services.write_commission_rule(values={**_PLAIN, **rule}, actor=actor, at=at)
    this = clock.business_day(at).replace(day=1)
    last = selectors.add_months(this, -1)
    root = TargetKey("region", apps.get_model("guides", "Region").objects.get(parent=None).pk)
    for month, like in ((last, selectors.add_months(this, -2)), (this, last)):
        for metric, grain in _MEASURES:
            _set_and_split(root, month, metric, grain, _sum_of(metric, like), actor, at)
    before = selectors.add_months(this, -2)
    services.prepare_commission(month_on=before, actor=actor, at=at)
    payable = sum(one.payable_fen for one in selectors.list_commissions(before))
    services.close_commission(month_on=before, payable_fen=payable, actor=actor, at=at)
    return True


def _set_and_split(
    key: TargetKey, month: dt.date, metric: MetricName, grain: int, before: int, actor: Actor, at: dt.datetime
) -> None:
    value = max(1, before * _GROWTH_BP // 10_000 // grain) * grain
    services.set_targets(month_on=month, entries=[TargetEntry(key, value)], metric=metric, actor=actor, at=at)
    plan = services.plan_split(key=key, month_on=month, metric=metric)
    services.save_split(key=key, month_on=month, digest=plan.digest, metric=metric, actor=actor, at=at)


def _sum_of(metric: MetricName, month: dt.date) -> int:
    totals = apps.get_model("sales", "StoreTotal").objects.filter(
        period="month", starts_on=month, metric=metric
    )
    return int(totals.aggregate(total=Sum("value"))["total"] or 0)
