"""Regions, dealers, stores, and which part of them a staff account sees."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet


class Region(models.Model):
    """One node of the region tree. `path` holds the ids from the root, "/1/7/": a subtree is one prefix."""

    name = models.CharField(_("名称"), max_length=40)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("上级区域"),
    )
    path = models.CharField(max_length=200, editable=False, db_index=True)

    objects = LockingQuerySet["Region"].as_manager()

    class Meta:
        verbose_name = _("区域")
        verbose_name_plural = _("区域")
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "name"], name="region_name_once_below_a_parent", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Dealer(models.Model):
    """One dealer (经销商) who owns stores."""

    code = models.CharField(_("编号"), max_length=20, unique=True)
    name = models.CharField(_("名称"), max_length=60)
    contact = models.CharField(_("联系人"), max_length=40, blank=True)
    is_active = models.BooleanField(_("合作中"), default=True)

    class Meta:
        verbose_name = _("经销商")
        verbose_name_plural = _("经销商")

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    """One store. Position is WGS-84 degrees; opening hours are one span per weekday, Monday first."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    code = models.CharField(_("门店编号"), max_length=20, unique=True)
    name = models.CharField(_("门店名称"), max_length=60)
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="stores", verbose_name=_("区域")
    )
    dealer = models.ForeignKey(
        Dealer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stores",
        verbose_name=_("经销商"),
        help_text=_("直营店留空"),
    )
    address = models.CharField(_("地址"), max_length=120, blank=True)
    latitude = models.DecimalField(_("纬度"), max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(_("经度"), max_digits=9, decimal_places=6, null=True, blank=True)
    phone = models.CharField(_("门店电话"), max_length=20, blank=True)
    opening_hours = models.JSONField(
        _("营业时间"),
        default=list,
        blank=True,
        help_text=_('周一到周日，如 ["10:00-22:00", …] 共 7 项；休息日写 ""'),
    )
    is_active = models.BooleanField(_("营业"), default=True)

    objects = LockingQuerySet["Store"].as_manager()

    class Meta:
        verbose_name = _("门店")
        verbose_name_plural = _("门店")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(latitude__isnull=True, longitude__isnull=True)
                | models.Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="store_position_whole_and_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StaffScope(models.Model):
    """One part of the chain that a staff account sees. An account without any sees all if it is head office
    (superuser), else nothing."""

    staff = models.ForeignKey(
        "core.StaffAccount", on_delete=models.CASCADE, related_name="+", verbose_name=_("后台账号")
    )
    region = models.ForeignKey(
        Region, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("区域")
    )
    dealer = models.ForeignKey(
        Dealer, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("经销商")
    )
    store = models.ForeignKey(
        Store, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("门店")
    )

    class Meta:
        verbose_name = _("可见范围")
        verbose_name_plural = _("可见范围")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(region__isnull=False, dealer__isnull=True, store__isnull=True)
                | models.Q(region__isnull=True, dealer__isnull=False, store__isnull=True)
                | models.Q(region__isnull=True, dealer__isnull=True, store__isnull=False),
                name="staffscope_exactly_one_part",
            ),
        ]

    def __str__(self) -> str:
        return str(self.region or self.dealer or self.store)
