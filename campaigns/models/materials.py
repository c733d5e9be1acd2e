"""Materials (素材): what head office writes for guides to share, each guide's own link to it, and who opened that."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet


class MaterialState(models.TextChoices):
    """draft → published ⇄ withdrawn. Links to one that is withdrawn or over lead nowhere, and come to life again with it."""

    DRAFT = "draft", _("草稿")
    PUBLISHED = "published", _("已发布")
    WITHDRAWN = "withdrawn", _("已撤回")


class MaterialQuerySet(LockingQuerySet["Material"]):
    def live(self, at: dt.datetime) -> Self:
        """Those that may be shared and opened at that moment."""
        begun = Q(starts_at__isnull=True) | Q(starts_at__lte=at)
        goes_on = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
        return self.filter(begun, goes_on, state=MaterialState.PUBLISHED)


class Material(models.Model):
    """One piece of content for guides to share: what the customer sees, and the words that go with it."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    title = models.CharField(_("标题"), max_length=30)
    category = models.CharField(_("分类"), max_length=12, help_text=_("例如：新品、搭配、活动、门店"))
    words = models.TextField(
        _("话术"), help_text=_("导购复制后发给顾客的话，可以写 {门店} 和 {导购}；最多 500 字")
    )
    text = models.TextField(_("正文"), blank=True, help_text=_("顾客打开后，图片上方的文字；最多 2,000 字"))
    # Where its page leads besides to the guide's code; each may be empty.
    link_url = models.CharField(_("网页"), max_length=500, blank=True)
    link_label = models.CharField(_("按钮文字"), max_length=12, blank=True)
    mini_page = models.CharField(_("小程序页面"), max_length=200, blank=True)
    batch = models.ForeignKey(
        "coupons.CouponBatch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("附带的券"),
    )
    # Whose guides share it: all of the chain (both empty), a region's with all below it, or one store's.
    region = models.ForeignKey(
        "guides.Region",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("哪个区域用"),
    )
    store = models.ForeignKey(
        "guides.Store",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("或者哪家门店用"),
    )
    starts_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    ends_at = models.DateTimeField(_("结束时间"), null=True, blank=True)
    state = models.CharField(
        _("状态"), max_length=9, choices=MaterialState, default=MaterialState.DRAFT, editable=False
    )
    created_at = models.DateTimeField(_("创建时间"), editable=False)
    changed_at = models.DateTimeField(_("修改时间"), editable=False)
    published_at = models.DateTimeField(_("发布时间"), null=True, editable=False)

    objects = MaterialQuerySet.as_manager()

    class Meta:
        verbose_name = _("素材")
        verbose_name_plural = _("素材")
        constraints = [
            models.CheckConstraint(
                condition=Q(region__isnull=True) | Q(store__isnull=True), name="material_region_or_store"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(starts_at__lt=F("ends_at")),
                name="material_times_in_order",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", published_at__isnull=True)
                | Q(state__in=["published", "withdrawn"], published_at__isnull=False),
                name="material_published_has_a_time",
            ),
        ]
        indexes = [
            # Used by the guides' list.
            models.Index(
                fields=["-published_at", "-id"], name="material_newest", condition=Q(state="published")
            ),
        ]

    def __str__(self) -> str:
        return self.title


class MaterialPicture(models.Model):
    """One picture of a material, as drawn anew from the upload, with a small one for lists and cards."""

    material = models.ForeignKey(
        Material, on_delete=models.PROTECT, related_name="pictures", verbose_name=_("素材"), db_index=False
    )
    position = models.PositiveSmallIntegerField()
    picture = models.ImageField(_("图片"), upload_to="materials/", width_field="width", height_field="height")
    thumb = models.ImageField(_("小图"), upload_to="materials/")
    width = models.PositiveSmallIntegerField(editable=False)
    height = models.PositiveSmallIntegerField(editable=False)

    class Meta:
        verbose_name = _("素材图片")
        verbose_name_plural = _("素材图片")
        constraints = [
            models.UniqueConstraint(fields=["material", "position"], name="materialpicture_one_per_place"),
        ]

    def __str__(self) -> str:
        return f"#{self.position}"


