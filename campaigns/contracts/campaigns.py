"""What staff write of a campaign, and what it would come to."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from campaigns.contracts.acts import ActKindName
from campaigns.contracts.faults import Fault

MOST_VARIANTS: Final = 5
MOST_ACTS: Final = 5
LETTERS: Final = "ABCDE"
MOST_HOLDOUT_BP: Final = 5_000
MOST_WINDOW_DAYS: Final = 90
# A recurring campaign is looked at again at least once a year.
MOST_DAYS: Final = 400
# What regions and stores may do for members; what leaves the system is head office's.
PART_ACTS: Final[tuple[ActKindName, ...]] = ("reach", "coupon", "follow_up", "points", "tag")


@dataclasses.dataclass(frozen=True, slots=True)
class VariantDraft:
    """What a share of the members gets; `acts` is JSON as `campaigns.selectors.acts` reads it."""

    weight: int = 1
    acts: Any = ()


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignDraft:
    """One campaign as it is written. Segments are named by public id, hours are Shanghai's, `measure` and `recurrence` are
    JSON. What is not decided yet is None or empty; it must be there when the draft is submitted."""

    name: str
    kind: str
    segment: str
    note: str = ""
    region_id: int | None = None
    store_id: int | None = None
    excluded_segment: str = ""
    goal: str = "purchase"
    measure: Any = dataclasses.field(default_factory=dict)
    window_days: int = 14
    holdout_bp: int = 1_000
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    recurrence: Any = dataclasses.field(default_factory=dict)
    send_from: dt.time = dt.time(10)
    send_until: dt.time = dt.time(20)
    budget_fen: int | None = None
    variants: tuple[VariantDraft, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class ReadDraft:
    """A draft after reading: the columns that can be kept, the variants' acts, and everything that is wrong with it.

    `gaps` are faults that only keep it from being submitted.
    """

    values: Mapping[str, Any]
    variants: tuple[VariantDraft, ...]
    faults: tuple[Fault, ...]
    gaps: tuple[Fault, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignEstimate:
    """How many one run would be for now (the control group among them), how many get nothing by lot, and what it costs at
    most in fen. `member_count` is None when counting takes longer than anybody waits."""

    member_count: int | None
    control_count: int = 0
    coupon_fen: int = 0
    text_fen: int = 0

    @property
    def cost_fen(self) -> int:
        return self.coupon_fen + self.text_fen


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelSight:
    """How many could be written to over a channel now, and to how many the message goes over it because no earlier one of
    the chain reaches them."""

    channel: str
    could_count: int
    first_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class AudienceSight:
    """How many a run would be for now, and why a message reaches fewer: agreed to marketing; of these capped, who has had
    enough for today; guided, with a guide at work. Channels count who agrees and is not capped; the control group is in
    all of them."""

    member_count: int
    control_count: int
    agreed_count: int
    capped_count: int
    guided_count: int
    channels: tuple[ChannelSight, ...]
    reached_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Festival:
    """One name of a day. `sort`: moon, sun, trade, off (a day off), worked (worked instead of one)."""

    sort: str
    name: str
