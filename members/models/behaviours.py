"""What members did in the mini-program, a partition a month; and how long it is kept."""

import datetime as dt
from typing import Final, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from members.contracts.behaviours import MOST_SUBJECT
from members.models.people import Member

KEPT_MONTHS: Final = 13


class BehaviourPolicy(models.Model):
    """The chain's one row about behaviours; without it, thirteen months are kept."""

    is_on = models.BooleanField(
        _("记录会员行为"), default=True, help_text=_("关闭后不再接收，已有的到期删除")
    )
    kept_months = models.PositiveSmallIntegerField(
        _("保留月数"),
        default=KEPT_MONTHS,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("按自然月整月删除，当月和之前这么多个月的都在"),
    )

    class Meta:
        verbose_name = _("行为设置")
        verbose_name_plural = _("行为设置")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="behaviourpolicy_one_row"),
            models.CheckConstraint(
                condition=models.Q(kept_months__range=(1, 60)), name="behaviourpolicy_months_sane"
            ),
        ]

    def __str__(self) -> str:
        return str(_("行为设置"))


class BehaviourDoor(models.TextChoices):
    """Who told us."""

    MINI = "mini", _("小程序")
    API = "api", _("开放接口")


class BehaviourVisitor(models.Model):
    """An openid of which a server told something and which is no member's yet; gone when she is known."""

    app_id = models.CharField(_("应用"), max_length=40)
    kind = models.CharField(_("类型"), max_length=16)
    value = models.CharField(_("标识"), max_length=80)
    seen_at = models.DateTimeField(_("最近一次"))

    objects = LockingQuerySet["BehaviourVisitor"].as_manager()

    class Meta:
        verbose_name = _("未知访客")
        verbose_name_plural = _("未知访客")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "app_id", "value"], name="behaviourvisitor_one_per_openid"
            )
        ]
        indexes = [models.Index(fields=["seen_at"], name="behaviourvisitor_by_seen")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class BehaviourQuerySet(models.QuerySet["Behaviour"]):
    def since(self, at: dt.datetime) -> Self:
        """What happened then or later; older partitions are not looked at."""
        return self.filter(happened_at__gte=at)


class Behaviour(models.Model):
    """A member, or an openid nobody knows yet, did one thing; never changed.

    The table is partitioned by month (Shanghai) of `happened_at`, its primary key is (happened_at, id), and each partition
    has a unique index over `mark`: the migration and `members.services.behaviour_partitions` write that in SQL. Keys have
    no constraint in the database: a check of each row, and of all partitions at each new one, is not worth it for rows
    that are written under the member's lock.
    """

    happened_at = models.DateTimeField(_("时间"))
    received_at = models.DateTimeField(_("收到时间"))
    member = models.ForeignKey(
        Member,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        verbose_name=_("会员"),
        db_constraint=False,
        db_index=False,
    )
    visitor = models.ForeignKey(
        BehaviourVisitor,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    kind = models.CharField(_("行为"), max_length=20)  # of BEHAVIOUR_KINDS
    subject = models.CharField(_("对象"), max_length=MOST_SUBJECT)
    details = models.JSONField(_("其他"), default=dict)
    door = models.CharField(_("来自"), max_length=4, choices=BehaviourDoor)
    # A digest of who told it and of the teller's own key: what is told again is found by it.
    mark = models.UUIDField(editable=False)

    objects = BehaviourQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员行为")
        verbose_name_plural = _("会员行为")
        indexes = [
            # Her last ones; merging, exporting and erasing her.
            models.Index(
                fields=["member", "-happened_at"],
                name="behaviour_of_member",
                condition=models.Q(member__isnull=False),
            ),
            # Who did this kind, with this page or product, in a window; read without the table.
            models.Index(
                fields=["kind", "subject", "happened_at"], name="behaviour_by_subject", include=["member"]
            ),
            models.Index(
                fields=["visitor"],
                name="behaviour_of_visitor",
                condition=models.Q(visitor__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class BehaviourSum(models.Model):
    """How often one kind was done on a Shanghai day, and by how many members, as it was when it was last counted."""

    on = models.DateField(_("日期"))
    kind = models.CharField(_("行为"), max_length=20)
    count = models.PositiveIntegerField(_("次数"))
    member_count = models.PositiveIntegerField(_("人数"))
    counted_at = models.DateTimeField(_("统计时间"))

    class Meta:
        verbose_name = _("每天的行为数")
        verbose_name_plural = _("每天的行为数")
        constraints = [models.UniqueConstraint(fields=["on", "kind"], name="behavioursum_once_a_day")]

    def __str__(self) -> str:
        return f"{self.on:%Y-%m-%d} {self.kind}"
