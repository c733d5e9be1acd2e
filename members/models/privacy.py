"""Reveals of what is masked, requests for one's own data, and the chain's decisions about both."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet
from members.models.people import Member


class PrivacySettings(models.Model):
    """The chain's one row of decisions about privacy; without it the defaults of the columns hold."""

    guide_reveals_per_hour = models.PositiveSmallIntegerField(_("导购每小时最多查看"), default=10)
    guide_reveals_per_day = models.PositiveSmallIntegerField(_("导购 24 小时最多查看"), default=30)
    staff_reveals_per_hour = models.PositiveSmallIntegerField(_("后台员工每小时最多查看"), default=20)
    staff_reveals_per_day = models.PositiveSmallIntegerField(_("后台员工 24 小时最多查看"), default=100)
    member_reveals_per_day = models.PositiveSmallIntegerField(
        _("同一会员 24 小时最多被查看"), default=6, help_text=_("所有人加起来")
    )
    cooling_off_days = models.PositiveSmallIntegerField(
        _("注销等待期（天）"), default=7, help_text=_("会员自己申请注销后，过了这些天才删除，期间可以反悔")
    )
    request_due_days = models.PositiveSmallIntegerField(
        _("资料申请答复期限（天）"), default=15, help_text=_("会员提出查询、复制或删除后，几天内答复")
    )
    unfollow_keep_days = models.PositiveSmallIntegerField(
        _("取消关注后保留（天）"),
        null=True,
        blank=True,
        default=30,
        help_text=_("没有留手机号的泛会员，取消关注满这些天后删除资料；留空表示不自动删除"),
    )

    unfollow_withdraws_marketing = models.BooleanField(
        _("取消关注视为撤回营销授权"), default=True, help_text=_("重新关注后要她再次同意，才会再发营销信息")
    )

    phone_rest_days = models.PositiveSmallIntegerField(
        _("手机号多久可能换主人（天）"),
        default=90,
        db_default=90,
        help_text=_(
            "两个微信号先后验证同一个手机号：相隔不超过这些天，视为同一个人，自动合并；超过了，号码归后验证的人，"
            "原来的会员留着自己的积分和券，由员工在合并工作台确认。运营商收回的号码一般要停用 90 天才再发放"
        ),
    )

    objects = LockingQuerySet["PrivacySettings"].as_manager()

    class Meta:
        verbose_name = _("隐私设置")
        verbose_name_plural = _("隐私设置")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="privacysettings_one_row"),
        ]

    def __str__(self) -> str:
        return str(_("隐私设置"))


class RevealReason(models.TextChoices):
    """Why somebody had to see it in full; the choices of the dialog."""

    CALL_BACK = "call_back", _("回复会员的咨询")
    APPOINTMENT = "appointment", _("确认预约到店")
    DELIVERY = "delivery", _("送货或取件")
    AFTER_SALES = "after_sales", _("售后处理")
    VISIT = "visit", _("回访老会员")
    VERIFY = "verify", _("核对身份")
    OTHER = "other", _("其他")


class RevealOutcome(models.TextChoices):
    SHOWN = "shown", _("已查看")
    REFUSED = "refused", _("超过次数，未查看")


