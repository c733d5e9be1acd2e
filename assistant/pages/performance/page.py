"""The page of one guide's numbers."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.performance.asked import PERIODS, Asked, circles_of, period_links
from assistant.pages.performance.board import BoardPart, build_board
from assistant.pages.performance.chart import Chart, build_chart, starts_until
from assistant.pages.performance.target import has_target
from assistant.pages.shell import Link, Shell
from core import clock
from guides.contracts import GuideCard
from sales import selectors as sale_selectors
from sales.contracts import TargetKey

SHOWN_METRICS: Final = (
    "sales_fen", "order_count", "unit_count", "return_fen", "new_member_count", "new_binding_count", "redemption_count",
    "share_count",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Number:
    label: str
    value: str
    url: str  # the documents behind it


@dataclasses.dataclass(frozen=True, slots=True)
class PerformanceView:
    """What changes while she looks."""

    asked: Asked
    periods: tuple[Link, ...]
    headline: str  # 今天卖了
    big: str
    big_url: str
    before_text: str  # 昨天 ¥900
    numbers: tuple[Number, ...]
    facts: tuple[Number, ...]  # what she did besides selling
    has_target: bool
    chart: Chart | None
    board: BoardPart
    store_url: str  # a manager's


@dataclasses.dataclass(frozen=True, slots=True)
class PerformancePage:
    shell: Shell
    view: PerformanceView
    seen: str


def build_performance(guide: GuideCard, asked: Asked, *, now: dt.datetime | None = None) -> PerformancePage:
    """The whole page. What was booked is looked up first: a sale that commits in between comes with the pulse."""
    now = now or clock.now()
    version = seen_version(now)
    view = build_view(guide, asked, now=now)
    return PerformancePage(Shell.around("performance", guide.id), view, f"{version}.{digest_of(view)}")


def build_view(guide: GuideCard, asked: Asked, *, now: dt.datetime) -> PerformanceView:
    """Her numbers, the trend and the board."""
    today = clock.business_day(now)
    starts = starts_until(asked.period, today)
    series = sale_selectors.list_guide_periods(
        guide.id, period=asked.period, starts=starts, metrics=SHOWN_METRICS
    )
    values, mine = series["sales_fen"], {metric: row[-1] for metric, row in series.items()}
    period, before = PERIODS[asked.period]

    def orders(metric: str, name: str = "assistant:performance-orders") -> str:
        return asked.url(name, metric=metric, scope="store")

    return PerformanceView(
        asked=asked,
        periods=period_links(asked),
        headline=_("%(period)s的业绩") % {"period": period},
        big=phrases.say_money(mine["sales_fen"]),
        big_url=orders("sales_fen"),
        before_text=_("%(before)s %(amount)s") % {"before": before, "amount": phrases.say_money(values[-2])},
        numbers=order_numbers(mine, orders),
        facts=fact_numbers(mine, lambda metric: orders(metric, "assistant:performance-facts")),
        has_target=has_target(TargetKey("guide", guide.id), today),
        chart=build_chart(period=asked.period, metric="sales_fen", starts=starts, values=values),
        board=build_board(guide, asked, circles=circles_of(guide), now=now),
        store_url=asked.url("assistant:performance-store", metric="sales_fen", scope="store")
        if guide.role == "manager"
        else "",
    )


def order_numbers(values: Mapping[str, int], url: Callable[[str], str]) -> tuple[Number, ...]:
    """What was sold besides money, each with the orders behind it."""
    return (
        Number(_("订单"), phrases.say_count(values["order_count"]), url("order_count")),
        Number(_("件数"), phrases.say_count(values["unit_count"]), url("unit_count")),
        Number(_("退货"), phrases.say_money(values["return_fen"]), url("return_fen")),
    )


def fact_numbers(values: Mapping[str, int], url: Callable[[str], str]) -> tuple[Number, ...]:
    """What was done besides selling, each with the facts behind it."""
    labels = {
        "new_member_count": _("新增会员"),
        "new_binding_count": _("新增绑定"),
        "redemption_count": _("核销"),
        "share_count": _("素材分享"),
    }
    return tuple(
        Number(label, phrases.say_count(values[metric]), url(metric)) for metric, label in labels.items()
    )


def build_changed(
    guide: GuideCard, asked: Asked, *, seen: str, now: dt.datetime
) -> tuple[PerformanceView | None, str] | None:
    """None: nothing was booked since (one query). A new mark without a view: something was, and her page stays as
    it is. Else the page anew."""
    version = seen_version(now)
    old_version, _dot, old_digest = seen.partition(".")
    if version == old_version:
        return None
    view = build_view(guide, asked, now=now)
    digest = digest_of(view)
    return (None if digest == old_digest else view), f"{version}.{digest}"


def seen_version(now: dt.datetime) -> str:
    """What was booked so far, and the day: at midnight every number begins anew."""
    return f"{sale_selectors.get_ledger_version()}-{clock.business_day(now):%m%d}"


def digest_of(view: PerformanceView) -> str:
    """Tells whether two pages look the same."""
    return hashlib.sha256(repr(view).encode()).hexdigest()[:16]
