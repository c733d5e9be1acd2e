"""Numbers folded from the facts (coupons, coupon events, redemption entries): a page never counts coupons.

Dimensions are plain numbers, 0 for none: the rows repeat what the facts say, whose keys the database has checked, and
a key that may be NULL could not be the target of an upsert as simply.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from coupons.models.batches import Door


class _Numbers(models.Model):
    """What is counted of a day. `redeemed_count`, money and sales are net: a reversal takes them back on its own day."""

    issued_count = models.BigIntegerField(_("发放"), default=0)
    redeemed_count = models.BigIntegerField(_("核销"), default=0)
    reversed_count = models.BigIntegerField(_("撤销核销"), default=0)
    voided_count = models.BigIntegerField(_("作废"), default=0)
    expired_count = models.BigIntegerField(_("过期"), default=0)
    discount_fen = models.BigIntegerField(_("优惠金额（分）"), default=0)
    sales_fen = models.BigIntegerField(_("带动销售（分）"), default=0)

    class Meta:
        abstract = True


class CouponDay(_Numbers):
    """The numbers of one Shanghai day for one batch, door, issuing guide and store, redeeming store and guide."""

    day = models.DateField(_("日期"))
    batch_id = models.BigIntegerField(_("券批次"))
    door = models.CharField(_("发放渠道"), max_length=12, choices=Door)
    guide_id = models.BigIntegerField(_("发券导购"))
    issued_store_id = models.BigIntegerField(_("发券门店"))
    redeemed_store_id = models.BigIntegerField(_("核销门店"))
    redeemed_guide_id = models.BigIntegerField(_("核销导购"))

    class Meta:
        verbose_name = _("券数据")
        verbose_name_plural = _("券数据")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "day", "batch_id", "door", "guide_id", "issued_store_id", "redeemed_store_id", "redeemed_guide_id",
                ],
                name="couponday_once",
            ),
        ]  # fmt: skip
        indexes = [
            # Used by the numbers of one batch, guide or store over any span.
            models.Index(fields=["batch_id", "day"], name="couponday_of_batch"),
            models.Index(fields=["guide_id", "day"], name="couponday_of_guide", condition=~Q(guide_id=0)),
            models.Index(
                fields=["issued_store_id", "day"], name="couponday_of_issuer", condition=~Q(issued_store_id=0)
            ),
            models.Index(
                fields=["redeemed_store_id", "day"],
                name="couponday_of_redeemer",
                condition=~Q(redeemed_store_id=0),
            ),
            models.Index(
                fields=["redeemed_guide_id", "day"],
                name="couponday_of_till",
                condition=~Q(redeemed_guide_id=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} #{self.batch_id}"


class CouponDayTotal(_Numbers):
    """The same by day, batch and door only: what the whole chain looks at, in a hundredth of the rows. The ids say
    between which keys the day's coupons lie, so that the rows behind a number are found without an index on time."""

    day = models.DateField(_("日期"))
    batch_id = models.BigIntegerField(_("券批次"))
    door = models.CharField(_("发放渠道"), max_length=12, choices=Door)
    first_coupon_id = models.BigIntegerField(null=True)
    last_coupon_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("券数据（全国）")
        verbose_name_plural = _("券数据（全国）")
        constraints = [
            models.UniqueConstraint(fields=["day", "batch_id", "door"], name="coupondaytotal_once"),
        ]
        indexes = [models.Index(fields=["batch_id", "day"], name="coupondaytotal_of_batch")]

    def __str__(self) -> str:
        return f"{self.day} #{self.batch_id}"


class CouponMonth(_Numbers):
    """The same by month, and twice: by the store and guide that issued, and by those that redeemed. What stores and
    guides did in a year is read here; the days that are no whole month come from `CouponDay`."""

    month = models.DateField(_("月份"))  # its first day
    side = models.CharField(_("口径"), max_length=8)  # issued, redeemed
    store_id = models.BigIntegerField(_("门店"))
    guide_id = models.BigIntegerField(_("导购"))
    batch_id = models.BigIntegerField(_("券批次"))
    door = models.CharField(_("发放渠道"), max_length=12, choices=Door)

    class Meta:
        verbose_name = _("券数据（按月）")
        verbose_name_plural = _("券数据（按月）")
        constraints = [
            models.UniqueConstraint(
                fields=["side", "month", "store_id", "guide_id", "batch_id", "door"], name="couponmonth_once"
            ),
        ]
        indexes = [
            # Used by the numbers of one batch, guide or store over any span.
            models.Index(fields=["batch_id", "month"], name="couponmonth_of_batch"),
            models.Index(fields=["guide_id", "month"], name="couponmonth_of_guide", condition=~Q(guide_id=0)),
            models.Index(fields=["store_id", "month"], name="couponmonth_of_store", condition=~Q(store_id=0)),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.side} #{self.batch_id}"


class CouponDue(models.Model):
    """How many unused coupons of one batch, door, issuing guide and store have their last day on that day."""

    last_day = models.DateField(_("最后一天"))
    batch_id = models.BigIntegerField(_("券批次"))
    door = models.CharField(_("发放渠道"), max_length=12, choices=Door)
    guide_id = models.BigIntegerField(_("发券导购"))
    issued_store_id = models.BigIntegerField(_("发券门店"))
    unused_count = models.BigIntegerField(_("未使用"), default=0)

    class Meta:
        verbose_name = _("即将到期的券")
        verbose_name_plural = _("即将到期的券")
        constraints = [
            models.UniqueConstraint(
                fields=["last_day", "batch_id", "door", "guide_id", "issued_store_id"], name="coupondue_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.last_day} #{self.batch_id}"


class FactSource(models.TextChoices):
    """Which table of facts, and who reads it."""

    COUPONS = "coupons", _("发放")
    EVENTS = "events", _("券记录")
    ENTRIES = "entries", _("核销流水")
    SETTLEMENT = "settlement", _("结算")


class FactCursor(models.Model):
    """How far one reader has read one table of facts. Its lock is the reader's turn; it moves in the transaction
    that writes what was read, so a fact counts once whoever is killed."""

    source = models.CharField(_("来源"), max_length=12, choices=FactSource, unique=True)
    last_id = models.BigIntegerField(default=0)
    # Everything committed before this moment has been read.
    read_until = models.DateTimeField(null=True)

    objects = LockingQuerySet["FactCursor"].as_manager()

    class Meta:
        verbose_name = _("统计进度")
        verbose_name_plural = _("统计进度")

    def __str__(self) -> str:
        return self.source


class StatsProof(models.Model):
    """One comparison of the folded numbers with all facts, and what had to be repaired."""

    day = models.DateField(_("日期"), db_index=True)
    ran_at = models.DateTimeField(_("时间"))
    seconds = models.FloatField(_("耗时（秒）"))
    row_count = models.BigIntegerField(_("核对的行数"))
    wrong_count = models.BigIntegerField(_("修正的行数"))
    # The first rows that were wrong: table, key, what stood there, what is true.
    wrong_rows = models.JSONField(_("修正内容"), default=list)

    class Meta:
        verbose_name = _("数据核对")
        verbose_name_plural = _("数据核对")
        constraints = [
            models.CheckConstraint(
                condition=Q(wrong_count__gte=0, row_count__gte=0), name="statsproof_counts"
            ),
        ]

    def __str__(self) -> str:
        return str(self.day)
