"""九宫格: how many members came to a manager's store, how many bought and for how much, by how they stood before."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from assistant import phrases
from assistant.pages.links import url_of
from assistant.pages.performance.chart import Chart, draw_bars
from assistant.pages.performance.store import check_manager
from assistant.pages.shell import Link, Shell
from core import clock
from guides.contracts import GuideCard
from sales import selectors as sale_selectors
from sales.contracts import Span
from sales.contracts.nine import NineBoard, NineColumn, NineNumbers, StoodName

NinePeriodKey = Literal["day", "week", "month", "quarter"]
_PERIODS: Final[dict[NinePeriodKey, tuple[Promise, Promise, Promise]]] = {
    "day": (_("今天"), _("较昨天"), _("最近 12 天")),
    "week": (_("本周"), _("较上周"), _("最近 12 周")),
    "month": (_("本月"), _("较上月"), _("最近 12 个月")),
    "quarter": (_("本季"), _("较上季"), _("最近 12 个季度")),
}
_ROWS: Final[dict[StoodName | None, Promise]] = {
    "new": _("新客"),
    "returning": _("老客"),
    "dormant": _("沉睡客"),
    None: _("合计"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Metric:
    label: Promise
    value: Callable[[NineNumbers], int | None]
    say: Callable[[int], str]
    is_rate: bool = False


_METRICS: Final[dict[str, _Metric]] = {
    "came": _Metric(_("客流"), lambda one: one.came_count, phrases.say_count),
    "conversion": _Metric(
        _("转化率"), lambda one: one.conversion_bp, lambda bp: f"{bp / 100:.1f}%", is_rate=True
    ),
    "basket": _Metric(_("客单价"), lambda one: one.basket_fen, lambda fen: phrases.say_money(_whole(fen))),
}


@dataclasses.dataclass(frozen=True, slots=True)
class NineCell:
    value: str
    change: str  # +12%, -3.1点, empty when there is nothing to compare with
    is_up: bool


@dataclasses.dataclass(frozen=True, slots=True)
class NineRow:
    label: str
    hint: str
    cells: tuple[NineCell, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class NinePage:
    shell: Shell
    store_name: str
    periods: tuple[Link, ...]
    shows: tuple[Link, ...]
    heads: tuple[str, ...]
    compared: str  # 较上月
    rows: tuple[NineRow, ...]  # empty when nobody came in any of the twelve
    is_ready: bool
    chart: Chart | None
    how: tuple[str, ...]


def build_nine(guide: GuideCard, period: str, show: str, *, now: dt.datetime | None = None) -> NinePage:
    """The page; what an address asks for and is unknown is the usual. Raises NotFound for a guide who manages no store."""
    check_manager(guide)
    key: NinePeriodKey = next((one for one in _PERIODS if one == period), "month")
    show = show if show in _METRICS else "came"
    span = sale_selectors.span_of(key, clock.business_day(now or clock.now()))
    board = sale_selectors.get_nine(scope="store", ref=guide.store.id, span=span)
    has_any = any(column.whole.came_count for column in board.trend)

    def url(**changes: str) -> str:
        return url_of("assistant:performance-nine", **({"period": key, "show": show} | changes))

    return NinePage(
        shell=Shell.around("performance", guide.id),
        store_name=guide.store.name,
        periods=tuple(Link(str(words[0]), url(period=one), one == key) for one, words in _PERIODS.items()),
        shows=tuple(Link(str(metric.label), url(show=one), one == show) for one, metric in _METRICS.items()),
        heads=tuple(str(metric.label) for metric in _METRICS.values()),
        compared=str(_PERIODS[key][1]),
        rows=tuple(_row(board, stood) for stood in _ROWS) if has_any else (),
        is_ready=board.folded_at is not None,
        chart=_chart(board, key, _METRICS[show]) if has_any else None,
        how=_how(board.active_days),
    )


def _row(board: NineBoard, stood: StoodName | None) -> NineRow:
    days = {"days": board.active_days}
    hints = {
        "new": _now("还没买过"),
        "returning": _now("%(days)s天内买过") % days,
        "dormant": _now("超过%(days)s天没买") % days,
    }
    now, before = _of(board.now, stood), _of(board.before, stood)
    cells = tuple(_cell(metric, now, before) for metric in _METRICS.values())
    return NineRow(str(_ROWS[stood]), hints.get(stood or "", ""), cells)


def _of(column: NineColumn, stood: StoodName | None) -> NineNumbers:
    return column.whole if stood is None else column.numbers[stood]


def _cell(metric: _Metric, now: NineNumbers, before: NineNumbers) -> NineCell:
    value, then = metric.value(now), metric.value(before)
    text = "—" if value is None else metric.say(value)
    if value is None or then is None or value == then or (not metric.is_rate and then <= 0):
        return NineCell(text, "", is_up=False)
    moved = value - then
    if metric.is_rate:
        change = _now("%(n)+.1f点") % {"n": moved / 100}
    else:
        change = _now("超过10倍") if moved >= 10 * then else f"{moved / then:+.0%}"
    return NineCell(text, change, is_up=moved > 0)


def _chart(board: NineBoard, key: NinePeriodKey, metric: _Metric) -> Chart | None:
    return draw_bars(
        title=_now("%(what)s，%(when)s") % {"what": metric.label, "when": _PERIODS[key][2]},
        names=[_say_start(column.span) for column in board.trend],
        now=str(_PERIODS[key][0]),
        values=[metric.value(column.whole) or 0 for column in board.trend],
        say=metric.say,
    )


def _say_start(span: Span) -> str:
    day = span.starts_on
    if span.name == "quarter":
        return _now("%(year)d年%(n)d季度") % {"year": day.year, "n": (day.month + 2) // 3}
    if span.name == "month":
        return _now("%(year)d年%(month)d月") % {"year": day.year, "month": day.month}
    return _now("%(month)d月%(day)d日") % {"month": day.month, "day": day.day}


def _whole(fen: int) -> int:
    """To the yuan: three columns fit side by side."""
    return round(fen / 100) * 100


def _how(days: int) -> tuple[str, ...]:
    return (
        _now("客流是来过本店的会员，每人只数一次：购买、扫码、核销券，或者本店导购的会员打开小程序。"),
        _now("转化率是其中买了东西的比例，全部退回的不算；客单价是扣掉退货后每单的金额。"),
        _now(
            "新客在这一期开始前没有买过，老客 %(days)d 天内买过，沉睡客超过 %(days)d 天没买，在哪家店买都算。"
        )
        % {"days": days},
    )
