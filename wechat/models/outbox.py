"""What we ask of WeChat: messages to send, calls made, media uploaded."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from wechat.models.account import Account


class MessageKind(models.TextChoices):
    TEXT = "text", _("文字")
    IMAGE = "image", _("图片")
    ARTICLE = "article", _("图文")
    MINI_PROGRAM_CARD = "mini_program_card", _("小程序卡片")


class MessageState(models.TextChoices):
    """held → queued → sending → sent | dropped | uncertain; sending → queued when WeChat surely did not take it.

    `held`: the message before it (`after_message_id`) is not over yet; what belongs together arrives in its order.

    `uncertain`: the connection or the worker died after the request left. Customer-service messages carry no
    id that WeChat would deduplicate, so they are sent at most once and never repeated from here.
    """

    HELD = "held", _("排在后面")
    QUEUED = "queued", _("待发送")
    SENDING = "sending", _("发送中")
    SENT = "sent", _("已发送")
    DROPPED = "dropped", _("未发送")
    UNCERTAIN = "uncertain", _("结果未知")


class OutboundMessageQuerySet(LockingQuerySet["OutboundMessage"]):
    def due(self, at: dt.datetime) -> Self:
        return self.filter(state=MessageState.QUEUED, not_before__lte=at)

    def unblocked(self) -> Self:
        """Held ones whose message before is over, or gone."""
        pending = OutboundMessage.objects.filter(
            pk=models.OuterRef("after_message_id"),
            state__in=[MessageState.HELD, MessageState.QUEUED, MessageState.SENDING],
        )
        return self.filter(~models.Exists(pending), state=MessageState.HELD)


class OutboundMessage(models.Model):
    """One customer-service message to one follower for one reason, written in the transaction of the reason."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", verbose_name=_("账号"))
    openid = models.CharField(_("用户"), max_length=64)
    kind = models.CharField(_("类型"), max_length=20, choices=MessageKind)
    payload = models.JSONField(_("内容"))
    reason_key = models.CharField(_("事由"), max_length=80, unique=True)
    state = models.CharField(_("状态"), max_length=12, choices=MessageState, default=MessageState.QUEUED)
    created_at = models.DateTimeField(_("创建时间"))
    not_before = models.DateTimeField(_("最早发送"))
    window_until = models.DateTimeField(_("最晚发送"), help_text=_("过了这个时间就不再发送"))
    attempt_count = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    leased_until = models.DateTimeField(null=True)
    lease_holder = models.CharField(max_length=32, blank=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True)
    errcode = models.IntegerField(_("微信返回码"), null=True)
    outcome = models.CharField(_("结果说明"), max_length=120, blank=True)
    # Of several messages for one act of hers: the one that must be over before this one is sent.
    after_message_id = models.BigIntegerField(null=True)
    is_followed = models.BooleanField(default=False)  # a held one waits for this one

    objects = OutboundMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("客服消息")
        verbose_name_plural = _("发件箱")
        indexes = [
            # Used by send_due_messages and rescue_messages.
            models.Index(
                fields=["not_before"],
                name="outboundmessage_due_queue",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
            # Used when the message before is over, and by rescue_messages.
            models.Index(
                fields=["after_message_id"],
                name="outboundmessage_held",
                condition=models.Q(state="held"),
            ),
            models.Index(fields=["created_at"], name="outboundmessage_by_created"),
            # Used when a person is forgotten.
            models.Index(fields=["openid"], name="outboundmessage_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class OutboundCall(models.Model):
    """One HTTP call to WeChat: which, how it ended, how long it took. Holds no parameter and no token."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    path = models.CharField(_("接口"), max_length=80)
    called_at = models.DateTimeField(_("时间"), db_index=True)
    called_on = models.DateField(_("日期"))  # Shanghai day: WeChat's quotas are per day
    outcome = models.CharField(
        _("结果"), max_length=16
    )  # ok | refused | http | timeout | connection | unreadable
    errcode = models.IntegerField(_("返回码"), null=True)
    rid = models.CharField(_("微信请求号"), max_length=80, blank=True)
    latency_ms = models.PositiveIntegerField(_("耗时(毫秒)"))

    class Meta:
        verbose_name = _("接口调用")
        verbose_name_plural = _("接口调用")
        indexes = [
            # Used by the quota page: calls of a day by account and path.
            models.Index(fields=["called_on", "account", "path"], name="outboundcall_for_quota"),
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.outcome}"


class MediaHandle(models.Model):
    """A file already uploaded to WeChat: its media_id, by content, until WeChat forgets it (3 days)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    content_sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=8)  # image | thumb
    media_id = models.CharField(max_length=200)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("已上传素材")
        verbose_name_plural = _("已上传素材")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "content_sha256"], name="mediahandle_one_per_file_and_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.media_id
