"""Custom menus of the official accounts: every version, and who is publishing."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from wechat.models.account import Account


class MenuState(models.TextChoices):
    """draft → unclear → published → superseded. A publishing that breaks off leaves `unclear` (nobody knows whether WeChat
    took the default menu) or `partial` (it did, but not every conditional menu); publishing again mends both."""

    DRAFT = "draft", _("草稿")
    UNCLEAR = "unclear", _("结果未知")
    PARTIAL = "partial", _("没有全部换好")
    PUBLISHED = "published", _("已发布")
    SUPERSEDED = "superseded", _("历史版本")


class MenuVersionQuerySet(LockingQuerySet["MenuVersion"]):
    def in_use(self) -> Self:
        """What members see, as far as we know: wholly, in part, or perhaps."""
        return self.filter(state__in=[MenuState.PUBLISHED, MenuState.PARTIAL, MenuState.UNCLEAR])


class MenuVersion(models.Model):
    """One version of an account's menus. `buttons` are as WeChat takes them; `conditionals` are `{"tag_id", "tag_name",
    "buttons"}`, the first that fits a member is hers. Only a draft changes, and `revision` counts how often it did."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    number = models.PositiveIntegerField(_("版本"))
    buttons = models.JSONField(_("默认菜单"), default=list)
    conditionals = models.JSONField(_("个性化菜单"), default=list)
    state = models.CharField(_("状态"), max_length=12, choices=MenuState, default=MenuState.DRAFT)
    note = models.CharField(_("备注"), max_length=100, blank=True)
    revision = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(_("保存时间"))
    saved_by = models.CharField(_("保存人"), max_length=80)
    published_at = models.DateTimeField(_("发布时间"), null=True, blank=True)
    published_by = models.CharField(_("发布人"), max_length=80, blank=True)
    # What WeChat said when the last publishing did not go through, 0 when it said nothing.
    errcode = models.IntegerField(null=True)

    objects = MenuVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("菜单版本")
        verbose_name_plural = _("自定义菜单")
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="menuversion_one_per_number"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state="draft"), name="menuversion_one_draft_per_account"
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state="published"),
                name="menuversion_one_published_per_account",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} 第{self.number}版"


class MenuLease(models.Model):
    """Who is publishing an account's menu. A lease and not a transaction: publishing is many calls to WeChat."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="+", primary_key=True)
    holder = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True)

    objects = LockingQuerySet["MenuLease"].as_manager()

    class Meta:
        verbose_name = _("菜单发布占用")
        verbose_name_plural = _("菜单发布占用")

    def __str__(self) -> str:
        return f"{self.account_id}"
