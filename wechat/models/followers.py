"""Tags that an official account puts on its followers, as WeChat has them."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from wechat.models.account import Account


class FollowerTagQuerySet(LockingQuerySet["FollowerTag"]):
    def live(self) -> Self:
        return self.filter(gone_at=None)


class FollowerTag(models.Model):
    """One tag of an account, mirrored from WeChat; one that WeChat has no more is marked, for what still names it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    wechat_tag_id = models.BigIntegerField(_("微信标签编号"))
    name = models.CharField(_("标签名"), max_length=60)
    follower_count = models.PositiveIntegerField(_("粉丝数"), default=0)
    synced_at = models.DateTimeField(_("同步时间"))
    gone_at = models.DateTimeField(_("消失时间"), null=True, blank=True)

    objects = FollowerTagQuerySet.as_manager()

    class Meta:
        verbose_name = _("粉丝标签")
        verbose_name_plural = _("粉丝标签")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "wechat_tag_id"], name="followertag_one_per_account_and_wechat_id"
            ),
        ]

    def __str__(self) -> str:
        return self.name
