"""What WeChat pushed, and who follows."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from wechat.models.account import Account


class InboundState(models.TextChoices):
    """stored → processing → processed | ignored | failed; failed and processed → stored by replay.

    `unreadable` is final until a person replays it (then stored).
    """

    STORED = "stored", _("待处理")
    PROCESSING = "processing", _("处理中")
    PROCESSED = "processed", _("已处理")
    IGNORED = "ignored", _("未识别")
    UNREADABLE = "unreadable", _("无法读取")
    FAILED = "failed", _("处理失败")


class InboundQuerySet(LockingQuerySet["InboundEvent"]):
    def waiting(self, at: dt.datetime) -> Self:
        """Stored and due, or claimed by a worker whose lease has run out."""
        due = models.Q(state=InboundState.STORED) & (
            models.Q(retry_not_before=None) | models.Q(retry_not_before__lte=at)
        )
        return self.filter(due | models.Q(state=InboundState.PROCESSING, leased_until__lt=at))


class InboundEvent(models.Model):
    """One push, stored once. The unique dedupe key is both the deduplication and the durability.

    Written by one hand-made INSERT in `wechat.services.callback` (the ORM's path costs more than twice as much).
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", verbose_name=_("账号"))
    dedupe_key = models.CharField(max_length=64, unique=True)
    # Plain mode only: sha256 of (account, timestamp, nonce), so that one signature cannot carry two bodies.
    nonce_key = models.CharField(max_length=64, null=True)
    kind = models.CharField(
        _("类型"), max_length=60
    )  # "text", "event.subscribe" …: as WeChat names it, lower-cased
    openid = models.CharField(_("用户"), max_length=64, blank=True)
    pushed_at = models.DateTimeField(_("微信时间"), null=True)
    received_at = models.DateTimeField(_("收到时间"))
    raw = models.TextField(_("原文"))
    state = models.CharField(_("状态"), max_length=12, choices=InboundState, default=InboundState.STORED)
    attempt_count = models.PositiveSmallIntegerField(_("处理次数"), default=0)
    leased_until = models.DateTimeField(null=True)
    lease_holder = models.CharField(max_length=32, blank=True)
    retry_not_before = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("处理完成时间"), null=True)
    failure = models.CharField(_("失败原因"), max_length=300, blank=True)
    # The reply rule that won as the push came, so that the answer's later parts and the tally follow what was answered
    # first. No key of the database: a push outlives its rule.
    won_rule_id = models.BigIntegerField(null=True)

    objects = InboundQuerySet.as_manager()

    class Meta:
        verbose_name = _("推送")
        verbose_name_plural = _("收件箱")
        constraints = [
            models.UniqueConstraint(
                fields=["nonce_key"],
                name="inboundevent_one_body_per_nonce",
                condition=models.Q(nonce_key__isnull=False),
            ),
        ]
        indexes = [
            # Used by drain_inbox and rescue_inbox; stays tiny because finished rows leave it.
            models.Index(
                fields=["id"],
                name="inboundevent_waiting_queue",
                condition=models.Q(state__in=["stored", "processing"]),
            ),
            # Used by the admin inbox (newest first, by kind) and by the retention job.
            models.Index(fields=["received_at"], name="inboundevent_by_received"),
            # Used when a person is forgotten.
            models.Index(fields=["openid"], name="inboundevent_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Follower(models.Model):
    """One person's relation to one account, as WeChat tells it. Whom she is in our books, `members` knows."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", verbose_name=_("账号"))
    openid = models.CharField(_("openid"), max_length=64)
    unionid = models.CharField(_("unionid"), max_length=64, blank=True)
    is_following = models.BooleanField(_("关注中"), default=True)
    followed_at = models.DateTimeField(_("关注时间"), null=True)
    unfollowed_at = models.DateTimeField(_("取关时间"), null=True)
    first_scene = models.CharField(_("首次关注的码"), max_length=64, blank=True)
    identified_at = models.DateTimeField(null=True)  # when user/info last answered for her
    listed_run = models.BigIntegerField(null=True)  # the last FollowerSync whose list named her
    # Until when customer-service messages may be sent: our guess, WeChat's answer is the truth.
    window_until = models.DateTimeField(_("可发消息至"), null=True)
    acted_at = models.DateTimeField(_("上次互动"), null=True)

    objects = LockingQuerySet["Follower"].as_manager()

    class Meta:
        verbose_name = _("粉丝")
        verbose_name_plural = _("粉丝")
        constraints = [
            models.UniqueConstraint(fields=["account", "openid"], name="follower_one_per_account_and_openid"),
        ]
        indexes = [
            # Used by identify_followers: those whose unionid could not be asked at follow time.
            models.Index(
                fields=["id"],
                name="follower_unidentified",
                condition=models.Q(identified_at__isnull=True, is_following=True),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
