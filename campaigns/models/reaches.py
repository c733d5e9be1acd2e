"""Messages to members, each for one reason, and what became of them."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import CHANNEL_LABELS, TOPICS
from core.fields import SealedTextField
from core.models import LockingQuerySet


class Importance(models.TextChoices):
    """must: what she waits for, at any hour. normal: news of what is hers. marketing: only if she agreed to it."""

    MUST = "must", _("必须告知")
    NORMAL = "normal", _("一般通知")
    MARKETING = "marketing", _("营销")


class ReachState(models.TextChoices):
    """queued → sending → sent → delivered; sending → queued for the next channel, or later.

    failed: no channel took it, or WeChat says it did not arrive. skipped: it was not to be sent. uncertain: it may have
    gone out, and WeChat would not know a second one; it is never repeated, on no channel.
    """

    QUEUED = "queued", _("待发送")
    SENDING = "sending", _("发送中")
    SENT = "sent", _("已发送")
    DELIVERED = "delivered", _("已送达")
    FAILED = "failed", _("没有送达")
    SKIPPED = "skipped", _("不发送")
    UNCERTAIN = "uncertain", _("结果未知")


class ReachQuerySet(LockingQuerySet["Reach"]):
    def due(self, at: dt.datetime) -> Self:
        """Those that may be taken in hand: their time has come, and nobody live holds them."""
        return self.filter(state=ReachState.QUEUED, not_before__lte=at).filter(
            models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=at)
        )

    def stuck(self, at: dt.datetime) -> Self:
        """Those whose sender died between the send and its result."""
        return self.filter(state=ReachState.SENDING, leased_until__lt=at)

    def unfinished(self) -> Self:
        return self.filter(state__in=[ReachState.QUEUED, ReachState.SENDING])


class Reach(models.Model):
    """One message to one member for one reason, over the first channel of its chain that takes it."""

    reason_key = models.CharField(_("事由"), max_length=100, unique=True)
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"), db_index=False
    )
    topic = models.CharField(
        _("事项"), max_length=20, choices=[(topic.code, topic.label) for topic in TOPICS.values()]
    )
    importance = models.CharField(_("重要程度"), max_length=9, choices=Importance)
    content = SealedTextField(blank=True, editable=False)  # JSON: title, text, values, page
    # The chain as it was when the reason came up, and which of it is next.
    channels = models.CharField(max_length=80, editable=False)
    step = models.PositiveSmallIntegerField(default=0, editable=False)
    state = models.CharField(_("状态"), max_length=9, choices=ReachState, default=ReachState.QUEUED)
    channel = models.CharField(
        _("通道"), max_length=15, blank=True, choices=list(CHANNEL_LABELS.items()), default=""
    )
    code = models.CharField(_("原因"), max_length=60, blank=True)
    errcode = models.IntegerField(_("微信返回码"), null=True)
    tries = models.JSONField(default=list, editable=False)
    attempt_count = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    # WeChat's, or the text provider's.
    message_id = models.CharField(_("对方消息号"), max_length=80, blank=True)
    # Of text messages: how many the provider counts, and what they cost in hundredths of a fen (one costs some 4.5 fen).
    segment_count = models.PositiveSmallIntegerField(_("计费条数"), db_default=0)
    cost_hundredths = models.PositiveIntegerField(_("费用"), db_default=0)
    # What a campaign's budget puts by for its text, in hundredths of a fen: no dearer one goes. Zero when it was given back;
    # empty: no budget is asked.
    held_hundredths = models.PositiveIntegerField(null=True, editable=False)
    queued_at = models.DateTimeField(_("创建时间"))
    not_before = models.DateTimeField(_("最早发送"))
    expires_at = models.DateTimeField(_("最晚发送"))
    sent_at = models.DateTimeField(_("发送时间"), null=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True)
    leased_until = models.DateTimeField(null=True)
    lease_holder = models.CharField(max_length=32, blank=True)

    objects = ReachQuerySet.as_manager()

    class Meta:
        verbose_name = _("触达记录")
        verbose_name_plural = _("触达记录")
        permissions = [("export_reach", "导出触达记录")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("queued_at")), name="reach_expires_after_queued"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "sending"], finished_at__isnull=True)
                | ~models.Q(state__in=["queued", "sending"]) & models.Q(finished_at__isnull=False),
                name="reach_finished_when_over",
            ),
        ]
        indexes = [
            # Used by claim_reaches, one importance after the other.
            models.Index(
                fields=["importance", "not_before", "id"],
                name="reach_due_queue",
                condition=models.Q(state="queued"),
            ),
            # Used by rescue_stuck_reaches.
            models.Index(
                fields=["leased_until"], name="reach_in_flight", condition=models.Q(state="sending")
            ),
            # Used by the frequency caps, her page and her merge.
            models.Index(fields=["member", "queued_at"], name="reach_of_member"),
            # Used by the list of what was not sent, and why.
            models.Index(
                fields=["state", "-id"],
                name="reach_not_sent",
                condition=models.Q(state__in=["failed", "skipped", "uncertain"]),
            ),
            # Used by settle_texts: what is put by and not given back.
            models.Index(fields=["id"], name="reach_held", condition=models.Q(held_hundredths__gt=0)),
            # Used when WeChat tells what became of a message.
            models.Index(fields=["message_id"], name="reach_by_message", condition=~models.Q(message_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_topic_display()} #{self.pk}"


class ReachBar(models.Model):
    """A member whom an account cannot write to: she blocked it, or WeChat does not know her there. Until she acts again."""

    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    account = models.ForeignKey(
        "wechat.Account", on_delete=models.CASCADE, related_name="+", verbose_name=_("账号")
    )
    code = models.CharField(_("原因"), max_length=60)
    barred_at = models.DateTimeField(_("时间"))

    objects = LockingQuerySet["ReachBar"].as_manager()

    class Meta:
        verbose_name = _("拒收记录")
        verbose_name_plural = _("拒收记录")
        constraints = [
            models.UniqueConstraint(fields=["member", "account"], name="reachbar_one_per_member_and_account")
        ]

    def __str__(self) -> str:
        return f"{self.code} #{self.pk}"
