"""Mass messages of the official accounts, and whom the lists among them name."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class MassState(models.TextChoices):
    """draft → confirmed → sending → sent → finished | rejected; confirmed and failed → draft; draft → dropped.

    sending: it may have gone out; while WeChat knows its id the same is sent again and asked about by that. Surely not
    sent, it is confirmed again (later) or failed. uncertain: nobody knows, and it is not sent again by itself.
    """

    DRAFT = "draft", _("草稿")
    CONFIRMED = "confirmed", _("等待发送")
    SENDING = "sending", _("发送中")
    SENT = "sent", _("微信已收下")
    FINISHED = "finished", _("已发完")
    REJECTED = "rejected", _("微信没有发出")
    FAILED = "failed", _("没有发出")
    UNCERTAIN = "uncertain", _("结果未知")
    DROPPED = "dropped", _("已作废")


class MassAudienceKind(models.TextChoices):
    ALL = "all", _("全部粉丝")
    TAG = "tag", _("按标签")
    LIST = "list", _("按名单")


class MassKind(models.TextChoices):
    TEXT = "text", _("文字")
    IMAGE = "image", _("图片")
    ARTICLE = "article", _("图文")


class MassPurpose(models.TextChoices):
    """marketing: members of a list who agreed to it. normal: all but those who withdrew that consent."""

    MARKETING = "marketing", _("营销")
    NORMAL = "normal", _("通知")


class MassMessageQuerySet(LockingQuerySet["MassMessage"]):
    def itself_sent(self) -> Self:
        """Without those that go in parts: the parts are sent."""
        return self.filter(part_count=0)

    def shown(self) -> Self:
        """What people wrote, without the parts of it."""
        return self.filter(whole=None)

    def due(self, at: dt.datetime) -> Self:
        """Those to be sent now, and those of which is to be asked now whether they went."""
        return self.itself_sent().filter(
            state__in=[MassState.CONFIRMED, MassState.SENDING], not_before__lte=at
        )

    def unsettled(self, at: dt.datetime) -> Self:
        """WeChat took them and has told no result for a while."""
        return self.itself_sent().filter(state=MassState.SENT, not_before__lte=at).exclude(message_id="")

    def gone_out(self) -> Self:
        """Followers got them, or may have: they count against the month."""
        return self.itself_sent().filter(
            state__in=[MassState.SENDING, MassState.SENT, MassState.FINISHED, MassState.UNCERTAIN]
        )


class MassMessage(models.Model):
    """One mass message. Only a draft changes, and `revision` counts how often it did; whoever confirms names the one she
    saw. `client_msg_id` is made with the confirmation: under it WeChat sends once."""

    account = models.ForeignKey(
        "wechat.Account", on_delete=models.PROTECT, related_name="+", verbose_name=_("公众号")
    )
    name = models.CharField(_("名称"), max_length=60)
    kind = models.CharField(_("类型"), max_length=8, choices=MassKind)
    text = models.TextField(_("文字"), blank=True)
    picture = models.ImageField(_("图片"), upload_to="mass/", blank=True)
    article_media_id = models.CharField(_("图文素材编号"), max_length=200, blank=True)
    article_title = models.CharField(_("图文标题"), max_length=200, blank=True)
    purpose = models.CharField(_("用途"), max_length=9, choices=MassPurpose, default=MassPurpose.MARKETING)
    audience = models.CharField(_("发给谁"), max_length=4, choices=MassAudienceKind)
    tag_id = models.BigIntegerField(_("微信标签编号"), null=True)
    tag_name = models.CharField(_("标签"), max_length=60, blank=True)
    list_name = models.CharField(_("名单"), max_length=80, blank=True)
    bad_lines = models.JSONField(default=dict, editable=False)
    state = models.CharField(_("状态"), max_length=9, choices=MassState, default=MassState.DRAFT)
    revision = models.PositiveIntegerField(default=1, editable=False)
    written_by_id = models.BigIntegerField(null=True, editable=False)
    written_by = models.CharField(_("编写人"), max_length=80)
    written_at = models.DateTimeField(_("编写时间"))
    previewed_revision = models.PositiveIntegerField(default=0, editable=False)
    confirmed_by_id = models.BigIntegerField(null=True, editable=False)
    confirmed_by = models.CharField(_("确认人"), max_length=80, blank=True)
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)
    # The chain's rule as it was then: one person may write and confirm.
    is_alone_allowed = models.BooleanField(default=False, editable=False)
    expected_count = models.PositiveIntegerField(_("预计人数"), null=True)
    send_at = models.DateTimeField(_("发送时间"), null=True)
    not_before = models.DateTimeField(null=True, editable=False)
    send_until = models.DateTimeField(null=True, editable=False)
    client_msg_id = models.CharField(max_length=64, blank=True, editable=False)
    lease_holder = models.CharField(max_length=32, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    claim_count = models.PositiveIntegerField(default=0, editable=False)
    attempt_count = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    first_tried_at = models.DateTimeField(_("首次尝试"), null=True)
    sent_at = models.DateTimeField(_("收下时间"), null=True)
    message_id = models.CharField(_("微信消息号"), max_length=40, blank=True)
    code = models.CharField(_("原因"), max_length=60, blank=True)
    errcode = models.IntegerField(_("微信返回码"), null=True)
    total_count = models.PositiveIntegerField(_("目标人数"), null=True)
    filtered_count = models.PositiveIntegerField(_("过滤后人数"), null=True)
    reached_count = models.PositiveIntegerField(_("成功人数"), null=True)
    error_count = models.PositiveIntegerField(_("失败人数"), null=True)
    copyright_state = models.PositiveSmallIntegerField(default=0, editable=False)
    settled_at = models.DateTimeField(_("发完时间"), null=True)
    deleted_at = models.DateTimeField(_("删除时间"), null=True)
    # A long list goes in parts, see campaigns.services.mass_parts.
    whole = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, editable=False, related_name="parts"
    )
    part_count = models.PositiveSmallIntegerField(_("分段"), default=0, editable=False)

    objects = MassMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("群发消息")
        verbose_name_plural = _("群发消息")
        permissions = (("confirm_massmessage", _("可以确认群发消息")),)
        constraints = [
            models.UniqueConstraint(
                fields=["client_msg_id"],
                name="massmessage_one_per_client_msg_id",
                condition=~Q(client_msg_id=""),
            ),
            # Held here, whatever code runs: nothing leaves that nobody confirmed, and nobody confirms her own words
            # where the chain wants a second person.
            models.CheckConstraint(
                name="massmessage_leaves_confirmed",
                condition=Q(state__in=["draft", "failed", "dropped"])
                | (~Q(client_msg_id="") & Q(confirmed_at__isnull=False, send_until__isnull=False)),
            ),
            models.CheckConstraint(
                name="massmessage_second_person",
                condition=Q(is_alone_allowed=True)
                | Q(confirmed_by_id__isnull=True)
                | Q(written_by_id__isnull=True)
                | ~Q(confirmed_by_id=F("written_by_id")),
            ),
            models.CheckConstraint(
                name="massmessage_tag_named", condition=~Q(audience="tag") | Q(tag_id__isnull=False)
            ),
        ]
        indexes = [
            # Used by work_mass_messages.
            models.Index(
                fields=["not_before"],
                name="massmessage_due_queue",
                condition=Q(state__in=["confirmed", "sending", "sent"]),
            ),
            # Used when WeChat tells a result.
            models.Index(fields=["message_id"], name="massmessage_by_message", condition=~Q(message_id="")),
        ]

    def __str__(self) -> str:
        return self.name


class MassRecipient(models.Model):
    """One follower on the list of a mass message. `left_out` says why she did not get it; "" she did, or will."""

    message = models.ForeignKey(MassMessage, on_delete=models.CASCADE, related_name="recipients")
    openid = models.CharField(max_length=64)
    left_out = models.CharField(max_length=40, blank=True)

    objects = LockingQuerySet["MassRecipient"].as_manager()

    class Meta:
        verbose_name = _("群发名单")
        verbose_name_plural = _("群发名单")
        constraints = [
            models.UniqueConstraint(fields=["message", "openid"], name="massrecipient_once_on_a_list"),
        ]
        indexes = [
            # Used when a person is forgotten, and for the month's four.
            models.Index(fields=["openid"], name="massrecipient_of_person"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
