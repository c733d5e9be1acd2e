"""What a coupon is worth and where it counts."""

import functools
import operator
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.codes import new_public_id
from core.models import LockingQuerySet


class CouponKind(models.TextChoices):
    """What it does to a basket."""

    CASH_OFF = "cash_off", _("满减券")  # off_fen, once or for every per_fen
    PERCENT = "percent", _("折扣券")  # she pays rate_bp of the price, up to cap_fen less
    EXCHANGE = "exchange", _("兑换券")  # units of the goods for nothing, up to cap_fen each
    FIXED_PRICE = "fixed_price", _("一口价券")  # units of the goods for price_fen each
    GIFT = "gift", _("赠品券")  # gift_name, worth gift_value_fen, beside a purchase


class Validity(models.TextChoices):
    """From when to when a coupon is good, told by the moment it is issued. Days are Shanghai's."""

    FIXED = "fixed", _("固定日期")
    FROM_TODAY = "from_today", _("领取当天起若干天")
    FROM_TOMORROW = "from_tomorrow", _("领取次日起若干天")
    MONTH_END = "month_end", _("到当月最后一天")


class Gifting(models.TextChoices):
    """Who may hand it on."""

    NOBODY = "nobody", _("不可转赠")
    FIRST = "first", _("只有领取人可以转赠一次")
    ANYONE = "anyone", _("收到的人也可以再转赠")


class TemplateState(models.TextChoices):
    """active → retired (nothing more is issued; what is out stays good); never back."""

    ACTIVE = "active", _("使用中")
    RETIRED = "retired", _("已停用")


class CardColour(models.TextChoices):
    """The colours a card may have; the screens know their shades."""

    RED = "red", _("红")
    ORANGE = "orange", _("橙")
    GOLD = "gold", _("金")
    GREEN = "green", _("绿")
    BLUE = "blue", _("蓝")
    PURPLE = "purple", _("紫")


# What each kind needs and what it must not have: (needed, allowed besides).
NUMBERS_OF_KIND: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    CouponKind.CASH_OFF: (("off_fen",), ("per_fen", "cap_fen")),
    CouponKind.PERCENT: (("rate_bp",), ("cap_fen",)),
    CouponKind.EXCHANGE: (("units",), ("cap_fen",)),
    CouponKind.FIXED_PRICE: (("price_fen", "units"), ()),
    CouponKind.GIFT: (("gift_value_fen",), ()),
}
NUMBERS: tuple[str, ...] = (
    "off_fen",
    "per_fen",
    "rate_bp",
    "cap_fen",
    "price_fen",
    "units",
    "gift_value_fen",
)


def _numbers_of(kind: str) -> Q:
    needed, allowed = NUMBERS_OF_KIND[kind]
    wanted = Q(kind=str(kind), **{f"{name}__isnull": False for name in needed})
    return wanted & Q(**{f"{name}__isnull": True for name in NUMBERS if name not in (*needed, *allowed)})


class CouponTemplateQuerySet(LockingQuerySet["CouponTemplate"]):
    def active(self) -> Self:
        return self.filter(state=TemplateState.ACTIVE)


def _words(size: int, title: Any) -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=size), default=list, blank=True, verbose_name=title)


