"""Guides, where they worked, how they log in, and what they are told."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet
from guides.models.organisation import Store


class GuideRole(models.TextChoices):
    GUIDE = "guide", _("导购")
    MANAGER = "manager", _("店长")


class GuideState(models.TextChoices):
    """active → left (she leaves: sessions end, codes close); left → active (she comes back)."""

    ACTIVE = "active", _("在职")
    LEFT = "left", _("已离职")


class GuideQuerySet(LockingQuerySet["Guide"]):
    def active(self) -> Self:
        return self.filter(state=GuideState.ACTIVE)


class Guide(models.Model):
    """One guide or store manager. `store` and `role` are today's; GuidePosting has the history."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    number = models.CharField(_("工号"), max_length=20, unique=True)
    name = models.CharField(_("姓名"), max_length=40)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="guides", verbose_name=_("门店"))
    role = models.CharField(_("岗位"), max_length=10, choices=GuideRole, default=GuideRole.GUIDE)
    state = models.CharField(_("状态"), max_length=8, choices=GuideState, default=GuideState.ACTIVE)
    joined_on = models.DateField(_("入职日期"))
    left_on = models.DateField(_("离职日期"), null=True, blank=True)
    # Raised when her sessions must end; a session remembers the value it was opened under.
    session_epoch = models.PositiveIntegerField(default=1, editable=False)

    objects = GuideQuerySet.as_manager()

    class Meta:
        verbose_name = _("导购")
        verbose_name_plural = _("导购")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="active", left_on__isnull=True)
                | models.Q(state="left", left_on__isnull=False),
                name="guide_left_has_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.number}）"


class GuidePosting(models.Model):
    """She worked in this store in this role for a half-open span; the open one is today's."""

    guide = models.ForeignKey(
        Guide, on_delete=models.PROTECT, related_name="postings", verbose_name=_("导购")
    )
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+", verbose_name=_("门店"))
    role = models.CharField(_("岗位"), max_length=10, choices=GuideRole)
    started_at = models.DateTimeField(_("开始"))
    ended_at = models.DateTimeField(_("结束"), null=True)

    class Meta:
        verbose_name = _("任职记录")
        verbose_name_plural = _("任职记录")
        constraints = [
            models.UniqueConstraint(
                fields=["guide"],
                name="guideposting_one_open_per_guide",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at")),
                name="guideposting_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guide} @ {self.store}"


class GuideLogin(models.Model):
    """The WeChat identity with which an activated guide logs in: one guide per (app, openid)."""

    guide = models.ForeignKey(Guide, on_delete=models.PROTECT, related_name="logins")
    app_id = models.CharField(max_length=40)
    openid = models.CharField(max_length=64)
    activated_at = models.DateTimeField(_("激活时间"))

    class Meta:
        verbose_name = _("登录微信")
        verbose_name_plural = _("登录微信")
        constraints = [
            models.UniqueConstraint(fields=["app_id", "openid"], name="guidelogin_one_guide_per_openid"),
            models.UniqueConstraint(fields=["guide", "app_id"], name="guidelogin_one_openid_per_guide"),
        ]

    def __str__(self) -> str:
        return f"{self.guide}"


class ActivationCode(models.Model):
    """A one-time code, given by staff, that ties a guide to the WeChat account she opens it with.

    Only its digest is kept; a new code for the same guide closes the older ones.
    """

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="activation_codes")
    code_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("创建时间"))
    expires_at = models.DateTimeField(_("有效期至"))
    used_at = models.DateTimeField(_("使用时间"), null=True)
    revoked_at = models.DateTimeField(_("作废时间"), null=True)

    objects = LockingQuerySet["ActivationCode"].as_manager()

    class Meta:
        verbose_name = _("激活码")
        verbose_name_plural = _("激活码")

    def __str__(self) -> str:
        return f"{self.guide}"


class ActivationMiss(models.Model):
    """Wrong activation codes tried from one WeChat account within an hour; the openid is not kept."""

    openid_index = models.CharField(max_length=64, unique=True)
    started_at = models.DateTimeField()
    miss_count = models.PositiveSmallIntegerField(default=0)

    objects = LockingQuerySet["ActivationMiss"].as_manager()

    class Meta:
        verbose_name = _("激活失败计数")
        verbose_name_plural = _("激活失败计数")

    def __str__(self) -> str:
        return f"#{self.pk}"


class NoticeKind(models.TextChoices):
    NEW_MEMBER = "new_member", _("新会员")
    MEMBER_LEFT = "member_left", _("会员更换导购")
    REQUEST_CAME = "request_came", _("新的服务请求")
    REQUEST_GONE = "request_gone", _("服务请求不再归她")
    REQUEST_OVERDUE = "request_overdue", _("服务请求超时")
    MESSAGE_CAME = "message_came", _("会员发来消息")


class GuideNoticeQuerySet(models.QuerySet["GuideNotice"]):
    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)

    def since(self, at: dt.datetime) -> Self:
        return self.filter(created_at__gt=at)


class GuideNotice(models.Model):
    """One thing the guide is told in her assistant: of a binding that changed, of a step of a request, of a message."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=NoticeKind)
    member = models.ForeignKey("members.Member", on_delete=models.CASCADE, related_name="+")
    binding = models.ForeignKey("guides.Binding", on_delete=models.CASCADE, null=True, related_name="+")
    step = models.ForeignKey(
        "guides.ServiceRequestStep", on_delete=models.CASCADE, null=True, related_name="+"
    )
    message = models.ForeignKey(
        "guides.ConversationMessage", on_delete=models.CASCADE, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = GuideNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("导购提醒")
        verbose_name_plural = _("导购提醒")
        constraints = [
            models.UniqueConstraint(fields=["binding", "kind"], name="guidenotice_once_per_binding_and_kind"),
            models.UniqueConstraint(
                fields=["step", "kind", "guide"], name="guidenotice_once_per_step_kind_and_guide"
            ),
            models.UniqueConstraint(
                fields=["message", "guide"], name="guidenotice_once_per_message_and_guide"
            ),
            models.CheckConstraint(
                condition=models.Q(binding__isnull=False, step__isnull=True, message__isnull=True)
                | models.Q(binding__isnull=True, step__isnull=False, message__isnull=True)
                | models.Q(binding__isnull=True, step__isnull=True, message__isnull=False),
                name="guidenotice_of_one_thing",
            ),
        ]
        indexes = [
            # Used by the assistant's pulse, every few seconds per open page.
            models.Index(fields=["guide", "-id"], name="guidenotice_for_pulse"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"
