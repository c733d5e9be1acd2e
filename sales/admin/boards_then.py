"""排行榜, 定格与重开: what stood until a month was opened again, side by side with what stands now."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from core.admin import when
from sales import selectors
from sales.admin.boards_form import Asked
from sales.contracts import Board, BoardLine
from sales.models import MONEY_METRICS

_LINES: Final = 50
# Who stood among the first then is looked for so far down now.
_LOOKED_AT: Final = 2_000
_Names = Callable[[Sequence[BoardLine]], dict[int, tuple[str, str]]]


def thens(asked: Asked) -> list[dict[str, Any]]:
    """The boards of this period that stood still once."""
    return [
        {
            "frozen": when(row.frozen_at),
            "thawed": when(row.thawed_at),
            "reason": row.close.reopen_reason,
            "url": asked.url(then=row.pk),
            "is_on": asked.address.get("then") == str(row.pk),
        }
        for row in selectors.list_thawed(asked.subject, asked.span)
    ]


def compared(asked: Asked, board: Board, names: _Names) -> dict[str, Any]:
    """The rows of the one that the address asks for, each with what stands now; nothing for another period's."""
    found = [
        row
        for row in selectors.list_thawed(asked.subject, asked.span)
        if str(row.pk) == asked.address.get("then")
    ]
    if not found:
        return {}
    before = selectors.get_thawed_board(found[0], metric=asked.metric, scope=asked.scope, limit=_LOOKED_AT)
    now = selectors.get_board(
        metric=asked.metric, span=asked.span, subject=asked.subject, scope=asked.scope, limit=_LOOKED_AT
    )
    was = {line.subject_id: line for line in before.lines}
    stands = {line.subject_id: line for line in now.lines}
    shown = {line.subject_id: line for line in (*now.lines[:_LINES], *before.lines[:_LINES])}
    called = names(list(shown.values()))
    return {
        "compared": [
            _row(called[pk][0], was.get(pk), stands.get(pk), is_money=asked.metric in MONEY_METRICS)
            for pk in shown
        ],
        "then_frozen": when(found[0].frozen_at),
        "then_thawed": when(found[0].thawed_at),
        "now_frozen": when(board.frozen_at) if board.frozen_at else "",
        "plain_url": asked.url(then=None),
    }


def _row(name: str, was: BoardLine | None, stands: BoardLine | None, *, is_money: bool) -> dict[str, Any]:
    def say(value: int) -> str:
        return f"{value / 100:,.2f}" if is_money else f"{value:,}"

    more = (stands.value if stands else 0) - (was.value if was else 0)
    return {
        "name": name,
        "rank_then": was.rank if was else None,
        "rank_now": stands.rank if stands else None,
        "value_then": say(was.value) if was else "—",
        "value_now": say(stands.value) if stands else "—",
        "more": f"{'+' if more > 0 else ''}{say(more)}" if more else "",
        "is_less": more < 0,
    }
