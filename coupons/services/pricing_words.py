"""Why a coupon is not used, in a sentence; and the refusal when somebody chose it all the same."""

from typing import Final

from django.utils.translation import gettext as _

from core.errors import Refusal
from coupons.contracts import CouponReason, CouponTerms
from coupons.errors import (
    BelowMinQuantity,
    BelowMinSpend,
    CouponExclusive,
    GoodsNotDiscountable,
    GroupTaken,
    NoGoodsInScope,
    NoValueLeft,
    OverMaxPerOrder,
)
from coupons.services.pricing_terms import Bar

_REFUSALS: Final[dict[CouponReason, type[Refusal]]] = {
    "below_min_spend": BelowMinSpend,
    "below_min_quantity": BelowMinQuantity,
    "no_goods_in_scope": NoGoodsInScope,
    "goods_not_discountable": GoodsNotDiscountable,
    "group_taken": GroupTaken,
    "exclusive": CouponExclusive,
    "over_max_per_order": OverMaxPerOrder,
    "no_value_left": NoValueLeft,
}


def explain(*, coupon: CouponTerms, bar: Bar) -> str:
    """The sentence for the till and the member: what is missing, or what stands in the way."""
    other = bar.against.name if bar.against else ""
    limit = min(one.max_per_order for one in (coupon, bar.against) if one)
    sentences: dict[CouponReason, str] = {
        "below_min_spend": _("还差 %(short)s 可用") % {"short": yuan(fen=bar.short_fen)},
        "below_min_quantity": _("还差 %(count)d 件可用") % {"count": bar.short_count},
        "no_goods_in_scope": _("没有这张券可用的商品"),
        "goods_not_discountable": _("这些商品不参加优惠"),
        "group_taken": _("不能和「%(other)s」一起用") % {"other": other},
        "exclusive": _("「%(name)s」要单独用，不能和「%(other)s」一起用")
        % (
            {"name": coupon.name, "other": other}
            if coupon.is_exclusive
            else {"name": other, "other": coupon.name}
        ),
        "over_max_per_order": _("每单最多用 %(count)d 张") % {"count": limit},
        "no_value_left": _("用这张券不会更便宜，请留着下次用"),
        "not_better": _("已经选了更划算的搭配"),
        "not_chosen": _("没有选用"),
    }
    return sentences[bar.reason]


def explain_use(*, coupon: CouponTerms, discount_fen: int) -> str:
    """What a used coupon does."""
    if coupon.kind == "gift":
        return _("送 %(gift)s") % {"gift": coupon.gift_name}
    return _("已减 %(off)s") % {"off": yuan(fen=discount_fen)}


def refusal(*, coupon: CouponTerms, bar: Bar) -> Refusal:
    """The refusal of a chosen coupon; its details name the coupons, and what is missing."""
    details: dict[str, object] = {"coupon": coupon.key}
    if bar.against:
        details["against"] = bar.against.key
    if bar.short_fen:
        details["short_fen"] = bar.short_fen
    if bar.short_count:
        details["short_count"] = bar.short_count
    return _REFUSALS[bar.reason](f"{coupon.name}：{explain(coupon=coupon, bar=bar)}", **details)


def yuan(*, fen: int) -> str:
    """Fen as people read money: ¥12.50."""
    return f"¥{fen // 100}.{fen % 100:02d}"
