"""The nine numbers as people read them: cells with their changes and a small line, and the table of twelve periods."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import thousands
from core.workbooks import Kind, Sheet
from sales.admin.boards_form import span_words
from sales.admin.words import rate, yuan
from sales.contracts.nine import STOODS, NineBoard, NineColumn, NineNumbers, StoodName
from sales.models import Stood

_WIDTH, _HEIGHT, _EDGE = 120, 32, 3
_MOST_TIMES: Final = 10  # beyond that a share of hardly anything says nothing
WHOLE: Final = _("合计")


@dataclasses.dataclass(frozen=True, slots=True)
class NineMetric:
    """A column of the board: `value` of numbers (None for nothing to divide), how it is written and compared."""

    code: str
    label: str | Promise
    value: Callable[[NineNumbers], int | None]
    write: Callable[[int | None], str]
    kind: Kind
    is_rate: bool = False  # compared in points, not in percent


METRICS: Final = (
    NineMetric("came", _("客流（人）"), lambda one: one.came_count, lambda n: thousands(n or 0), "count"),
    NineMetric("conversion", _("转化率"), lambda one: one.conversion_bp, rate, "share", is_rate=True),
    NineMetric("basket", _("客单价"), lambda one: one.basket_fen, yuan, "fen"),
)


def change_words(metric: NineMetric, now: int | None, then: int | None) -> tuple[str, int]:
    """ "+12.5%", "超过 10 倍", "-3.1 个百分点", and its sign; a dash where one of them is nothing."""
    if now is None or then is None or (not metric.is_rate and then <= 0):
        return "—", 0
    moved = now - then
    if metric.is_rate:
        return _now("%(n)+.1f 个百分点") % {"n": moved / 100}, (moved > 0) - (moved < 0)
    if moved >= _MOST_TIMES * then:
        return _now("超过 %(n)s 倍") % {"n": _MOST_TIMES}, 1
    return f"{moved / then:+.1%}", (moved > 0) - (moved < 0)


def line_of(values: Sequence[int | None]) -> tuple[str, tuple[float, float] | None]:
    """The points of a small line through what is known, and where it ends."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return "", None
    low, high = min(value for _place, value in known), max(value for _place, value in known)
    step, rise = (_WIDTH - 2 * _EDGE) / (len(values) - 1), (_HEIGHT - 2 * _EDGE) / ((high - low) or 1)
    points = [
        (round(_EDGE + place * step, 1), round(_HEIGHT - _EDGE - (value - low) * rise, 1))
        for place, value in known
    ]
    return " ".join(f"{x},{y}" for x, y in points), points[-1]


def board_rows(
    board: NineBoard, members_url: Callable[..., str], keep_url: Callable[..., str]
) -> list[dict[str, Any]]:
    """A row for each standing and one for all, with a cell for each of the three numbers: where its members are listed,
    and where they become a segment."""
    return [
        {"label": label, "hint": _hint(stood, board), "stood": stood or "whole", "cells": [
            _cell(metric, board, stood, members_url, keep_url) for metric in METRICS
        ]}
        for stood, label in _rows()
    ]  # fmt: skip


def _rows() -> list[tuple[StoodName | None, str]]:
    return [*((stood, str(Stood(stood).label)) for stood in STOODS), (None, str(WHOLE))]


def _of(column: NineColumn, stood: StoodName | None) -> NineNumbers:
    return column.whole if stood is None else column.numbers[stood]


def _hint(stood: StoodName | None, board: NineBoard) -> str:
    days = {"days": board.active_days}
    return {
        "new": _now("期初还没有买过"),
        "returning": _now("期初 %(days)s 天内买过") % days,
        "dormant": _now("期初超过 %(days)s 天没买") % days,
    }.get(stood or "", "")


