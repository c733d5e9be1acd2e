"""The performance ledger: append-only entries, and the totals that boards read."""

from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class Metric(models.TextChoices):
    """What is counted. Money in fen; a return lowers `sales_fen` and raises `return_fen`."""

    SALES_FEN = "sales_fen", _("销售额")
    ORDER_COUNT = "order_count", _("订单数")
    UNIT_COUNT = "unit_count", _("件数")
    RETURN_FEN = "return_fen", _("退货额")
    RETURN_COUNT = "return_count", _("退货单数")
    FIRST_PURCHASE_COUNT = "first_purchase_count", _("首购会员数")
    REPURCHASE_FEN = "repurchase_fen", _("复购额")
    NEW_MEMBER_COUNT = "new_member_count", _("新增会员")
    NEW_BINDING_COUNT = "new_binding_count", _("新增绑定")
    REDEMPTION_COUNT = "redemption_count", _("核销数")
    SHARE_COUNT = "share_count", _("素材分享数")
    TASK_COUNT = "task_count", _("完成任务数")


MONEY_METRICS: Final = frozenset({Metric.SALES_FEN, Metric.RETURN_FEN, Metric.REPURCHASE_FEN})


class EntryReason(models.TextChoices):
    """Why an entry was written. The first seven say what happened, the others put earlier entries right."""

    SALE = "sale", _("销售")
    RETURN = "return", _("退货")
    MEMBER = "member", _("入会")
    BINDING = "binding", _("绑定")
    REDEMPTION = "redemption", _("核销")
    SHARE = "share", _("素材分享")
    TASK = "task", _("完成任务")
    TAKEN_BACK = "taken_back", _("撤回")
    RESTORED = "restored", _("恢复")
    CORRECTED = "corrected", _("单据更正")
    REATTRIBUTED = "reattributed", _("重新归属")
    FIRST_MOVED = "first_moved", _("首单变动")


class FactKind(models.TextChoices):
    """What guides do besides selling; each counts one for its metric."""

    MEMBER = "member", _("入会")
    BINDING = "binding", _("绑定")
    REDEMPTION = "redemption", _("核销")
    SHARE = "share", _("素材分享")
    TASK = "task", _("完成任务")


FACT_METRICS: Final = {
    FactKind.MEMBER: Metric.NEW_MEMBER_COUNT,
    FactKind.BINDING: Metric.NEW_BINDING_COUNT,
    FactKind.REDEMPTION: Metric.REDEMPTION_COUNT,
    FactKind.SHARE: Metric.SHARE_COUNT,
    FactKind.TASK: Metric.TASK_COUNT,
}