class PhoneReveal(models.Model):
    """Somebody saw a member's phone in full, once, or wanted to and had seen too many."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    reason = models.CharField(_("原因"), max_length=12, choices=RevealReason)
    # What was typed beside the choice may name people: sealed, and gone when she is erased.
    words = SealedTextField(_("补充说明"), blank=True)
    outcome = models.CharField(_("结果"), max_length=8, choices=RevealOutcome)
    limit = models.CharField(_("超过的限制"), max_length=16, blank=True)  # doer_hour, doer_day, member_day
    actor_kind = models.CharField(_("查看人类型"), max_length=8)
    actor_id = models.BigIntegerField(_("查看人编号"))
    actor_label = models.CharField(_("查看人"), max_length=80)
    # The dialog that asked: a second tap is no second reveal.
    request_key = models.CharField(max_length=40, null=True, editable=False)
    at = models.DateTimeField(_("时间"))

    objects = LockingQuerySet["PhoneReveal"].as_manager()

    class Meta:
        verbose_name = _("手机号查看")
        verbose_name_plural = _("手机号查看记录")
        constraints = [
            models.UniqueConstraint(
                fields=["actor_kind", "actor_id", "request_key"], name="phonereveal_once_per_request"
            ),
        ]
        indexes = [
            # Used by the limits, under the doer's and the member's lock.
            models.Index(fields=["actor_kind", "actor_id", "-at"], name="phonereveal_of_doer"),
            models.Index(fields=["member", "-at"], name="phonereveal_of_member"),
            # Used by the first page's tile.
            models.Index(fields=["-at"], name="phonereveal_refused", condition=Q(outcome="refused")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class RevealDoer(models.Model):
    """One person who reveals: the row that is locked while her reveals are counted."""

    actor_kind = models.CharField(max_length=8)
    actor_id = models.BigIntegerField()

    objects = LockingQuerySet["RevealDoer"].as_manager()

    class Meta:
        verbose_name = _("手机号查看人")
        verbose_name_plural = _("手机号查看人")
        constraints = [
            models.UniqueConstraint(fields=["actor_kind", "actor_id"], name="revealdoer_one_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_kind} #{self.actor_id}"


class DataRequestKind(models.TextChoices):
    EXPORT = "export", _("查询复制资料")
    ERASE = "erase", _("注销并删除资料")


class DataRequestState(models.TextChoices):
    """open → done | withdrawn. An erasure she asked for herself waits until `not_before`."""

    OPEN = "open", _("待处理")
    DONE = "done", _("已完成")
    WITHDRAWN = "withdrawn", _("已撤回")


class DataRequestQuerySet(LockingQuerySet["DataRequest"]):
    def open(self) -> Self:
        return self.filter(state=DataRequestState.OPEN)

    def ripe(self, at: dt.datetime) -> Self:
        """Erasures whose cooling-off period is over."""
        return self.open().filter(kind=DataRequestKind.ERASE, not_before__lte=at)


class DataRequest(models.Model):
    """A member's request for a copy of her data, or to be erased; asked by herself or by staff for her."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    kind = models.CharField(_("申请"), max_length=6, choices=DataRequestKind)
    reason = models.CharField(_("原因"), max_length=16, blank=True)  # a code of ErasureReason
    state = models.CharField(_("状态"), max_length=9, choices=DataRequestState, default=DataRequestState.OPEN)
    asked_by = models.CharField(_("申请人"), max_length=90)
    asked_at = models.DateTimeField(_("申请时间"))
    due_on = models.DateField(_("答复期限"))
    not_before = models.DateTimeField(_("等待期至"), null=True, blank=True)
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    closed_by = models.CharField(_("办理人"), max_length=90, blank=True)
    # What an erasure touched, part by part: counts, never values.
    result = models.JSONField(_("结果"), default=dict, blank=True)

    objects = DataRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("资料申请")
        verbose_name_plural = _("资料申请")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "kind"], name="datarequest_one_open_per_kind", condition=Q(state="open")
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="datarequest_closed_when_not_open",
            ),
        ]
        indexes = [
            # Used by the desk (what is due first) and by erase_ripe_members.
            models.Index(fields=["due_on", "id"], name="datarequest_open_queue", condition=Q(state="open")),
            models.Index(fields=["member", "-asked_at"], name="datarequest_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class ErasureReason(models.TextChoices):
    """Why somebody is erased; the audit keeps the code."""

    OWN_WISH = "own_wish", _("会员申请注销")
    CONSENT_WITHDRAWN = "consent_withdrawn", _("撤回隐私政策")
    WECHAT_CANCELLED = "wechat_cancelled", _("微信通知账号注销")
    UNFOLLOWED = "unfollowed", _("取消关注且未留手机号")
    STAFF = "staff", _("后台按规定删除")
