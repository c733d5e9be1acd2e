"""How fast an account may send over a channel, and whether it may at all."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.lanes import Lane
from core.models import LockingQuerySet
from wechat.models.account import Account


class SendChannel(models.TextChoices):
    """WeChat counts and refuses each of these on its own."""

    TEMPLATE = "template", _("模板消息")
    SUBSCRIPTION = "subscription", _("订阅消息")
    SERVICE = "service", _("客服消息")
    TAGGING = "tagging", _("粉丝标签")


class SendLane(Lane):
    """One account's way of sending over one channel, shared by every worker."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    channel = models.CharField(_("通道"), max_length=12, choices=SendChannel)
    halt_errcode = models.IntegerField(null=True)

    objects = LockingQuerySet["SendLane"].as_manager()

    class Meta:
        verbose_name = _("发送通道")
        verbose_name_plural = _("发送通道")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "channel"], name="sendlane_one_per_account_and_channel"
            ),
            models.CheckConstraint(condition=models.Q(rate_per_s__gte=1), name="sendlane_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.channel}"
