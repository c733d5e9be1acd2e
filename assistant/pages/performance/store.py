"""本店业绩: a manager's view of her store and of the guides in it."""

import dataclasses
import datetime as dt

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.links import url_of
from assistant.pages.performance.asked import PERIODS, Asked, Circle, circles_of, period_links
from assistant.pages.performance.chart import Chart, build_chart, starts_until
from assistant.pages.performance.page import SHOWN_METRICS, Number, fact_numbers, order_numbers, seen_version
from assistant.pages.performance.target import has_target
from assistant.pages.shell import Avatar, Link, Shell
from core import clock
from core.errors import NotFound
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, GuideEntry
from sales import selectors as sale_selectors
from sales.contracts import EffectiveGuides, Span, TargetKey


@dataclasses.dataclass(frozen=True, slots=True)
class GuideRow:
    name: str
    avatar: Avatar
    note: str  # 已离职 / 已调走 / 外店, empty for who works here
    value: str
    foot: str  # 12 单 · 24 件
    share: int  # of the best, in percent, for the bar
    target_text: str  # 本月完成 86%
    is_effective: bool  # this week
    url: str  # her page; empty for a guest from another store


@dataclasses.dataclass(frozen=True, slots=True)
class RankLine:
    """The store among others."""

    where: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class StoreView:
    asked: Asked
    periods: tuple[Link, ...]
    store_name: str
    headline: str
    big: str
    big_url: str
    before_text: str
    numbers: tuple[Number, ...]
    facts: tuple[Number, ...]
    chart: Chart | None
    ranks: tuple[RankLine, ...]
    has_target: bool
    nine_url: str


