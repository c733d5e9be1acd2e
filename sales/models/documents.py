"""What tills and shops told us: orders in their revisions, returns, and documents that wait for a person."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet
from sales.models.catalog import Product


class SaleQuerySet(LockingQuerySet["Sale"]):
    def current(self) -> Self:
        """The newest revision of each order; older ones are kept and count for nothing."""
        return self.filter(is_current=True)


class Sale(models.Model):
    """One order as one revision of its document told it. A correction is a row with a higher revision."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    source = models.CharField(_("来源系统"), max_length=16)
    order_no = models.CharField(_("订单号"), max_length=64)
    revision = models.PositiveIntegerField(_("版本"), default=0)
    is_current = models.BooleanField(_("当前版本"), default=True)
    # SHA-256 of the document as we read it: the same key with another content is a conflict.
    digest = models.BinaryField(max_length=32, editable=False)
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("会员"),
        db_index=False,
    )
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("门店"), db_index=False
    )
    serving_guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("接待导购"),
        db_index=False,
    )
    sharing_guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("分享导购"),
        db_index=False,
    )
    channel = models.CharField(_("渠道"), max_length=16)
    sold_at = models.DateTimeField(_("成交时间"))
    business_on = models.DateField(_("营业日"))  # Shanghai
    list_fen = models.BigIntegerField(_("吊牌金额（分）"))
    amount_fen = models.BigIntegerField(
        _("成交金额（分）")
    )  # after coupons and points, what the sale is worth
    unit_count = models.PositiveIntegerField(_("件数"))
    points_spent = models.PositiveIntegerField(_("使用积分"), default=0)
    returned_fen = models.BigIntegerField(_("已退金额（分）"), default=0)
    returned_unit_count = models.PositiveIntegerField(_("已退件数"), default=0)
    # Her first purchase with us, of all that are recorded; moves when an older one arrives late.
    is_first = models.BooleanField(_("首单"), default=False)
    # What her points and her tier know of this order. Each change has a round of its own, the number in its key.
    points_round = models.PositiveSmallIntegerField(default=0, editable=False)
    spent_round = models.PositiveSmallIntegerField(default=0, editable=False)
    activity_round = models.PositiveSmallIntegerField(default=0, editable=False)
    points_earned = models.PositiveIntegerField(_("获得积分"), default=0)
    counted_fen = models.BigIntegerField(default=0, editable=False)
    counted_orders = models.SmallIntegerField(default=0, editable=False)
    points_taken = models.PositiveIntegerField(_("已扣积分"), default=0)
    # Why the points it was paid with could not be taken (a refusal's code).
    points_outcome = models.CharField(_("扣积分结果"), max_length=40, blank=True)
    recorded_at = models.DateTimeField(_("入账时间"))

    objects = SaleQuerySet.as_manager()

    class Meta:
        verbose_name = _("销售单")
        verbose_name_plural = _("销售单")
        permissions = [
            ("reattribute_sale", _("重新归属销售单")),
            ("export_sale", _("导出销售单")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "order_no", "revision"], name="sale_revision_once"),
            # Two tills that send the same order at once: the second finds the first.
            models.UniqueConstraint(
                fields=["source", "order_no"], name="sale_one_current_per_order", condition=Q(is_current=True)
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gte=0, list_fen__gte=0)
                & Q(returned_fen__gte=0, returned_fen__lte=F("amount_fen"))
                & Q(returned_unit_count__lte=F("unit_count")),
                name="sale_returned_within_sold",
            ),
        ]
        indexes = [
            # Used by her purchases and by the first purchase of a member.
            models.Index(fields=["member", "sold_at"], name="sale_of_member", condition=Q(is_current=True)),
            # Used by the lists of a store and by recomputation of a day.
            models.Index(fields=["store", "business_on"], name="sale_of_store_by_day"),
        ]

    def __str__(self) -> str:
        return self.order_no


