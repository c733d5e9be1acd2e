"""How fast an account may send over a channel, and whether it may at all."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from wechat.models.account import Account


class SendChannel(models.TextChoices):
    """WeChat counts and refuses each of these on its own."""

    TEMPLATE = "template", _("模板消息")
    SUBSCRIPTION = "subscription", _("订阅消息")
    SERVICE = "service", _("客服消息")
    TAGGING = "tagging", _("粉丝标签")


class SendLane(models.Model):
    """One account's way of sending over one channel, shared by every worker: rate, back-off, halt.

    It lives in PostgreSQL, not Redis: a flushed Redis must neither let the workers loose nor stop them.
    `next_at` is the moment of the next permit (GCRA); it is never written ahead of the writer's clock.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    channel = models.CharField(_("通道"), max_length=12, choices=SendChannel)
    rate_per_s = models.PositiveIntegerField(
        _("每秒最多"), default=200, validators=[MinValueValidator(1), MaxValueValidator(5_000)]
    )
    next_at = models.DateTimeField()
    # What the last taking got: an UPDATE can return the new row only.
    taken_count = models.PositiveIntegerField(default=0)
    backoff_until = models.DateTimeField(_("放慢到"), null=True)
    backoff_count = models.PositiveSmallIntegerField(default=0)
    halted_at = models.DateTimeField(_("停发时间"), null=True)
    halted_until = models.DateTimeField(_("停发到"), null=True)  # NULL: until a person lifts it
    halt_code = models.CharField(max_length=60, blank=True)
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
