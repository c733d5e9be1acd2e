"""Tiers: the ladder as data, what members did towards it, where each stands, and how she came there.

Always true, under the lock of the member's row: `tier` of her MemberTier is the higher of what she earned and what
staff gave her, and the last TierChange of hers leads to it. No row means that she reached nothing so far.
"""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from members.models.people import Member


class QualifyMode(models.TextChoices):
    """Whether one of the thresholds is enough."""

    ANY = "any", _("达到其中一项即可")
    ALL = "all", _("每一项都要达到")


class TierQuerySet(LockingQuerySet["Tier"]):
    def active(self) -> Self:
        """The rungs of today's ladder."""
        return self.filter(is_active=True)

    def in_order(self) -> Self:
        """From the lowest to the highest."""
        return self.order_by("rank", "pk")


class Tier(models.Model):
    """One rung of the ladder: what reaches it and what it is worth. One without thresholds is every member's."""

    rank = models.PositiveSmallIntegerField(_("级别"), help_text=_("1 最低，数字越大等级越高"))
    name = models.CharField(_("名称"), max_length=20, unique=True)
    color = models.CharField(_("卡片颜色"), max_length=7, default="#8C8C8C", help_text=_("例如 #C9A15A"))
    mode = models.CharField(_("怎样算达到"), max_length=3, choices=QualifyMode, default=QualifyMode.ANY)
    spend_fen = models.BigIntegerField(_("消费额（分）"), null=True, blank=True)
    order_count = models.PositiveIntegerField(_("订单数"), null=True, blank=True)
    growth = models.PositiveIntegerField(_("成长值"), null=True, blank=True)
    multiplier_bp = models.PositiveIntegerField(_("积分倍数（万分比）"), default=10_000)
    benefits = models.TextField(_("会员权益"), blank=True, help_text=_("每行写一条，会员会看到"))
    # Names under which gifts are looked up by whoever hears that a member rose or has her birthday.
    birthday_gift = models.CharField(_("生日礼编号"), max_length=40, blank=True)
    upgrade_gift = models.CharField(_("升级礼编号"), max_length=40, blank=True)
    is_active = models.BooleanField(_("启用"), default=True)

    objects = TierQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员等级")
        verbose_name_plural = _("会员等级")
        constraints = [
            models.UniqueConstraint(
                fields=["rank"],
                condition=Q(is_active=True),
                name="tier_one_per_active_rank",
                violation_error_message=_("这个级别已经有等级了"),
            ),
            models.CheckConstraint(condition=Q(rank__gte=1), name="tier_rank_positive"),
            models.CheckConstraint(condition=Q(color__regex=r"^#[0-9A-F]{6}$"), name="tier_color_readable"),
            models.CheckConstraint(
                condition=(Q(spend_fen__isnull=True) | Q(spend_fen__gt=0))
                & (Q(order_count__isnull=True) | Q(order_count__gt=0))
                & (Q(growth__isnull=True) | Q(growth__gt=0)),
                name="tier_thresholds_positive",
            ),
            # Points are never worth less in a higher tier than in none.
            models.CheckConstraint(
                condition=Q(multiplier_bp__gte=10_000, multiplier_bp__lte=100_000),
                name="tier_multiplier_within",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TierPeriod(models.TextChoices):
    """Over which days activity is added up."""

    SLIDING = "sliding", _("最近几个月")
    YEAR = "year", _("自然年")
    QUARTER = "quarter", _("自然季度")


class TierKeeping(models.TextChoices):
    """How long a tier that was reached is kept."""

    THIS_PERIOD = "this_period", _("保留到本期结束")
    NEXT_PERIOD = "next_period", _("保留到下一期结束")


class TierDescent(models.TextChoices):
    """How far she falls who did not keep her tier."""

    ONE_STEP = "one_step", _("每次只降一级")
    STRAIGHT = "straight", _("直接降到她达到的等级")


class TierSettings(models.Model):
    """The chain's one row of decisions about tiers; without it the defaults of the columns hold."""

    period = models.CharField(_("统计周期"), max_length=8, choices=TierPeriod, default=TierPeriod.SLIDING)
    period_months = models.PositiveSmallIntegerField(
        _("最近几个月"), default=12, help_text=_("1 到 36，统计周期选“最近几个月”时使用")
    )
    keeping = models.CharField(
        _("达到后保留多久"), max_length=12, choices=TierKeeping, default=TierKeeping.THIS_PERIOD
    )
    grace_days = models.PositiveSmallIntegerField(
        _("到期后宽限几天"), default=0, help_text=_("宽限期内补足就不降级，0 到 180")
    )
    descent = models.CharField(_("怎样降级"), max_length=8, choices=TierDescent, default=TierDescent.STRAIGHT)
    notice_days = models.PositiveSmallIntegerField(
        _("提前几天提醒保级"), default=30, help_text=_("0 到 180，0 表示不提醒")
    )
    # When the ladder or these decisions last changed: until a reassessment, members stand by the older ones.
    rules_changed_at = models.DateTimeField(_("规则改动时间"), null=True, blank=True, editable=False)

    objects = LockingQuerySet["TierSettings"].as_manager()

    class Meta:
        verbose_name = _("等级设置")
        verbose_name_plural = _("等级设置")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="tiersettings_one_row"),
            models.CheckConstraint(
                condition=Q(period_months__gte=1, period_months__lte=36), name="tiersettings_months_within"
            ),
            models.CheckConstraint(condition=Q(grace_days__lte=180), name="tiersettings_grace_within"),
            models.CheckConstraint(condition=Q(notice_days__lte=180), name="tiersettings_notice_within"),
        ]

    def __str__(self) -> str:
        return str(_("等级设置"))