class SaleLine(models.Model):
    """One line of goods. `amount_fen` is what the line cost after every discount."""

    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="lines", verbose_name=_("销售单"))
    number = models.PositiveSmallIntegerField(_("行号"))
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", verbose_name=_("商品"), db_index=False
    )
    category_code = models.CharField(_("类目编码"), max_length=40, blank=True)  # as it was sold
    quantity = models.PositiveIntegerField(_("数量"))
    list_fen = models.BigIntegerField(_("吊牌金额（分）"))
    amount_fen = models.BigIntegerField(_("成交金额（分）"))
    returned_quantity = models.PositiveIntegerField(_("已退数量"), default=0)
    returned_fen = models.BigIntegerField(_("已退金额（分）"), default=0)

    class Meta:
        verbose_name = _("销售明细")
        verbose_name_plural = _("销售明细")
        constraints = [
            models.UniqueConstraint(fields=["sale", "number"], name="saleline_once"),
            models.CheckConstraint(
                condition=Q(amount_fen__gte=0, quantity__gt=0)
                & Q(returned_quantity__lte=F("quantity"))
                & Q(returned_fen__gte=0, returned_fen__lte=F("amount_fen")),
                name="saleline_returned_within_sold",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.sale_id}/{self.number}"


class SalePayment(models.Model):
    """How a part of it was paid."""

    sale = models.ForeignKey(
        Sale, on_delete=models.PROTECT, related_name="payments", verbose_name=_("销售单")
    )
    method = models.CharField(_("支付方式"), max_length=16)
    amount_fen = models.BigIntegerField(_("金额（分）"))

    class Meta:
        verbose_name = _("支付明细")
        verbose_name_plural = _("支付明细")

    def __str__(self) -> str:
        return f"{self.method} {self.amount_fen}"


class SaleCoupon(models.Model):
    """A coupon the order names, and what became of it at intake: the goods are sold, whatever the coupon says."""

    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="coupons", verbose_name=_("销售单"))
    code = models.CharField(_("券码"), max_length=20)
    discount_fen = models.BigIntegerField(_("优惠金额（分）"))
    amount_fen = models.BigIntegerField(
        _("用券商品金额（分）")
    )  # of the lines it counts for, before the discount
    # "redeemed", "known" (the till had redeemed it), or the code of the refusal.
    outcome = models.CharField(_("核销结果"), max_length=40, default="pending")

    class Meta:
        verbose_name = _("订单用券")
        verbose_name_plural = _("订单用券")
        constraints = [
            models.UniqueConstraint(fields=["sale", "code"], name="salecoupon_once"),
        ]

    def __str__(self) -> str:
        return self.code


