"""What members are asked to agree to, and what they said."""

import datetime as dt
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from members.models.people import Member


class ConsentKind(models.Model):
    """One thing a member agrees to or not: 隐私政策, 会员章程, 营销信息, 个性化推荐."""

    code = models.SlugField(_("代码"), max_length=20, unique=True, help_text=_("建好后不能改，如 marketing"))
    title = models.CharField(_("名称"), max_length=20)
    order = models.PositiveSmallIntegerField(_("顺序"), default=0, help_text=_("小的排在前面"))
    is_required = models.BooleanField(
        _("必须同意"), default=False, help_text=_("不同意就不能成为会员；营销信息一类不能勾")
    )
    offers_erasure = models.BooleanField(
        _("撤回时提示注销"), default=False, help_text=_("撤回后没有理由再留她的资料，例如隐私政策")
    )

    objects = LockingQuerySet["ConsentKind"].as_manager()

    class Meta:
        verbose_name = _("授权项目")
        verbose_name_plural = _("授权项目")
        constraints = [
            # PIPL, article 16: nobody is refused as a member because she wants no advertising.
            models.CheckConstraint(
                condition=~models.Q(code="marketing", is_required=True), name="consentkind_marketing_is_free"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ConsentTextQuerySet(LockingQuerySet["ConsentText"]):
    def published(self, at: dt.datetime) -> Self:
        """Those that members are or were shown."""
        return self.filter(published_at__lte=at)


class ConsentText(models.Model):
    """One version of what is agreed to: draft → published. A published one is never changed; the next follows it."""

    kind = models.ForeignKey(
        ConsentKind, on_delete=models.PROTECT, related_name="texts", verbose_name=_("授权项目")
    )
    version = models.PositiveIntegerField(_("版本"))
    title = models.CharField(_("标题"), max_length=60)
    body = models.TextField(_("正文"), max_length=50_000)
    change_note = models.CharField(_("改了什么"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("起草时间"))
    published_at = models.DateTimeField(_("发布时间"), null=True, blank=True)
    published_by = models.CharField(_("发布人"), max_length=90, blank=True)

    objects = ConsentTextQuerySet.as_manager()

    class Meta:
        verbose_name = _("授权文本")
        verbose_name_plural = _("授权文本")
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="consenttext_one_per_version"),
            # The next version is drafted when the last one is out: two drafts would race for one number.
            models.UniqueConstraint(
                fields=["kind"],
                name="consenttext_one_draft_per_kind",
                condition=models.Q(published_at__isnull=True),
            ),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="consenttext_version_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class ConsentAction(models.TextChoices):
    AGREED = "agreed", _("同意")
    WITHDRAWN = "withdrawn", _("撤回")


class ConsentDoor(models.TextChoices):
    """Where she said it."""

    MINI_PROGRAM = "mini_program", _("小程序")
    OFFICIAL_ACCOUNT = "official_account", _("公众号")
    POS = "pos", _("门店收银")
    STAFF = "staff", _("后台代为登记")
    IMPORT = "import", _("批量导入")
    WECHAT = "wechat", _("微信通知")
    SMS = "sms", _("短信回复")


class ConsentEntryQuerySet(LockingQuerySet["ConsentEntry"]):
    def latest_ids(self) -> models.QuerySet[Any, Any]:
        """Ids of the last word of each member on each kind among these rows; unevaluated."""
        newest = self.order_by("kind_id", "member_id", "-at", "-pk").distinct("kind_id", "member_id")
        return newest.values("pk")


class ConsentEntry(models.Model):
    """She said yes or no to one version at one instant; never changed. The last entry of a kind is what holds."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    kind = models.ForeignKey(
        ConsentKind, on_delete=models.PROTECT, related_name="+", verbose_name=_("授权项目")
    )
    text = models.ForeignKey(
        ConsentText, on_delete=models.PROTECT, related_name="+", verbose_name=_("授权文本")
    )
    action = models.CharField(_("动作"), max_length=9, choices=ConsentAction)
    door = models.CharField(_("渠道"), max_length=16, choices=ConsentDoor)
    at = models.DateTimeField(_("时间"))
    actor = models.CharField(_("操作者"), max_length=90)
    # SHA-256 of title and body as she saw them: shows later that nobody changed what she agreed to.
    text_digest = models.CharField(_("文本指纹"), max_length=64)

    objects = ConsentEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("授权记录")
        verbose_name_plural = _("授权记录")
        indexes = [
            # Used by a member's state, and (all of one kind) by may_reach_ids.
            models.Index(fields=["kind", "member", "-at", "-id"], name="consententry_last_word"),
            models.Index(fields=["member", "-at"], name="consententry_of_member"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
