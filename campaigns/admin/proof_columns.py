"""The tables of a report: what a column says of a line, and which columns stand together on the page."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.proof_words import (
    cell,
    finding_words,
    is_told,
    roi_hundredths,
    signed_share,
    span_words,
    tone_of,
)
from campaigns.contracts.proof import Arm, Finding, ProofLine, ProofNumbers, ProofRate, ProofReport
from core.admin import percent, thousands

# Below so many a share of them says nothing and is not shown.
_LEAST_SHOWN: Final = 30
# Of a share: how many stood so at launch, and how many of them bought.
_SHARES: Final[Mapping[str, tuple[str, str]]] = {
    "rate": ("member_count", "buyer_count"),
    "second_rate": ("once_count", "second_count"),
    "woken_rate": ("asleep_count", "woken_count"),
    "won_back_rate": ("lost_count", "won_back_count"),
}
_CONTROL: Final = "control_"
# (name, words, kind) in the order of the files.
COLUMNS: Final = (
    ("member_count", _("名单人数"), "count"),
    ("done_count", _("已发放"), "count"),
    ("sent_count", _("已发送"), "count"),
    ("delivered_count", _("已送达"), "count"),
    ("seen_count", _("看过"), "count"),
    ("clicked_count", _("点开"), "count"),
    ("given_count", _("拿到券"), "count"),
    ("redeemed_count", _("核销"), "count"),
    ("buyer_count", _("购买人数"), "count"),
    ("rate", _("购买率"), "share"),
    ("control_member_count", _("对照组人数"), "count"),
    ("control_rate", _("对照组购买率"), "share"),
    ("finding", _("结论"), "text"),
    ("uplift", _("多了多少"), "share"),
    ("uplift_low", _("多了多少（下限）"), "share"),
    ("uplift_high", _("多了多少（上限）"), "share"),
    ("order_count", _("订单"), "count"),
    ("amount_fen", _("购买金额（元）"), "fen"),
    ("cost_fen", _("花费（元）"), "fen"),
    ("extra", _("估计多卖（元）"), "fen"),
    ("roi", _("每花 1 元多卖"), "times"),
    ("once_count", _("此前只买过一次"), "count"),
    ("second_count", _("其中再次购买"), "count"),
    ("second_rate", _("二次购买率"), "share"),
    ("control_second_rate", _("对照组二次购买率"), "share"),
    ("asleep_count", _("此前沉睡"), "count"),
    ("woken_count", _("其中回来"), "count"),
    ("woken_rate", _("唤醒率"), "share"),
    ("control_woken_rate", _("对照组唤醒率"), "share"),
    ("lost_count", _("此前已流失"), "count"),
    ("won_back_count", _("其中挽回"), "count"),
    ("won_back_rate", _("挽回率"), "share"),
    ("control_won_back_rate", _("对照组挽回率"), "share"),
)
_KINDS: Final = {name: (words, kind) for name, words, kind in COLUMNS}
# What stands together on the page: (name, words, columns).
VIEWS: Final = (
    (
        "sold",
        _("购买与花费"),
        (
            "member_count", "buyer_count", "rate", "control_rate", "told", "order_count", "amount_fen", "cost_fen", "extra",
            "roi",
        ),
    ),
    (
        "reached",
        _("触达与核销"),
        (
            "member_count", "done_count", "sent_count", "delivered_count", "seen_count", "clicked_count", "given_count",
            "redeemed_count",
        ),
    ),
    (
        "returned",
        _("老客回来"),
        (
            "once_count", "second_rate", "control_second_rate", "asleep_count", "woken_rate", "control_woken_rate",
            "lost_count", "won_back_rate", "control_won_back_rate",
        ),
    ),
)  # fmt: skip
_RATE_WORDS: Final[Mapping[str, Any]] = {
    "second_purchase": _("二次购买率（此前只买过一次的）"),
    "wake_up": _("唤醒率（沉睡 1 到 6 个月的）"),
    "win_back": _("挽回率（已流失的）"),
}


def line_value(line: ProofLine, name: str) -> Any:
    """A column's value of a line: numbers, words, and shares in basis points; None where there are too few to say."""
    numbers, column = line.treated, name
    if name.startswith(_CONTROL):
        numbers, column = line.control, name.removeprefix(_CONTROL)
    if column in _SHARES:
        return _share_bp(numbers, *_SHARES[column])
    if column in {"finding", "uplift", "uplift_low", "uplift_high", "extra", "roi"}:
        return _uplift_value(line, column)
    return getattr(numbers, column)


