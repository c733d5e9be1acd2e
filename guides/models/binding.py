"""Exclusive guide bindings and the policies that decide between rivals."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from guides.models.organisation import Region, Store
from guides.models.people import Guide


class BindingSource(models.TextChoices):
    """What made the binding."""

    SCAN = "scan", _("扫导购码")
    STORE_SCAN = "store_scan", _("扫门店码")
    MINI_PROGRAM = "mini_program", _("小程序码")
    SHARE = "share", _("分享")
    POS = "pos", _("门店购买")
    MEMBER = "member", _("会员自选")
    MANAGER = "manager", _("店长指派")
    STAFF = "staff", _("后台指派")
    HANDOVER = "handover", _("交接")
    MERGE = "merge", _("会员合并")
    IMPORT = "import", _("批量导入")


class BindingQuerySet(LockingQuerySet["Binding"]):
    def live(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def on(self, at: dt.datetime) -> Self:
        """The bindings that held at that instant (half-open)."""
        return self.filter(bound_at__lte=at).filter(
            models.Q(ended_at__isnull=True) | models.Q(ended_at__gt=at)
        )


class Binding(models.Model):
    """This member belonged to this guide from one instant to another. Rows are ended, never deleted."""

    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    guide = models.ForeignKey(
        Guide, on_delete=models.PROTECT, related_name="bindings", verbose_name=_("导购")
    )
    # The guide's store at that moment: she may move, the history must not.
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+", verbose_name=_("门店"))
    bound_at = models.DateTimeField(_("绑定时间"))
    source = models.CharField(_("绑定方式"), max_length=16, choices=BindingSource)
    channel_code = models.ForeignKey(
        "guides.ChannelCode",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("渠道码"),
    )
    request_key = models.CharField(max_length=80, null=True)  # the push or request that asked for it
    bound_by = models.CharField(_("操作者"), max_length=90, blank=True)
    reason = models.CharField(_("说明"), max_length=120, blank=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True, blank=True)
    ended_by = models.CharField(_("结束操作者"), max_length=90, blank=True)
    end_reason = models.CharField(_("结束原因"), max_length=120, blank=True)

    objects = BindingQuerySet.as_manager()

    class Meta:
        verbose_name = _("专属导购绑定")
        verbose_name_plural = _("专属导购绑定")
        constraints = [
            # At most one live guide per member: held here, whatever code runs.
            models.UniqueConstraint(
                fields=["member"],
                name="binding_one_live_per_member",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.UniqueConstraint(fields=["request_key"], name="binding_once_per_request"),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("bound_at")),
                name="binding_ends_after_start",
            ),
        ]
        indexes = [
            # Used by the guide's member list (newest first) and by the least-loaded allocation.
            models.Index(
                fields=["guide", "-bound_at", "-id"],
                name="binding_live_of_guide",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.Index(fields=["member", "-bound_at"], name="binding_history_of_member"),
            # Used by mend_missed_reactions, every half minute over the last day.
            models.Index(fields=["bound_at"], name="binding_by_bound"),
            models.Index(
                fields=["ended_at"], name="binding_by_ended", condition=models.Q(ended_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class BindingPolicy(models.Model):
    """What happens when a bound member scans another guide's code, as data.

    `protected_days` empty = the first guide keeps her for ever; 0 = the last scan wins; N = the first is
    protected for N days, then the next scan wins. The most specific active policy applies: deepest region of
    the member's current store first, the chain-wide one (no region) last.
    """

    name = models.CharField(_("名称"), max_length=40)
    region = models.ForeignKey(
        Region,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("区域"),
        help_text=_("留空表示全部门店"),
    )
    protected_days = models.PositiveIntegerField(
        _("保护天数"), null=True, blank=True, help_text=_("留空 = 先绑定者一直保留；0 = 以最后一次扫码为准")
    )
    change_pause_days = models.PositiveSmallIntegerField(
        _("会员自己更换的间隔（天）"),
        default=30,
        help_text=_("会员在小程序里换过导购后，过这么多天才能再换；0 = 不限"),
    )
    is_active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = _("绑定规则")
        verbose_name_plural = _("绑定规则")
        constraints = [
            models.UniqueConstraint(
                fields=["region"],
                name="bindingpolicy_one_active_per_region",
                condition=models.Q(is_active=True),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.name
