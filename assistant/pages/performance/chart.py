"""A trend of one number as bars. The server draws it: a phone in a shop loads no chart library for thirty bars."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from django.utils.translation import gettext as _

from assistant.pages.performance.asked import PeriodKey, say_value
from sales import selectors as sale_selectors

WIDTH: Final = 340
HEIGHT: Final = 132
_TOP: Final = 20
_BASE: Final = 108
_COUNTS: Final[dict[PeriodKey, int]] = {"day": 30, "week": 12, "month": 12}


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: int
    width: int
    height: int
    is_now: bool
    is_below: bool  # more came back than was sold
    label: str  # 11月28日 ¥1,280


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """A word below or above a bar; `anchor` is SVG's."""

    x: int
    y: int
    anchor: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    title: str
    summary: str  # what a screen reader says instead
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    base: int = _BASE


def starts_until(period: PeriodKey, today: dt.date) -> list[dt.date]:
    """The first days of the last periods, the running one last."""
    spans = [sale_selectors.span_of(period, today)]
    while len(spans) < _COUNTS[period]:
        spans.append(sale_selectors.span_before(spans[-1]))
    return [span.starts_on for span in reversed(spans)]


def build_chart(
    *, period: PeriodKey, metric: str, starts: Sequence[dt.date], values: Sequence[int]
) -> Chart | None:
    """The trend of a number of the ledger; None when there is nothing to draw."""
    titles = {"day": _("最近 30 天"), "week": _("最近 12 周"), "month": _("最近 12 个月")}
    return draw_bars(
        title=titles[period],
        names=[_say_start(period, start) for start in starts],
        now=_say_now(period),
        values=values,
        say=lambda value: say_value(metric, value),
    )


def draw_bars(
    *, title: str, names: Sequence[str], now: str, values: Sequence[int], say: Callable[[int], str]
) -> Chart | None:
    """The bars with the greatest and the newest named; None when there is nothing to draw."""
    if not any(values):
        return None
    most = max(*values, 1)
    step = WIDTH / len(values)
    width = max(3, round(step * 0.62))
    bars = []
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        height = max(2 if value else 0, round(max(value, 0) / most * (_BASE - _TOP)))
        bars.append(
            Bar(
                x=round(place * step + (step - width) / 2), y=_BASE - height, width=width, height=height,
                is_now=place == len(values) - 1, is_below=value < 0, label=f"{name} {say(value)}",
            )
        )  # fmt: skip
    best = values.index(max(values))
    marks = [Mark(0, HEIGHT - 6, "start", names[0]), Mark(WIDTH, HEIGHT - 6, "end", now)]
    if values[best] > 0:
        marks.append(_best_mark(bars[best], say(values[best])))
    return Chart(
        title=title,
        summary=_("%(title)s，最高 %(best)s，现在 %(now)s")
        % {"title": title, "best": bars[best].label, "now": bars[-1].label},
        bars=tuple(bars),
        marks=tuple(marks),
    )


def _best_mark(bar: Bar, text: str) -> Mark:
    middle = bar.x + bar.width // 2
    anchor = "start" if middle < WIDTH // 6 else "end" if middle > WIDTH * 5 // 6 else "middle"
    x = {"start": bar.x, "end": bar.x + bar.width}.get(anchor, middle)
    return Mark(x, bar.y - 6, anchor, text)


def _say_now(period: PeriodKey) -> str:
    return {"day": _("今天"), "week": _("本周"), "month": _("本月")}[period]


def _say_start(period: PeriodKey, start: dt.date) -> str:
    if period == "month":
        return _("%(year)d年%(month)d月") % {"year": start.year, "month": start.month}
    return _("%(month)d月%(day)d日") % {"month": start.month, "day": start.day}
