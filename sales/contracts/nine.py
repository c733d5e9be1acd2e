"""What leaves `sales` about the nine numbers."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Literal

from sales.contracts import Span

StoodName = Literal["new", "returning", "dormant"]
STOODS: tuple[StoodName, ...] = ("new", "returning", "dormant")
NineScopeName = Literal["chain", "region", "dealer", "store", "guide"]


@dataclasses.dataclass(frozen=True, slots=True)
class NineNumbers:
    """Of members of one standing, or all: how many came and bought, their orders that stand and what those come to."""

    came_count: int = 0
    buyer_count: int = 0
    order_count: int = 0
    net_fen: int = 0

    @property
    def conversion_bp(self) -> int | None:
        """Bought of those who came, in basis points; None when nobody came."""
        return round(self.buyer_count * 10_000 / self.came_count) if self.came_count else None

    @property
    def basket_fen(self) -> int | None:
        """Fen an order; None without one."""
        return round(self.net_fen / self.order_count) if self.order_count else None

    def __add__(self, other: "NineNumbers") -> "NineNumbers":
        return NineNumbers(
            self.came_count + other.came_count,
            self.buyer_count + other.buyer_count,
            self.order_count + other.order_count,
            self.net_fen + other.net_fen,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class NineColumn:
    """One period: the numbers by standing."""

    span: Span
    numbers: Mapping[StoodName, NineNumbers]

    @property
    def whole(self) -> NineNumbers:
        """Of all members: who stood one way stood no other, so that they add up."""
        return sum(self.numbers.values(), NineNumbers())


@dataclasses.dataclass(frozen=True, slots=True)
class NineBoard:
    """A period with the one before and the same a year before, and the last twelve, the oldest first, the asked one last."""

    trend: tuple[NineColumn, ...]
    year_before: NineColumn
    active_days: int  # up to so many days since the last purchase she is no sleeper
    folded_at: dt.datetime | None  # None: the first pass is not through

    @property
    def now(self) -> NineColumn:
        return self.trend[-1]

    @property
    def before(self) -> NineColumn:
        return self.trend[-2]


@dataclasses.dataclass(frozen=True, slots=True)
class NineMember:
    """Somebody behind a cell: what she did in the period, in the place that was asked about."""

    member_id: int
    order_count: int
    net_fen: int
    day_count: int
    last_on: dt.date
    traces: int
    stood_on: dt.date | None  # the last purchase before the period
