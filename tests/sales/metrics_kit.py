"""A member's numbers worked out in plain Python from the documents, to compare with what the SQL says."""

import calendar
import datetime as dt
import itertools
from collections import Counter
from typing import Any

from core.clock import SHANGHAI
from sales.contracts import RfmRules
from sales.models import MemberMetrics, Sale
from sales.selectors.rfm_rules import get_rfm_rules
from tests.sales.kit import forget_books

COLUMNS = tuple(
    field.attname
    for field in MemberMetrics._meta.concrete_fields
    # What stood in the past is not in the documents, and the day is that of the last change.
    if field.name not in {"member", "computed_on", "before_group", "group_month_on"}
)


def forget_numbers() -> None:
    """As before the first document, and no member has numbers."""
    forget_books(
        "members_activityentry",
        "sales_membermetrics",
        "sales_metricsrun",
        "sales_metricstouch",
        "sales_rfmmonth",
    )


def stored(member_id: int) -> dict[str, Any]:
    """The row as it stands; noughts when there is none."""
    row = MemberMetrics.objects.filter(pk=member_id).first() or MemberMetrics(pk=member_id)
    return {name: getattr(row, name) for name in COLUMNS}


def expected(member_id: int, day: dt.date, rules: RfmRules | None = None) -> dict[str, Any]:
    """What the row should say on that day."""
    rules = rules or get_rfm_rules()
    sales = [
        sale
        for sale in Sale.objects.current().filter(member_id=member_id).prefetch_related("lines")
        if sale.returned_unit_count < sale.unit_count and sale.business_on <= day
    ]
    blank = MemberMetrics(pk=member_id)
    told = {name: getattr(blank, name) for name in COLUMNS}
    if not sales:
        return told
    days = sorted({sale.business_on for sale in sales})
    gaps = sorted((later - earlier).days for earlier, later in itertools.pairwise(days))
    year, kept = _after(sales, _months(day, -12)), _after(sales, _months(_months(day, 1), -12))
    amount = sum(map(_fen, sales))
    units = sum(sale.unit_count - sale.returned_unit_count for sale in sales)
    told |= {
        "first_on": days[0],
        "last_on": days[-1],
        "order_count": len(sales),
        "amount_fen": amount,
        "unit_count": units,
        "basket_fen": amount // len(sales),
        "year_order_count": len(year),
        "year_amount_fen": sum(map(_fen, year)),
        "year_unit_count": sum(sale.unit_count - sale.returned_unit_count for sale in year),
        "kept_order_count": len(kept),
        "kept_amount_fen": sum(map(_fen, kept)),
        "categories": _liked(sales),
        "store_id": _favourite_store(sales),
        "hour": _favourite_hour(sales),
        "price_band": sum(cut <= amount // units for cut in rules.price_cuts),
    }
    if gaps:
        told["typical_days"] = gaps[(len(gaps) - 1) // 2]
        told["next_on"] = days[-1] + dt.timedelta(days=told["typical_days"])
    return told | _judged(told, day, rules)


def _judged(told: dict[str, Any], day: dt.date, rules: RfmRules) -> dict[str, Any]:
    def scores(on: dt.date, orders: int, fen: int) -> tuple[int, int, int]:
        since = (on - told["last_on"]).days
        return (
            5 - sum(since > cut for cut in rules.recency_cuts),
            1 + sum(orders >= cut for cut in rules.frequency_cuts),
            1 + sum(fen >= cut for cut in rules.money_cuts),
        )

    def group(found: tuple[int, int, int]) -> int:
        highs = (rules.recency_high, rules.frequency_high, rules.money_high)
        return sum(
            weight for weight, score, high in zip((1, 2, 4), found, highs, strict=True) if score >= high
        )

    now = scores(day, told["year_order_count"], told["year_amount_fen"])
    coming = scores(_months(day, 1), told["kept_order_count"], told["kept_amount_fen"])
    since = (day - told["last_on"]).days
    names = ("active", "dormant_1", "dormant_3", "dormant_6", "lost")
    stage = names[sum(since > days for days in rules.stage_days)]
    if (day - told["first_on"]).days < rules.new_days:
        stage = "new"
    tier = "unbought"
    for name, months in (("ordinary", 6), ("potential", 3), ("core", 1)):
        if told["last_on"] > _months(day, -months):
            tier = name
    return {
        "recency_score": now[0],
        "frequency_score": now[1],
        "money_score": now[2],
        "rfm_group": group(now),
        "coming_group": group(coming),
        "stage": stage,
        "interval_tier": tier,
    }


def _months(day: dt.date, months: int) -> dt.date:
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _after(sales: list[Sale], day: dt.date) -> list[Sale]:
    return [sale for sale in sales if sale.business_on > day]


def _fen(sale: Sale) -> int:
    return sale.amount_fen - sale.returned_fen


def _liked(sales: list[Sale]) -> list[str]:
    worth: Counter[str] = Counter()
    for sale in sales:
        for line in sale.lines.all():
            if line.category_code:
                worth[line.category_code] += line.amount_fen - line.returned_fen
    ranked = sorted((-fen, code) for code, fen in worth.items() if fen > 0)
    return [code for _fen, code in ranked[:3]]


def _favourite_store(sales: list[Sale]) -> int:
    visits = Counter(sale.store_id for sale in sales)
    last = {sale.store_id: sale.business_on for sale in sorted(sales, key=lambda sale: sale.business_on)}
    return min(visits, key=lambda store: (-visits[store], -last[store].toordinal(), store))


def _favourite_hour(sales: list[Sale]) -> int:
    hours = Counter(sale.sold_at.astimezone(SHANGHAI).hour for sale in sales)
    return min(hours, key=lambda hour: (-hours[hour], hour))
