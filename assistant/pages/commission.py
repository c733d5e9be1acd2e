"""我的提成: her own statement of a month, every line with why and how much."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.links import url_of
from assistant.pages.shell import Shell
from core import clock
from guides.contracts import GuideCard
from sales import selectors as sales_selectors
from sales.contracts import CommissionLineCard, CommissionSummary

_LINES: Final = 60


@dataclasses.dataclass(frozen=True, slots=True)
class MonthLink:
    label: str
    url: str


@dataclasses.dataclass(frozen=True, slots=True)
class StatementLine:
    """One line: what happened, what it brought, and how that was worked out."""

    title: str
    when_text: str
    sum_text: str
    is_less: bool
    words: str
    url: str  # why the order is hers; "" without one she may open


@dataclasses.dataclass(frozen=True, slots=True)
class CommissionPage:
    shell: Shell
    month_text: str
    state_text: str
    note: str
    payable: str
    parts: tuple[tuple[str, str], ...]  # label, amount; those that are nothing are left out
    lines: tuple[StatementLine, ...]
    line_count: int
    earlier: MonthLink | None
    later: MonthLink | None
    more_url: str


def build_commission(
    guide: GuideCard, *, month_on: dt.date | None, page: int = 1, now: dt.datetime | None = None
) -> CommissionPage:
    """Her statement of a month, the newest lines first; one outside of the year there is shows this month."""
    now = now or clock.now()
    today = clock.business_day(now)
    months = [month for month, _state in sales_selectors.list_commission_months(at=now)]
    shown = month_on if month_on in months else today.replace(day=1)
    card = sales_selectors.get_commission(guide.id, shown)
    newest = tuple(reversed(card.lines))
    told = newest[(page - 1) * _LINES : page * _LINES]
    pages = sales_selectors.find_order_pages(
        (line.sale_id for line in told if line.sale_id is not None), guide_id=guide.id
    )
    return CommissionPage(
        shell=Shell.around("performance", guide.id),
        month_text=_month(shown),
        state_text=_state(card.summary),
        note=_note(card.summary),
        payable=_money(card.summary.payable_fen),
        parts=tuple(_parts(card.summary)),
        lines=tuple(_line(line, today, pages.get(line.sale_id or 0, "")) for line in told),
        line_count=len(newest),
        earlier=_link(sales_selectors.add_months(shown, -1), months),
        later=_link(sales_selectors.add_months(shown, 1), months),
        more_url=url_of("assistant:commission", month=f"{shown:%Y-%m}", page=page + 1)
        if len(newest) > page * _LINES
        else "",
    )


def _link(month_on: dt.date, months: list[dt.date]) -> MonthLink | None:
    if month_on not in months:
        return None
    return MonthLink(_month(month_on), url_of("assistant:commission", month=f"{month_on:%Y-%m}"))


def _month(month_on: dt.date) -> str:
    return _("%(year)d年%(month)d月") % {"year": month_on.year, "month": month_on.month}


def _money(fen: int) -> str:
    """To the fen: what is paid out is not said in round numbers."""
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{abs(fen) / 100:,.2f}".removesuffix(".00")


def _state(summary: CommissionSummary) -> str:
    words = {
        "open": _("还在变动"),
        "prepared": _("待确认"),
        "closed": _("已结算"),
        "discarding": _("还在变动"),
        "reopening": _("正在重算"),
    }
    return words.get(summary.state, _("正在结算"))


def _note(summary: CommissionSummary) -> str:
    if summary.state in {"preparing", "reopening"}:
        return _("公司正在结算这个月，数字可能会变，请稍后再看")
    if summary.state in {"open", "discarding"}:
        return _("按现在的业绩和规则算出，退货、更正和新订单都会改变它")
    if summary.state == "prepared":
        return _("公司正在核对这个月的提成单")
    if summary.carried_out_fen:
        return _("这个月追回的比挣到的多，差额从下个月扣")
    return _("以后的退货会在下个月追回，这一份不再改动")


def _parts(summary: CommissionSummary) -> list[tuple[str, str]]:
    told = (
        (_("计提业绩"), summary.sales_fen),
        (_("销售提成"), summary.earned_fen),
        (_("奖励"), summary.bonus_fen),
        (_("追回和更正"), summary.clawed_back_fen),
        (_("上月结转"), summary.carried_in_fen),
        (_("结转下月"), summary.carried_out_fen),
    )
    return [(label, _money(fen)) for label, fen in told if fen]


def _line(line: CommissionLineCard, today: dt.date, order_id: str) -> StatementLine:
    what = " · ".join(part for part in (line.kind_label, line.category_name) if part)
    number = line.document_no[-8:]
    return StatementLine(
        title=what,
        when_text=" · ".join(
            part
            for part in (
                phrases.say_day(line.day_on, today=today),
                _("单号尾号 %(no)s") % {"no": number} if number else "",
            )
            if part
        ),
        sum_text=_money(line.fen) if line.fen <= 0 else f"+{_money(line.fen)}",
        is_less=line.fen < 0,
        words=_words(line),
        url=url_of("assistant:performance-order", order_id) if order_id else "",
    )


def _words(line: CommissionLineCard) -> str:
    """How it was worked out."""
    if line.kind == "bounty":
        return _("%(n)s 人 · %(rule)s") % {"n": line.unit_count, "rule": line.rule_words}
    if line.kind == "target" or not line.rate_bp:
        return line.rule_words
    share = (
        _("（归属 %(share)s%%）") % {"share": f"{line.share_bp / 100:g}"} if line.share_bp < 10_000 else ""
    )
    return _("计提 %(base)s%(share)s × %(rate)s%% · %(rule)s") % {
        "base": _money(line.base_fen),
        "share": share,
        "rate": f"{line.rate_bp / 100:g}",
        "rule": line.rule_words,
    }
