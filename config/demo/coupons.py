"""The demo chain's coupons: every kind, batches in every state, and coupons that were used, given away and lost."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from config.demo.coupon_desk import seed_coupon_desk
from config.demo.coupon_doors import seed_coupon_doors
from config.demo.coupon_plan import plan_of
from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, IssuedCoupon, TemplateTerms
from coupons.services import Order
from guides import selectors as guide_selectors

_DICE_SEED: Final = 11
_PIECES: Final = 40  # coupons of each of the batches that people hold


def seed_coupons(*, at: dt.datetime, actor: Actor) -> bool:
    """Templates, batches and coupons exist. Seeds once; whether this call wrote them."""
    if apps.get_model("coupons", "CouponTemplate").objects.exists():
        return False
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents customs, keeps no secret)
    began = at - dt.timedelta(days=10)
    batches = {
        name: _open(terms, batch, actor=actor, at=began) for name, (terms, batch) in plan_of(at).items()
    }
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
    _give_by_hand(batches["周末回店"], guide, actor=actor, at=at)
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
    seed_coupon_doors(
        batches["新客见面"],
        batches["好友同享"],
        sharers=members[:3],
        friends=members[200:207],
        actor=actor,
        at=at,
    )
    seed_coupon_desk(at=at, actor=actor)
    return True


def _give_by_hand(batch_id: int, guide: Any, *, actor: Actor, at: dt.datetime) -> None:
    """The guide gave some of her members a coupon yesterday; two were used in her store this morning."""
    doer = Actor.guide(guide.pk, guide.name)
    hers = guide_selectors.list_newest_members(guide.pk, 8)
    given = [
        services.issue_coupon(
            batch_id=batch_id,
            member_id=line.member.id,
            request_key="demo-by-hand",
            door="guide",
            guide_id=guide.pk,
            store_id=guide.store_id,
            actor=doer,
            at=at - dt.timedelta(days=1),
        )
        for line in hers
    ]
    for number, coupon in enumerate(given[-2:]):
        services.redeem_coupon(
            code=coupon.code,
            order=Order(
                store_id=guide.store_id,
                order_no=f"A{1023 + number}",
                amount_fen=32_800 + number * 15_000,
                discount_fen=3_000,
                guide_id=guide.pk,
            ),
            request_id=f"demo-by-hand-{number}",
            actor=doer,
            at=at - dt.timedelta(minutes=40 - 30 * number),
        )


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