class PerformanceEntry(models.Model):
    """So much of a metric for a guide (or a store alone) on a day, because of one document. Never changed.

    `due_on` is the day of the document; `booked_on` the day it counts on, which is later when the period of
    `due_on` was closed before.
    """

    booked_on = models.DateField(_("计入日期"))
    due_on = models.DateField(_("单据日期"))
    guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("导购"),
        db_index=False,
    )
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, related_name="+", verbose_name=_("门店"), db_index=False
    )
    metric = models.CharField(_("指标"), max_length=20, choices=Metric)
    value = models.BigIntegerField(_("数值"))
    # The document, without foreign keys: a million of them would cost a million look-ups, and nothing is deleted.
    sale_ref = models.BigIntegerField(_("销售单"), null=True, editable=False)
    return_ref = models.BigIntegerField(_("退货单"), null=True, editable=False)
    fact_kind = models.CharField(max_length=12, blank=True, editable=False)  # a FactKind
    fact_ref = models.BigIntegerField(null=True, editable=False)  # the row of the app that keeps the fact
    # How often the fact was restored before: each time it counts by an entry of its own.
    fact_turn = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    reason = models.CharField(_("事由"), max_length=12, choices=EntryReason)
    reversed_entry = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("冲回的分录"),
        db_index=False,
    )
    at = models.DateTimeField(_("入账时间"))

    class Meta:
        verbose_name = _("业绩流水")
        verbose_name_plural = _("业绩流水")
        permissions = [("export_performanceentry", _("导出业绩流水"))]
        constraints = [
            # Two who put the same entry right at once: one of them waits and then sees it done.
            models.UniqueConstraint(
                fields=["reversed_entry"],
                name="performanceentry_reversed_once",
                condition=Q(reversed_entry__isnull=False),
            ),
            # A fact is told by an event, by a job, and twice by either: the first of them counts it.
            models.UniqueConstraint(
                fields=["fact_kind", "fact_ref", "fact_turn"],
                name="performanceentry_fact_once",
                condition=~Q(fact_kind="") & Q(reversed_entry__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(fact_kind="", fact_ref__isnull=True)
                & (Q(sale_ref__isnull=False) | Q(return_ref__isnull=False))
                | ~Q(fact_kind="")
                & Q(fact_ref__isnull=False, sale_ref__isnull=True, return_ref__isnull=True),
                name="performanceentry_has_one_document",
            ),
            models.CheckConstraint(
                condition=Q(booked_on__gte=models.F("due_on")), name="performanceentry_not_booked_before_due"
            ),
        ]
        indexes = [
            # Used by reconciliation of a sale and of a return without one.
            models.Index(
                fields=["sale_ref"], name="performanceentry_of_sale", condition=Q(sale_ref__isnull=False)
            ),
            models.Index(
                fields=["return_ref"],
                name="performanceentry_of_return",
                condition=Q(sale_ref__isnull=True, return_ref__isnull=False),
            ),
            models.Index(
                fields=["fact_kind", "fact_ref"], name="performanceentry_of_fact", condition=~Q(fact_kind="")
            ),
            # Used by "tap a number to see its documents" and by the nightly proof, day by day.
            models.Index(fields=["guide", "booked_on"], name="performanceentry_of_guide"),
            models.Index(fields=["booked_on", "store"], name="performanceentry_of_day"),
            # Used by commission: of a month's entries the few that cannot be taken together with the others.
            models.Index(
                fields=["booked_on"],
                name="performanceentry_back",
                condition=Q(return_ref__isnull=False) | Q(reversed_entry__isnull=False),
            ),
            # Used by "what came late" of a closed month: few entries, and small for that.
            models.Index(
                fields=["due_on"],
                name="performanceentry_late",
                condition=Q(booked_on__gt=models.F("due_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Period(models.TextChoices):
    """The periods that have totals of their own; quarters and years add up months. Weeks begin on Monday."""

    DAY = "day", _("日")
    WEEK = "week", _("周")
    MONTH = "month", _("月")


class GuideTotal(models.Model):
    """What the entries of one guide add up to in one period, in all stores together."""

    # No number of its own: a file moves millions of these, and each index costs with every move.
    pk = models.CompositePrimaryKey("period", "starts_on", "metric", "guide_id")
    metric = models.CharField(max_length=20, choices=Metric)
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    guide = models.ForeignKey("guides.Guide", on_delete=models.PROTECT, related_name="+", db_index=False)
    value = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("导购业绩汇总")
        verbose_name_plural = _("导购业绩汇总")
        indexes = [
            # Used by boards: the first twenty, and how many stand above her.
            models.Index(
                fields=["period", "starts_on", "metric", "-value", "guide"], name="guidetotal_board"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.guide_id} {self.starts_on} {self.metric} {self.value}"


class GuideStoreTotal(models.Model):
    """What the entries of one guide in one store add up to in one period: the board of a store.

    Its key finds the few guides of a store, who are put in order when they are read. No index has the value, so a move
    changes the row and no index (HOT, for which pages keep room).
    """

    pk = models.CompositePrimaryKey("period", "starts_on", "store_id", "metric", "guide_id")
    metric = models.CharField(max_length=20, choices=Metric)
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    guide = models.ForeignKey("guides.Guide", on_delete=models.PROTECT, related_name="+", db_index=False)
    store = models.ForeignKey("guides.Store", on_delete=models.PROTECT, related_name="+", db_index=False)
    value = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("导购门店业绩汇总")
        verbose_name_plural = _("导购门店业绩汇总")

    def __str__(self) -> str:
        return f"#{self.guide_id} in #{self.store_id} {self.starts_on} {self.metric} {self.value}"


class StoreTotal(models.Model):
    """What the entries of one store add up to in one period, with or without a guide."""

    pk = models.CompositePrimaryKey("period", "starts_on", "metric", "store_id")
    metric = models.CharField(max_length=20, choices=Metric)
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    store = models.ForeignKey("guides.Store", on_delete=models.PROTECT, related_name="+", db_index=False)
    value = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("门店业绩汇总")
        verbose_name_plural = _("门店业绩汇总")
        indexes = [
            models.Index(
                fields=["period", "starts_on", "metric", "-value", "store"], name="storetotal_board"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.store_id} {self.starts_on} {self.metric} {self.value}"


class TotalMove(models.Model):
    """By how much the totals of one day, place and metric move: written by a bulk booking, gone when it is folded."""

    booked_on = models.DateField()
    # Without foreign keys, as the documents of an entry: the entries beside it have them. Guide 0 is nobody.
    guide_ref = models.BigIntegerField(default=0)
    store_ref = models.BigIntegerField()
    metric = models.CharField(max_length=20, choices=Metric)
    value = models.BigIntegerField()
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("待汇总的业绩")
        verbose_name_plural = _("待汇总的业绩")
        indexes = [
            # Used by folds, which take what several slices left for one guide together.
            models.Index(fields=["guide_ref", "store_ref"], name="totalmove_by_guide"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PeriodCloseQuerySet(LockingQuerySet["PeriodClose"]):
    def standing(self) -> Self:
        """Closed and not opened again."""
        return self.filter(reopened_at__isnull=True)


class PeriodClose(models.Model):
    """A month that is closed: what comes later for its days counts on the first day that is open."""

    month_on = models.DateField(_("月份"))  # its first day
    closed_at = models.DateTimeField(_("关账时间"))
    closed_by = models.CharField(_("操作者"), max_length=90, blank=True)
    reopened_at = models.DateTimeField(_("重新打开时间"), null=True, blank=True)
    reopened_by = models.CharField(_("重新打开的操作者"), max_length=90, blank=True)
    reopen_reason = models.CharField(_("重新打开的原因"), max_length=120, blank=True)

    objects = PeriodCloseQuerySet.as_manager()

    class Meta:
        verbose_name = _("业绩关账")
        verbose_name_plural = _("业绩关账")
        permissions = [("close_periodclose", _("关账和重新打开月份"))]
        constraints = [
            models.UniqueConstraint(
                fields=["month_on"], name="periodclose_once", condition=Q(reopened_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(reopened_at__isnull=True, reopen_reason="")
                | Q(reopened_at__isnull=False) & ~Q(reopen_reason=""),
                name="periodclose_reopened_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month_on:%Y-%m}"
