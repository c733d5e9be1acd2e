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
    """prospect → member, when a phone is verified; never back. Either → erased, for ever."""

    PROSPECT = "prospect", _("泛会员")
    MEMBER = "member", _("会员")
    ERASED = "erased", _("已注销")


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
    SYNC = "sync", _("粉丝同步")

    @property
    def given_through(self) -> "GivenThrough":
        """Where somebody who came through this door gave what she gave then."""
        if self in {Source.FOLLOW, Source.SCAN, Source.SYNC}:
            return GivenThrough.OFFICIAL_ACCOUNT
        return GivenThrough.MINI_PROGRAM if self is Source.SHARE else GivenThrough(self.value)


class GivenThrough(models.TextChoices):
    """Where she gave a phone, a name or an address. What she gave inside WeChat goes when she withdraws it there."""

    MINI_PROGRAM = "mini_program", _("小程序")
    OFFICIAL_ACCOUNT = "official_account", _("公众号")
    POS = "pos", _("门店登记")
    IMPORT = "import", _("批量导入")
    STAFF = "staff", _("后台填写")


class MemberQuerySet(LockingQuerySet["Member"]):
    def living(self) -> Self:
        """Those who have not been merged into another row, nor erased."""
        return self.filter(merged_into__isnull=True).exclude(stage=MemberStage.ERASED)


class Member(models.Model):
    """One person known to the chain, whatever door she came through."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    # What a till scans and a person can read out: unguessable, with a check character.
    code = models.CharField(_("会员码"), max_length=12, unique=True, default=new_code_12, editable=False)
    stage = models.CharField(_("身份"), max_length=10, choices=MemberStage, default=MemberStage.PROSPECT)
    name = SealedTextField(_("姓名"), blank=True)  # at most 60 characters
    # Keyed hashes of what a guide may type to find the name (members.selectors.names).
    name_tokens = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    name_given_through = models.CharField(
        _("姓名来自"),
        max_length=16,
        choices=GivenThrough,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    gender = models.CharField(_("性别"), max_length=8, choices=Gender, default=Gender.UNKNOWN, blank=True)
    birthday = models.DateField(_("生日"), null=True, blank=True)
    phone = SealedTextField(_("手机号"), blank=True)
    phone_tail = models.CharField(_("手机尾号"), max_length=4, blank=True)
    # When she last changed a birthday that was set; the next change waits a year.
    birthday_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When name, gender, birthday and phone were all known for the first time.
    profile_completed_at = models.DateTimeField(_("资料完善时间"), null=True, blank=True, editable=False)
    source = models.CharField(_("来源"), max_length=16, choices=Source)
    source_scene = models.CharField(_("来源渠道码"), max_length=64, blank=True)
    is_following = models.BooleanField(_("关注公众号"), default=False)
    # When WeChat says she last followed or unfollowed: pushes arrive out of order, an older one must not win.
    follow_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    registered_at = models.DateTimeField(_("成为会员时间"))
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("已并入")
    )
    erased_at = models.DateTimeField(_("注销时间"), null=True, blank=True, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员")
        verbose_name_plural = _("会员")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")), name="member_not_merged_into_itself"
            ),
            models.CheckConstraint(
                condition=models.Q(stage="erased", erased_at__isnull=False)
                | (~models.Q(stage="erased") & models.Q(erased_at__isnull=True)),
                name="member_erased_has_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["-registered_at", "-id"], name="member_by_registered"),
            # With the name: an import asks for each row who has both, and names alone are shared by hundreds.
            models.Index(fields=["phone_tail", "name_tokens"], name="member_by_tail_and_name"),
            models.Index(
                fields=["birthday", "name_tokens"],
                name="member_by_birthday_and_name",
                condition=models.Q(birthday__isnull=False),
            ),
            # Used by reward_profiles, every ten minutes over the last day.
            models.Index(
                fields=["profile_completed_at"],
                name="member_by_profile_completed",
                condition=models.Q(profile_completed_at__isnull=False),
            ),
            # Used by erase_unfollowed and the duties' page.
            models.Index(
                fields=["follow_changed_at"],
                name="member_by_unfollowed",
                condition=models.Q(stage="prospect", is_following=False, follow_changed_at__isnull=False),
            ),
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
    given_through = models.CharField(
        _("来自"), max_length=16, choices=GivenThrough, default="", db_default=""
    )
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
    # Of a phone all the places where she gave it: given at a till too, it stays when she withdraws it inside WeChat.
    given_through = ArrayField(
        models.CharField(max_length=16, choices=GivenThrough),
        verbose_name=_("来自"),
        default=list,
        blank=True,
    )
    # When WeChat or a text message last proved that the phone was hers; she may only have told it.
    proved_at = models.DateTimeField(_("验证时间"), null=True, blank=True)

    objects = LockingQuerySet["MemberIdentity"].as_manager()

    class Meta:
        verbose_name = _("会员身份标识")
        verbose_name_plural = _("会员身份标识")
        constraints = [
            models.UniqueConstraint(fields=["kind", "app_id", "value"], name="memberidentity_one_owner"),
            models.CheckConstraint(
                condition=~models.Q(kind="phone") | models.Q(given_through__len__gt=0),
                name="memberidentity_phone_given_somewhere",
            ),
        ]
        permissions = [("unlink_identity", _("可以解除会员的身份标识"))]

    def __str__(self) -> str:
        return self.get_kind_display()


class UnlinkReason(models.TextChoices):
    """Why staff took an identity from a member."""

    MISTYPED = "mistyped", _("登记时填错了")
    PASSED_ON = "passed_on", _("号码已经换了主人")
    ANOTHERS = "anothers", _("是别人的微信或卡")
    ASKED = "asked", _("会员要求解除")
