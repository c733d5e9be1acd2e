"""Channel codes and their scans."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.codes import new_code_14
from core.models import LockingQuerySet
from guides.models.organisation import Store
from guides.models.people import Guide


class CodeKind(models.TextChoices):
    GUIDE = "guide", _("导购码")
    STORE = "store", _("门店码")


class CodeTerm(models.TextChoices):
    PERMANENT = "permanent", _("永久")
    TEMPORARY = "temporary", _("临时(30天内自动续期)")


class CodePurpose(models.TextChoices):
    """What a code is for besides binding; a higher app knows its own codes by it."""

    BINDING = "", _("绑定导购")
    FACE_TO_FACE = "face_to_face", _("面对面发券")


class ChannelCodeQuerySet(LockingQuerySet["ChannelCode"]):
    def open(self, at: dt.datetime) -> Self:
        """Those a scan may still resolve to."""
        return self.filter(closed_at__isnull=True).filter(
            models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=at)
        )

    def own(self) -> Self:
        """Those that do nothing but bind: what is printed and shown as "my code"."""
        return self.filter(purpose=CodePurpose.BINDING)


class ChannelCode(models.Model):
    """One code of a guide or a store, the same string in every channel.

    WeChat's ticket is fetched apart (`publish_channel_code`): permanent ones from a budget that cannot be
    given back, temporary ones for 30 days and renewed by a job while the code is open.
    """

    # 14 characters fit the official account's scene (64), the mini-program's (32) and WeCom's state (30).
    code = models.CharField(_("渠道码"), max_length=30, unique=True, default=new_code_14)
    kind = models.CharField(_("类型"), max_length=8, choices=CodeKind)
    purpose = models.CharField(
        _("用来做什么"), max_length=16, choices=CodePurpose, default=CodePurpose.BINDING, blank=True
    )
    term = models.CharField(_("期限"), max_length=10, choices=CodeTerm, default=CodeTerm.TEMPORARY)
    guide = models.ForeignKey(
        Guide, on_delete=models.PROTECT, null=True, blank=True, related_name="codes", verbose_name=_("导购")
    )
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="codes", verbose_name=_("门店"))
    label = models.CharField(_("用途"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("创建时间"))
    valid_until = models.DateTimeField(_("有效期至"), null=True, blank=True, help_text=_("留空表示一直有效"))
    closed_at = models.DateTimeField(_("停用时间"), null=True, blank=True)
    # WeChat's side of it.
    account_app_id = models.CharField(max_length=40, blank=True)
    ticket = models.CharField(max_length=200, blank=True)
    qr_url = models.CharField(_("二维码内容"), max_length=200, blank=True)
    ticket_expires_at = models.DateTimeField(_("微信二维码到期"), null=True, blank=True)
    # While set and in the future, one process is asking WeChat for the ticket: a budget is not spent twice.
    leased_until = models.DateTimeField(null=True, editable=False)
    scan_count = models.PositiveIntegerField(_("扫码"), default=0)
    follow_count = models.PositiveIntegerField(_("新关注"), default=0)
    binding_count = models.PositiveIntegerField(_("绑定"), default=0)

    objects = ChannelCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("渠道码")
        verbose_name_plural = _("渠道码")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="guide", guide__isnull=False)
                | models.Q(kind="store", guide__isnull=True),
                name="channelcode_guide_kind_names_a_guide",
            ),
        ]
        indexes = [
            # Used by renew_channel_codes.
            models.Index(
                fields=["ticket_expires_at"],
                name="channelcode_to_renew",
                condition=models.Q(closed_at__isnull=True, term="temporary"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.label or self.code}"


class ScanOutcome(models.TextChoices):
    BOUND = "bound", _("已绑定")
    ALREADY_YOURS = "already_yours", _("本来就是您的会员")
    KEPT_BY_OTHER = "kept_by_other", _("已有专属导购")
    CODE_CLOSED = "code_closed", _("码已停用")
    GUIDE_LEFT = "guide_left", _("导购已离职")
    NO_GUIDE = "no_guide", _("门店没有在职导购")
    UNKNOWN_CODE = "unknown_code", _("不认识的码")


class ChannelScan(models.Model):
    """One scan and what came of it; unique per push, so that counting twice is impossible."""

    channel_code = models.ForeignKey(
        ChannelCode, on_delete=models.PROTECT, null=True, related_name="scans", verbose_name=_("渠道码")
    )
    scene = models.CharField(_("扫到的内容"), max_length=64)
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    guide = models.ForeignKey(
        Guide, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("导购")
    )
    request_key = models.CharField(max_length=80, unique=True)
    is_new_follower = models.BooleanField(_("新关注"))
    outcome = models.CharField(_("结果"), max_length=16, choices=ScanOutcome)
    scanned_at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("扫码记录")
        verbose_name_plural = _("扫码记录")
        indexes = [models.Index(fields=["channel_code", "-scanned_at"], name="channelscan_of_code")]

    def __str__(self) -> str:
        return f"#{self.pk}"
