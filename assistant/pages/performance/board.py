"""The board with her own place pinned, and what she lacks to the next."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _

from assistant.pages.performance.asked import MONEY, PERIODS, Asked, Circle, metric_links, say_value
from assistant.pages.shell import Link
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, GuideEntry
from sales import selectors as sale_selectors
from sales.contracts import Board, BoardLine

FIRST: Final = 10


@dataclasses.dataclass(frozen=True, slots=True)
class BoardRow:
    rank: str
    name: str
    store_name: str  # empty within her store
    value: str
    moved: str  # up, down, same, new
    moved_text: str  # 升 2 名
    places: str  # 2
    is_me: bool


@dataclasses.dataclass(frozen=True, slots=True)
class BoardPart:
    circles: tuple[Link, ...]
    metrics: tuple[Link, ...]
    rows: tuple[BoardRow, ...]
    around: tuple[BoardRow, ...]  # her own place and who stands around it, when it is not among the first
    own_text: str  # 第 3 名，共 12 人
    gap_text: str  # 再卖 ¥320 追上王芳
    frozen_text: str
    empty_text: str


def build_board(guide: GuideCard, asked: Asked, *, circles: Sequence[Circle], now: dt.datetime) -> BoardPart:
    """The board she asked for, with the switches to others."""
    circle = next((one for one in circles if one.key == asked.scope), circles[0])
    board = sale_selectors.get_board(
        metric=asked.metric, span=asked.span(now), scope=circle.scope, limit=FIRST, own_id=guide.id
    )
    shown = {line.subject_id for line in (*board.lines, *board.neighbours)} | {guide.id}
    names = guide_selectors.list_guide_entries(shown)
    is_wide = circle.key != "store"

    def row(line: BoardLine) -> BoardRow:
        return row_of(line, names, metric=asked.metric, own_id=guide.id, is_wide=is_wide)

    has_place = any(line.subject_id == guide.id for line in board.lines)
    around: tuple[BoardLine, ...] = ()
    if board.own is not None and not has_place:
        first = {line.subject_id for line in board.lines}
        near = [line for line in board.neighbours if line.subject_id not in first]
        around = tuple(sorted((*near, board.own), key=lambda line: (-line.value, line.subject_id)))
    return BoardPart(
        circles=tuple(Link(one.label, asked.url(scope=one.key), one is circle) for one in circles),
        metrics=metric_links(asked),
        rows=tuple(map(row, board.lines)),
        around=tuple(map(row, around)),
        own_text=_say_own(board),
        gap_text=say_gap(board, names, asked),
        frozen_text=_("已关账") if board.frozen_at is not None else "",
        empty_text=_("%(period)s还没有人开单，第一单就是第一名") % {"period": PERIODS[asked.period][0]}
        if asked.metric in MONEY or asked.metric == "order_count"
        else _("%(period)s还没有记录") % {"period": PERIODS[asked.period][0]},
    )


def row_of(
    line: BoardLine, names: Mapping[int, GuideEntry], *, metric: str, own_id: int, is_wide: bool
) -> BoardRow:
    """One place in words; who has nothing yet has none."""
    entry = names.get(line.subject_id)
    moved, text, places = say_moved(line.moved) if line.value else ("same", "", "")
    return BoardRow(
        rank=str(line.rank) if line.value else "–",
        name=entry.name if entry else "—",
        store_name=entry.store_name if entry and is_wide else "",
        value=say_value(metric, line.value),
        moved=moved,
        moved_text=text,
        places=places,
        is_me=line.subject_id == own_id,
    )


def say_moved(moved: int | None) -> tuple[str, str, str]:
    """(kind, words, places) of a movement against the period before."""
    if moved is None:
        return "new", _("上期没有名次"), ""
    if moved > 0:
        return "up", _("比上期升 %(places)d 名") % {"places": moved}, str(moved)
    if moved < 0:
        return "down", _("比上期降 %(places)d 名") % {"places": -moved}, str(-moved)
    return "same", _("和上期一样"), ""


def say_gap(board: Board, names: Mapping[int, GuideEntry], asked: Asked) -> str:
    """What is missing to the next place, and whose it is."""
    if board.own is None or board.ranked_count == 0:
        return ""
    if board.gap is None:
        return _("现在您排在最前面") if board.own.value > 0 else ""
    wanted = board.own.value + board.gap
    near = (*board.neighbours, *board.lines)
    name = next(
        (names[one.subject_id].name for one in near if one.value == wanted and one.subject_id in names), ""
    )
    values = {"gap": say_value(asked.metric, board.gap), "name": name}
    if asked.metric in MONEY:
        return _("再卖 %(gap)s 追上%(name)s") % values if name else _("再卖 %(gap)s 前进一名") % values
    return _("再有 %(gap)s 追上%(name)s") % values if name else _("再有 %(gap)s 前进一名") % values


def _say_own(board: Board) -> str:
    if board.own is None or board.ranked_count == 0:
        return ""
    if board.own.value == 0:
        return _("您还没有名次，已有 %(count)d 人上榜") % {"count": board.ranked_count}
    return _("您第 %(rank)d 名，共 %(count)d 人") % {"rank": board.own.rank, "count": board.ranked_count}