class ActivityEntry(models.Model):
    """Something that counts towards a tier on a Shanghai day; a return is negative. Never changed."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    # The row it was written for. Differs from `member` when she was merged afterwards, and keeps two entries with
    # one source key apart that met by that merge.
    origin = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("原会员")
    )
    day = models.DateField(_("日期"))
    spend_fen = models.BigIntegerField(_("消费额（分）"), default=0)
    order_count = models.IntegerField(_("订单数"), default=0)
    growth = models.IntegerField(_("成长值"), default=0)
    source_key = models.CharField(_("业务单号"), max_length=80)
    recorded_at = models.DateTimeField(_("记录时间"))

    objects = LockingQuerySet["ActivityEntry"].as_manager()

    class Meta:
        verbose_name = _("成长记录")
        verbose_name_plural = _("成长记录")
        constraints = [
            models.UniqueConstraint(fields=["origin", "source_key"], name="activityentry_once_per_source"),
            models.CheckConstraint(
                condition=~Q(spend_fen=0, order_count=0, growth=0), name="activityentry_says_something"
            ),
        ]
        indexes = [
            # Used by every sum over a window: the index alone answers it.
            models.Index(
                fields=["member", "day"],
                include=["spend_fen", "order_count", "growth"],
                name="activityentry_window",
            ),
        ]

    def __str__(self) -> str:
        return self.source_key


class MemberTierQuerySet(LockingQuerySet["MemberTier"]):
    def due(self, day: dt.date) -> Self:
        """An earned tier whose time, or whose grace, is over on that day."""
        ended = Q(grace_until__isnull=True, valid_until__lte=day) | Q(grace_until__lte=day)
        return self.filter(ended, earned_tier__isnull=False)


class MemberTier(models.Model):
    """Where one member stands: what she earned and until when, what staff gave her and until when.

    All ends are half-open: on that Shanghai day it holds no more.
    """

    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    tier = models.ForeignKey(
        Tier, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("等级")
    )
    since = models.DateField(_("开始日"))
    earned_tier = models.ForeignKey(
        Tier, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("达到的等级")
    )
    valid_until = models.DateField(_("保留到"), null=True, blank=True)
    grace_until = models.DateField(_("宽限到"), null=True, blank=True)
    manual_tier = models.ForeignKey(
        Tier, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("指定的等级")
    )
    manual_until = models.DateField(_("指定到"), null=True, blank=True)
    # The end she was warned of: one warning for each.
    warned_for = models.DateField(_("已提醒的到期日"), null=True, blank=True)

    objects = MemberTierQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员的等级")
        verbose_name_plural = _("会员的等级")
        constraints = [
            models.CheckConstraint(
                condition=Q(earned_tier__isnull=True, valid_until__isnull=True, grace_until__isnull=True)
                | Q(earned_tier__isnull=False, valid_until__isnull=False),
                name="membertier_earned_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(manual_tier__isnull=True, manual_until__isnull=True)
                | Q(manual_tier__isnull=False, manual_until__isnull=False),
                name="membertier_manual_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(tier__isnull=True, earned_tier__isnull=True, manual_tier__isnull=True)
                | Q(tier__isnull=False, earned_tier__isnull=False, tier=F("earned_tier"))
                | Q(tier__isnull=False, manual_tier__isnull=False, tier=F("manual_tier")),
                name="membertier_is_earned_or_manual",
            ),
        ]
        indexes = [
            # Used by reassess_tiers: whose time is over, and who is to be warned.
            models.Index(
                fields=["valid_until", "member"],
                name="membertier_due",
                condition=Q(earned_tier__isnull=False),
            ),
            models.Index(
                fields=["manual_until"],
                name="membertier_manual_due",
                condition=Q(manual_tier__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class TierCause(models.TextChoices):
    """Why a member's tier changed."""

    REACHED = "reached", _("达到条件")
    LAPSED = "lapsed", _("到期未达到条件")
    GRANTED = "granted", _("员工指定")
    GRANT_ENDED = "grant_ended", _("指定到期")
    GRANT_WITHDRAWN = "grant_withdrawn", _("员工取消指定")
    RULES = "rules", _("规则调整后重新评定")
    MERGED = "merged", _("会员合并")
    UNMERGED = "unmerged", _("撤销会员合并")