def view_heads(columns: tuple[str, ...]) -> list[Any]:
    """The heads of a table of the page."""
    return [_("多了多少（95% 把握的范围）") if name == "told" else _KINDS[name][0] for name in columns]


def view_cells(line: ProofLine, columns: tuple[str, ...]) -> list[tuple[str, str]]:
    """(text, tone)."""
    return [
        (told_words(line), tone_of(line.uplift))
        if name == "told"
        else (cell(line_value(line, name), _KINDS[name][1]), "")
        for name in columns
    ]


def told_words(line: ProofLine) -> str:
    """How much more the line's members did than its control group, and between which bounds; or why that is not said."""
    ratio = line.uplift.ratio
    if not is_told(line.uplift) or ratio is None:
        return str(finding_words(line.uplift))
    return f"{signed_share(ratio.difference)}（{span_words(ratio.interval)}）"


def rates_of(report: ProofReport) -> list[tuple[Any, str, str, str, str]]:
    """(what, of the treated, of the control group, what may be said, its tone) of those who had bought once, slept or were
    lost at launch."""
    return [
        (
            _RATE_WORDS[rate.kind], _part(rate.uplift.treated), _part(rate.uplift.control), _rate_told(rate),
            tone_of(rate.uplift),
        )
        for rate in report.rates
    ]  # fmt: skip


def _rate_told(rate: ProofRate) -> str:
    compared = rate.uplift.rate
    if not rate.uplift.treated.aimed:
        return "—"
    if not is_told(rate.uplift) or compared is None:
        return str(finding_words(rate.uplift))
    words = {Finding.UNSURE: _now("说不准"), Finding.BETTER: _now("更高"), Finding.WORSE: _now("更低")}
    return _now("%(told)s：相差 %(n)s（95%% 把握在 %(span)s）") % {
        "told": words[rate.uplift.finding], "n": signed_share(compared.difference), "span": span_words(compared.interval),
    }  # fmt: skip


def _part(arm: Arm) -> str:
    """A share of enough people, else how many."""
    if not arm.aimed:
        return "—"
    values = {
        "share": percent(arm.hits, arm.aimed),
        "n": thousands(arm.aimed),
        "hits": thousands(arm.hits),
    }
    if arm.aimed < _LEAST_SHOWN:
        return _now("%(n)s 人中 %(hits)s 人") % values
    return _now("%(share)s（%(n)s 人中 %(hits)s 人）") % values


def _share_bp(numbers: ProofNumbers, whole: str, part: str) -> int | None:
    count = getattr(numbers, whole)
    return None if count < _LEAST_SHOWN else round(getattr(numbers, part) * 10_000 / count)


def _uplift_value(line: ProofLine, name: str) -> Any:
    uplift, ratio = line.uplift, line.uplift.ratio
    if name == "finding":
        return str(finding_words(uplift))
    if name == "extra":
        return uplift.extra_fen if uplift.is_amount_sure else None
    if name == "roi":
        return roi_hundredths(uplift, line.treated.cost_fen)
    if not is_told(uplift) or ratio is None:
        return None
    bounds = {
        "uplift": ratio.difference,
        "uplift_low": ratio.interval.low,
        "uplift_high": ratio.interval.high,
    }
    return round(bounds[name] * 10_000)
