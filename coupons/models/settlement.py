"""Who pays for a discount when one owner's store issued the coupon and another's took it."""

from typing import Any, Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch
from coupons.models.entries import RedemptionEntry
from coupons.models.templates import CouponTemplate

WHOLE_BP: Final = 10_000


def _owner(title: Any) -> Any:
    """A dealer; none is the chain itself, which owns every store without a dealer."""
    return models.ForeignKey(
        "guides.Dealer", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=title
    )


class SettlementPolicy(models.Model):
    """Who bears the discount, in basis points: for a batch, for all versions of a template, or by default."""

    template = models.ForeignKey(
        CouponTemplate,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("券模板"),
    )
    series = models.CharField(
        max_length=16, blank=True, editable=False
    )  # of the template, whatever its version
    batch = models.ForeignKey(
        CouponBatch,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("券批次"),
    )
    issuer_bp = models.PositiveIntegerField(_("发券方承担（万分比）"))
    redeemer_bp = models.PositiveIntegerField(_("核销方承担（万分比）"))
    chain_bp = models.PositiveIntegerField(_("总部承担（万分比）"))

    objects = LockingQuerySet["SettlementPolicy"].as_manager()

    class Meta:
        verbose_name = _("结算规则")
        verbose_name_plural = _("结算规则")
        constraints = [
            models.CheckConstraint(
                condition=Q(issuer_bp=WHOLE_BP - F("redeemer_bp") - F("chain_bp")),
                name="settlementpolicy_whole",
            ),
            models.CheckConstraint(
                condition=Q(template__isnull=True, series="")
                | Q(template__isnull=False, batch__isnull=True) & ~Q(series=""),
                name="settlementpolicy_one_subject",
            ),
            models.UniqueConstraint(
                fields=["batch"], name="settlementpolicy_once_per_batch", condition=Q(batch__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["series"], name="settlementpolicy_once_per_series", condition=~Q(series="")
            ),
            models.UniqueConstraint(
                fields=["series"],
                name="settlementpolicy_one_default",
                condition=Q(batch__isnull=True, template__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.batch or self.template or _("默认规则"))


class MonthState(models.TextChoices):
    """open → closed; closed → open by a decision with a reason, the newest month first."""

    OPEN = "open", _("未关账")
    CLOSED = "closed", _("已关账")


class SettlementMonth(models.Model):
    """One month of settlement. While closed its lines are frozen (a trigger refuses changes) and what comes late
    stands in the first month after it."""

    month = models.DateField(_("月份"), unique=True)  # its first day
    state = models.CharField(_("状态"), max_length=6, choices=MonthState, default=MonthState.OPEN)
    # How many times it was closed; statements of earlier closings stay.
    version = models.PositiveIntegerField(_("关账次数"), default=0)
    closed_at = models.DateTimeField(_("关账时间"), null=True, blank=True)
    reopen_reason = models.CharField(_("重新打开的原因"), max_length=120, blank=True)

    objects = LockingQuerySet["SettlementMonth"].as_manager()

    class Meta:
        verbose_name = _("跨店结算")
        verbose_name_plural = _("跨店结算")
        permissions = [("close_settlement", "可以关账和重新打开")]
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="settlementmonth_first_day"),
            models.CheckConstraint(
                condition=Q(state="open") | Q(state="closed", closed_at__isnull=False, version__gt=0),
                name="settlementmonth_closed_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class SettlementLine(models.Model):
    """What one redemption entry means between owners: the redeeming store gave the discount, the shares say who bears
    it. Owners and shares are those of the redemption's own line, so what is taken back goes back where it came from."""

    entry = models.OneToOneField(
        RedemptionEntry, on_delete=models.PROTECT, related_name="+", verbose_name=_("核销流水")
    )
    month = models.DateField(_("结算月份"))
    redeemed_on = models.DateField(_("核销日期"))
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("券批次"), db_index=False
    )
    issued_store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("发券门店"),
        db_index=False,
    )  # fmt: skip
    redeemed_store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("核销门店"), db_index=False
    )
    issuer = _owner(_("发券方"))
    redeemer = _owner(_("核销方"))
    issuer_bp = models.PositiveIntegerField()
    redeemer_bp = models.PositiveIntegerField()
    discount_fen = models.BigIntegerField(_("优惠金额（分）"))
    issuer_fen = models.BigIntegerField(_("发券方承担（分）"))
    redeemer_fen = models.BigIntegerField(_("核销方承担（分）"))
    chain_fen = models.BigIntegerField(_("总部承担（分）"))
    is_correction = models.BooleanField(_("更正以前月份"), default=False)

    class Meta:
        verbose_name = _("结算明细")
        verbose_name_plural = _("结算明细")
        constraints = [
            models.CheckConstraint(
                condition=Q(discount_fen=F("issuer_fen") + F("redeemer_fen") + F("chain_fen")),
                name="settlementline_shares_add_up",
            ),
            models.CheckConstraint(
                condition=Q(month__day=1) & Q(issuer_bp__lte=WHOLE_BP - F("redeemer_bp")),
                name="settlementline_whole",
            ),
        ]
        indexes = [models.Index(fields=["month", "id"], name="settlementline_of_month")]

    def __str__(self) -> str:
        return f"#{self.entry_id}"


class SettlementStatement(models.Model):
    """What one owner owes another for a month, as it was when the month was closed for the so-many-eth time."""

    month = models.ForeignKey(
        SettlementMonth, on_delete=models.PROTECT, related_name="statements", verbose_name=_("月份")
    )
    version = models.PositiveIntegerField(_("关账次数"))
    debtor = _owner(_("付款方"))
    creditor = _owner(_("收款方"))
    line_count = models.PositiveIntegerField(_("笔数"))
    owed_fen = models.BigIntegerField(_("应付（分）"))
    correction_fen = models.BigIntegerField(_("其中更正（分）"))

    class Meta:
        verbose_name = _("结算单")
        verbose_name_plural = _("结算单")
        constraints = [
            models.UniqueConstraint(
                fields=["month", "version", "debtor", "creditor"],
                name="settlementstatement_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
