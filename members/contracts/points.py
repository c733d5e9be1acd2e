"""Points."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Literal

PointsKind = Literal["earn", "spend", "expire", "reverse", "adjust", "freeze", "release"]


@dataclasses.dataclass(frozen=True, slots=True)
class PointsEntryLine:
    """One line of her ledger. `shortfall` is what a return asked for and did not find."""

    id: int
    kind: PointsKind
    kind_label: str
    delta: int
    shortfall: int
    balance_after: int
    reason: str
    source_key: str
    at: dt.datetime
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class PointsChange:
    """What a request did. `entry` is None while a return waits for the entry it undoes."""

    member_id: int
    balance: int
    frozen: int
    entry: PointsEntryLine | None

    @property
    def is_pending(self) -> bool:
        return self.entry is None


@dataclasses.dataclass(frozen=True, slots=True)
class PointsSummary:
    """Her points now. `balance` is negative when she owes; `expiring` go at the end of `expires_on`, the next
    day on which any do."""

    balance: int
    frozen: int
    expiring: int
    expires_on: dt.date | None


@dataclasses.dataclass(frozen=True, slots=True)
class PointsEntryPage:
    """One page of her ledger, newest first; `next_cursor` opens the following one."""

    lines: tuple[PointsEntryLine, ...]
    next_cursor: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class PointsDecisions:
    """The chain's decisions about points (the columns of PointsSettings)."""

    expiry_months: int | None
    shortage_policy: Literal["forgive", "debt", "refuse"]
    notice_days: int
    approval_limit: int
    profile_reward: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class EarningLine:
    """One line of a sale: money paid, in fen, for goods of a category."""

    category: str
    amount_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class Purchase:
    """What a member bought: what it earns by the rules of the moment it was sold, and the Shanghai day on which the money
    counts towards her tier; each under a key of the caller's."""

    member_id: int
    lines: Sequence[EarningLine]
    sold_at: dt.datetime
    day: dt.date
    spend_fen: int
    points_key: str
    activity_key: str


@dataclasses.dataclass(frozen=True, slots=True)
class PointsGift:
    """So many points for a member, once for the key."""

    member_id: int
    points: int
    source_key: str


@dataclasses.dataclass(frozen=True, slots=True)
class GivenPoints:
    """The entry of a gift, or the code of why there is none."""

    entry_id: int | None
    code: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class PurchaseBack:
    """A purchase of which something came back. What it earned so far, under which key (empty: nothing), and the key to undo
    that under; by how much less it counts towards her tier, in negative numbers (noughts: by nothing). Of what is left of
    it the lines, when it was sold, and the key to earn their points under."""

    member_id: int
    points: int
    reversed_key: str
    points_key: str
    day: dt.date
    spend_fen: int
    order_count: int
    activity_key: str
    lines: Sequence[EarningLine] = ()
    sold_at: dt.datetime | None = None
    again_key: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class EarningRuleCard:
    """How money becomes points: `fen_per_point` fen make one, times `multiplier_bp` / 10,000."""

    id: int
    name: str
    category: str
    fen_per_point: int
    multiplier_bp: int
    priority: int


@dataclasses.dataclass(frozen=True, slots=True)
class MultiplierCard:
    """A multiplier that holds on the day in question, if the birthday fits where it asks for one."""

    name: str
    kind: Literal["dated", "birthday", "birthday_month"]
    multiplier_bp: int


@dataclasses.dataclass(frozen=True, slots=True)
class QuotedPart:
    """What one rule made of the money it covers."""

    rule_name: str
    amount_fen: int
    points: int


@dataclasses.dataclass(frozen=True, slots=True)
class QuotedPoints:
    """What a sale would earn, and why. Money no rule covers is in `unearning_fen`."""

    points: int
    parts: tuple[QuotedPart, ...]
    multiplier_bp: int
    multiplier_name: str
    unearning_fen: int


@dataclasses.dataclass(frozen=True, slots=True)
class ExpiryRun:
    """What one run of the expiry job did."""

    account_count: int
    points: int


@dataclasses.dataclass(frozen=True, slots=True)
class AdjustmentCard:
    """An adjustment: in effect, waiting for a second person, or rejected."""

    id: int
    member_id: int
    delta: int
    state: Literal["requested", "approved", "rejected"]
    entry_id: int | None