def _cell(
    metric: NineMetric,
    board: NineBoard,
    stood: StoodName | None,
    members_url: Callable[..., str],
    keep_url: Callable[..., str],
) -> dict[str, Any]:
    numbers = _of(board.now, stood)
    now = metric.value(numbers)
    changes = [
        (words, *change_words(metric, now, metric.value(_of(then, stood))))
        for words, then in ((_now("环比"), board.before), (_now("同比"), board.year_before))
    ]
    values = [metric.value(_of(column, stood)) for column in board.trend]
    points, end = line_of(values)
    has_bought = metric.code != "came"
    count = numbers.buyer_count if has_bought else numbers.came_count
    return {
        "label": metric.label,
        "text": metric.write(now),
        "note": _note(metric, numbers),
        "changes": changes,
        "points": points,
        "end": end,
        "trend_words": "、".join(metric.write(value) for value in values),
        "url": members_url(stood=stood, bought="1" if has_bought else None) if count else "",
        "keep_url": keep_url(stood, has_bought=has_bought) if count else "",
    }


def _note(metric: NineMetric, numbers: NineNumbers) -> str:
    if metric.code == "conversion":
        return _now("%(n)s 人买了") % {"n": thousands(numbers.buyer_count)}
    if metric.code == "basket":
        return _now("%(n)s 单，%(money)s") % {
            "n": thousands(numbers.order_count),
            "money": yuan(numbers.net_fen),
        }
    return ""


def trend_rows(board: NineBoard) -> list[tuple[str, list[str]]]:
    """The twelve periods, the newest first: each metric of each standing and of all."""
    return [
        (
            span_words(column.span),
            [
                metric.write(metric.value(_of(column, stood)))
                for metric in METRICS
                for stood, _label in _rows()
            ],
        )
        for column in reversed(board.trend)
    ]


def trend_heads() -> list[tuple[str | Promise, list[str]]]:
    """The metrics with the standings below each."""
    return [(metric.label, [label for _stood, label in _rows()]) for metric in METRICS]


def board_sheets(board: NineBoard, where: str) -> list[Sheet]:
    """The twelve periods and the one a year before as a sheet, and how each number is worked out."""
    heads: list[tuple[str, Kind]] = [(_now("周期"), "text"), (_now("期初状态"), "text")]
    heads += [
        (_now("客流（人）"), "count"), (_now("购买人数"), "count"), (_now("转化率"), "share"),
        (_now("订单数"), "count"), (_now("净额（元）"), "fen"), (_now("客单价（元）"), "fen"),
    ]  # fmt: skip
    lines = [
        [
            span_words(column.span), label, one.came_count, one.buyer_count, one.conversion_bp, one.order_count,
            one.net_fen, one.basket_fen,
        ]
        for column in (*reversed(board.trend), board.year_before)
        for stood, label in _rows()
        for one in [_of(column, stood)]
    ]  # fmt: skip
    told = [[where], *[[words] for words in how_words(board)]]
    return [Sheet(_now("九宫格"), heads, lines), Sheet(_now("说明"), [(_now("这些数怎么算"), "text")], told)]


def how_words(board: NineBoard) -> list[str]:
    """How each number is worked out."""
    return [
        _now(
            "客流：这段时间来过的会员（含泛会员），每人只数一次。购买、扫门店或导购的码、核销券、打开小程序，任何一种都算来过。"
        ),
        _now("转化率：客流里买了东西的人所占的比例。全部退回的订单不算买。"),
        _now("客单价：净额 ÷ 订单数。退货不论什么时候发生，都从原来那笔订单那天扣。"),
        _now(
            "新客：这一期开始前没有买过；老客：开始前 %(days)s 天内买过；沉睡客：超过 %(days)s 天没买。"
            "天数在“RFM 设置”的生命周期里。"
        )
        % {"days": board.active_days},
        _now(
            "门店看到店的人（打开小程序算她导购的门店），区域、经销商看名下门店，同一个人去了几家店只数一次；导购看自己的专属会员，不论去哪家店。"
        ),
        _now("环比比上一期，同比比去年同期（周是 52 周前）。没有结束的一期还在增加。"),
    ]
