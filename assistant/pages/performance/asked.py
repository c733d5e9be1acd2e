"""What the page of numbers is asked for, and the links that ask for something else."""

import dataclasses
import datetime as dt
from typing import Final, Literal, cast

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from assistant import phrases
from assistant.pages.links import url_of
from assistant.pages.shell import Link
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from sales import selectors as sale_selectors
from sales.contracts import BoardScope, MetricName, Span

PeriodKey = Literal["day", "week", "month"]
PERIODS: Final[dict[PeriodKey, tuple[Promise, Promise]]] = {
    "day": (_("今天"), _("昨天")),
    "week": (_("本周"), _("上周")),
    "month": (_("本月"), _("上月")),
}
METRICS: Final[dict[MetricName, Promise]] = {
    "sales_fen": _("销售额"),
    "order_count": _("订单数"),
    "unit_count": _("件数"),
    "repurchase_fen": _("复购额"),
    "first_purchase_count": _("首购会员"),
    "new_member_count": _("新增会员"),
    "new_binding_count": _("新增绑定"),
    "redemption_count": _("核销数"),
    "share_count": _("素材分享"),
    "task_count": _("完成任务"),
}
MONEY: Final = frozenset({"sales_fen", "repurchase_fen", "return_fen"})


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """Which period, by which metric, among whom (`scope`: "store", "region-7", "dealer", "chain")."""

    period: PeriodKey = "day"
    metric: MetricName = "sales_fen"
    scope: str = "store"

    def span(self, now: dt.datetime) -> Span:
        return sale_selectors.span_of(self.period, clock.business_day(now))

    def url(self, name: str = "assistant:performance", *parts: str, **changes: str) -> str:
        """The page with these changes; what is usual is left out of the address."""
        wanted = {"period": self.period, "metric": self.metric, "scope": self.scope} | changes
        usual = {"period": "day", "metric": "sales_fen", "scope": "store"}
        return url_of(
            name, *parts, **{key: value for key, value in wanted.items() if usual.get(key) != value}
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Circle:
    """Among whom she is ranked."""

    key: str
    label: str
    scope: BoardScope


def asked_of(period: str, metric: str, scope: str) -> Asked:
    """What an address asks for; anything unknown falls back to the usual."""
    return Asked(
        period=period if period in PERIODS else "day",
        metric=cast("MetricName", metric) if metric in _offered() or metric == "return_fen" else "sales_fen",
        scope=scope[:20] if scope else "store",
    )


def metric_links(asked: Asked) -> tuple[Link, ...]:
    """By what she may be ranked."""
    return tuple(
        Link(str(words), asked.url(metric=key), key == asked.metric) for key, words in _offered().items()
    )


def _offered() -> dict[MetricName, Promise]:
    offered = set(sale_selectors.list_offered_metrics())
    return {key: words for key, words in METRICS.items() if key in offered}


def circles_of(guide: GuideCard) -> tuple[Circle, ...]:
    """Her store, the regions above it from below, her dealer, the chain. A root of all is the chain."""
    regions, dealer_id = guide_selectors.list_regions_above(guide.store.id)
    circles = [Circle("store", _now("本店"), BoardScope((guide.store.id,)))]
    circles += [Circle(f"region-{node.id}", node.name, BoardScope(region_id=node.id)) for node in regions]
    if dealer_id is not None:
        circles.append(Circle("dealer", guide.store.dealer_name, BoardScope(dealer_id=dealer_id)))
    return (*circles, Circle("chain", _now("全公司"), BoardScope()))


def period_links(asked: Asked, name: str = "assistant:performance", *parts: str) -> tuple[Link, ...]:
    return tuple(
        Link(str(words[0]), asked.url(name, *parts, period=key), key == asked.period)
        for key, words in PERIODS.items()
    )


def say_value(metric: str, value: int) -> str:
    """An amount or a number."""
    return phrases.say_money(value) if metric in MONEY else phrases.say_count(value)
