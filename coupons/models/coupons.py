"""Coupons, what happened to them, and what they were used for."""

import datetime as dt
from collections.abc import Mapping
from typing import Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch, Door


class CouponState(models.TextChoices):
    """What may follow what is `TRANSITIONS`."""

    ISSUED = "issued", _("可用")
    LOCKED = "locked", _("下单占用中")
    GIFTING = "gifting", _("转赠中")
    REDEEMED = "redeemed", _("已核销")
    EXPIRED = "expired", _("已过期")
    VOIDED = "voided", _("已作废")


_S = CouponState
TRANSITIONS: Final[Mapping[CouponState, frozenset[CouponState]]] = {
    # A new holder takes over in `gifting → issued`; `redeemed → expired` is a reversal after the last day.
    _S.ISSUED: frozenset({_S.LOCKED, _S.GIFTING, _S.REDEEMED, _S.EXPIRED, _S.VOIDED}),
    _S.LOCKED: frozenset({_S.ISSUED, _S.REDEEMED, _S.EXPIRED, _S.VOIDED}),
    _S.GIFTING: frozenset({_S.ISSUED, _S.EXPIRED, _S.VOIDED}),
    _S.REDEEMED: frozenset({_S.ISSUED, _S.EXPIRED}),
    _S.EXPIRED: frozenset(),
    _S.VOIDED: frozenset(),
}


class CouponQuerySet(LockingQuerySet["Coupon"]):
    def unused(self) -> Self:
        """Neither redeemed nor over."""
        return self.filter(state__in=[_S.ISSUED, _S.LOCKED, _S.GIFTING])

    def redeemable(self, at: dt.datetime) -> Self:
        """In her hands and in date; a lock that is over counts for nothing."""
        return self.filter(
            Q(state=_S.ISSUED) | Q(state=_S.LOCKED, locked_until__lte=at),
            valid_from__lte=at,
            valid_until__gt=at,
        )

    def overdue(self, at: dt.datetime) -> Self:
        """Past the last day and still not closed. A lock under way is left to its end."""
        return self.filter(
            Q(state__in=[_S.ISSUED, _S.GIFTING]) | Q(state=_S.LOCKED, locked_until__lte=at),
            valid_until__lte=at,
        )


class Coupon(models.Model):
    """One coupon in one member's hands. How it was issued stands on it; what came after are its events."""

    # Random, 16 characters with a check character: who has the code has the coupon.
    code = models.CharField(_("券码"), max_length=16)
    batch = models.ForeignKey(
        CouponBatch,
        on_delete=models.PROTECT,
        related_name="coupons",
        verbose_name=_("券批次"),
        db_index=False,
    )
    # The shard that counted it, which gets its reserve back.
    shard = models.PositiveSmallIntegerField(editable=False)
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("持有人"),
        db_index=False,
    )
    # Whom it was issued to, for the limits: stays when it is handed on, follows when members are merged. Without
    # a foreign key: a million of them would cost a million look-ups, and `member` was the same row at issue.
    received_by = models.BigIntegerField(editable=False)
    ordinal = models.PositiveIntegerField(editable=False)  # her how-many-eth of this batch
    state = models.CharField(_("状态"), max_length=8, choices=CouponState, default=CouponState.ISSUED)
    valid_from = models.DateTimeField(_("可用开始"))
    valid_until = models.DateTimeField(_("可用结束"))
    request_key = models.CharField(max_length=100, editable=False)
    source_key = models.CharField(_("来源单号"), max_length=80, blank=True)
    door = models.CharField(_("发放渠道"), max_length=12, choices=Door)
    issued_by_guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("发券导购"),
        db_index=False,
    )
    issued_store = models.ForeignKey(
        "guides.Store",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("发券门店"),
        db_index=False,
    )
    issued_at = models.DateTimeField(_("发放时间"))
    partner_code = models.CharField(_("合作方券码"), max_length=64, blank=True)
    lock_key = models.CharField(max_length=80, blank=True, editable=False)
    locked_until = models.DateTimeField(_("占用到"), null=True, blank=True, editable=False)
    gifted_count = models.PositiveSmallIntegerField(_("转赠次数"), default=0, editable=False)
    told_at = models.DateTimeField(_("到期提醒时间"), null=True, blank=True, editable=False)

    objects = CouponQuerySet.as_manager()

    class Meta:
        verbose_name = _("券")
        verbose_name_plural = _("券")
        permissions = [("see_code", "查看完整券码"), ("export_coupon", "导出券")]
        # Every index is written a million times by one bulk issue: keys are served by those that are there anyway.
        constraints = [
            models.UniqueConstraint(fields=["code"], name="coupon_code_once"),
            # The same request finds its coupon again. The key begins with the member it was asked for.
            models.UniqueConstraint(fields=["batch", "request_key"], name="coupon_once_per_request"),
            # Two devices of one member cannot both have her first coupon of a batch.
            models.UniqueConstraint(fields=["batch", "received_by", "ordinal"], name="coupon_ordinal_once"),
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")), name="coupon_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(state="locked", locked_until__isnull=False) & ~Q(lock_key="")
                | ~Q(state="locked") & Q(locked_until__isnull=True, lock_key=""),
                name="coupon_locked_has_key_and_end",
            ),
        ]
        indexes = [
            # Used by her own lists and by the list of a guide's member.
            models.Index(fields=["member", "-id"], name="coupon_of_member"),
            # Used by expire_coupons and announce_expiring_coupons.
            models.Index(
                fields=["valid_until", "id"],
                name="coupon_due",
                condition=Q(state__in=["issued", "locked", "gifting"]),
            ),
            # Used when the purchase that earned it is returned.
            models.Index(fields=["source_key"], name="coupon_by_source", condition=~Q(source_key="")),
            # Used by the list of what a guide gave; empty for what the system gives in bulk.
            models.Index(
                fields=["issued_by_guide", "-id"],
                name="coupon_of_guide",
                condition=Q(issued_by_guide__isnull=False),
            ),
            # Used by release_lapsed_locks.
            models.Index(fields=["locked_until"], name="coupon_locked", condition=Q(state="locked")),
        ]

    def __str__(self) -> str:
        # Titles, messages and logs show it: who has the code has the coupon.
        return f"…{self.code[-4:]}"


