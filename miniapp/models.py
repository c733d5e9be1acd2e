"""The devices members are logged in on, their tokens, and codes sent by text message."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet


class RevokeReason(models.TextChoices):
    LOGOUT = "logout", _("在本机退出")
    REMOVED = "removed", _("在别的设备上退出")
    STOLEN = "stolen", _("登录状态异常")
    REPLACED = "replaced", _("登录的设备太多")
    FORGOTTEN = "forgotten", _("在微信里撤回了授权")


class DeviceQuerySet(LockingQuerySet["Device"]):
    def live(self) -> Self:
        return self.filter(revoked_at__isnull=True)


class Device(models.Model):
    """One login of a member on one phone in one mini-program. All its tokens end with it.

    `session_key` is WeChat's, of her newest login here: it opens what her phone seals, stays on the server and is
    sealed at rest.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    # A merged row is followed to the living one at each request.
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    app_id = models.CharField(_("小程序"), max_length=40)
    openid = models.CharField(max_length=64)
    # Made up by the mini-program when it was installed: logging in again on the same phone is the same device.
    install_key = models.CharField(max_length=64, blank=True)
    name = models.CharField(_("设备"), max_length=40, blank=True)
    session_key = SealedTextField(blank=True)
    opened_at = models.DateTimeField(_("登录时间"))
    last_used_at = models.DateTimeField(_("最近使用"))
    revoked_at = models.DateTimeField(_("退出时间"), null=True)
    revoke_reason = models.CharField(_("退出原因"), max_length=10, choices=RevokeReason, blank=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员设备")
        verbose_name_plural = _("会员设备")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True, revoke_reason="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoke_reason="")),
                name="device_revoked_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-last_used_at"], name="device_of_member"),
            # Used by prune_devices.
            models.Index(fields=["last_used_at"], name="device_by_last_used"),
        ]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"


class TokenKind(models.TextChoices):
    ACCESS = "access", _("访问令牌")
    REFRESH = "refresh", _("刷新令牌")


class BearerToken(models.Model):
    """One token of a device, as its digest. A refresh token is used once and kept, so that a second use is seen."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="tokens")
    kind = models.CharField(max_length=8, choices=TokenKind)
    digest = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    objects = LockingQuerySet["BearerToken"].as_manager()

    class Meta:
        verbose_name = _("登录令牌")
        verbose_name_plural = _("登录令牌")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="refresh") | models.Q(used_at__isnull=True),
                name="bearertoken_only_refresh_is_used_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class SmsCodeQuerySet(LockingQuerySet["SmsCode"]):
    def open(self, at: dt.datetime) -> Self:
        """Those that may still be tried."""
        return self.filter(used_at__isnull=True, expires_at__gt=at, try_count__lt=SmsCode.MOST_TRIES)


class SmsCode(models.Model):
    """One six-digit code sent to a number at a device's request. The code is kept as its keyed fingerprint."""

    MOST_TRIES = 5

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    phone = SealedTextField(_("手机号"))
    phone_index = models.CharField(max_length=64)
    code_index = models.CharField(max_length=64)
    sent_at = models.DateTimeField(_("发送时间"), db_index=True)
    expires_at = models.DateTimeField(_("有效期至"))
    try_count = models.PositiveSmallIntegerField(_("已试次数"), default=0)
    used_at = models.DateTimeField(_("使用时间"), null=True)

    objects = SmsCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("短信验证码")
        verbose_name_plural = _("短信验证码")
        constraints = [
            models.CheckConstraint(condition=models.Q(try_count__lte=5), name="smscode_tries_end"),
        ]
        indexes = [
            models.Index(fields=["phone_index", "-sent_at"], name="smscode_of_phone"),
            models.Index(fields=["device", "-sent_at"], name="smscode_of_device"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