class CouponTemplate(models.Model):
    """One version of a coupon's terms. They are frozen from the moment a batch of it opens; a change after that is
    a new version of the same series. Empty lists of the scope mean everywhere, everything, everybody."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    series = models.CharField(max_length=16, default=new_public_id, editable=False)
    version = models.PositiveIntegerField(_("版本"), default=1, editable=False)
    title = models.CharField(_("券名称"), max_length=20)
    usage_words = models.CharField(_("使用说明"), max_length=500, blank=True)
    colour = models.CharField(_("卡片颜色"), max_length=8, choices=CardColour, default=CardColour.RED)
    kind = models.CharField(_("类型"), max_length=12, choices=CouponKind)
    off_fen = models.BigIntegerField(_("减多少（分）"), null=True, blank=True)
    per_fen = models.BigIntegerField(_("每满多少减一次（分）"), null=True, blank=True)
    rate_bp = models.PositiveIntegerField(_("折扣（万分比）"), null=True, blank=True)
    cap_fen = models.BigIntegerField(_("最多优惠（分）"), null=True, blank=True)
    price_fen = models.BigIntegerField(_("一口价（分）"), null=True, blank=True)
    units = models.PositiveIntegerField(_("件数"), null=True, blank=True)
    gift_name = models.CharField(_("赠品"), max_length=40, blank=True)
    gift_value_fen = models.BigIntegerField(_("赠品价值（分）"), null=True, blank=True)
    min_spend_fen = models.BigIntegerField(_("满多少可用（分）"), default=0)
    min_quantity = models.PositiveIntegerField(_("满几件可用"), default=0)
    store_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("适用门店"))
    region_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("适用区域"))
    dealer_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("适用经销商"))
    tier_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("适用会员等级"))
    channels = _words(16, _("适用渠道"))
    include_products = _words(40, _("适用商品"))
    include_categories = _words(40, _("适用类目"))
    exclude_products = _words(40, _("排除商品"))
    exclude_categories = _words(40, _("排除类目"))
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), default=list, blank=True, verbose_name=_("可用日子")
    )  # 0 is Monday
    hours = _words(11, _("可用时段"))  # "10:00-14:00"; across midnight belongs to the day it starts on
    validity = models.CharField(_("有效期"), max_length=13, choices=Validity)
    valid_from = models.DateTimeField(_("可用开始"), null=True, blank=True)
    valid_until = models.DateTimeField(_("可用结束"), null=True, blank=True)
    valid_days = models.PositiveIntegerField(_("有效天数"), null=True, blank=True)
    stacking_group = models.CharField(_("叠加组"), max_length=20, blank=True)
    is_exclusive = models.BooleanField(_("不与其他券同用"), default=False)
    max_per_order = models.PositiveIntegerField(_("每单最多用几张"), null=True, blank=True)
    gifting = models.CharField(_("转赠"), max_length=8, choices=Gifting, default=Gifting.NOBODY)
    state = models.CharField(_("状态"), max_length=8, choices=TemplateState, default=TemplateState.ACTIVE)
    frozen_at = models.DateTimeField(_("开始发放"), null=True, editable=False)
    created_at = models.DateTimeField(_("创建时间"))

    objects = CouponTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("券模板")
        verbose_name_plural = _("券模板")
        constraints = [
            models.UniqueConstraint(fields=["series", "version"], name="coupontemplate_version_once"),
            models.CheckConstraint(
                condition=functools.reduce(operator.or_, map(_numbers_of, NUMBERS_OF_KIND)),
                name="coupontemplate_kind_has_its_numbers",
            ),
            models.CheckConstraint(
                condition=(Q(off_fen__isnull=True) | Q(off_fen__gt=0))
                & (Q(per_fen__isnull=True) | Q(per_fen__gte=F("off_fen")))
                & (Q(rate_bp__isnull=True) | Q(rate_bp__range=(1, 9_999)))
                & (Q(cap_fen__isnull=True) | Q(cap_fen__gt=0))
                & (Q(price_fen__isnull=True) | Q(price_fen__gte=0))
                & (Q(units__isnull=True) | Q(units__gt=0))
                & (
                    Q(gift_value_fen__isnull=True) & Q(gift_name="")
                    | Q(gift_value_fen__gte=0) & ~Q(gift_name="")
                )
                & Q(min_spend_fen__gte=0),
                name="coupontemplate_numbers_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(
                    validity="fixed",
                    valid_from__isnull=False,
                    valid_until__gt=F("valid_from"),
                    valid_days__isnull=True,
                )
                | Q(
                    validity__in=["from_today", "from_tomorrow"],
                    valid_days__range=(1, 3_650),
                    valid_from__isnull=True,
                    valid_until__isnull=True,
                )
                | Q(
                    validity="month_end",
                    valid_days__isnull=True,
                    valid_from__isnull=True,
                    valid_until__isnull=True,
                ),
                name="coupontemplate_validity_whole",
            ),
            models.CheckConstraint(
                condition=Q(max_per_order__isnull=True) | Q(max_per_order__gt=0),
                name="coupontemplate_max_per_order_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.title if self.version == 1 else f"{self.title} v{self.version}"
