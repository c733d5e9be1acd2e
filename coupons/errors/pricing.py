"""The refusals of `coupons`."""

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput, NotFound, Refusal


class BasketEmpty(InvalidInput):
    code = "coupons.basket_empty"
    sentence = _("购物篮是空的，请先加商品")


class TooManyLines(InvalidInput):
    code = "coupons.too_many_lines"
    sentence = _("商品行太多，请分成几单结算")


class TooManyCoupons(InvalidInput):
    code = "coupons.too_many_coupons"
    sentence = _("优惠券太多，请只选要用的几张")


class DuplicateLine(InvalidInput):
    """Two lines of one key: a return could not tell them apart."""

    code = "coupons.duplicate_line"
    sentence = _("有两行商品的编号一样，请检查后再试")


class DuplicateCoupon(InvalidInput):
    """A coupon is used once; twice in one basket is a mistake of the caller."""

    code = "coupons.duplicate_coupon"
    sentence = _("同一张优惠券出现了两次，请检查后再试")


class BasketAmountUnusable(InvalidInput):
    """Negative, no whole number of fen, or above a hundred million yuan."""

    code = "coupons.basket_amount_unusable"
    sentence = _("金额有误，请检查后再试")


class QuantityUnusable(InvalidInput):
    """Not a whole number from 1 to 100,000."""

    code = "coupons.quantity_unusable"
    sentence = _("件数有误，请检查后再试")


class TermsUnusable(InvalidInput):
    """A coupon that cannot mean anything: `details["field"]` says what is wrong with it."""

    code = "coupons.terms_unusable"
    sentence = _("优惠券的规则有误，请联系总部检查")


class PointsUnusable(InvalidInput):
    """A negative balance, or a worth of points that cannot be."""

    code = "coupons.points_unusable"
    sentence = _("积分有误，请检查后再试")


class CouponNotOffered(NotFound):
    """A chosen coupon that is not among the candidates."""

    code = "coupons.coupon_not_offered"
    sentence = _("没有找到选中的优惠券")


class BelowMinSpend(Refusal):
    code = "coupons.below_min_spend"
    sentence = _("还没有满足优惠券的金额")


class BelowMinQuantity(Refusal):
    code = "coupons.below_min_quantity"
    sentence = _("还没有满足优惠券的件数")


class NoGoodsInScope(Refusal):
    code = "coupons.no_goods_in_scope"
    sentence = _("没有这张券可用的商品")


class GoodsNotDiscountable(Refusal):
    code = "coupons.goods_not_discountable"
    sentence = _("这些商品不参加优惠")


class GroupTaken(Refusal):
    """Two coupons of one stacking group."""

    code = "coupons.group_taken"
    sentence = _("选中的优惠券不能一起用")


class CouponExclusive(Refusal):
    """A coupon that is used alone, together with another."""

    code = "coupons.exclusive"
    sentence = _("这张券不能和其他券一起用")


class OverMaxPerOrder(Refusal):
    code = "coupons.over_max_per_order"
    sentence = _("这种券超过了每单可用的张数")


class NoValueLeft(Refusal):
    """It would be used up without taking anything off."""

    code = "coupons.no_value_left"
    sentence = _("用这张券不会更便宜，请留着下次用")


class NoSuchLine(NotFound):
    """A return of a line that the basket does not have."""

    code = "coupons.no_such_line"
    sentence = _("原单里没有这一行商品")


class ReturnUnusable(InvalidInput):
    """Neither units nor money, both, or not a whole number above zero."""

    code = "coupons.return_unusable"
    sentence = _("退货的件数或金额有误，请检查后再试")


class ReturnedTooMuch(Refusal):
    """More than was bought, with what came back before."""

    code = "coupons.returned_too_much"
    sentence = _("退货超过了原单还没退的部分")
