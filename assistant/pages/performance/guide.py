"""One guide of a manager's store: what she did there, where she stands, and her orders."""

import dataclasses
import datetime as dt

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.links import url_of
from assistant.pages.performance.asked import PERIODS, Asked, period_links
from assistant.pages.performance.chart import Chart, build_chart, starts_until
from assistant.pages.performance.orders import OrderRow
from assistant.pages.performance.page import SHOWN_METRICS, Number, fact_numbers, order_numbers
from assistant.pages.performance.store import RankLine, check_manager, say_whereabouts
from assistant.pages.performance.target import has_target
from assistant.pages.shell import Avatar, Link, Shell, Stretch
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from sales import selectors as sale_selectors
from sales.contracts import BoardScope, PeriodName, Span, TargetKey


@dataclasses.dataclass(frozen=True, slots=True)
class SellerView:
    """Her numbers in the store."""

    periods: tuple[Link, ...]
    headline: str
    big: str
    big_url: str
    before_text: str
    numbers: tuple[Number, ...]
    facts: tuple[Number, ...]
    chart: Chart | None
    has_target: bool


@dataclasses.dataclass(frozen=True, slots=True)
class SellerPage:
    shell: Shell
    name: str
    avatar: Avatar
    role_label: str
    number: str
    note: str  # 已离职 / 已调走
    view: SellerView
    goal_url: str
    lines: tuple[RankLine, ...]  # her place, and whether she is effective
    orders: Stretch[OrderRow]  # fetched as soon as they are looked at


def build_guide(
    manager: GuideCard, public_id: str, asked: Asked, *, now: dt.datetime | None = None
) -> SellerPage:
    """The page. Raises NotFound for who manages no store, and alike for a guide who never worked in hers and for one
    there is not."""
    check_manager(manager)
    now = now or clock.now()
    guide = guide_selectors.access_guide(manager_id=manager.id, public_id=public_id)
    is_here = guide.is_active and guide.store.id == manager.store.id
    today, span = clock.business_day(now), asked.span(now)
    rows_url = url_of(
        "assistant:performance-order-rows", period=asked.period, metric=asked.metric, who=guide.public_id
    )
    return SellerPage(
        shell=Shell.around("performance", manager.id),
        name=guide.name,
        avatar=Avatar.of(guide.name, guide.number),
        role_label=guide.role_label if is_here else "",
        number=guide.number,
        note=say_whereabouts(is_active=guide.is_active, is_here=guide.store.id == manager.store.id),
        view=_view(guide, manager.store.id, asked, today=today, is_here=is_here),
        goal_url=url_of("assistant:performance-goal", who=guide.public_id),
        lines=(
            _place(guide.id, manager.store.id, span),
            *(_effective(guide.id, manager.store.id, today) if is_here else ()),
        ),
        orders=Stretch((), False, rows_url),
    )


def _view(guide: GuideCard, store_id: int, asked: Asked, *, today: dt.date, is_here: bool) -> SellerView:
    starts = starts_until(asked.period, today)
    series = sale_selectors.list_guide_store_periods(
        guide.id, store_id, period=asked.period, starts=starts, metrics=SHOWN_METRICS
    )
    values, hers = series["sales_fen"], {metric: row[-1] for metric, row in series.items()}
    period, before = PERIODS[asked.period]

    def orders(metric: str, name: str = "assistant:performance-guide-orders") -> str:
        return asked.url(name, guide.public_id, metric=metric, scope="store")

    return SellerView(
        periods=period_links(asked, "assistant:performance-guide", guide.public_id),
        headline=_("%(period)s在本店的业绩") % {"period": period},
        big=phrases.say_money(hers["sales_fen"]),
        big_url=orders("sales_fen"),
        before_text=_("%(before)s %(amount)s") % {"before": before, "amount": phrases.say_money(values[-2])},
        numbers=order_numbers(hers, orders),
        facts=fact_numbers(hers, lambda metric: orders(metric, "assistant:performance-guide-facts")),
        chart=build_chart(period=asked.period, metric="sales_fen", starts=starts, values=values),
        has_target=is_here and has_target(TargetKey("guide", guide.id), today),
    )


def _place(guide_id: int, store_id: int, span: Span) -> RankLine:
    board = sale_selectors.get_standing(
        metric="sales_fen", span=span, scope=BoardScope((store_id,)), limit=0, own_id=guide_id
    )
    if board.own is None or board.own.value == 0:
        return RankLine(_("本店排行"), _("还没有名次"))
    text = _("第 %(rank)d 名") % {"rank": board.own.rank}
    if board.gap is not None:
        text += _("，差 %(gap)s 追上前一名") % {"gap": phrases.say_money(board.gap)}
    return RankLine(_("本店排行"), text)


def _effective(guide_id: int, store_id: int, today: dt.date) -> tuple[RankLine, ...]:
    """Her orders of the week and the month against what makes a guide effective."""
    labels: dict[PeriodName, str] = {"week": _("本周有效导购"), "month": _("本月有效导购")}
    lines = []
    for period, label in labels.items():
        found = sale_selectors.list_effective_guides(
            sale_selectors.span_of(period, today), store_ids=[store_id]
        )
        count = next((line.order_count for line in found.lines if line.guide_id == guide_id), 0)
        missing = found.needed_count - count
        text = _("%(count)d 单，还差 %(missing)d 单") if missing > 0 else _("%(count)d 单，已达标")
        lines.append(RankLine(label, text % {"count": count, "missing": missing}))
    return tuple(lines)
