"""What the coupon tests share: members by the dozen, terms, batches, and the sums that must hold at every moment."""

import datetime as dt
import itertools
from typing import Any

from django.db.models import Count, F, Sum

from core import clock
from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, IssuedCoupon, TemplateTerms
from coupons.models import Coupon, CouponBatch, CouponBatchShard, Redemption
from coupons.services import Order
from coupons.services.sold_out import forget_sold_out
from members.models import Member
from tests.cast import make_store

BOSS = Actor.system("test")
_numbers = itertools.count(1)


def key() -> str:
    """A request key nobody used."""
    return f"k{next(_numbers)}"


def make_members(count: int) -> list[int]:
    """So many prospects; their ids."""
    now = clock.now()
    rows = Member.objects.bulk_create(Member(source="import", registered_at=now) for _ in range(count))
    return [row.pk for row in rows]


def make_shop() -> int:
    """A store in a region of its own; its id."""
    from guides import services as guide_services

    number = next(_numbers)
    region = guide_services.open_region(name=f"区域{number}", actor=BOSS)
    return make_store(f"K{number}", f"门店{number}", region.id).id


def terms(**values: Any) -> TemplateTerms:
    """30 off, for seven days."""
    given: dict[str, Any] = {
        "title": "满减券", "kind": "cash_off", "off_fen": 3_000, "validity": "from_today", "valid_days": 7,
    }  # fmt: skip
    return TemplateTerms(**(given | values))


def make_template(**values: Any) -> int:
    """A template; its id."""
    return services.create_template(terms=terms(**values), actor=BOSS).id


def make_batch(
    quota: int = 100, *, template_id: int | None = None, is_open: bool = True, at: Any = None, **values: Any
) -> int:
    """An open batch for every door without limits; its id."""
    given: dict[str, Any] = {
        "name": "批次",
        "quota": quota,
        "member_limit": None,
        "doors": ("claim", "guide", "face_to_face", "system", "share", "code"),
    }
    batch = services.create_batch(
        template_id=template_id or make_template(), terms=BatchTerms(**(given | values)), actor=BOSS, at=at
    )
    forget_sold_out(batch.id)
    if is_open:
        services.open_batch(batch_id=batch.id, actor=BOSS, at=at)
    return batch.id


def claim(batch_id: int, member_id: int, request_key: str = "", **values: Any) -> IssuedCoupon:
    """She claims one."""
    return services.claim_coupon(
        batch_id=batch_id, member_id=member_id, request_key=request_key or key(), actor=BOSS, **values
    )


def order(store_id: int, **values: Any) -> Order:
    """A purchase of 200 with 30 off."""
    given: dict[str, Any] = {"order_no": "S1", "amount_fen": 20_000, "discount_fen": 3_000}
    return Order(store_id=store_id, **(given | values))


def check_counters(batch_id: int) -> None:
    """Counters are what the rows say: nothing oversold, no reserve lost, nothing redeemed twice."""
    batch = CouponBatch.objects.get(pk=batch_id)
    sums = CouponBatchShard.objects.filter(batch=batch).aggregate(
        quota=Sum("quota"),
        issued=Sum("issued_count"),
        reserved=Sum("reserved_fen"),
        redeemed=Sum("redeemed_count"),
        voided=Sum("voided_count"),
        expired=Sum("expired_count"),
        discount=Sum("discount_fen"),
        sales=Sum("sales_fen"),
    )
    coupons = Coupon.objects.filter(batch=batch)
    by_state = dict(coupons.values_list("state").annotate(n=Count("pk")))
    over = by_state.get("voided", 0) + by_state.get("expired", 0)
    live = Redemption.objects.filter(coupon__batch=batch, reversed_at__isnull=True)
    assert sums["quota"] == batch.quota
    assert sums["issued"] == coupons.count() <= batch.quota
    assert sums["reserved"] == (coupons.count() - over) * batch.cost_fen
    assert batch.budget_fen is None or sums["reserved"] <= batch.budget_fen
    assert (sums["voided"], sums["expired"]) == (by_state.get("voided", 0), by_state.get("expired", 0))
    assert sums["redeemed"] == by_state.get("redeemed", 0) == live.count()
    kept = live.aggregate(
        discount=Sum(F("discount_fen") - F("returned_discount_fen")),
        sales=Sum(F("amount_fen") - F("returned_fen")),
    )
    assert (sums["discount"], sums["sales"]) == (kept["discount"] or 0, kept["sales"] or 0)


def later(**span: int) -> dt.datetime:
    """So long from now."""
    return clock.now() + dt.timedelta(**span)
