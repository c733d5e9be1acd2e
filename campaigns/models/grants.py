"""How often a person has agreed to a subscription message, and has not had it yet."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class SubscriptionGrant(models.Model):
    """The balance of one person in one account and template: +1 for each consent, −1 for each message, 0 when WeChat says
    there is none."""

    account = models.ForeignKey(
        "wechat.Account", on_delete=models.CASCADE, related_name="+", verbose_name=_("账号")
    )
    openid = models.CharField(_("用户"), max_length=64)
    template_id = models.CharField(_("模板"), max_length=64)
    count = models.PositiveIntegerField(_("剩余次数"), default=0)

    objects = LockingQuerySet["SubscriptionGrant"].as_manager()

    class Meta:
        verbose_name = _("订阅授权")
        verbose_name_plural = _("订阅授权")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "openid", "template_id"],
                name="subscriptiongrant_one_per_person_and_template",
            ),
            models.CheckConstraint(condition=models.Q(count__gte=0), name="subscriptiongrant_not_negative"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.count}"


class GrantReason(models.TextChoices):
    ACCEPTED = "accepted", _("会员同意")
    SENT = "sent", _("发送")
    RETURNED = "returned", _("没有发出，退回")
    SPENT = "spent", _("微信回答已用完")
    REFUSED = "refused", _("会员关闭订阅")


class GrantEntry(models.Model):
    """One change of a balance, under the key of what made it. A consent is told twice, by the mini-program and by WeChat's
    push: either finds the other's entry and notes itself there instead of counting again."""

    grant = models.ForeignKey(SubscriptionGrant, on_delete=models.CASCADE, related_name="entries")
    delta = models.IntegerField(_("变动"))
    reason = models.CharField(_("原因"), max_length=8, choices=GrantReason)
    source_key = models.CharField(max_length=80, unique=True)
    # The key of the other teller of the same consent.
    echo_key = models.CharField(max_length=80, unique=True, null=True)
    at = models.DateTimeField(_("时间"))

    objects = LockingQuerySet["GrantEntry"].as_manager()

    class Meta:
        verbose_name = _("订阅授权流水")
        verbose_name_plural = _("订阅授权流水")

    def __str__(self) -> str:
        return f"{self.reason} {self.delta:+d}"
