"""People and the names under which outside systems know them."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Right
from django.utils.translation import gettext_lazy as _

from core.codes import new_code_12, new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet


class MemberStage(models.TextChoices):
    """prospect → member, when a phone is verified; never back."""

    PROSPECT = "prospect", _("泛会员")
    MEMBER = "member", _("会员")


class Gender(models.TextChoices):
    UNKNOWN = "", _("未知")
    FEMALE = "female", _("女")
    MALE = "male", _("男")


class Source(models.TextChoices):
    """The door through which she first came."""

    FOLLOW = "follow", _("关注公众号")
    SCAN = "scan", _("扫码关注")
    MINI_PROGRAM = "mini_program", _("小程序")
    POS = "pos", _("门店收银")
    IMPORT = "import", _("批量导入")
    SHARE = "share", _("好友分享")


class MemberQuerySet(LockingQuerySet["Member"]):
    def living(self) -> Self:
        """Those who have not been merged into another row."""
        return self.filter(merged_into__isnull=True)


class Member(models.Model):
    """One person known to the chain, whatever door she came through."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    # What a till scans and a person can read out: unguessable, with a check character.
    code = models.CharField(_("会员码"), max_length=12, unique=True, default=new_code_12, editable=False)
    stage = models.CharField(_("身份"), max_length=10, choices=MemberStage, default=MemberStage.PROSPECT)
    name = SealedTextField(_("姓名"), blank=True)  # at most 60 characters
    # Keyed hashes of what a guide may type to find the name (members.selectors.names).
    name_tokens = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    gender = models.CharField(_("性别"), max_length=8, choices=Gender, default=Gender.UNKNOWN, blank=True)
    birthday = models.DateField(_("生日"), null=True, blank=True)
    phone = SealedTextField(_("手机号"), blank=True)
    phone_tail = models.CharField(_("手机尾号"), max_length=4, blank=True)
    source = models.CharField(_("来源"), max_length=16, choices=Source)
    source_scene = models.CharField(_("来源渠道码"), max_length=64, blank=True)
    is_following = models.BooleanField(_("关注公众号"), default=False)
    # When WeChat says she last followed or unfollowed: pushes arrive out of order, an older one must not win.
    follow_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    registered_at = models.DateTimeField(_("成为会员时间"))
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("已并入")
    )

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员")
        verbose_name_plural = _("会员")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")), name="member_not_merged_into_itself"
            ),
        ]
        indexes = [
            models.Index(fields=["-registered_at", "-id"], name="member_by_registered"),
            models.Index(fields=["phone_tail"], name="member_by_phone_tail"),
            GinIndex(fields=["name_tokens"], name="member_by_name_tokens"),
            # The end of the member code is what people read out.
            models.Index(Right("code", 4), name="member_by_code_end"),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class MemberAddress(models.Model):
    """Where she lives. The place is plain, for counting and choosing; street and house are sealed."""

    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    province = models.CharField(_("省"), max_length=40, blank=True)
    city = models.CharField(_("市"), max_length=40, blank=True)
    district = models.CharField(_("区县"), max_length=40, blank=True)
    street = SealedTextField(_("详细地址"), blank=True)  # at most 120 characters
    changed_at = models.DateTimeField(_("修改时间"))

    objects = LockingQuerySet["MemberAddress"].as_manager()

    class Meta:
        verbose_name = _("会员地址")
        verbose_name_plural = _("会员地址")
        indexes = [models.Index(fields=["province", "city", "district"], name="memberaddress_by_place")]

    def __str__(self) -> str:
        return f"{self.province}{self.city}{self.district}"


class Identity(models.TextChoices):
    OPENID = "openid", _("公众号 openid")
    MINI_OPENID = "mini_openid", _("小程序 openid")
    UNIONID = "unionid", _("unionid")
    PHONE = "phone", _("手机号")
    EXTERNAL_USERID = "external_userid", _("企业微信外部联系人")
    POS_CARD = "pos_card", _("会员卡号")


class MemberIdentity(models.Model):
    """One name under which an outside system knows her. The `value` of a phone is its blind index."""

    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="identities", verbose_name=_("会员")
    )
    kind = models.CharField(_("类型"), max_length=16, choices=Identity)
    app_id = models.CharField(
        _("应用"), max_length=40, blank=True
    )  # empty where the value is unique by itself
    value = models.CharField(_("标识"), max_length=80)
    linked_at = models.DateTimeField(_("关联时间"))

    objects = LockingQuerySet["MemberIdentity"].as_manager()

    class Meta:
        verbose_name = _("会员身份标识")
        verbose_name_plural = _("会员身份标识")
        constraints = [
            models.UniqueConstraint(fields=["kind", "app_id", "value"], name="memberidentity_one_owner"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
