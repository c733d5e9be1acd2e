"""Numbers of coupons as people read them: tiles, columns, cells."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import money, thousands
from coupons.contracts import CouponNumbers, StatsBy, StatsQuery

if TYPE_CHECKING:
    from coupons.admin.stats_form import Asked

COLUMNS: Final = (
    ("issued_count", _("发放")),
    ("claimed_count", _("其中自领")),
    ("redeemed_count", _("核销")),
    ("redeemed_bp", _("核销率")),
    ("reversed_count", _("撤销")),
    ("voided_count", _("作废")),
    ("expired_count", _("过期")),
    ("expiring_count", _("7 天内到期")),
    ("discount_fen", _("优惠金额")),
    ("sales_fen", _("带动销售")),
    ("cost_bp", _("费率")),
    ("return_hundredths", _("投入产出")),
)
_OF_TILLS: Final = {
    "redeemed_count", "reversed_count", "discount_fen", "sales_fen", "cost_bp", "return_hundredths",
}  # fmt: skip
_WAN: Final = 10_000


def _sort_of(name: str) -> Callable[[CouponNumbers], int]:
    def key(numbers: CouponNumbers) -> int:
        value = getattr(numbers, name)
        return -1 if value is None else int(value)

    return key


SORTS: Final[Mapping[str, Callable[[CouponNumbers], int]]] = {
    name: _sort_of(name) for name, _words in COLUMNS
}


def share(bp: int | None) -> str:
    """2,500 → "25.0%"."""
    return "—" if bp is None else f"{bp / 100:.1f}%"


def times(hundredths: int | None) -> str:
    """666 → "6.7 倍"."""
    return "—" if hundredths is None else _now("%(n)s 倍") % {"n": f"{hundredths / 100:.1f}"}


def big_money(fen: int) -> str:
    """Large sums in 万, as people say them."""
    return f"¥{fen / 100 / _WAN:,.2f} 万" if abs(fen) >= _WAN * 100 else f"¥{money(fen)}"


def columns_of(query: StatsQuery, by: StatsBy) -> list[tuple[str, Any]]:
    """The columns that mean something: a till issues nothing, and what expires soon is of no day in the past."""
    return [
        (name, words)
        for name, words in COLUMNS
        if (query.side == "issued" or name in _OF_TILLS) and (by != "day" or name != "expiring_count")
    ]


def cells_of(numbers: CouponNumbers, columns: Sequence[tuple[str, Any]]) -> tuple[str, ...]:
    """One line of the table, in the order of the columns."""
    made: dict[str, str] = {
        "redeemed_bp": share(numbers.redeemed_bp),
        "cost_bp": share(numbers.cost_bp),
        "return_hundredths": times(numbers.return_hundredths),
        "discount_fen": money(numbers.discount_fen),
        "sales_fen": money(numbers.sales_fen),
    }
    return tuple(
        made[name] if name in made else thousands(getattr(numbers, name)) for name, _words in columns
    )


def tiles_of(numbers: CouponNumbers, side: str) -> list[tuple[Any, str, Any]]:
    """(title, number, note). What a till cannot know of the coupons it took is left out."""
    used = [
        (_("核销"), thousands(numbers.redeemed_count), _("已扣除撤销")),
        (_("优惠金额"), big_money(numbers.discount_fen), ""),
        (_("带动销售"), big_money(numbers.sales_fen), ""),
        (_("费率"), share(numbers.cost_bp), _("优惠 ÷ 销售")),
        (_("投入产出"), times(numbers.return_hundredths), _("销售 ÷ 优惠")),
    ]
    if side == "redeemed":
        return used
    claimed = _now("自领 %(n)s") % {"n": thousands(numbers.claimed_count)}
    return [
        (_("发放"), thousands(numbers.issued_count), claimed),
        used[0],
        (_("核销率"), share(numbers.redeemed_bp), _("同期核销 ÷ 同期发放")),
        *used[1:],
        (_("7 天内到期"), thousands(numbers.expiring_count), _("还没用的券")),
        (_("过期"), thousands(numbers.expired_count), ""),
        (_("作废"), thousands(numbers.voided_count), ""),
    ]


def spans_of(asked: "Asked") -> list[dict[str, Any]]:
    """The spans people ask for most, one tap each."""
    today = clock.today()
    first = today.replace(day=1)
    before = first - dt.timedelta(days=1)
    spans = (
        (_("最近 7 天"), today - dt.timedelta(days=6), today),
        (_("最近 30 天"), today - dt.timedelta(days=29), today),
        (_("最近 90 天"), today - dt.timedelta(days=89), today),
        (_("本月"), first, today),
        (_("上月"), before.replace(day=1), before),
    )
    now = (asked.query.since, asked.query.until)
    chosen = [
        {
            "words": words,
            "url": asked.url(since=since.isoformat(), until=until.isoformat(), ever=None),
            "is_on": now == (since, until),
        }
        for words, since, until in spans
    ]
    ever = {
        "words": _("全部"),
        "url": asked.url(since=None, until=None, ever=1),
        "is_on": now == (None, None),
    }
    return [*chosen, ever]


def tail(code: str) -> str:
    """The end of a code: enough to compare, not enough to use."""
    return f"…{code[-4:]}"
