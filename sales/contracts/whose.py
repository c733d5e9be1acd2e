"""Whose a sale is, and what of it counts for whom."""

import dataclasses
import datetime as dt
from typing import Literal

from sales.contracts.reviews import SaleRating

ShareRoleName = Literal["serving", "exclusive", "sharing", "store"]


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """A part of a sale in basis points, of a guide in a store or of a store alone."""

    role: ShareRoleName
    guide_id: int | None
    store_id: int
    share_bp: int


@dataclasses.dataclass(frozen=True, slots=True)
class ShareLine:
    """A part as it is shown: who, how much, in words."""

    role: ShareRoleName
    role_label: str
    guide_id: int | None
    guide_name: str
    store_id: int
    store_name: str
    share_bp: int
    amount_fen: int  # of what is left after returns


@dataclasses.dataclass(frozen=True, slots=True)
class AttributionCard:
    """Whose a sale is and why: "规则 3 线上订单：专属导购 70%，门店 30%"."""

    id: int
    sale_id: int
    words: str
    rule_words: str
    is_manual: bool
    made_at: dt.datetime
    made_by: str
    reason: str
    ended_at: dt.datetime | None
    shares: tuple[ShareLine, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class SaleOfMine:
    """An order in a list of somebody's: the whole, and `part_fen`, what of it counts for her in the span."""

    public_id: str
    order_no: str
    store_name: str
    sold_at: dt.datetime
    amount_fen: int
    returned_fen: int
    part_fen: int
    words: str  # whose it is and why
    rating: SaleRating | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class SaleLines:
    """A stretch of a list of orders; `next_offset` opens the following one."""

    lines: tuple[SaleOfMine, ...]
    next_offset: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class GoodsLine:
    name: str
    quantity: int
    amount_fen: int
    returned_quantity: int
    returned_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class ReturnNote:
    return_no: str
    returned_at: dt.datetime
    amount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry of the ledger in money, as people read it. `who` is a guide, or the store where nobody has the part."""

    booked_on: dt.date
    due_on: dt.date
    who: str
    reason_label: str
    is_reversal: bool
    value: int  # fen


@dataclasses.dataclass(frozen=True, slots=True)
class SaleCard:
    """One order with all that explains what counts for whom; the decision that holds is the first one."""

    id: int
    public_id: str
    order_no: str
    channel: str
    member_id: int | None
    store_id: int
    store_name: str
    sold_at: dt.datetime
    amount_fen: int
    returned_fen: int
    is_first: bool
    goods: tuple[GoodsLine, ...]
    returns: tuple[ReturnNote, ...]
    attributions: tuple[AttributionCard, ...]
    entries: tuple[EntryLine, ...]
    rating: SaleRating | None = None