class CouponEvent(models.Model):
    """One change of a coupon's state after it was issued; never changed itself."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="events", verbose_name=_("券"))
    at = models.DateTimeField(_("时间"))
    from_state = models.CharField(_("原状态"), max_length=8, choices=CouponState)
    to_state = models.CharField(_("新状态"), max_length=8, choices=CouponState)
    what = models.CharField(_("事项"), max_length=24)
    reason = models.CharField(_("原因"), max_length=120, blank=True)
    actor = models.CharField(_("操作者"), max_length=90, blank=True)

    class Meta:
        verbose_name = _("券记录")
        verbose_name_plural = _("券记录")

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class Redemption(models.Model):
    """A coupon was used for one order in one store, and perhaps taken back; never deleted."""

    coupon = models.ForeignKey(
        Coupon, on_delete=models.PROTECT, related_name="redemptions", verbose_name=_("券")
    )
    request_id = models.CharField(_("请求编号"), max_length=80)
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("核销门店")
    )
    redeemed_by_guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("核销导购"),
    )
    till = models.CharField(_("收银台"), max_length=40, blank=True)
    channel = models.CharField(_("渠道"), max_length=16)
    order_no = models.CharField(_("订单号"), max_length=64)
    amount_fen = models.BigIntegerField(_("订单金额（分）"))
    discount_fen = models.BigIntegerField(_("优惠金额（分）"))
    redeemed_at = models.DateTimeField(_("核销时间"))
    # When we heard of it: later than redeemed_at when the till was offline.
    recorded_at = models.DateTimeField(_("记录时间"))
    # The order it was used in beside others; empty for a coupon that was redeemed by itself.
    order = models.ForeignKey(
        "coupons.CouponOrder",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="redemptions",
        verbose_name=_("用券订单"),
    )
    # What came back so far of the goods it counted for, and of its discount. All of it is reversed instead.
    returned_fen = models.BigIntegerField(_("已退货金额（分）"), default=0)
    returned_discount_fen = models.BigIntegerField(_("已收回优惠（分）"), default=0)
    reversed_at = models.DateTimeField(_("撤销时间"), null=True, blank=True)
    reversal_key = models.CharField(max_length=80, blank=True, editable=False)
    reversal_reason = models.CharField(_("撤销原因"), max_length=120, blank=True)

    objects = LockingQuerySet["Redemption"].as_manager()

    class Meta:
        verbose_name = _("核销记录")
        verbose_name_plural = _("核销记录")
        permissions = [("reverse_redemption", "撤销核销"), ("export_redemption", "导出核销记录")]
        constraints = [
            models.UniqueConstraint(fields=["request_id"], name="redemption_once_per_request"),
            models.UniqueConstraint(
                fields=["coupon"],
                name="redemption_one_live_per_coupon",
                condition=Q(reversed_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gte=0, discount_fen__gte=0, discount_fen__lte=F("amount_fen")),
                name="redemption_discount_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(
                    returned_fen__gte=0,
                    returned_fen__lte=F("amount_fen"),
                    returned_discount_fen__gte=0,
                    returned_discount_fen__lte=F("discount_fen"),
                ),
                name="redemption_returned_within_redeemed",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-redeemed_at"], name="redemption_of_store"),
            # Used when something of an order comes back.
            models.Index(fields=["store", "order_no"], name="redemption_by_order"),
        ]

    def __str__(self) -> str:
        return self.order_no