@dataclasses.dataclass(frozen=True, slots=True)
class TeamView:
    """The part that follows the page: who made the numbers."""

    effective: tuple[RankLine, ...]
    guides: tuple[GuideRow, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class StorePage:
    shell: Shell
    view: StoreView
    seen: str


def build_store(guide: GuideCard, asked: Asked, *, now: dt.datetime | None = None) -> StorePage:
    """The page. Raises NotFound for a guide who manages no store."""
    now = now or clock.now()
    check_manager(guide)
    seen = seen_version(now)
    return StorePage(Shell.around("performance", guide.id), build_view(guide, asked, now=now), seen)


def build_changed(
    guide: GuideCard, asked: Asked, *, seen: str, now: dt.datetime
) -> tuple[StoreView, str] | None:
    """The page anew when something was booked since, else None (one query)."""
    version = seen_version(now)
    if guide.role != "manager" or version == seen:
        return None
    return build_view(guide, asked, now=now), version


def build_view(guide: GuideCard, asked: Asked, *, now: dt.datetime) -> StoreView:
    """The store's numbers and where it stands: in the region next above it, and in the chain."""
    today, span = clock.business_day(now), asked.span(now)
    starts = starts_until(asked.period, today)
    series = sale_selectors.list_store_periods(
        guide.store.id, period=asked.period, starts=starts, metrics=SHOWN_METRICS
    )
    values, store = series["sales_fen"], {metric: row[-1] for metric, row in series.items()}
    period, before = PERIODS[asked.period]
    circles = [one for one in circles_of(guide) if one.key != "store"]

    def orders(metric: str, name: str = "assistant:performance-store-orders") -> str:
        return asked.url(name, metric=metric)

    return StoreView(
        asked=asked,
        periods=period_links(asked, "assistant:performance-store"),
        store_name=guide.store.name,
        headline=_("%(period)s的本店业绩") % {"period": period},
        big=phrases.say_money(store["sales_fen"]),
        big_url=orders("sales_fen"),
        before_text=_("%(before)s %(amount)s") % {"before": before, "amount": phrases.say_money(values[-2])},
        numbers=order_numbers(store, orders),
        facts=fact_numbers(store, lambda metric: orders(metric, "assistant:performance-store-facts")),
        chart=build_chart(period=asked.period, metric="sales_fen", starts=starts, values=values),
        ranks=tuple(
            _rank(circle, guide.store.id, span) for circle in dict.fromkeys((circles[0], circles[-1]))
        ),
        has_target=has_target(TargetKey("store", guide.store.id), today),
        nine_url=url_of("assistant:performance-nine", period=asked.period),
    )


def build_team(guide: GuideCard, asked: Asked, *, now: dt.datetime | None = None) -> TeamView:
    """Who is effective, and what each sold here. Raises NotFound as the page does."""
    now = now or clock.now()
    check_manager(guide)
    today = clock.business_day(now)
    week = sale_selectors.list_effective_guides(
        sale_selectors.span_of("week", today), store_ids=[guide.store.id]
    )
    month = sale_selectors.list_effective_guides(
        sale_selectors.span_of("month", today), store_ids=[guide.store.id]
    )
    return TeamView(
        effective=(_effective(_("本周有效导购"), week), _effective(_("本月有效导购"), month)),
        guides=_guides(guide, asked, today, week, span=asked.span(now)),
    )


def check_manager(guide: GuideCard) -> None:
    """Raises NotFound for a guide who manages no store."""
    if guide.role != "manager":
        raise NotFound


def _rank(circle: Circle, store_id: int, span: Span) -> RankLine:
    board = sale_selectors.get_standing(
        metric="sales_fen", span=span, subject="store", scope=circle.scope, limit=0, own_id=store_id
    )
    if board.own is None or board.own.value == 0:
        return RankLine(circle.label, _("还没有名次"))
    text = _("第 %(rank)d 名") % {"rank": board.own.rank}
    if board.gap is not None:
        text += _("，差 %(gap)s 追上前一家") % {"gap": phrases.say_money(board.gap)}
    return RankLine(circle.label, text)


def _effective(label: str, found: EffectiveGuides) -> RankLine:
    text = _("%(count)d / %(all)d 人，满 %(needed)d 单算有效") % {
        "count": found.effective_count,
        "all": len(found.lines),
        "needed": found.needed_count,
    }
    return RankLine(label, text)


def say_whereabouts(*, is_active: bool, is_here: bool, was_here: bool = True) -> str:
    """What a manager should know of somebody who does not work in her store now."""
    if not was_here:
        return _("外店")
    if not is_active:
        return _("已离职")
    return "" if is_here else _("已调走")


def _guides(
    manager: GuideCard, asked: Asked, today: dt.date, week: EffectiveGuides, *, span: Span
) -> tuple[GuideRow, ...]:
    """Who works here, and who sold here in the period, the best first."""
    store_id = manager.store.id
    numbers = sale_selectors.list_store_guides_numbers(store_id, span)
    entries = guide_selectors.list_active_guide_entries(store_id, also=numbers)
    openable = guide_selectors.list_openable_guides(manager.id, entries)
    effective = {line.guide_id for line in week.lines if line.is_effective}
    targets = sale_selectors.find_targets([TargetKey("guide", one) for one in entries], today.replace(day=1))
    months = sale_selectors.sum_guides(entries, sale_selectors.span_of("month", today)) if targets else {}
    best = max((one["sales_fen"] for one in numbers.values()), default=0)

    def row(entry: GuideEntry) -> GuideRow:
        mine = numbers.get(entry.id, {})
        value, target = mine.get("sales_fen", 0), targets.get(TargetKey("guide", entry.id))
        return GuideRow(
            name=entry.name,
            avatar=Avatar.of(entry.name, entry.number),
            note=say_whereabouts(
                is_active=entry.is_active, is_here=entry.store_id == store_id, was_here=entry.id in openable
            ),
            value=phrases.say_money(value),
            foot=_("%(orders)s 单 · %(units)s 件")
            % {
                "orders": phrases.say_count(mine.get("order_count", 0)),
                "units": phrases.say_count(mine.get("unit_count", 0)),
            },
            share=round(max(value, 0) * 100 / best) if best > 0 else 0,
            target_text=_("本月完成 %(rate)d%%") % {"rate": months.get(entry.id, 0) * 100 // target}
            if target
            else "",
            is_effective=entry.id in effective,
            url=asked.url(
                "assistant:performance-guide", openable[entry.id], metric="sales_fen", scope="store"
            )
            if entry.id in openable
            else "",
        )

    def place(entry: GuideEntry) -> tuple[int, str]:
        return -numbers.get(entry.id, {}).get("sales_fen", 0), entry.number

    return tuple(row(entry) for entry in sorted(entries.values(), key=place))
