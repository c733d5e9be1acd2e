"""Orders on which coupons were used, as they were priced, and what came back of them."""

from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet
from coupons.models.coupons import Redemption

WHOLE_LINE: Final = "all"  # the one line of an order of which only the sum was told


class CouponOrderQuerySet(LockingQuerySet["CouponOrder"]):
    """Orders of one number in one store: one of them is live, those that came back whole are not."""


class CouponOrder(models.Model):
    """One order of a store on which coupons or points were used, with its sums as they were priced. Its lines and
    shares never change; what comes back is written in its returns."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    request_id = models.CharField(max_length=80, editable=False)
    request_digest = models.CharField(max_length=64, editable=False)  # tells whether a repeat asks the same
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("门店")
    )
    # Whose points paid; without points, whom the till named.
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("会员"),
    )
    order_no = models.CharField(_("订单号"), max_length=64)
    amount_fen = models.BigIntegerField(_("原价（分）"))
    discount_fen = models.BigIntegerField(_("券优惠（分）"))
    points = models.BigIntegerField(_("使用积分"), default=0)
    points_fen = models.BigIntegerField(_("积分抵扣（分）"), default=0)
    payable_fen = models.BigIntegerField(_("应付（分）"))
    redeemed_at = models.DateTimeField(_("核销时间"))
    ended_at = models.DateTimeField(_("全部退回时间"), null=True, blank=True)

    objects = CouponOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("用券订单")
        verbose_name_plural = _("用券订单")
        constraints = [
            models.UniqueConstraint(fields=["request_id"], name="couponorder_once_per_request"),
            # A number may be used again when the whole order came back.
            models.UniqueConstraint(
                fields=["store", "order_no"],
                name="couponorder_one_live_per_number",
                condition=Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(
                    discount_fen__gte=0,
                    points_fen__gte=0,
                    payable_fen__gte=0,
                    points__gte=0,
                    amount_fen=F("discount_fen") + F("points_fen") + F("payable_fen"),
                ),
                name="couponorder_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(points=0, points_fen=0) | Q(member__isnull=False),
                name="couponorder_points_have_an_owner",
            ),
        ]
        indexes = [
            # Used when something of an order comes back, whether it is live or not.
            models.Index(fields=["store", "order_no", "-id"], name="couponorder_by_number"),
        ]

    def __str__(self) -> str:
        return self.order_no

    @property
    def source_key(self) -> str:
        """What coupons and points that this order earned or spent carry as their source."""
        return f"order:{self.public_id}"


class CouponOrderLine(models.Model):
    """One line of such an order: coupons' shares + points + what was payable = its price, to the fen."""

    order = models.ForeignKey(
        CouponOrder, on_delete=models.PROTECT, related_name="lines", verbose_name=_("用券订单")
    )
    key = models.CharField(_("行号"), max_length=40)
    product = models.CharField(_("商品编码"), max_length=40, blank=True)
    quantity = models.PositiveIntegerField(_("件数"))
    amount_fen = models.BigIntegerField(_("原价（分）"))
    points = models.BigIntegerField(_("使用积分"), default=0)
    points_fen = models.BigIntegerField(_("积分抵扣（分）"), default=0)
    payable_fen = models.BigIntegerField(_("应付（分）"))

    class Meta:
        verbose_name = _("用券订单商品")
        verbose_name_plural = _("用券订单商品")
        constraints = [
            models.UniqueConstraint(fields=["order", "key"], name="couponorderline_key_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, amount_fen__gte=0, points_fen__gte=0, payable_fen__gte=0),
                name="couponorderline_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class RedemptionShare(models.Model):
    """What one used coupon took off one line it counted for; 0 where it only counted (gifts, thresholds)."""

    redemption = models.ForeignKey(
        Redemption, on_delete=models.PROTECT, related_name="shares", verbose_name=_("核销记录")
    )
    line = models.ForeignKey(
        CouponOrderLine, on_delete=models.PROTECT, related_name="shares", verbose_name=_("商品")
    )
    discount_fen = models.BigIntegerField(_("优惠（分）"))

    class Meta:
        verbose_name = _("优惠分摊")
        verbose_name_plural = _("优惠分摊")
        constraints = [
            models.UniqueConstraint(fields=["redemption", "line"], name="redemptionshare_once"),
            models.CheckConstraint(condition=Q(discount_fen__gte=0), name="redemptionshare_not_negative"),
        ]

    def __str__(self) -> str:
        return f"#{self.redemption_id}/{self.line_id}"


class CouponReturn(models.Model):
    """Goods of an order came back, or the whole order was undone at the till; never changed itself."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    order = models.ForeignKey(
        CouponOrder, on_delete=models.PROTECT, related_name="returns", verbose_name=_("用券订单")
    )
    return_key = models.CharField(max_length=80, editable=False)
    request_digest = models.CharField(max_length=64, editable=False)
    is_undo = models.BooleanField(_("整单撤销"), default=False)
    reason = models.CharField(_("原因"), max_length=120)
    refund_fen = models.BigIntegerField(_("退款（分）"))
    discount_fen = models.BigIntegerField(_("收回优惠（分）"))
    points = models.BigIntegerField(_("退回积分"), default=0)
    voided_count = models.PositiveIntegerField(_("作废赠券"), default=0)
    returned_at = models.DateTimeField(_("退货时间"))
    actor = models.CharField(_("操作者"), max_length=90)

    class Meta:
        verbose_name = _("用券订单退货")
        verbose_name_plural = _("用券订单退货")
        constraints = [
            models.UniqueConstraint(fields=["order", "return_key"], name="couponreturn_once_per_request"),
            models.CheckConstraint(
                condition=Q(refund_fen__gte=0, discount_fen__gte=0, points__gte=0),
                name="couponreturn_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CouponReturnPart(models.Model):
    """What came back of one line: units, or money of its price before coupons."""

    part_of = models.ForeignKey(
        CouponReturn, on_delete=models.PROTECT, related_name="parts", verbose_name=_("退货")
    )
    line = models.ForeignKey(
        CouponOrderLine, on_delete=models.PROTECT, related_name="+", verbose_name=_("商品")
    )
    quantity = models.PositiveIntegerField(_("件数"), default=0)
    amount_fen = models.BigIntegerField(_("金额（分）"), default=0)

    class Meta:
        verbose_name = _("退货商品")
        verbose_name_plural = _("退货商品")
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, amount_fen=0) | Q(quantity=0, amount_fen__gt=0),
                name="couponreturnpart_units_or_money",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.part_of_id}/{self.line_id}"


class PointsPayment(models.Model):
    """The chain's one row about paying with points; without it, or switched off, points pay nothing."""

    is_active = models.BooleanField(_("开放积分抵扣"), default=False)
    step = models.PositiveIntegerField(
        _("每次用多少积分"), default=100, help_text=_("积分按这个数的整数倍使用")
    )
    fen_per_step = models.PositiveIntegerField(
        _("抵多少钱（分）"), default=100, help_text=_("例如 100 积分抵 1 元，填 100")
    )
    max_share_bp = models.PositiveIntegerField(
        _("最多抵用券后的比例（万分比）"), default=5_000, help_text=_("5000 是一半，10000 是全部")
    )
    max_points = models.PositiveIntegerField(
        _("每单最多用多少积分"), null=True, blank=True, help_text=_("留空表示不限")
    )

    class Meta:
        verbose_name = _("积分抵扣设置")
        verbose_name_plural = _("积分抵扣设置")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="pointspayment_one_row"),
            models.CheckConstraint(
                condition=Q(step__gt=0, fen_per_step__gt=0, max_share_bp__range=(1, 10_000)),
                name="pointspayment_numbers_make_sense",
            ),
        ]

    def __str__(self) -> str:
        return str(_("积分抵扣设置"))