class MaterialShare(models.Model):
    """One guide's link to one material. The counts are those of its visits, written with them."""

    material = models.ForeignKey(
        Material, on_delete=models.PROTECT, related_name="shares", verbose_name=_("素材"), db_index=False
    )
    guide = models.ForeignKey(
        "guides.Guide", on_delete=models.PROTECT, related_name="+", verbose_name=_("导购")
    )
    token = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    created_at = models.DateTimeField(_("创建时间"))
    # When she last took the link, the poster or WeChat's menu: her own word, which counts nowhere.
    shared_at = models.DateTimeField(_("最近分享"), null=True)
    view_count = models.PositiveIntegerField(_("浏览"), default=0)
    visitor_count = models.PositiveIntegerField(_("访客"), default=0)

    objects = LockingQuerySet["MaterialShare"].as_manager()

    class Meta:
        verbose_name = _("素材分享")
        verbose_name_plural = _("素材分享")
        constraints = [
            models.UniqueConstraint(fields=["material", "guide"], name="materialshare_one_per_guide"),
            models.CheckConstraint(
                condition=Q(visitor_count__lte=F("view_count")), name="materialshare_views_cover_visitors"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.material_id}/{self.guide_id}"


class MaterialReader(models.Model):
    """Who opened links: a WeChat account or a browser, by a fingerprint; and the member it is, where that is known and she
    agrees to its being kept."""

    # Keyed with SECRET_KEY; a random text once nobody is to be told by it any more.
    key = models.CharField(max_length=64, unique=True, editable=False)
    is_known = models.BooleanField(default=False)  # told by WeChat, not by a cookie
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("会员"),
        db_index=False,
    )
    seen_at = models.DateTimeField(_("最近打开"))

    objects = LockingQuerySet["MaterialReader"].as_manager()

    class Meta:
        verbose_name = _("素材访客")
        verbose_name_plural = _("素材访客")
        indexes = [
            # Used by her next opening, by merging, exporting and erasing.
            models.Index(
                fields=["member"], name="materialreader_of_member", condition=Q(member__isnull=False)
            ),
            # Used by the job that forgets.
            models.Index(fields=["seen_at"], name="materialreader_by_seen"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class MaterialVisit(models.Model):
    """What one reader opened by one link on one Shanghai day. Where it `carries`, it proves that the guide shared the
    material: once a day for a link, and each reader for one link of a guide."""

    share = models.ForeignKey(
        MaterialShare, on_delete=models.PROTECT, related_name="visits", verbose_name=_("分享"), db_index=False
    )
    reader = models.ForeignKey(
        MaterialReader, on_delete=models.PROTECT, related_name="visits", verbose_name=_("访客")
    )
    guide = models.ForeignKey(
        "guides.Guide", on_delete=models.PROTECT, related_name="+", verbose_name=_("导购"), db_index=False
    )
    on = models.DateField(_("日期"))
    view_count = models.PositiveIntegerField(_("浏览"))
    first_at = models.DateTimeField(_("首次打开"))
    last_at = models.DateTimeField(_("最近打开"))  # the last one that counted
    carries = models.BooleanField(default=False)
    counted_at = models.DateTimeField(null=True)  # the ledger has it

    objects = LockingQuerySet["MaterialVisit"].as_manager()

    class Meta:
        verbose_name = _("素材浏览")
        verbose_name_plural = _("素材浏览")
        constraints = [
            models.UniqueConstraint(fields=["share", "reader", "on"], name="materialvisit_once_a_day"),
            models.UniqueConstraint(
                fields=["share", "on"], name="materialvisit_one_carries_a_day", condition=Q(carries=True)
            ),
            models.UniqueConstraint(
                fields=["guide", "on", "reader"],
                name="materialvisit_reader_carries_one",
                condition=Q(carries=True),
            ),
            models.CheckConstraint(condition=Q(view_count__gte=1), name="materialvisit_was_seen"),
        ]
        indexes = [
            # Used by the job that counts what the ledger has not yet.
            models.Index(
                fields=["id"],
                name="materialvisit_uncounted",
                condition=Q(carries=True, counted_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
