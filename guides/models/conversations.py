"""What members write to the account and no rule settles, and what their guides answer."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.models import LockingQuerySet
from guides.models.people import Guide


class ConversationQuerySet(LockingQuerySet["Conversation"]):
    def waiting(self) -> Self:
        """Those in which the member wrote last."""
        return self.filter(waiting_since__isnull=False)


class Conversation(models.Model):
    """All that one member, her guides and head office wrote to each other. Whose it is, her binding says: it goes where
    she goes. `given_to` counts only while she has no guide at work.

    The numbers are a copy of what the messages say, written with each of them.
    """

    member = models.OneToOneField(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    account_id = models.BigIntegerField()  # the gateway's account that she wrote to last
    waiting_since = models.DateTimeField(_("等待回复自"), null=True)
    unread_count = models.PositiveIntegerField(_("未读"), default=0)
    read_up_to_id = models.BigIntegerField(default=0)
    last_at = models.DateTimeField(_("最近消息"))
    given_to = models.ForeignKey(
        Guide,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("交给导购"),
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("会话")
        verbose_name_plural = _("会话")
        indexes = [
            # Used by the list of those who wait and the tile of 今日.
            models.Index(
                fields=["member"],
                name="conversation_waiting",
                condition=models.Q(waiting_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.member)


class Speaker(models.TextChoices):
    MEMBER = "member", _("会员")
    GUIDE = "guide", _("导购")
    STAFF = "staff", _("总部")
    SETTLED = "settled", _("无需回复")  # no message: somebody said that none is needed


class AnswerState(models.TextChoices):
    """Of an answer: queued → sent | dropped | uncertain, as the gateway's outbox ended it."""

    NONE = "", "—"
    QUEUED = "queued", _("发送中")
    SENT = "sent", _("已发送")
    DROPPED = "dropped", _("未送达")
    UNCERTAIN = "uncertain", _("不确定是否送达")


class ConversationMessage(models.Model):
    """One thing said. Words are sealed: they may hold an address or an illness."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    speaker = models.CharField(_("谁"), max_length=8, choices=Speaker)
    kind = models.CharField(
        _("类型"), max_length=20
    )  # as WeChat names it; "transfer": a rule called her guide
    words = SealedTextField(_("内容"), blank=True)
    at = models.DateTimeField(_("时间"))
    inbound_id = models.BigIntegerField(null=True, unique=True)  # the push that brought it
    guide = models.ForeignKey(
        Guide, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("导购")
    )
    staff = models.ForeignKey(
        "core.StaffAccount", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("后台账号")
    )
    request_key = models.CharField(
        max_length=40, null=True
    )  # the form that sent it: two taps are one message
    state = models.CharField(_("状态"), max_length=10, choices=AnswerState, default="", blank=True)
    outcome = models.CharField(_("结果"), max_length=120, blank=True)

    objects = LockingQuerySet["ConversationMessage"].as_manager()

    class Meta:
        verbose_name = _("会话消息")
        verbose_name_plural = _("会话消息")
        constraints = [
            models.UniqueConstraint(
                fields=["guide", "request_key"], name="conversationmessage_once_per_request"
            ),
            models.UniqueConstraint(
                fields=["staff", "request_key"], name="conversationmessage_once_per_staff_request"
            ),
            models.CheckConstraint(
                condition=models.Q(speaker="member", guide__isnull=True, staff__isnull=True)
                | models.Q(speaker="guide", guide__isnull=False, staff__isnull=True)
                | models.Q(speaker="staff", guide__isnull=True, staff__isnull=False)
                | models.Q(speaker="settled", guide__isnull=False, staff__isnull=True)
                | models.Q(speaker="settled", guide__isnull=True, staff__isnull=False),
                name="conversationmessage_one_speaker",
            ),
        ]
        indexes = [
            models.Index(fields=["conversation", "-id"], name="conversationmessage_newest"),
            # Used by settle_answers, every few seconds.
            models.Index(
                fields=["id"], name="conversationmessage_unsettled", condition=models.Q(state="queued")
            ),
            # Used by prune_conversations.
            models.Index(fields=["at"], name="conversationmessage_by_at"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