class TierChange(models.Model):
    """One member's tier changed: from, to, why, and the sums it was decided on. Never changed itself."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    from_tier = models.ForeignKey(
        Tier, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("原等级")
    )
    to_tier = models.ForeignKey(
        Tier, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("新等级")
    )
    is_upgrade = models.BooleanField(_("升级"))
    cause = models.CharField(_("缘由"), max_length=16, choices=TierCause)
    at = models.DateTimeField(_("时间"))
    actor = models.CharField(_("操作者"), max_length=90, blank=True)
    note = models.CharField(_("原因"), max_length=120, blank=True)
    until = models.DateField(_("有效至"), null=True, blank=True)
    # The sums of the window that decided; empty where no sum did.
    window_from = models.DateField(_("统计开始日"), null=True, blank=True)
    window_until = models.DateField(_("统计结束日"), null=True, blank=True)
    spend_fen = models.BigIntegerField(_("消费额（分）"), null=True, blank=True)
    order_count = models.BigIntegerField(_("订单数"), null=True, blank=True)
    growth = models.BigIntegerField(_("成长值"), null=True, blank=True)

    objects = LockingQuerySet["TierChange"].as_manager()

    class Meta:
        verbose_name = _("等级变动")
        verbose_name_plural = _("等级变动")
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_tier=F("to_tier")) & ~Q(from_tier__isnull=True, to_tier__isnull=True),
                name="tierchange_changes_something",
            ),
        ]
        indexes = [
            # Used by a member's history, and by the list, newest first.
            models.Index(fields=["member", "-id"], name="tierchange_of_member"),
            models.Index(fields=["-at"], name="tierchange_by_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ReassessmentState(models.TextChoices):
    """waiting → done. While it waits, the job works it off slice by slice."""

    WAITING = "waiting", _("进行中")
    DONE = "done", _("已完成")


class TierReassessment(models.Model):
    """Staff had all members assessed by today's rules; `cursor` is the last member who has been."""

    may_fall = models.BooleanField(_("允许降级"))
    on = models.DateField(_("评定日"))
    requested_at = models.DateTimeField(_("发起时间"))
    requested_by = models.CharField(_("发起人"), max_length=90, blank=True)
    state = models.CharField(
        _("状态"), max_length=8, choices=ReassessmentState, default=ReassessmentState.WAITING
    )
    cursor = models.BigIntegerField(_("进度"), default=0)
    seen_count = models.PositiveIntegerField(_("已评定会员"), default=0)
    risen_count = models.PositiveIntegerField(_("升级"), default=0)
    fallen_count = models.PositiveIntegerField(_("降级"), default=0)
    done_at = models.DateTimeField(_("完成时间"), null=True, blank=True)

    objects = LockingQuerySet["TierReassessment"].as_manager()

    class Meta:
        verbose_name = _("等级重新评定")
        verbose_name_plural = _("等级重新评定")
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="waiting"), name="tierreassessment_one_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
