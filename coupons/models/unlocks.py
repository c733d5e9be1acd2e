"""Share to unlock: who brings enough friends gets a coupon of her own; and who brought whom to a link."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet
from coupons.models.batches import CouponBatch
from coupons.models.coupons import Coupon


class OfferState(models.TextChoices):
    """open ⇄ paused (nobody starts, nobody helps) → ended (nobody starts; what was started goes on to its end)."""

    OPEN = "open", _("进行中")
    PAUSED = "paused", _("已暂停")
    ENDED = "ended", _("已结束")


class UnlockOffer(models.Model):
    """So many friends have to claim a coupon through her link within so many hours, then she has hers."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(_("活动名称"), max_length=40)
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("分享人得到的券")
    )
    friend_batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("好友得到的券")
    )
    needed_count = models.PositiveSmallIntegerField(
        _("需要几位好友"), default=3, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    lasts_hours = models.PositiveSmallIntegerField(
        _("几小时内完成"), default=24, validators=[MinValueValidator(1), MaxValueValidator(720)]
    )
    new_members_only = models.BooleanField(
        _("只算新朋友"), default=False, help_text=_("只有在她发起分享之后才第一次来的人算数，老会员不能助力")
    )
    opens_at = models.DateTimeField(_("活动开始"), null=True, blank=True)
    closes_at = models.DateTimeField(_("活动结束"), null=True, blank=True)
    state = models.CharField(_("状态"), max_length=6, choices=OfferState, default=OfferState.OPEN)
    created_at = models.DateTimeField(_("创建时间"))

    objects = LockingQuerySet["UnlockOffer"].as_manager()

    class Meta:
        verbose_name = _("分享裂变")
        verbose_name_plural = _("分享裂变")
        constraints = [
            models.CheckConstraint(
                condition=Q(needed_count__range=(1, 100), lasts_hours__range=(1, 720)),
                name="unlockoffer_numbers_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True)
                | Q(closes_at__isnull=True)
                | Q(closes_at__gt=F("opens_at")),
                name="unlockoffer_closes_after_it_opens",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ShareState(models.TextChoices):
    """collecting → unlocked (her coupon follows at once, or by the job) or expired; both are final."""

    COLLECTING = "collecting", _("助力中")
    UNLOCKED = "unlocked", _("已解锁")
    EXPIRED = "expired", _("未完成")


class UnlockShare(models.Model):
    """One member's link of an offer, with the promise as it was when she began."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    offer = models.ForeignKey(
        UnlockOffer, on_delete=models.PROTECT, related_name="shares", verbose_name=_("分享裂变")
    )
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("分享人")
    )
    state = models.CharField(_("状态"), max_length=10, choices=ShareState, default=ShareState.COLLECTING)
    needed_count = models.PositiveSmallIntegerField(_("需要几位好友"))
    helper_count = models.PositiveSmallIntegerField(_("已有几位好友"), default=0)
    started_at = models.DateTimeField(_("发起时间"))
    expires_at = models.DateTimeField(_("截止时间"))
    unlocked_at = models.DateTimeField(_("解锁时间"), null=True, blank=True)
    coupon = models.OneToOneField(
        Coupon, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("她的券")
    )
    # The code of the refusal when her coupon could not be issued.
    why_not = models.CharField(_("没有发出的原因"), max_length=40, blank=True, editable=False)

    objects = LockingQuerySet["UnlockShare"].as_manager()

    class Meta:
        verbose_name = _("助力")
        verbose_name_plural = _("助力")
        constraints = [
            # One at a time: two devices of hers have one link. After one that expired she may begin again.
            models.UniqueConstraint(
                fields=["offer", "member"],
                name="unlockshare_one_live_per_member",
                condition=~Q(state="expired"),
            ),
            # No friend beyond the last one counts, and she is through exactly when the last one came.
            models.CheckConstraint(
                condition=Q(helper_count__lte=F("needed_count"))
                & (
                    Q(state="unlocked", helper_count=F("needed_count"), unlocked_at__isnull=False)
                    | ~Q(state="unlocked")
                    & Q(helper_count__lt=F("needed_count"), unlocked_at__isnull=True, coupon__isnull=True)
                ),
                name="unlockshare_unlocked_by_the_last_friend",
            ),
        ]
        indexes = [
            # Used by expire_unlocks.
            models.Index(fields=["expires_at"], name="unlockshare_due", condition=Q(state="collecting")),
            # Used by release_unlocks.
            models.Index(
                fields=["unlocked_at"],
                name="unlockshare_unreleased",
                condition=Q(state="unlocked", coupon__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class UnlockHelp(models.Model):
    """A friend came through the link and has her coupon; whether she counted or came after the last one."""

    share = models.ForeignKey(
        UnlockShare, on_delete=models.PROTECT, related_name="helps", verbose_name=_("助力")
    )
    offer = models.ForeignKey(
        UnlockOffer, on_delete=models.PROTECT, related_name="+", verbose_name=_("分享裂变"), db_index=False
    )
    helper = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("好友")
    )
    coupon = models.OneToOneField(
        Coupon, on_delete=models.PROTECT, related_name="+", verbose_name=_("好友的券")
    )
    is_counted = models.BooleanField(_("算数"))
    helped_at = models.DateTimeField(_("助力时间"))

    objects = LockingQuerySet["UnlockHelp"].as_manager()

    class Meta:
        verbose_name = _("好友助力")
        verbose_name_plural = _("好友助力")
        constraints = [
            models.UniqueConstraint(fields=["offer", "helper"], name="unlockhelp_once_per_offer"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CouponReferral(models.Model):
    """What led her to the link by which she claimed a coupon: a guide's or store's code, a friend, an article."""

    coupon = models.OneToOneField(
        Coupon, on_delete=models.PROTECT, related_name="+", verbose_name=_("券"), primary_key=True
    )
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, related_name="+", verbose_name=_("券批次")
    )
    scene = models.CharField(_("渠道码"), max_length=64, blank=True)
    guide = models.ForeignKey(
        "guides.Guide",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("分享导购"),
    )
    store = models.ForeignKey(
        "guides.Store",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("分享门店"),
    )
    sharer = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("分享会员"),
    )
    article = models.CharField(_("文章"), max_length=40, blank=True)
    claimed_at = models.DateTimeField(_("领取时间"))

    class Meta:
        verbose_name = _("领券来源")
        verbose_name_plural = _("领券来源")
        constraints = [
            models.CheckConstraint(
                condition=~Q(scene="") | ~Q(article="") | Q(sharer__isnull=False),
                name="couponreferral_says_something",
            ),
        ]
        indexes = [
            # Used by the numbers of what led there.
            models.Index(fields=["article"], name="couponreferral_of_article", condition=~Q(article="")),
        ]

    def __str__(self) -> str:
        return self.scene or self.article or f"#{self.coupon_id}"
