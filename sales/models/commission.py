"""What guides earn by what they sold: the rules, the months, the statements and their lines."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class CommissionKind(models.TextChoices):
    """What a rule pays for."""

    SALES = "sales", _("销售提成")
    BOUNTY = "bounty", _("按人奖励")
    TARGET = "target", _("目标奖")


class StepMode(models.TextChoices):
    """What a reached step pays for: the part above it, or everything."""

    PROGRESSIVE = "progressive", _("超额累进：每一档只算本档内的部分")
    WHOLE = "whole", _("全额：达到后全部按这一档算")


class BountyMetric(models.TextChoices):
    """What a bounty counts; each is a metric of the ledger."""

    FIRST_PURCHASE = "first_purchase_count", _("首购会员")
    NEW_MEMBER = "new_member_count", _("新会员")
    NEW_BINDING = "new_binding_count", _("新绑定会员")


class CommissionRole(models.TextChoices):
    """Whom a rule pays."""

    ANY = "", _("导购和店长")
    GUIDE = "guide", _("只有导购")
    MANAGER = "manager", _("只有店长")


class CommissionRuleQuerySet(LockingQuerySet["CommissionRule"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class CommissionRule(models.Model):
    """What is paid for sales that fit. Of the rules of one kind the first in the order of `position` that fits counts.

    `steps` are [from, rate_bp, fixed_fen], ascending from 0: `from` is fen sold in the month (sales) or basis points of
    the target (target).
    """

    position = models.PositiveIntegerField(_("顺序"), unique=True)
    name = models.CharField(_("规则名称"), max_length=40)
    kind = models.CharField(_("类型"), max_length=6, choices=CommissionKind)
    mode = models.CharField(_("分档算法"), max_length=11, choices=StepMode, default=StepMode.PROGRESSIVE)
    steps = models.JSONField(_("分档"), default=list, blank=True)
    bounty_metric = models.CharField(_("奖励什么"), max_length=20, choices=BountyMetric, blank=True)
    bounty_fen = models.BigIntegerField(_("每人奖励（分）"), default=0)
    category_codes = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("只算这些类目")
    )
    region_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("适用区域"))
    dealer_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("适用经销商"))
    role = models.CharField(_("适用岗位"), max_length=7, choices=CommissionRole, blank=True)
    starts_on = models.DateField(_("开始日期"), null=True, blank=True)
    ends_on = models.DateField(_("结束日期（含）"), null=True, blank=True)
    is_active = models.BooleanField(_("启用"), default=True)

    objects = CommissionRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("提成规则")
        verbose_name_plural = _("提成规则")
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True)
                | Q(ends_on__isnull=True)
                | Q(ends_on__gte=F("starts_on")),
                name="commissionrule_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(kind="bounty", bounty_fen__gt=0) & ~Q(bounty_metric="")
                | ~Q(kind="bounty") & Q(bounty_fen=0, bounty_metric=""),
                name="commissionrule_bounty_is_something",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CommissionState(models.TextChoices):
    """open → preparing (a worker writes statements) → prepared (they are to be looked at) → closed; preparing or prepared
    → discarding (a worker takes them away) → open; closed → reopening (a worker retires them; by a decision with a
    reason, the newest month only) → open."""

    OPEN = "open", _("未结算")
    PREPARING = "preparing", _("正在生成")
    PREPARED = "prepared", _("待确认")
    CLOSED = "closed", _("已关账")
    DISCARDING = "discarding", _("正在退回")
    REOPENING = "reopening", _("正在重新打开")


class CommissionMonthQuerySet(LockingQuerySet["CommissionMonth"]):
    def preparing(self) -> Self:
        """Its statements are being written."""
        return self.filter(state=CommissionState.PREPARING)

    def being_worked_at(self) -> Self:
        """A worker is at it, or should be."""
        return self.filter(
            state__in=[CommissionState.PREPARING, CommissionState.DISCARDING, CommissionState.REOPENING]
        )


class CommissionMonth(models.Model):
    """One month of commission. While closed its statements and lines are frozen (a trigger refuses changes)."""

    month_on = models.DateField(_("月份"), unique=True)  # its first day
    state = models.CharField(_("状态"), max_length=10, choices=CommissionState, default=CommissionState.OPEN)
    version = models.PositiveIntegerField(_("关账次数"), default=0)
    # Every entry up to this id that was due for this month or an earlier one has been looked at.
    entry_horizon = models.BigIntegerField(default=0, editable=False)
    # Whose statements are to be written or taken back, in their order, and for how many that is done.
    guide_refs = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    done_count = models.PositiveIntegerField(_("已完成"), default=0)
    begun_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    prepared_at = models.DateTimeField(_("生成时间"), null=True, blank=True)
    prepared_by = models.CharField(_("生成人"), max_length=90, blank=True)
    closed_at = models.DateTimeField(_("关账时间"), null=True, blank=True)
    closed_by = models.CharField(_("关账人"), max_length=90, blank=True)
    reopen_reason = models.CharField(_("重新打开的原因"), max_length=120, blank=True)

    objects = CommissionMonthQuerySet.as_manager()

    class Meta:
        verbose_name = _("提成月份")
        verbose_name_plural = _("提成结算")
        permissions = [("close_commission", "可以关账和重新打开提成")]
        constraints = [
            models.CheckConstraint(condition=Q(month_on__day=1), name="commissionmonth_first_day"),
            models.CheckConstraint(
                condition=Q(state="open")
                | Q(state__in=["preparing", "discarding", "reopening"], begun_at__isnull=False)
                | Q(state="prepared", prepared_at__isnull=False)
                | Q(state="closed", closed_at__isnull=False, version__gt=0),
                name="commissionmonth_state_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month_on:%Y-%m}"


class CommissionStatement(models.Model):
    """What one guide earned in one month. A month that was opened again keeps its earlier statements, not live."""

    month = models.ForeignKey(
        CommissionMonth, on_delete=models.PROTECT, related_name="statements", verbose_name=_("月份")
    )
    guide = models.ForeignKey(
        "guides.Guide", on_delete=models.PROTECT, related_name="+", verbose_name=_("导购")
    )
    # The store she worked in last in the month, which pays her.
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("门店")
    )
    is_live = models.BooleanField(_("有效"), default=True)
    sales_fen = models.BigIntegerField(_("计提业绩（分）"))  # what the lines' bases add up to
    earned_fen = models.BigIntegerField(_("本月提成（分）"))
    bonus_fen = models.BigIntegerField(_("奖励（分）"))
    clawed_back_fen = models.BigIntegerField(_("追回和更正（分）"))
    carried_in_fen = models.BigIntegerField(_("上月结转（分）"))
    payable_fen = models.BigIntegerField(_("应发（分）"))
    carried_out_fen = models.BigIntegerField(_("结转下月（分）"))

    class Meta:
        verbose_name = _("提成单")
        verbose_name_plural = _("提成单")
        constraints = [
            models.UniqueConstraint(
                fields=["month", "guide"],
                name="commissionstatement_one_live_per_guide",
                condition=Q(is_live=True),
            ),
            models.CheckConstraint(
                condition=Q(
                    payable_fen=F("earned_fen")
                    + F("bonus_fen")
                    + F("clawed_back_fen")
                    + F("carried_in_fen")
                    - F("carried_out_fen")
                )
                & Q(payable_fen__gte=0, carried_in_fen__lte=0, carried_out_fen__lte=0),
                name="commissionstatement_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month} {self.guide}"


class LineKind(models.TextChoices):
    """Why there is a line. The last two put lines of earlier, closed statements right."""

    SALE = "sale", _("销售")
    RETURN = "return", _("本期退货")
    BOUNTY = "bounty", _("按人奖励")
    TARGET = "target", _("目标奖")
    CLAW_BACK = "claw_back", _("退货追回")
    CORRECTION = "correction", _("更正")


class CommissionLine(models.Model):
    """What one ledger entry, or one category of it, earns or takes back; or the target's bonus, which has no entry."""

    statement = models.ForeignKey(
        CommissionStatement, on_delete=models.PROTECT, related_name="lines", verbose_name=_("提成单")
    )
    number = models.PositiveIntegerField(_("行号"))
    kind = models.CharField(_("事项"), max_length=10, choices=LineKind)
    is_live = models.BooleanField(default=True)
    entry_ref = models.BigIntegerField(_("业绩流水"), null=True, editable=False)
    sale_ref = models.BigIntegerField(_("销售单"), null=True, editable=False)
    return_ref = models.BigIntegerField(_("退货单"), null=True, editable=False)
    document_no = models.CharField(_("单号"), max_length=64, blank=True)
    day_on = models.DateField(_("日期"))
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("门店"), db_index=False
    )
    category_code = models.CharField(_("类目"), max_length=40, blank=True)
    share_bp = models.PositiveIntegerField(_("归属占比（万分比）"), default=10_000)
    base_fen = models.BigIntegerField(_("计提基数（分）"))
    unit_count = models.IntegerField(_("人数"), default=0)
    rate_bp = models.PositiveIntegerField(_("提成比例（万分比）"), default=0)
    fen = models.BigIntegerField(_("提成（分）"))
    rule = models.ForeignKey(
        CommissionRule,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("提成规则"),
        db_index=False,
    )
    rule_words = models.CharField(_("依据"), max_length=120, blank=True)
    # The line of an earlier statement that this one takes back.
    original = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("原明细"),
    )

    class Meta:
        verbose_name = _("提成明细")
        verbose_name_plural = _("提成明细")
        permissions = [("export_commissionline", _("导出提成明细"))]
        constraints = [
            models.UniqueConstraint(fields=["statement", "number"], name="commissionline_number_once"),
            models.CheckConstraint(
                condition=Q(kind="target", entry_ref__isnull=True)
                | ~Q(kind="target") & Q(entry_ref__isnull=False),
                name="commissionline_rests_on_an_entry",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["claw_back", "correction"], original__isnull=False)
                | ~Q(kind__in=["claw_back", "correction"]) & Q(original__isnull=True),
                name="commissionline_takes_back_a_line",
            ),
        ]
        indexes = [
            # Used to see whether an entry is settled, and to find what a return takes back.
            models.Index(fields=["entry_ref"], name="commissionline_of_entry", condition=Q(is_live=True)),
            models.Index(fields=["sale_ref"], name="commissionline_of_sale", condition=Q(is_live=True)),
        ]

    def __str__(self) -> str:
        return f"#{self.statement_id}/{self.number}"
