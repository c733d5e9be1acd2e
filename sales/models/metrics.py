"""What each member's purchases come to: one row a member, which RFM, segments and a guide's lists read."""

from typing import Any, Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet

SCORES: Final = 5
GROUPS: Final = 8
# By their number: 4 = spends much, 2 = buys often, 1 = bought lately, added up.
GROUP_NAMES: Final = (
    "一般挽留客户", "一般发展客户", "一般保持客户", "一般价值客户",
    "重要挽留客户", "重要发展客户", "重要保持客户", "重要价值客户",
)  # fmt: skip


class LifeStage(models.TextChoices):
    """Where she is in her life as a customer, by the chain's own days."""

    UNBOUGHT = "unbought", _("未消费")
    NEW = "new", _("新客")
    ACTIVE = "active", _("活跃")
    DORMANT_1 = "dormant_1", _("沉睡 1 个月")
    DORMANT_3 = "dormant_3", _("沉睡 3 个月")
    DORMANT_6 = "dormant_6", _("沉睡 6 个月")
    LOST = "lost", _("流失")


class IntervalTier(models.TextChoices):
    """6-3-1-0: how many calendar months ago she last bought."""

    CORE = "core", _("核心（1 个月内）")
    POTENTIAL = "potential", _("潜力（1 到 3 个月）")
    ORDINARY = "ordinary", _("普通（3 到 6 个月）")
    UNBOUGHT = "unbought", _("未购（超过 6 个月）")


class MemberMetricsQuerySet(LockingQuerySet["MemberMetrics"]):
    def buyers(self) -> Self:
        """Members who kept something of what they ever bought."""
        return self.filter(order_count__gt=0)

    def falling(self) -> Self:
        """Who stands in a lower group a month from now if she buys nothing: without a purchase nothing rises."""
        return self.filter(rfm_group__isnull=False).exclude(coming_group=F("rfm_group"))


