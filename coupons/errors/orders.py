"""The refusals about orders and returns."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound


class NoSuchOrder(NotFound):
    """Unknown, of another store, or a return that comes before its order."""

    code = "coupons.no_such_order"
    sentence = _("没有找到这个订单的用券记录，请核对订单号；如果核销还没有上传，请先上传")


class OrderNumberTaken(Conflict):
    """Coupons of one order are redeemed together: a second call could pass the limits of an order."""

    code = "coupons.order_number_taken"
    sentence = _("这个订单号已经用过券了，请先撤销再重新结算")


class NothingToRedeem(InvalidInput):
    code = "coupons.nothing_to_redeem"
    sentence = _("请至少选一张券，或使用积分")


class PriceChanged(Conflict):
    """`details["payable_fen"]` is the price now."""

    code = "coupons.price_changed"
    sentence = _("应付金额有变化，请按新的金额重新确认")


class MemberMissing(InvalidInput):
    """Points have an owner."""

    code = "coupons.member_missing"
    sentence = _("使用积分要先读会员码")


class PointsClosed(Conflict):
    code = "coupons.points_closed"
    sentence = _("现在不能用积分抵扣")


class AlreadyReturned(Conflict):
    """Everything of the order came back, or it was undone."""

    code = "coupons.already_returned"
    sentence = _("这个订单已经全部退回了")


class PartlyReturned(Conflict):
    """An order is undone whole; when goods came back already, the rest is a return."""

    code = "coupons.partly_returned"
    sentence = _("这个订单已有商品退货，剩下的请走退货")


class PartOfOrder(Conflict):
    """One of several coupons of an order: alone it cannot be taken back, for the prices of the order rest on it."""

    code = "coupons.part_of_order"
    sentence = _("这一单用了不止一张券或积分，请撤销整单")
