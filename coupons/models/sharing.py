"""Coupons on their way to somebody: gift links, codes on a screen, codes of partners, bulk issue."""

import datetime as dt
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch, Door
from coupons.models.coupons import Coupon


class GiftState(models.TextChoices):
    """open → accepted (by one other member) or returned (taken back, not taken in time, expired, voided)."""

    OPEN = "open", _("等待领取")
    ACCEPTED = "accepted", _("已被领取")
    RETURNED = "returned", _("已退回")


class CouponGift(models.Model):
    """A link by which one other member may take over a coupon; only the digest of its token is kept."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="gifts", verbose_name=_("券"))
    from_member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("赠送人")
    )
    to_member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("领取人"),
    )
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    request_key = models.CharField(max_length=80, editable=False)
    state = models.CharField(_("状态"), max_length=8, choices=GiftState, default=GiftState.OPEN)
    offered_at = models.DateTimeField(_("发起时间"))
    expires_at = models.DateTimeField(_("退回时间"))
    ended_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    objects = LockingQuerySet["CouponGift"].as_manager()

    class Meta:
        verbose_name = _("转赠")
        verbose_name_plural = _("转赠")
        constraints = [
            models.UniqueConstraint(
                fields=["coupon"], name="coupongift_one_open_per_coupon", condition=Q(state="open")
            ),
            models.UniqueConstraint(fields=["coupon", "request_key"], name="coupongift_once_per_request"),
            models.CheckConstraint(
                condition=Q(state="accepted", to_member__isnull=False, ended_at__isnull=False)
                | Q(state="open", to_member__isnull=True, ended_at__isnull=True)
                | Q(state="returned", to_member__isnull=True, ended_at__isnull=False),
                name="coupongift_state_whole",
            ),
        ]
        indexes = [
            # Used by return_untaken_gifts.
            models.Index(fields=["expires_at"], name="coupongift_due", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CouponTokenQuerySet(LockingQuerySet["CouponToken"]):
    def expired(self, at: dt.datetime) -> Self:
        return self.filter(expires_at__lte=at)


class CouponToken(models.Model):
    """A code that stands on a member's screen for a minute; read once, by one request."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="+", verbose_name=_("券"))
    code_index = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("失效时间"))
    used_at = models.DateTimeField(_("读取时间"), null=True, blank=True)
    used_by_request = models.CharField(max_length=80, blank=True, editable=False)

    objects = CouponTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("动态券码")
        verbose_name_plural = _("动态券码")

    def __str__(self) -> str:
        return f"#{self.pk}"


class PartnerCode(models.Model):
    """A code that a partner gave us, waiting for the coupon it will stand on."""

    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("券批次"), db_index=False
    )
    code = models.CharField(_("合作方券码"), max_length=64)
    # Codes lie in the shard that counts them: whoever took one of its count finds one of its codes.
    shard = models.PositiveSmallIntegerField(editable=False)
    is_taken = models.BooleanField(_("已发出"), default=False)

    class Meta:
        verbose_name = _("合作方券码")
        verbose_name_plural = _("合作方券码")
        constraints = [
            models.UniqueConstraint(fields=["batch", "code"], name="partnercode_once_per_batch"),
        ]
        indexes = [
            # Used by coupons_take_code.
            models.Index(
                fields=["batch", "shard", "id"], name="partnercode_free", condition=Q(is_taken=False)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class JobState(models.TextChoices):
    """draft → running ⇄ paused → done, or stopped: by staff, or when its batch can issue no more to anybody. A draft
    has its audience and issues nothing until somebody has looked at the numbers."""

    DRAFT = "draft", _("待确认")
    RUNNING = "running", _("进行中")
    PAUSED = "paused", _("已暂停")
    DONE = "done", _("已完成")
    STOPPED = "stopped", _("已停止")


class IssueJob(models.Model):
    """One bulk issue: who was to have a coupon of a batch is frozen in its slices, so that any process can go on."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    key = models.CharField(_("任务编号"), max_length=80, unique=True)
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("券批次")
    )
    door = models.CharField(_("发放渠道"), max_length=12, choices=Door)
    issued_by_guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("发券导购"),
    )
    issued_store = models.ForeignKey(
        "guides.Store",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("发券门店"),
    )
    source_key = models.CharField(max_length=80, blank=True, editable=False)
    state = models.CharField(_("状态"), max_length=8, choices=JobState, default=JobState.RUNNING)
    stop_reason = models.CharField(_("停止原因"), max_length=40, blank=True)
    asked_count = models.PositiveIntegerField(_("应发人数"), default=0)
    started_at = models.DateTimeField(_("开始时间"))
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    started_by = models.CharField(_("操作者"), max_length=90, blank=True)
    # Whose desk it was made at: another account of a part of the chain does not see it.
    staff = models.ForeignKey(
        "core.StaffAccount",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("后台账号"),
    )
    audience_words = models.CharField(_("发给谁"), max_length=300, blank=True)
    # An uploaded list: the file, and the lines of it that are nobody. What a line says stays in the file.
    file_name = models.CharField(_("名单文件"), max_length=120, blank=True)
    stored_as = models.CharField(max_length=16, blank=True, editable=False)
    bad_lines = models.JSONField(default=dict, editable=False)  # line → code of the reason

    objects = LockingQuerySet["IssueJob"].as_manager()

    class Meta:
        verbose_name = _("批量发券")
        verbose_name_plural = _("批量发券")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "running", "paused"], finished_at__isnull=True)
                | Q(state__in=["done", "stopped"], finished_at__isnull=False),
                name="issuejob_finished_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.audience_words or self.key


class IssueSlice(models.Model):
    """Some thousand members of a bulk issue, done in one transaction or not at all."""

    job = models.ForeignKey(IssueJob, on_delete=models.PROTECT, related_name="slices")
    number = models.PositiveIntegerField()
    member_ids = ArrayField(models.BigIntegerField())
    is_done = models.BooleanField(default=False)
    issued_count = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=dict)  # code of the reason → how many
    missed = models.JSONField(default=dict)  # code of the reason → who, for the file that goes back
    done_at = models.DateTimeField(null=True)

    objects = LockingQuerySet["IssueSlice"].as_manager()

    class Meta:
        verbose_name = _("批量发券分段")
        verbose_name_plural = _("批量发券分段")
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="issueslice_once"),
            models.CheckConstraint(
                condition=Q(number__gte=0) & (Q(is_done=True) | Q(issued_count=0)),
                name="issueslice_counts_when_done",
            ),
        ]
        indexes = [
            models.Index(fields=["job", "number"], name="issueslice_waiting", condition=Q(is_done=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.job_id}/{self.number}"
