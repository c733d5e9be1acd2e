"""What members of an ended campaign of the demo bought with its coupons, told as tills tell it."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from config.demo.goods import lines_less, new_lines
from core import clock
from core.actor import Actor
from sales import services
from sales.contracts import MemberKey, OrderCoupon, OrderDocument, OrderLine, OrderPayment

_DICE_SEED: Final = 1103
# Of those who got a coupon of this version, how many come with it.
_SHARES: Final = {"A": 0.3, "B": 0.14}


def shop_with_coupons(*, campaign_id: int, begins: dt.datetime, days: int, actor: Actor) -> int:
    """Orders within so many days of the beginning, each in the store of her guide; how many."""
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents purchases, keeps no secret)
    rows = (
        apps.get_model("campaigns", "CampaignMember")
        .objects.filter(run__campaign_id=campaign_id, state="done", coupon_id__isnull=False, store_id__isnull=False)
        .order_by("member_id")
    )  # fmt: skip
    coming = [row for row in rows.select_related("member") if dice.random() < _SHARES[row.letter]]
    coupons = apps.get_model("coupons", "Coupon").objects.select_related("batch__template")
    held = coupons.in_bulk([row.coupon_id for row in coming])
    stores = apps.get_model("guides", "Store").objects.in_bulk([row.store_id for row in coming])
    numbers = dict(apps.get_model("guides", "Guide").objects.values_list("pk", "number"))
    documents = []
    for number, row in enumerate(coming, 1):
        day = clock.business_day(begins) + dt.timedelta(days=dice.randint(1, days - 1))
        sold_at = dt.datetime.combine(day, dt.time(dice.randint(11, 19), dice.randint(0, 59)), clock.SHANGHAI)
        documents.append(
            _order(
                dice,
                held[row.coupon_id],
                order_no=f"PCAMP{number:04}",
                sold_at=sold_at,
                store_code=stores[row.store_id].code,
                member=MemberKey("member_code", row.member.code),
                serving_guide=numbers.get(row.guide_id or 0, ""),
            )
        )
    for told in sorted(documents, key=lambda document: document.sold_at):
        # Told as it is sold: later the coupon would be past its day.
        services.record_documents(documents=[told], actor=actor, at=told.sold_at)
    return len(documents)


def _order(dice: random.Random, coupon: Any, **values: Any) -> OrderDocument:
    """Goods for at least what the coupon asks for, less what it takes off."""
    template = coupon.batch.template
    lines: tuple[OrderLine, ...] = ()
    while (price := sum(line.amount_fen for line in lines)) < template.min_spend_fen:
        lines = new_lines(dice)
    off = template.off_fen
    lines = lines_less(lines, off)
    paid = sum(line.amount_fen for line in lines)
    return OrderDocument(
        source="pos", channel="store", lines=lines, amount_fen=paid, payments=(OrderPayment("wechat", paid),),
        coupons=(OrderCoupon(coupon.code, off, price),), **values,
    )  # fmt: skip
