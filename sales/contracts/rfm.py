"""What leaves `sales` about members' numbers and their groups."""

import dataclasses
import datetime as dt
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RfmRules:
    """The chain's decisions about scores, groups and stages (the columns of RfmSettings). Days, orders and fen."""

    mode: Literal["cuts", "quantiles"] = "cuts"
    recency_cuts: tuple[int, ...]
    frequency_cuts: tuple[int, ...]
    money_cuts: tuple[int, ...]
    recency_high: int
    frequency_high: int
    money_high: int
    group_names: tuple[str, ...]
    price_cuts: tuple[int, ...]
    new_days: int
    stage_days: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class RunReport:
    """What one pass over the members did. `slid` rows changed with the day, `wrong` ones had said something false."""

    member_count: int = 0
    added_count: int = 0
    slid_count: int = 0
    wrong_count: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class RfmQuantiles:
    """Cut-offs that divide the buyers in five: days, orders, fen."""

    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    money: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class RfmCell:
    """Members with one pair of scores, and what they spent in twelve months."""

    recency: int
    frequency: int
    member_count: int
    amount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class RfmGroupLine:
    """One group: its size now and at the end of last month; `falling_count` stand lower in a month without a purchase."""

    group: int
    member_count: int
    amount_fen: int
    before_count: int
    falling_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class RfmPreview:
    """What other rules would make of today's members."""

    cells: tuple[RfmCell, ...]
    group_counts: tuple[int, ...]  # by the group's number
    changed_count: int
    rules: RfmRules  # with the cut-offs that quantiles give today
    is_estimate: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PurchasePortrait:
    """What one member's purchases come to, net of returns; `year_` is the last twelve months. Groups are named as the
    chain names them; `coming_name` is empty unless she moves within a month without buying."""

    first_on: dt.date | None
    last_on: dt.date | None
    order_count: int
    amount_fen: int
    year_order_count: int
    year_amount_fen: int
    basket_fen: int
    price_from_fen: int | None  # of one piece; None: she has bought nothing
    price_below_fen: int | None  # None: no upper end
    categories: tuple[str, ...]
    typical_days: int | None
    next_on: dt.date | None
    group: int | None
    group_name: str
    before_group: int | None  # at the end of last month
    before_name: str
    coming_name: str
    stage_label: str
    interval_label: str


@dataclasses.dataclass(frozen=True, slots=True)
class VisitReason:
    """Why it is time to see her; `coming_name` as above."""

    last_on: dt.date
    typical_days: int | None
    group_name: str
    coming_name: str
