"""Points: an account per member, an append-only ledger, and the lots that say which points expire when.

Always true, under the lock of the account row: the sum of the entries' deltas is the balance, and the balance is
what remains of the lots less the debt. Points in debt and points in lots never stand side by side.
"""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from members.models.people import Member


class PointsAccount(models.Model):
    """One member's points: the balance she may spend, and what is frozen for orders under way."""

    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    balance = models.BigIntegerField(_("可用积分"), default=0)
    frozen = models.BigIntegerField(_("冻结积分"), default=0)
    # How deep the balance may stand below zero: raised only by a return under the debt policy.
    debt_allowed = models.BigIntegerField(_("允许欠分"), default=0)
    opened_at = models.DateTimeField(_("开通时间"))

    objects = LockingQuerySet["PointsAccount"].as_manager()

    class Meta:
        verbose_name = _("积分账户")
        verbose_name_plural = _("积分账户")
        constraints = [
            models.CheckConstraint(
                condition=Q(balance__gte=-F("debt_allowed")), name="pointsaccount_balance_within_debt"
            ),
            models.CheckConstraint(condition=Q(frozen__gte=0), name="pointsaccount_frozen_not_negative"),
            models.CheckConstraint(condition=Q(debt_allowed__gte=0), name="pointsaccount_debt_not_negative"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PointsEntryKind(models.TextChoices):
    """What an entry did to the balance."""

    EARN = "earn", _("获得")
    SPEND = "spend", _("使用")
    EXPIRE = "expire", _("过期")
    REVERSE = "reverse", _("冲回")
    ADJUST = "adjust", _("调整")
    FREEZE = "freeze", _("冻结")
    RELEASE = "release", _("解冻")


class PointsEntry(models.Model):
    """One change of one account, never changed itself; a correction is a new row that names the row it undoes."""

    account = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="entries", verbose_name=_("积分账户")
    )
    # The account it was written for. Differs from `account` when the member was merged afterwards, and keeps two
    # rows with one source key apart that met by that merge.
    origin = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("原积分账户")
    )
    kind = models.CharField(_("类型"), max_length=8, choices=PointsEntryKind)
    delta = models.BigIntegerField(_("变动"))
    # What was asked for, signed. A return may find less than it asks for; then delta is smaller.
    asked = models.BigIntegerField(_("应变动"))
    reason = models.CharField(_("说明"), max_length=120, blank=True)
    source_key = models.CharField(_("业务单号"), max_length=170)
    reversed_entry = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("冲回的流水"),
    )
    at = models.DateTimeField(_("时间"))
    actor = models.CharField(_("操作者"), max_length=90, blank=True)
    balance_after = models.BigIntegerField(_("变动后"))

    objects = LockingQuerySet["PointsEntry"].as_manager()

    class Meta:
        verbose_name = _("积分流水")
        verbose_name_plural = _("积分流水")
        constraints = [
            models.UniqueConstraint(fields=["origin", "source_key"], name="pointsentry_once_per_source"),
            # A freeze is released once, an entry reversed once.
            models.UniqueConstraint(fields=["reversed_entry"], name="pointsentry_undone_once"),
        ]
        indexes = [
            # Used by her ledger, newest first, and to find an entry by its key after a merge.
            models.Index(fields=["account", "-id"], name="pointsentry_of_account"),
            models.Index(fields=["account", "source_key"], name="pointsentry_by_source"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.delta:+d}"


class PointsLotQuerySet(LockingQuerySet["PointsLot"]):
    def filled(self) -> Self:
        return self.filter(remaining__gt=0)

    def overdue(self, at: dt.datetime) -> Self:
        """Points that have expired at that instant and are still there."""
        return self.filled().filter(expires_at__lte=at)

    def in_turn(self) -> Self:
        """First to expire first; those that never expire last; then the oldest."""
        return self.order_by(F("expires_at").asc(nulls_last=True), "pk")


class PointsLot(models.Model):
    """Points that came together and expire together; `remaining` is what of them is still there."""

    account = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="lots", verbose_name=_("积分账户")
    )
    entry = models.OneToOneField(
        PointsEntry, on_delete=models.PROTECT, related_name="lot", verbose_name=_("来源流水")
    )
    granted = models.BigIntegerField(_("获得"))
    remaining = models.BigIntegerField(_("剩余"))
    expires_at = models.DateTimeField(_("过期时间"), null=True, blank=True)

    objects = PointsLotQuerySet.as_manager()

    class Meta:
        verbose_name = _("积分批次")
        verbose_name_plural = _("积分批次")
        constraints = [
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("granted")), name="pointslot_remaining_within"
            ),
        ]
        indexes = [
            # Used by every debit, and by the sums of one account.
            models.Index(
                fields=["account", "expires_at"], name="pointslot_filled", condition=Q(remaining__gt=0)
            ),
            # Used by expire_points and announce_expiring_points.
            models.Index(
                fields=["expires_at", "account"],
                name="pointslot_due",
                condition=Q(remaining__gt=0, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PointsLotUse(models.Model):
    """What one entry took from one lot, or (negative) gave back to it: granted − sum(amount) = remaining."""

    entry = models.ForeignKey(
        PointsEntry, on_delete=models.PROTECT, related_name="uses", verbose_name=_("积分流水")
    )
    lot = models.ForeignKey(
        PointsLot, on_delete=models.PROTECT, related_name="uses", verbose_name=_("积分批次")
    )
    amount = models.BigIntegerField(_("数量"))

    class Meta:
        verbose_name = _("批次使用")
        verbose_name_plural = _("批次使用")
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="pointslotuse_amount_not_zero"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PendingReversal(models.Model):
    """A return that came before the entry it undoes; applied in the transaction that writes that entry."""

    account = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("积分账户")
    )
    origin = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("原积分账户")
    )
    reversed_key = models.CharField(_("要冲回的业务单号"), max_length=80)
    source_key = models.CharField(_("业务单号"), max_length=80)
    reason = models.CharField(_("说明"), max_length=120, blank=True)
    asked_at = models.DateTimeField(_("收到时间"))
    actor = models.CharField(_("操作者"), max_length=90, blank=True)
    entry = models.OneToOneField(
        PointsEntry,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("冲回流水"),
    )

    objects = LockingQuerySet["PendingReversal"].as_manager()

    class Meta:
        verbose_name = _("待冲回")
        verbose_name_plural = _("待冲回")
        constraints = [
            models.UniqueConstraint(fields=["origin", "source_key"], name="pendingreversal_once_per_source"),
            models.UniqueConstraint(fields=["origin", "reversed_key"], name="pendingreversal_once_per_entry"),
        ]
        indexes = [
            models.Index(fields=["account"], name="pendingreversal_waiting", condition=Q(entry__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.reversed_key


class ExpiryNotice(models.Model):
    """She has been told, once, that so many points expire at the end of that day (Shanghai)."""

    account = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("积分账户")
    )
    expires_on = models.DateField(_("过期日"))
    points = models.BigIntegerField(_("积分"))
    announced_at = models.DateTimeField(_("提醒时间"))

    class Meta:
        verbose_name = _("积分过期提醒")
        verbose_name_plural = _("积分过期提醒")
        constraints = [
            models.UniqueConstraint(fields=["account", "expires_on"], name="expirynotice_once_per_day"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