class SaleReturn(models.Model):
    """Goods that came back. Without an original order (`sale` empty) it counts against the store that took them."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    source = models.CharField(_("来源系统"), max_length=16)
    return_no = models.CharField(_("退货单号"), max_length=64)
    digest = models.BinaryField(max_length=32, editable=False)
    order_no = models.CharField(_("原订单号"), max_length=64, blank=True)
    sale = models.ForeignKey(
        Sale,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="returns",
        verbose_name=_("原销售单"),
    )
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("会员"),
        db_index=False,
    )
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("退货门店"), db_index=False
    )
    returned_at = models.DateTimeField(_("退货时间"))
    business_on = models.DateField(_("营业日"))
    amount_fen = models.BigIntegerField(_("退款金额（分）"))
    unit_count = models.PositiveIntegerField(_("件数"))
    recorded_at = models.DateTimeField(_("入账时间"))

    objects = LockingQuerySet["SaleReturn"].as_manager()

    class Meta:
        verbose_name = _("退货单")
        verbose_name_plural = _("退货单")
        permissions = [("export_salereturn", _("导出退货单"))]
        constraints = [
            models.UniqueConstraint(fields=["source", "return_no"], name="salereturn_once"),
            models.CheckConstraint(condition=Q(amount_fen__gte=0), name="salereturn_amount_not_negative"),
        ]
        indexes = [
            models.Index(fields=["store", "business_on"], name="salereturn_of_store_by_day"),
            models.Index(
                fields=["member", "returned_at"],
                name="salereturn_of_member",
                condition=Q(member__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.return_no


class SaleReturnLine(models.Model):
    """So many of one line came back for so much."""

    sale_return = models.ForeignKey(
        SaleReturn, on_delete=models.PROTECT, related_name="lines", verbose_name=_("退货单")
    )
    number = models.PositiveSmallIntegerField(_("行号"))
    # The line of the order; empty for a return without an original.
    sale_line_number = models.PositiveSmallIntegerField(_("原行号"), null=True, blank=True)
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", verbose_name=_("商品"), db_index=False
    )
    quantity = models.PositiveIntegerField(_("数量"))
    amount_fen = models.BigIntegerField(_("退款金额（分）"))

    class Meta:
        verbose_name = _("退货明细")
        verbose_name_plural = _("退货明细")
        constraints = [
            models.UniqueConstraint(fields=["sale_return", "number"], name="salereturnline_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, amount_fen__gte=0), name="salereturnline_numbers_make_sense"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.sale_return_id}/{self.number}"


class HeldState(models.TextChoices):
    """waiting → booked (its order came, or somebody mended what was missing) or discarded, with a reason."""

    WAITING = "waiting", _("待处理")
    BOOKED = "booked", _("已入账")
    DISCARDED = "discarded", _("已作废")


class HeldDocumentQuerySet(LockingQuerySet["HeldDocument"]):
    def waiting(self) -> Self:
        return self.filter(state=HeldState.WAITING)


class HeldDocument(models.Model):
    """A document that could not be booked, whole, with the reason: nothing a till sent is lost."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(_("单据类型"), max_length=8)  # order | return
    source = models.CharField(_("来源系统"), max_length=16)
    number = models.CharField(_("单号"), max_length=64)
    # The order a return waits for.
    order_no = models.CharField(_("原订单号"), max_length=64, blank=True)
    digest = models.BinaryField(max_length=32, editable=False)
    body = SealedTextField(editable=False)  # JSON; may hold a phone
    # The keyed fingerprint of how it names a member, by which an erasure finds it.
    member_index = models.CharField(max_length=64, blank=True, editable=False)
    reason = models.CharField(_("原因"), max_length=40)
    field = models.CharField(_("出错字段"), max_length=40, blank=True)
    # What the field says, for the desk's filter ("store S013 is unknown"); never of a member.
    value = models.CharField(_("内容"), max_length=64, blank=True)
    store_code = models.CharField(_("门店编号"), max_length=20, blank=True)
    due_on = models.DateField(_("单据日期"), null=True, blank=True)  # Shanghai
    state = models.CharField(_("状态"), max_length=9, choices=HeldState, default=HeldState.WAITING)
    tries = models.PositiveIntegerField(_("已重试次数"), default=0)
    held_at = models.DateTimeField(_("收到时间"))
    tried_at = models.DateTimeField(_("最近重试"))
    settled_at = models.DateTimeField(_("处理时间"), null=True, blank=True)
    settled_by = models.CharField(_("处理人"), max_length=90, blank=True)
    note = models.CharField(_("处理说明"), max_length=120, blank=True)

    objects = HeldDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("待处理单据")
        verbose_name_plural = _("待处理单据")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source", "number", "digest"], name="helddocument_content_once"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at__isnull=True)
                | ~Q(state="waiting") & Q(settled_at__isnull=False),
                name="helddocument_settled_has_a_time",
            ),
        ]
        indexes = [
            # Used when an order comes whose return waits, and by the retry of all that wait for one thing.
            models.Index(
                fields=["source", "order_no"], name="helddocument_for_order", condition=Q(state="waiting")
            ),
            models.Index(fields=["reason", "id"], name="helddocument_queue", condition=Q(state="waiting")),
            # Used when a member is erased.
            models.Index(
                fields=["member_index"], name="helddocument_of_member", condition=~Q(member_index="")
            ),
        ]

    def __str__(self) -> str:
        return self.number
