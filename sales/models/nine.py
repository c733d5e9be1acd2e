"""What the nine numbers are read from: the days on which a member came, and how many came, bought and spent by period."""

from typing import Final

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class Trace(models.IntegerChoices):
    """By what we know that she came; added up in one number."""

    BOUGHT = 1, _("购买")
    SCANNED = 2, _("扫码")
    REDEEMED = 4, _("核销")
    VISITED = 8, _("小程序")


class Stood(models.TextChoices):
    """How a member stood when a period began: she had not bought yet, bought lately, or not for long."""

    NEW = "new", _("新客")
    RETURNING = "returning", _("老客")
    DORMANT = "dormant", _("沉睡客")


class NinePeriod(models.TextChoices):
    DAY = "day", _("日")
    WEEK = "week", _("周")
    MONTH = "month", _("月")
    QUARTER = "quarter", _("季度")


class NineScope(models.TextChoices):
    """Whose numbers: `ref` is the row's id, 0 for the chain."""

    CHAIN = "chain", _("全公司")
    REGION = "region", _("区域")
    DEALER = "dealer", _("经销商")
    STORE = "store", _("门店")
    GUIDE = "guide", _("导购")


NOWHERE: Final = 0  # the store of what was done in no store, the guide of who had none


class MemberDay(models.Model):
    """A member came to a store (or, with `store_ref` 0, to the chain and no store) on one day of Shanghai.

    Worked out from orders, scans, redemptions and behaviours, never added to. `previous_on` is the last day before
    this one on which she bought something that she kept; whose period begins there knows by her first day in it how she
    stood.
    """

    pk = models.CompositePrimaryKey("member_id", "day", "store_ref")
    member = models.ForeignKey(
        "members.Member",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("会员"),
        db_index=False,
        db_constraint=False,  # members are never deleted, and millions of look-ups would ask whether they are
    )
    day = models.DateField(_("日期"))
    store_ref = models.BigIntegerField(default=NOWHERE)
    guide_ref = models.BigIntegerField(default=NOWHERE)  # whose member she was at the end of the day
    traces = models.PositiveSmallIntegerField(_("来访方式"))
    # Orders that stand, net of what came back: on the day of the order, however late it was returned.
    order_count = models.PositiveIntegerField(_("订单"), default=0)
    net_fen = models.BigIntegerField(_("净额（分）"), default=0)
    previous_on = models.DateField(_("上次购买"), null=True)

    class Meta:
        verbose_name = _("到访")
        verbose_name_plural = _("到访")
        indexes = [
            # Used by the totals of a period, and by lists of the chain.
            models.Index(fields=["day"], name="memberday_by_day"),
            # Used by lists of a store, a region, a dealer.
            models.Index(fields=["store_ref", "day"], name="memberday_of_store"),
            # Used by lists of a guide.
            models.Index(fields=["guide_ref", "day"], name="memberday_of_guide"),
        ]

    def __str__(self) -> str:
        return f"#{self.member_id} {self.day}"


class MemberDayTouch(models.Model):
    """A member whose days may be others than we know: written by triggers with the row that changed, deleted by the fold.

    Appended without a key, so that nobody who books waits for the fold or for another booking.
    """

    member_ref = models.BigIntegerField()
    touched_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("待汇总的到访")
        verbose_name_plural = _("待汇总的到访")

    def __str__(self) -> str:
        return f"#{self.member_ref}"


class NinePlace(models.Model):
    """A store of a region (at any depth) or a dealer, as of the last night."""

    scope = models.CharField(max_length=7, choices=NineScope)
    ref = models.BigIntegerField()
    store_ref = models.BigIntegerField()

    class Meta:
        verbose_name = _("九宫格范围内的门店")
        verbose_name_plural = _("九宫格范围内的门店")
        constraints = [
            # Used with every fold: the places a store lies in.
            models.UniqueConstraint(fields=["store_ref", "scope", "ref"], name="nineplace_once"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.ref}: #{self.store_ref}"


class NineTotal(models.Model):
    """How many members of one standing came to a place in one period, how many of them bought, and for how much."""

    pk = models.CompositePrimaryKey("scope", "ref", "period", "starts_on", "stood")
    scope = models.CharField(max_length=7, choices=NineScope)
    ref = models.BigIntegerField()
    period = models.CharField(max_length=7, choices=NinePeriod)
    starts_on = models.DateField()
    stood = models.CharField(max_length=9, choices=Stood)
    came_count = models.IntegerField()
    buyer_count = models.IntegerField()
    order_count = models.IntegerField()
    net_fen = models.BigIntegerField()

    class Meta:
        verbose_name = _("九宫格汇总")
        verbose_name_plural = _("九宫格汇总")
        indexes = [
            # Used by the proof of a period.
            models.Index(fields=["period", "starts_on"], name="ninetotal_of_period"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.ref} {self.starts_on} {self.stood}"


class NineFold(models.Model):
    """The one row of the fold, and its lock: how far the first pass is, and by which rule the totals tell who is asleep."""

    # The last member id whose days are worked out; None when all are.
    cursor = models.BigIntegerField(null=True, default=0, editable=False)
    active_days = models.PositiveIntegerField(default=0, editable=False)  # of RfmSettings
    # Behaviours before that day are no longer there: totals of periods that began before are not counted again.
    kept_on = models.DateField(null=True, editable=False)
    folded_at = models.DateTimeField(_("最近汇总"), null=True, editable=False)
    proved_on = models.DateField(_("最近核对"), null=True, editable=False)
    wrong_count = models.PositiveIntegerField(_("核对修正"), default=0, editable=False)

    objects = LockingQuerySet["NineFold"].as_manager()

    class Meta:
        verbose_name = _("九宫格")
        verbose_name_plural = _("九宫格")
        permissions = [("export_ninefold", _("导出九宫格会员"))]
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="ninefold_one_row")]

    def __str__(self) -> str:
        return str(_("九宫格"))
