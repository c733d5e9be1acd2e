"""Conditions about what a member's purchases come to: columns of her one row of metrics."""

import abc
import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.labels import labels_of
from members.selectors.conditions import (
    Bounds,
    Choice,
    Choices,
    Condition,
    Found,
    Not,
    Parameter,
    Picks,
    RowTest,
    Values,
    Window,
    money_words,
    row_within,
    span_of,
)
from sales.models import GROUPS, IntervalTier, LifeStage, MemberMetrics
from sales.selectors.rfm_rules import get_rfm_rules

FAMILY: Final = _("消费")
RFM_FAMILY: Final = _("RFM 和生命周期")
MOST_FEN: Final = 100_000_000_00
_OF: Final = (("ever", _("累计")), ("year", _("近 12 个月")))


class _OfMetrics(Condition):
    family = FAMILY
    facts = ("metrics",)

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        value = MemberMetrics.objects.filter(pk=member_id).values_list(self.column(values), flat=True).first()
        return self.said(value)

    @abc.abstractmethod
    def column(self, values: Values) -> str:
        """What is counted."""

    def said(self, value: Any) -> str:
        if value is None:
            return ""
        return value.isoformat() if isinstance(value, dt.date) else f"{value:,}"


class AmountWithin(_OfMetrics):
    """What she spent, net of returns, as the last count of her row says it."""

    code, label = "sales.amount", _("消费金额")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "of": Choice(label=_("统计"), options=_OF, is_required=False),
        "amount": Bounds(label=_("金额"), most=MOST_FEN, is_money=True),
    }

    def column(self, values: Values) -> str:
        return "year_amount_fen" if values.get("of") == "year" else "amount_fen"

    def found(self, values: Values, day: dt.date) -> Found:
        return row_within(MemberMetrics.objects.all(), self.column(values), values["amount"])

    def said(self, value: Any) -> str:
        return money_words(value or 0)


class OrdersWithin(_OfMetrics):
    """How many orders of hers stand."""

    code, label = "sales.orders", _("消费次数")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "of": Choice(label=_("统计"), options=_OF, is_required=False),
        "count": Bounds(label=_("次数"), unit=_("次")),
    }

    def column(self, values: Values) -> str:
        return "year_order_count" if values.get("of") == "year" else "order_count"

    def found(self, values: Values, day: dt.date) -> Found:
        return row_within(MemberMetrics.objects.all(), self.column(values), values["count"])

    def said(self, value: Any) -> str:
        return _now("%(n)s 次") % {"n": f"{value or 0:,}"}


class BasketWithin(_OfMetrics):
    """What an order of hers is worth, of those who have bought."""

    code, label = "sales.basket", _("客单价")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "amount": Bounds(label=_("金额"), most=MOST_FEN, is_money=True)
    }

    def column(self, values: Values) -> str:
        return "basket_fen"

    def found(self, values: Values, day: dt.date) -> Found:
        bounds = values["amount"]
        where = Q(order_count__gt=0, basket_fen__gte=bounds.get("at_least", 0))
        if "at_most" in bounds:
            where &= Q(basket_fen__lte=bounds["at_most"])
        return RowTest(MemberMetrics.objects.all(), where)

    def said(self, value: Any) -> str:
        return money_words(value or 0)


class _OnDay(_OfMetrics):
    """A day of her row lies in a window; who has no such day is outside."""

    day_column: ClassVar[str]

    def column(self, values: Values) -> str:
        return self.day_column

    def found(self, values: Values, day: dt.date) -> Found:
        first, last = span_of(values["when"], day)
        where = Q(**{f"{self.day_column}__isnull": False})
        if first is not None:
            where &= Q(**{f"{self.day_column}__gte": first})
        if last is not None:
            where &= Q(**{f"{self.day_column}__lte": last})
        return RowTest(MemberMetrics.objects.all(), where)


