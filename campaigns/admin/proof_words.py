"""What came of campaigns as people read it: one sentence, tiles, steps, cells."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts.proof import (
    Compared,
    Finding,
    Interval,
    LeagueLine,
    ProofProgress,
    ProofReport,
    Uplift,
)
from core import clock
from core.admin import money, percent, thousands

# What she did who did what the goal asks for, in "比没收到的人多…了 12%".
_DID: Final[Mapping[str, Any]] = {
    "purchase": _("买"), "redemption": _("买"), "visit": _("来"), "second_purchase": _("复购"), "wake_up": _("回来"),
    "win_back": _("回来"),
}  # fmt: skip
_TONES: Final = {Finding.BETTER: "good", Finding.WORSE: "bad"}

LEAGUE_COLUMNS: Final = (
    ("reached", _("已发放"), "count"),
    ("rate", _("达成率"), "share"),
    ("control_rate", _("对照组"), "share"),
    ("uplift", _("多了多少"), "share"),
    ("amount", _("购买金额（元）"), "fen"),
    ("extra", _("估计多卖（元）"), "fen"),
    ("cost", _("花费（元）"), "fen"),
    ("roi", _("每花 1 元多卖"), "times"),
)


def tone_of(uplift: Uplift) -> str:
    """Green, red or neither."""
    return _TONES.get(uplift.finding, "")


def sentence_of(uplift: Uplift, goal: str, ends_at: dt.datetime | None) -> str:
    """One sentence that somebody in a shop understands, and that claims no more than is known."""
    did = str(_DID[goal])
    rates = {"rate": _share(uplift.treated.rate), "other": _share(uplift.control.rate)}
    if uplift.finding == Finding.NO_CONTROL:
        return _now("没有对照组，只看得到做了多少，看不出是不是活动带来的")
    if uplift.finding == Finding.REPEATED:
        return _now("好几次执行里多半是同一批会员，合在一起下不了结论，请看单次")
    if uplift.finding == Finding.FEW:
        return _now("人太少，还说不准（活动组 %(n)s 人中 %(hits)s 人，对照组 %(m)s 人中 %(others)s 人）") % {
            "n": thousands(uplift.treated.aimed), "hits": thousands(uplift.treated.hits),
            "m": thousands(uplift.control.aimed), "others": thousands(uplift.control.hits),
        }  # fmt: skip
    if uplift.finding == Finding.OPEN:
        return _now("统计到 %(day)s 为止，那时才有结论；目前活动组 %(rate)s，对照组 %(other)s") % {
            "day": _day(ends_at), **rates,
        }  # fmt: skip
    if uplift.finding == Finding.UNSURE:
        return _now("说不准：活动组 %(rate)s，对照组 %(other)s，这点差别可能只是碰巧") % rates
    if uplift.ratio is None:
        return _now("活动组有 %(rate)s，没收到的人里 %(other)s") % rates
    words = (
        _now("比没收到的人多%(did)s了 %(n)s")
        if uplift.finding == Finding.BETTER
        else _now("比没收到的人少%(did)s了 %(n)s")
    )
    return words % {"did": did, "n": _share(abs(uplift.ratio.difference))} + _now(
        "（95%% 把握在 %(span)s）"
    ) % {"span": _span(uplift.ratio, is_less=uplift.finding == Finding.WORSE)}


def money_sentence_of(uplift: Uplift, cost_fen: int) -> str:
    """What it brought in money, and what it cost."""
    spent = _now("花了 ¥%(cost)s") % {"cost": money(cost_fen)}
    interval = uplift.extra_interval
    if uplift.extra_fen is None or interval is None or uplift.finding in {Finding.NO_CONTROL, Finding.FEW}:
        return spent
    if not uplift.is_amount_sure:
        if uplift.finding in {Finding.OPEN, Finding.REPEATED}:
            return spent
        return _now("多卖了多少钱说不准（%(low)s 到 %(high)s 都有可能），%(spent)s") % {
            "low": yuan(interval[0]), "high": yuan(interval[1]), "spent": spent,
        }  # fmt: skip
    return _now("估计多卖 %(extra)s（95%% 把握在 %(low)s 到 %(high)s），%(spent)s") % {
        "extra": yuan(uplift.extra_fen), "low": yuan(interval[0]), "high": yuan(interval[1]), "spent": spent,
    }  # fmt: skip


def tiles_of(report: ProofReport) -> list[tuple[Any, str, Any]]:
    """(title, number, note)."""
    numbers, uplift = report.treated, report.uplift
    sure = uplift.is_amount_sure
    others = _now("另有对照组 %(n)s") % {"n": thousands(report.control.member_count)}
    return [
        (_("活动名单"), thousands(numbers.member_count), others),
        (_("购买人数"), thousands(numbers.buyer_count), percent(numbers.buyer_count, numbers.member_count)),
        (_("购买金额"), yuan(numbers.amount_fen), _now("%(n)s 单") % {"n": thousands(numbers.order_count)}),
        (_("花费"), yuan(numbers.cost_fen), _("券按核销抵扣，加短信费")),
        (_("估计多卖"), yuan(uplift.extra_fen or 0) if sure else _now("说不准"), _("与对照组相比")),
        (_("每花 1 元多卖"), roi_words(uplift, numbers.cost_fen), ""),
    ]  # fmt: skip


def steps_of(report: ProofReport) -> list[dict[str, Any]]:
    """From the list to the purchase; what this campaign does not do is left out."""
    numbers = report.treated
    whole = numbers.member_count
    steps: list[tuple[Any, int, bool]] = [
        (_("活动名单"), whole, True),
        (_("已发放"), numbers.done_count, True),
        (_("已发送"), numbers.sent_count, bool(numbers.sent_count)),
        (_("已送达（有回执的）"), numbers.delivered_count, bool(numbers.delivered_count)),
        (_("看过"), numbers.seen_count, bool(numbers.seen_count)),
        (_("点开"), numbers.clicked_count, bool(numbers.clicked_count)),
        (_("拿到券"), numbers.given_count, bool(numbers.given_count)),
        (_("核销"), numbers.redeemed_count, bool(numbers.given_count)),
        (_("购买"), numbers.buyer_count, True),
    ]
    return [
        {
            "words": words,
            "count": thousands(count),
            "share": percent(count, whole),
            "width": count * 100 // (whole or 1),
        }
        for words, count, is_shown in steps
        if is_shown
    ]


def league_value(line: LeagueLine, name: str) -> Any:
    """What a table of campaigns sorts by and shows; None where it is not known."""
    uplift = line.uplift
    values: Mapping[str, Callable[[], Any]] = {
        "reached": lambda: line.treated.done_count,
        "rate": lambda: round(uplift.treated.rate * 10_000) if uplift.treated.aimed else None,
        "control_rate": lambda: round(uplift.control.rate * 10_000) if uplift.control.aimed else None,
        "uplift": lambda: (
            round(uplift.ratio.difference * 10_000)
            if uplift.ratio is not None and uplift.finding in {Finding.BETTER, Finding.WORSE}
            else None
        ),
        "amount": lambda: line.treated.amount_fen,
        "extra": lambda: uplift.extra_fen if uplift.is_amount_sure else None,
        "cost": lambda: line.treated.cost_fen,
        "roi": lambda: roi_hundredths(uplift, line.treated.cost_fen),
    }
    return values[name]()


def roi_hundredths(uplift: Uplift, cost_fen: int) -> int | None:
    """How much more was sold for each yuan, in hundredths; None where that is not known."""
    if not uplift.is_amount_sure or uplift.extra_fen is None or cost_fen <= 0:
        return None
    return round(uplift.extra_fen * 100 / cost_fen)


def roi_words(uplift: Uplift, cost_fen: int) -> str:
    hundredths = roi_hundredths(uplift, cost_fen)
    if hundredths is not None:
        return f"¥{hundredths / 100:,.2f}"
    return _now("没有花费") if uplift.is_amount_sure and cost_fen == 0 else _now("说不准")


def cell(value: Any, kind: str) -> str:
    """A value of a table as text."""
    if value is None:
        return "—"
    if kind == "fen":
        return money(value)
    if kind == "share":
        return f"{value / 100:.1f}%"
    return f"{value / 100:,.2f}" if kind == "times" else thousands(value)


def signed_share(value: float) -> str:
    """A difference in per cent, its sign said."""
    sign = "−" if value < 0 else "+"
    return f"{sign}{abs(value) * 100:.1f}%"


def span_words(interval: Interval) -> str:
    return _now("%(low)s 到 %(high)s") % {
        "low": signed_share(interval.low),
        "high": signed_share(interval.high),
    }


def is_told(uplift: Uplift) -> bool:
    """Whether the difference may be shown: the window is over and there are enough of them."""
    return uplift.finding in {Finding.BETTER, Finding.WORSE, Finding.UNSURE}


def progress_words(progress: ProofProgress | None) -> str:
    """How far the first count is; nothing where it is over."""
    if progress is None:
        return ""
    values = {"n": thousands(progress.member_count), "done": progress.percent}
    if progress.counted_count:
        return _now("正在统计 %(n)s 人的购买，已完成 %(done)s%%") % values
    return _now("正在登记名单上的 %(n)s 人，已完成 %(done)s%%") % values


def yuan(fen: int) -> str:
    """Large sums in 万, as people say them; what is less than nothing keeps its sign before the mark."""
    sign = "−" if fen < 0 else ""
    size = abs(fen)
    return f"{sign}¥{size / 1_000_000:,.2f} 万" if size >= 1_000_000 else f"{sign}¥{money(size)}"


def finding_words(uplift: Uplift) -> str | Promise:
    """A word for a table."""
    return {
        Finding.BETTER: _("有效"), Finding.WORSE: _("反而少了"), Finding.UNSURE: _("说不准"), Finding.FEW: _("人太少"),
        Finding.OPEN: _("统计中"), Finding.NO_CONTROL: _("没有对照组"), Finding.REPEATED: _("看单次"),
    }[uplift.finding]  # fmt: skip


def days_of(report: ProofReport) -> list[dict[str, Any]]:
    """For the chart: day by day the share of those who had done it until then, in per cent."""
    treated, control = report.uplift.treated.aimed, report.uplift.control.aimed
    return [
        {
            "day": day.day,
            "treated": round(day.treated * 100 / treated, 2) if treated else 0,
            "control": round(day.control * 100 / control, 2) if control else None,
        }
        for day in report.days
    ]


def _share(value: float) -> str:
    return f"{value * 100:.1f}%"


def _span(compared: Compared, *, is_less: bool) -> str:
    low, high = compared.interval.low, compared.interval.high
    if is_less:
        low, high = -high, -low
    return f"{_share(low)}–{_share(high)}"


def _day(at: dt.datetime | None) -> str:
    if at is None:
        return "—"
    day = clock.business_day(at)
    return _now("%(month)s月%(day)s日") % {"month": day.month, "day": day.day}


def sorted_league(lines: Sequence[LeagueLine], sort: str) -> tuple[LeagueLine, ...]:
    """By a column, what is not known last; else as they come."""
    name = sort.removeprefix("-")
    if name not in {column for column, _words, _kind in LEAGUE_COLUMNS}:
        return tuple(lines)
    known = [line for line in lines if league_value(line, name) is not None]
    known.sort(key=lambda line: int(league_value(line, name)), reverse=sort.startswith("-"))
    return (*known, *(line for line in lines if league_value(line, name) is None))
