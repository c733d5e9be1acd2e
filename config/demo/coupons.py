"""The demo chain's coupons: every kind, batches in every state, and coupons that were used, given away and lost."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from config.demo.coupon_desk import seed_coupon_desk
from core import clock
from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, IssuedCoupon, TemplateTerms
from coupons.services import Order

_DICE_SEED: Final = 11
_PIECES: Final = 40  # coupons of each of the batches that people hold


def seed_coupons(*, at: dt.datetime, actor: Actor) -> bool:
    """Templates, batches and coupons exist. Seeds once; whether this call wrote them."""
    if apps.get_model("coupons", "CouponTemplate").objects.exists():
        return False
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents customs, keeps no secret)
    began = at - dt.timedelta(days=10)
    batches = {name: _open(terms, batch, actor=actor, at=began) for name, (terms, batch) in _plan(at).items()}
    members = list(
        apps.get_model("members", "Member").objects.order_by("pk").values_list("pk", flat=True)[:400]
    )
    store_ids = list(apps.get_model("guides", "Store").objects.order_by("pk").values_list("pk", flat=True))
    guide = apps.get_model("guides", "Guide").objects.get(number="G001")
    issued = {
        "开业满减": _claim(batches["开业满减"], dice.sample(members, _PIECES), actor=actor, at=began),
        "会员日折扣": _claim(batches["会员日折扣"], dice.sample(members, _PIECES), actor=actor, at=began),
        "帆布包": _claim(batches["帆布包"], dice.sample(members, 30), actor=actor, at=began),
    }
    for member_id in dice.sample(members, 5):
        services.issue_coupon(
            batch_id=batches["导购礼券"],
            member_id=member_id,
            request_key="demo",
            door="guide",
            guide_id=guide.pk,
            store_id=guide.store_id,
            actor=Actor.guide(guide.pk, guide.name),
            at=at - dt.timedelta(hours=3),
        )
    services.issue_coupons(
        batch_id=batches["老客回店"], member_ids=members[:200], key="demo-launch", actor=actor, at=began
    )
    _use(issued["开业满减"], store_ids, dice, actor=actor, at=at)
    services.void_coupon(coupon_id=issued["会员日折扣"][0][1].id, reason="发给了离职员工", actor=actor, at=at)
    giver, coupon = issued["会员日折扣"][1]
    services.gift_coupon(coupon_id=coupon.id, member_id=giver, request_key="demo", actor=actor, at=at)
    services.lock_coupon(code=issued["会员日折扣"][2][1].code, lock_key="demo-order", actor=actor, at=at)
    services.pause_batch(batch_id=batches["会员日折扣"], actor=actor, at=at)
    services.end_batch(batch_id=batches["帆布包"], actor=actor, at=at)
    services.expire_coupons(actor=actor, at=at)
    seed_coupon_desk(at=at, actor=actor)
    return True


def _plan(at: dt.datetime) -> dict[str, tuple[TemplateTerms, BatchTerms]]:
    """Template and batch by name."""
    today = clock.business_day(at)
    start, end = (
        clock.day_bounds(today - dt.timedelta(days=10))[0],
        clock.day_bounds(today + dt.timedelta(days=50))[1],
    )
    words = "每单限用一张，不与店内其他优惠同享，退货后券在有效期内退回。"

    def terms(title: str, **values: Any) -> TemplateTerms:
        given: dict[str, Any] = {
            "validity": "fixed",
            "valid_from": start,
            "valid_until": end,
            "usage_words": words,
        }
        return TemplateTerms(title=title, **(given | values))

    def days(number: int) -> dict[str, Any]:
        return {"validity": "from_today", "valid_from": None, "valid_until": None, "valid_days": number}

    return {
        "开业满减": (
            terms("满 300 减 50", kind="cash_off", off_fen=5_000, min_spend_fen=30_000),
            BatchTerms(name="开业满减", quota=2_000, doors=("claim", "face_to_face"), budget_fen=10_000_000),
        ),
        "会员日折扣": (
            terms("会员日 8.5 折", kind="percent", rate_bp=8_500, cap_fen=10_000, colour="gold", gifting="first",
                  weekdays=(4, 5, 6)),
            BatchTerms(name="会员日折扣", quota=500, doors=("claim", "share"), member_daily_limit=1),
        ),
        "导购礼券": (
            terms("专属导购礼券", kind="cash_off", off_fen=2_000, colour="green", gifting="anyone", **days(30)),
            BatchTerms(name="导购礼券", quota=1_000, doors=("guide", "face_to_face"), member_limit=2, guide_quota=20,
                       guide_quota_period="week"),
        ),
        "老客回店": (
            terms("衬衫一口价", kind="fixed_price", price_fen=19_900, units=2, include_categories=("shirts",),
                  colour="blue"),
            BatchTerms(name="老客回店", quota=150, doors=("system",)),
        ),
        "帆布包": (
            terms("赠帆布包", kind="gift", gift_name="亚麻帆布包", gift_value_fen=3_900, colour="orange", **days(3)),
            BatchTerms(name="帆布包", quota=30, doors=("claim",)),
        ),
    }  # fmt: skip


def _open(terms: TemplateTerms, batch: BatchTerms, *, actor: Actor, at: dt.datetime) -> int:
    template = services.create_template(terms=terms, actor=actor, at=at)
    made = services.create_batch(template_id=template.id, terms=batch, actor=actor, at=at)
    services.open_batch(batch_id=made.id, actor=actor, at=at)
    return made.id


def _claim(
    batch_id: int, members: list[int], *, actor: Actor, at: dt.datetime
) -> list[tuple[int, IssuedCoupon]]:
    return [
        (
            member_id,
            services.claim_coupon(
                batch_id=batch_id, member_id=member_id, request_key="demo", actor=actor, at=at
            ),
        )
        for member_id in members
    ]


def _use(
    issued: list[tuple[int, IssuedCoupon]],
    store_ids: list[int],
    dice: random.Random,
    *,
    actor: Actor,
    at: dt.datetime,
) -> None:
    """Some are redeemed over the days, one of them is taken back."""
    for number, (_member_id, coupon) in enumerate(issued[:18]):
        services.redeem_coupon(
            code=coupon.code,
            order=Order(
                store_id=dice.choice(store_ids),
                order_no=f"DEMO{number:04d}",
                amount_fen=dice.randrange(30_000, 90_000, 100),
                discount_fen=5_000,
                till="1",
            ),
            request_id=f"demo-{number}",
            actor=actor,
            at=at - dt.timedelta(hours=5 * (18 - number)),
        )
    services.reverse_redemption(
        request_id="demo-0", reversal_key="demo", reason="顾客退货", actor=actor, at=at
    )