class FirstBought(_OnDay):
    """The day of her first purchase."""

    code, label, day_column = "sales.first", _("首次消费"), "first_on"
    parameters: ClassVar[Mapping[str, Parameter]] = {"when": Window(label=_("首次消费"))}


class LastBought(_OnDay):
    """The day of her last purchase."""

    code, label, day_column = "sales.last", _("最近一次消费"), "last_on"
    parameters: ClassVar[Mapping[str, Parameter]] = {"when": Window(label=_("最近一次消费"))}


class NextDue(_OnDay):
    """The day on which she would buy again, by her own habit."""

    code, label, day_column = "sales.next", _("预计下次消费"), "next_on"
    parameters: ClassVar[Mapping[str, Parameter]] = {"when": Window(label=_("预计下次消费"), is_ahead=True)}


def _group_names(keys: Collection[Any]) -> Mapping[Any, str | Promise]:
    names = get_rfm_rules().group_names
    return {key: names[key] for key in keys if 0 <= key < GROUPS}


def _groups() -> list[tuple[Any, str | Promise]]:
    names = get_rfm_rules().group_names
    return [(group, names[group]) for group in reversed(range(GROUPS))]


class RfmGroupIs(_OfMetrics):
    """The group she stands in by how lately, how often and for how much she buys."""

    code, label, family = "sales.rfm_group", _("RFM 客群"), RFM_FAMILY
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "groups": Picks(label=_("客群"), names=_group_names, options=_groups)
    }

    def column(self, values: Values) -> str:
        return "rfm_group"

    def found(self, values: Values, day: dt.date) -> Found:
        return RowTest(MemberMetrics.objects.all(), Q(rfm_group__in=values["groups"]))

    def said(self, value: Any) -> str:
        return "" if value is None else get_rfm_rules().group_names[value]


class Falling(_OfMetrics):
    """She stands in a lower group in a month if she buys nothing."""

    code, label, family = "sales.falling", _("一个月内将降级"), RFM_FAMILY

    def column(self, values: Values) -> str:
        return "coming_group"

    def found(self, values: Values, day: dt.date) -> Found:
        return RowTest(
            MemberMetrics.objects.all(), Q(rfm_group__isnull=False) & ~Q(coming_group=F("rfm_group"))
        )

    def said(self, value: Any) -> str:
        name = "" if value is None else get_rfm_rules().group_names[value]
        return _now("一个月后：%(name)s") % {"name": name} if name else ""


class _Judged(_OfMetrics):
    """A word that the row says; who has no row has not bought."""

    family = RFM_FAMILY
    word_column: ClassVar[str]
    wordless: ClassVar[str] = "unbought"

    def column(self, values: Values) -> str:
        return self.word_column

    def _found(self, wanted: Collection[str], every: Collection[str]) -> Found:
        rows = MemberMetrics.objects.all()
        if self.wordless not in wanted:
            return RowTest(rows, Q(**{f"{self.word_column}__in": list(wanted)}))
        others = [word for word in every if word not in wanted]
        return Not(RowTest(rows, Q(**{f"{self.word_column}__in": others})))

    def said(self, value: Any) -> str:
        return labels_of(MemberMetrics, self.word_column)[value or self.wordless]


class LifeStageIs(_Judged):
    """Where she is in her life as a customer."""

    code, label, word_column = "sales.life_stage", _("生命周期"), "stage"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "stages": Choices(label=_("生命周期"), options=tuple((one.value, one.label) for one in LifeStage))
    }

    def found(self, values: Values, day: dt.date) -> Found:
        return self._found(values["stages"], LifeStage.values)


class IntervalTierIs(_Judged):
    """6-3-1-0: how many calendar months ago she last bought."""

    code, label, word_column = "sales.interval_tier", _("购买间隔层级"), "interval_tier"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "tiers": Choices(label=_("层级"), options=tuple((one.value, one.label) for one in IntervalTier))
    }

    def found(self, values: Values, day: dt.date) -> Found:
        return self._found(values["tiers"], IntervalTier.values)