class MemberMetrics(models.Model):
    """One member's purchases: current revisions of her orders, net of their returns.

    An order of which everything came back is no purchase. Numbers with `year_` are of the twelve months up to
    `computed_on`; a night that finds them the same leaves the row and its day alone. A member who has never bought has
    a row of noughts from the night after she came.
    """

    member = models.OneToOneField(
        "members.Member",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
        verbose_name=_("会员"),
    )
    computed_on = models.DateField(_("计算日期"))
    first_on = models.DateField(_("首次消费"), null=True)
    last_on = models.DateField(_("最近消费"), null=True)
    order_count = models.PositiveIntegerField(_("累计订单"), default=0)
    amount_fen = models.BigIntegerField(_("累计消费（分）"), default=0)
    unit_count = models.PositiveIntegerField(_("累计件数"), default=0)
    year_order_count = models.PositiveIntegerField(_("近 12 个月订单"), default=0)
    year_amount_fen = models.BigIntegerField(_("近 12 个月消费（分）"), default=0)
    year_unit_count = models.PositiveIntegerField(_("近 12 个月件数"), default=0)
    # What the twelve months will still hold a month from now if she buys nothing.
    kept_order_count = models.PositiveIntegerField(default=0, editable=False)
    kept_amount_fen = models.BigIntegerField(default=0, editable=False)
    basket_fen = models.BigIntegerField(_("客单价（分）"), default=0)
    price_band = models.PositiveSmallIntegerField(_("价格带"), null=True)
    # Codes of the three that she spent most on, the greatest first.
    categories = ArrayField(models.CharField(max_length=40), default=list, verbose_name=_("偏好类目"))
    # The lower median of the days between two days on which she bought.
    typical_days = models.PositiveIntegerField(_("通常间隔（天）"), null=True)
    next_on = models.DateField(_("预计下次"), null=True)
    store = models.ForeignKey(
        "guides.Store",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("常去门店"),
        db_index=False,
    )
    hour = models.PositiveSmallIntegerField(_("常来时段"), null=True)
    # One to five, five is best; empty for somebody who has not bought.
    recency_score = models.PositiveSmallIntegerField("R", null=True)
    frequency_score = models.PositiveSmallIntegerField("F", null=True)
    money_score = models.PositiveSmallIntegerField("M", null=True)
    rfm_group = models.PositiveSmallIntegerField(_("RFM 客群"), null=True)
    # In a month, if she buys nothing.
    coming_group = models.PositiveSmallIntegerField(_("一个月后"), null=True)
    # At the end of the month before `group_month_on`.
    before_group = models.PositiveSmallIntegerField(_("上月末"), null=True)
    group_month_on = models.DateField(null=True, editable=False)
    stage = models.CharField(_("生命周期"), max_length=9, choices=LifeStage, default=LifeStage.UNBOUGHT)
    interval_tier = models.CharField(
        _("购买间隔层级"), max_length=9, choices=IntervalTier, default=IntervalTier.UNBOUGHT
    )

    objects = MemberMetricsQuerySet.as_manager()

    class Meta:
        verbose_name = _("RFM 分析")
        verbose_name_plural = _("RFM 分析")
        constraints = [
            models.CheckConstraint(
                condition=Q(order_count=0, rfm_group__isnull=True, last_on__isnull=True)
                | Q(order_count__gt=0, rfm_group__lt=GROUPS, last_on__isnull=False),
                name="membermetrics_group_of_a_buyer",
            ),
        ]
        indexes = [
            # Used by the grid, its preview and the lists behind a cell.
            models.Index(
                fields=["recency_score", "frequency_score", "money_score"],
                name="membermetrics_by_scores",
                condition=Q(rfm_group__isnull=False),
            ),
            # Used by the matrix of movement and by the sizes of groups.
            models.Index(
                fields=["rfm_group", "before_group", "coming_group"],
                name="membermetrics_by_group",
                condition=Q(rfm_group__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class MetricsTouch(models.Model):
    """A member whose documents changed in a batch too large to count at once; a job does within seconds.

    Written and deleted only while her own row is locked.
    """

    member_id = models.BigIntegerField(
        primary_key=True
    )  # no key: a batch of a thousand would look up a thousand
    touched_at = models.DateTimeField()

    class Meta:
        verbose_name = _("待计算会员")
        verbose_name_plural = _("待计算会员")

    def __str__(self) -> str:
        return f"#{self.pk}"


class CutMode(models.TextChoices):
    """Who says where a score begins."""

    CUTS = "cuts", _("自定分档")
    QUANTILES = "quantiles", _("按五等分，每天重新取值")


# What holds until somebody decides otherwise.
STANDARD_LISTS: Final[dict[str, list[Any]]] = {
    "recency_cuts": [30, 90, 180, 365],
    "frequency_cuts": [2, 3, 5, 8],
    "money_cuts": [50_000, 100_000, 300_000, 800_000],
    "group_names": list(GROUP_NAMES),
    "price_cuts": [10_000, 30_000, 60_000, 100_000],
    "stage_days": [30, 90, 180, 365],
}


class RfmSettings(models.Model):
    """The chain's one row of decisions about scores, groups and stages; without it STANDARD_LISTS and the
    defaults of the columns hold.

    Cut-offs are what scores are given by, whoever chose them: by hand, or the job that divides the buyers in five.
    """

    mode = models.CharField(_("分档方式"), max_length=9, choices=CutMode, default=CutMode.CUTS)
    # Days since the last purchase, ascending: up to the first is five, beyond the last is one.
    recency_cuts = ArrayField(models.IntegerField(), default=list)
    # Orders and fen of twelve months, ascending: from the first is two, from the last is five.
    frequency_cuts = ArrayField(models.IntegerField(), default=list)
    money_cuts = ArrayField(models.BigIntegerField(), default=list)
    # From which score each counts as high.
    recency_high = models.PositiveSmallIntegerField(default=4)
    frequency_high = models.PositiveSmallIntegerField(default=3)
    money_high = models.PositiveSmallIntegerField(default=3)
    group_names = ArrayField(models.CharField(max_length=12), default=list)
    # Fen a unit, ascending.
    price_cuts = ArrayField(models.BigIntegerField(), default=list)
    new_days = models.PositiveSmallIntegerField(default=30)
    # Days since the last purchase up to which she is active, and asleep for one, three and six months.
    stage_days = ArrayField(models.IntegerField(), default=list)
    # Moves with every change: a run that began before it does not count.
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(_("修改时间"), null=True, editable=False)
    cuts_on = models.DateField(null=True, editable=False)  # when the job last chose the cut-offs

    objects = LockingQuerySet["RfmSettings"].as_manager()

    class Meta:
        verbose_name = _("RFM 设置")
        verbose_name_plural = _("RFM 设置")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="rfmsettings_one_row"),
            models.CheckConstraint(
                condition=Q(recency_cuts__len=SCORES - 1, frequency_cuts__len=SCORES - 1)
                & Q(money_cuts__len=SCORES - 1, stage_days__len=4, group_names__len=GROUPS),
                name="rfmsettings_lists_are_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(_("RFM 设置"))


class RunKind(models.TextChoices):
    """What is worked out again."""

    NIGHTLY = "nightly", _("夜间全量")
    RULES = "rules", _("规则变更")


class MetricsRun(models.Model):
    """One pass over all members: from their documents at night, or from their rows when the rules changed.

    It remembers how far it is, so that a run that was killed is gone on with.
    """

    kind = models.CharField(_("类型"), max_length=7, choices=RunKind)
    day = models.DateField(_("数据日期"))
    version = models.PositiveIntegerField(editable=False)  # of the settings it began with
    cursor = models.BigIntegerField(default=0, editable=False)  # the last member id that is done
    last_id = models.BigIntegerField(default=0, editable=False)  # the greatest when it began
    started_at = models.DateTimeField(_("开始时间"))
    moved_at = models.DateTimeField(_("最近进展"))
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    member_count = models.BigIntegerField(_("会员数"), default=0)
    added_count = models.BigIntegerField(_("新增行"), default=0)
    slid_count = models.BigIntegerField(_("随日期变化"), default=0)
    # Rows that said something else than the documents, though nobody wrote in between: an error of ours.
    wrong_count = models.BigIntegerField(_("修正行"), default=0)
    wrong_rows = models.JSONField(_("修正例子"), default=list)

    objects = LockingQuerySet["MetricsRun"].as_manager()

    class Meta:
        verbose_name = _("指标计算记录")
        verbose_name_plural = _("指标计算记录")
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(finished_at__isnull=True), name="metricsrun_one_open_of_a_kind"
            ),
            models.UniqueConstraint(
                fields=["day"], condition=Q(kind="nightly"), name="metricsrun_one_a_night"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class RfmMonth(models.Model):
    """How many members stood in a group at the end of a month, by the store of the guide they belonged to then."""

    month_on = models.DateField()
    store = models.ForeignKey(
        "guides.Store", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    rfm_group = models.PositiveSmallIntegerField()
    member_count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("月末客群")
        verbose_name_plural = _("月末客群")
        constraints = [
            models.UniqueConstraint(
                fields=["month_on", "store", "rfm_group"],
                name="rfmmonth_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month_on:%Y-%m} {self.rfm_group}"
