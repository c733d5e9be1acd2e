"""What the tests of statistics share: the truth, counted from the facts by another way, and the folded numbers."""

import datetime as dt
from collections import Counter
from typing import Any

from core import clock
from coupons import services
from coupons.models import (
    Coupon,
    CouponDay,
    CouponDayTotal,
    CouponDue,
    CouponEvent,
    CouponMonth,
    Redemption,
    RedemptionEntry,
)
from coupons.services import Order
from tests.coupons.kit import BOSS, key

NUMBERS = ("issued", "redeemed", "reversed", "voided", "expired", "discount", "sales")
_UNUSED = {"issued", "locked", "gifting"}


def at_shanghai(text: str) -> dt.datetime:
    """ "2026-10-31 23:59" there."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=clock.SHANGHAI).astimezone(dt.UTC)


def fold() -> None:
    """The job, once."""
    assert services.fold_stats(actor=BOSS).is_whole


def redeem(code: str, store_id: int, *, at: dt.datetime | None = None, **values: Any) -> Any:
    """A purchase of 200 with 30 off."""
    given: dict[str, Any] = {"order_no": "S1", "amount_fen": 20_000, "discount_fen": 3_000}
    order = Order(store_id=store_id, **(given | values))
    return services.redeem_coupon(code=code, order=order, request_id=key(), actor=BOSS, at=at)


def reverse(request_id: str, *, at: dt.datetime | None = None) -> Any:
    """All of it comes back."""
    return services.reverse_redemption(
        request_id=request_id, reversal_key=key(), reason="退货", actor=BOSS, at=at
    )


def truth() -> tuple[Counter[Any], Counter[Any]]:
    """Every number by its key and name, and unused coupons by their last day; zeros left out."""
    days: Counter[Any] = Counter()

    def dims(coupon: Coupon, store_id: int = 0, guide_id: int = 0) -> tuple[Any, ...]:
        issuer = (coupon.batch_id, coupon.door, coupon.issued_by_guide_id or 0, coupon.issued_store_id or 0)
        return (*issuer, store_id, guide_id)

    due: Counter[Any] = Counter()
    for coupon in Coupon.objects.all():
        days[clock.business_day(coupon.issued_at), *dims(coupon), "issued"] += 1
        last = clock.business_day(coupon.valid_until - dt.timedelta(microseconds=1))
        due[last, *dims(coupon)[:4]] += coupon.state in _UNUSED
    for event in CouponEvent.objects.select_related("coupon").filter(to_state__in=["voided", "expired"]):
        days[clock.business_day(event.at), *dims(event.coupon), event.to_state] += 1
    for row in Redemption.objects.select_related("coupon"):
        place = dims(row.coupon, row.store_id, row.redeemed_by_guide_id or 0)
        day = clock.business_day(row.redeemed_at)
        days[day, *place, "redeemed"] += 1
        days[day, *place, "discount"] += row.discount_fen
        days[day, *place, "sales"] += row.amount_fen
        left_discount, left_sales = row.discount_fen, row.amount_fen
        for entry in RedemptionEntry.objects.filter(redemption=row, what="returned"):
            days[entry.day, *place, "discount"] += entry.discount_fen
            days[entry.day, *place, "sales"] += entry.sales_fen
            left_discount, left_sales = left_discount + entry.discount_fen, left_sales + entry.sales_fen
        if row.reversed_at is not None:
            day = clock.business_day(row.reversed_at)
            days[day, *place, "redeemed"] -= 1
            days[day, *place, "reversed"] += 1
            days[day, *place, "discount"] -= left_discount
            days[day, *place, "sales"] -= left_sales
    return _dense(days), _dense(due)


def folded() -> tuple[Counter[Any], Counter[Any]]:
    """What the tables say, in the same shape."""
    days: Counter[Any] = Counter()
    for row in CouponDay.objects.all():
        place = (
            row.day, row.batch_id, row.door, row.guide_id, row.issued_store_id, row.redeemed_store_id,
            row.redeemed_guide_id,
        )  # fmt: skip
        for name in NUMBERS:
            days[*place, name] += _value(row, name)
    due: Counter[Any] = Counter()
    for one in CouponDue.objects.all():
        due[one.last_day, one.batch_id, one.door, one.guide_id, one.issued_store_id] += one.unused_count
    return _dense(days), _dense(due)


def check_folded() -> None:
    """The tables are what the facts say, the small one what the large one says."""
    assert folded() == truth()
    small: Counter[Any] = Counter()
    for row in CouponDayTotal.objects.all():
        for name in NUMBERS:
            small[row.day, row.batch_id, row.door, name] += _value(row, name)
    large: Counter[Any] = Counter()
    for found, value in folded()[0].items():
        large[*found[:3], found[-1]] += value
    assert _dense(small) == _dense(large)
    assert by_month() == _dense(_months_of(folded()[0]))


def by_month() -> Counter[Any]:
    """What the months say: side, month, store, guide, batch, door, name."""
    found: Counter[Any] = Counter()
    for row in CouponMonth.objects.all():
        for name in NUMBERS:
            found[row.side, row.month, row.store_id, row.guide_id, row.batch_id, row.door, name] += _value(
                row, name
            )
    return _dense(found)


def _months_of(days: Counter[Any]) -> Counter[Any]:
    """The same from the rows of days, each once for who issued and once for who redeemed."""
    found: Counter[Any] = Counter()
    for (day, batch, door, guide, store, till, till_guide, name), value in days.items():
        month = day.replace(day=1)
        found["issued", month, store, guide, batch, door, name] += value
        found["redeemed", month, till, till_guide, batch, door, name] += value
    return found


def _value(row: Any, name: str) -> int:
    suffix = "fen" if name in {"discount", "sales"} else "count"
    return int(getattr(row, f"{name}_{suffix}"))


def _dense(counts: Counter[Any]) -> Counter[Any]:
    return Counter({found: value for found, value in counts.items() if value})
