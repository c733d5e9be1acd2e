"""What boards of regions and dealers are read from, and boards that no longer move."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from sales.models.ledger import Metric, Period, PeriodClose


class PlaceStore(models.Model):
    """A store of a place whose guides have totals of their own.

    A place is a region (its id) or a dealer (its id, negative). Only places with several stores that are not the
    whole chain are kept: totals of a store and of the chain answer for the others.
    """

    place = models.BigIntegerField()
    store = models.ForeignKey("guides.Store", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("排行范围内的门店")
        verbose_name_plural = _("排行范围内的门店")
        constraints = [
            models.UniqueConstraint(fields=["place", "store"], name="placestore_once"),
        ]
        indexes = [
            # Used with every booking: the places a store lies in.
            models.Index(fields=["store", "place"], name="placestore_of_store"),
        ]

    def __str__(self) -> str:
        return f"{self.place}: #{self.store_id}"


class PlaceTotal(models.Model):
    """What one guide's totals in the stores of a place add up to: the board of a region or a dealer, in its order."""

    pk = models.CompositePrimaryKey("period", "starts_on", "metric", "guide_id", "place")
    place = models.BigIntegerField()
    metric = models.CharField(max_length=20, choices=Metric)
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    guide = models.ForeignKey("guides.Guide", on_delete=models.PROTECT, related_name="+", db_index=False)
    value = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("区域业绩汇总")
        verbose_name_plural = _("区域业绩汇总")
        indexes = [
            # Used by boards within a region or a dealer.
            models.Index(
                fields=["place", "period", "starts_on", "metric", "-value", "guide"], name="placetotal_board"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place} #{self.guide_id} {self.starts_on} {self.metric} {self.value}"


class BoardSize(models.Model):
    """How many guides stand on a board: of the chain (`place` 0), a region or a dealer. Together with the moves that are
    not folded yet it is exact.

    Of a long board it is also known how many reach each of some values, so that a rank is counted up to the next of
    them only. `marks` are these values, ascending, and `reached` how many have at least so much; None as long as moves
    of the board are not written down, empty when they are, and nobody has looked yet. `moved` counts moves since the
    marks were chosen.
    """

    place = models.BigIntegerField()
    metric = models.CharField(max_length=20, choices=Metric)
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    added = models.IntegerField(default=0)
    moved = models.IntegerField(default=0)
    marks = ArrayField(models.BigIntegerField(), null=True)
    reached = ArrayField(models.IntegerField(), null=True)

    class Meta:
        verbose_name = _("上榜人数")
        verbose_name_plural = _("上榜人数")
        constraints = [
            # Used by every board.
            models.UniqueConstraint(fields=["period", "starts_on", "metric", "place"], name="boardsize_once"),
        ]
        indexes = [
            # Used by bookings: whether a total's moves are written down.
            models.Index(
                fields=["period", "starts_on", "metric", "place"],
                name="boardsize_watched",
                condition=Q(marks__isnull=False),
            ),
            # Used by the fold: boards whose marks have become uneven.
            models.Index(
                fields=["id"],
                name="boardsize_to_mark",
                condition=Q(marks__isnull=False, moved__gte=models.F("added") / 4),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.starts_on} {self.metric} {self.added}"


class BoardMove(models.Model):
    """Totals that one booking moved on a board whose moves are written down, each from one of `befores` (None: there was
    none) to the one of `afters` in its place; on other boards those that are new. Appended, so that no two bookings wait
    for each other; a job folds them."""

    place = models.BigIntegerField()
    metric = models.CharField(max_length=20, choices=Metric)
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    befores = ArrayField(models.BigIntegerField(null=True))
    afters = ArrayField(models.BigIntegerField())

    class Meta:
        verbose_name = _("排行变动")
        verbose_name_plural = _("排行变动")
        indexes = [
            # Used by every board.
            models.Index(fields=["period", "starts_on", "metric", "place"], name="boardmove_of_board"),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.starts_on} {self.metric} {self.befores} {self.afters}"


class FrozenPeriod(models.TextChoices):
    """The periods whose boards are frozen when every month they touch is closed."""

    WEEK = "week", _("周")
    MONTH = "month", _("月")
    QUARTER = "quarter", _("季")
    YEAR = "year", _("年")


class FrozenSubject(models.TextChoices):
    GUIDE = "guide", _("导购")
    STORE = "store", _("门店")
    REGION = "region", _("区域")
    DEALER = "dealer", _("经销商")


class ScopeKind(models.TextChoices):
    """Within what a board ranks."""

    CHAIN = "chain", _("全公司")
    REGION = "region", _("区域")
    DEALER = "dealer", _("经销商")
    STORE = "store", _("门店")


class BoardFreezeQuerySet(LockingQuerySet["BoardFreeze"]):
    def standing(self) -> Self:
        """Those that boards are read from: not thawed by opening the month again."""
        return self.filter(thawed_at__isnull=True)


class BoardFreeze(models.Model):
    """The boards of one period as they stood when its last month was closed. Thawed ones are kept."""

    close = models.ForeignKey(
        PeriodClose, on_delete=models.PROTECT, related_name="freezes", verbose_name=_("关账")
    )
    subject = models.CharField(_("排什么"), max_length=6, choices=FrozenSubject)
    period = models.CharField(_("周期"), max_length=7, choices=FrozenPeriod)
    starts_on = models.DateField(_("开始日期"))
    ends_on = models.DateField(_("结束日期（不含）"))
    frozen_at = models.DateTimeField(_("定格时间"))
    thawed_at = models.DateTimeField(_("解除时间"), null=True, blank=True)

    objects = BoardFreezeQuerySet.as_manager()

    class Meta:
        verbose_name = _("定格的排行")
        verbose_name_plural = _("排行榜")
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "period", "starts_on"],
                name="boardfreeze_one_standing",
                condition=Q(thawed_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=models.F("starts_on")), name="boardfreeze_has_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on} {self.period} {self.subject}"


class FrozenPlace(models.Model):
    """One place on a frozen board: within `scope` (a region's, dealer's or store's `scope_ref`; 0 for the chain)."""

    freeze = models.ForeignKey(
        BoardFreeze,
        on_delete=models.PROTECT,
        related_name="places",
        verbose_name=_("定格的排行"),
        db_index=False,
    )
    metric = models.CharField(_("指标"), max_length=20, choices=Metric)
    scope = models.CharField(_("范围"), max_length=6, choices=ScopeKind)
    scope_ref = models.BigIntegerField(_("范围编号"), default=0)
    rank = models.PositiveIntegerField(_("名次"))
    subject_ref = models.BigIntegerField(_("编号"))
    value = models.BigIntegerField(_("数值"))

    class Meta:
        verbose_name = _("定格的名次")
        verbose_name_plural = _("定格的名次")
        constraints = [
            models.UniqueConstraint(
                fields=["freeze", "metric", "scope", "scope_ref", "subject_ref"], name="frozenplace_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["freeze", "metric", "scope", "scope_ref", "-value", "subject_ref"],
                name="frozenplace_board",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rank} #{self.subject_ref} {self.value}"
