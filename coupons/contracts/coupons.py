"""What may leave `coupons`."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Literal

CouponKindName = Literal["cash_off", "percent", "exchange", "fixed_price", "gift"]
ValidityName = Literal["fixed", "from_today", "from_tomorrow", "month_end"]
GiftingName = Literal["nobody", "first", "anyone"]
DoorName = Literal["claim", "guide", "face_to_face", "system", "code", "share", "partner"]
QuotaPeriodName = Literal["day", "week", "month", "whole"]
CouponStateName = Literal["issued", "locked", "gifting", "redeemed", "expired", "voided"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TemplateTerms:
    """All that a marketer decides about a coupon. Money in fen; `rate_bp` is what she pays (8,000 is 8 折).

    Empty scopes mean everywhere, everything, everybody. A store fits when it is named itself, lies in a named region
    or below it, or belongs to a named dealer. `weekdays` count from Monday (0); `hours` are "10:00-14:00".
    """

    title: str
    kind: CouponKindName
    validity: ValidityName
    usage_words: str = ""
    colour: str = "red"
    off_fen: int | None = None
    per_fen: int | None = None
    rate_bp: int | None = None
    cap_fen: int | None = None
    price_fen: int | None = None
    units: int | None = None
    gift_name: str = ""
    gift_value_fen: int | None = None
    min_spend_fen: int = 0
    min_quantity: int = 0
    store_ids: tuple[int, ...] = ()
    region_ids: tuple[int, ...] = ()
    dealer_ids: tuple[int, ...] = ()
    tier_ids: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()
    include_products: tuple[str, ...] = ()
    include_categories: tuple[str, ...] = ()
    exclude_products: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    hours: tuple[str, ...] = ()
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    valid_days: int | None = None
    stacking_group: str = ""
    is_exclusive: bool = False
    max_per_order: int | None = None
    gifting: GiftingName = "nobody"


@dataclasses.dataclass(frozen=True, slots=True)
class TemplateCard:
    """One version of a coupon's terms, and how it reads on a card."""

    id: int
    public_id: str
    series: str
    version: int
    terms: TemplateTerms
    value_words: str  # "满 200 减 30"
    validity_words: str
    is_frozen: bool
    is_active: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BatchTerms:
    """How many coupons of a template there are and who gets them. `None` is no limit.

    `cost_fen` is the most one coupon can cost; with None it follows from the template where that says it.
    """

    name: str
    quota: int
    doors: tuple[DoorName, ...]
    member_limit: int | None = 1
    member_daily_limit: int | None = None
    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None
    guide_quota: int | None = None
    guide_quota_period: QuotaPeriodName = "whole"
    budget_fen: int | None = None
    cost_fen: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class BatchCard:
    id: int
    public_id: str
    template_id: int
    terms: BatchTerms
    state: Literal["draft", "open", "paused", "ended"]
    state_label: str
    has_partner_codes: bool


@dataclasses.dataclass(frozen=True, slots=True)
class CouponAsked:
    """One coupon for a member, once for the key."""

    member_id: int
    request_key: str


@dataclasses.dataclass(frozen=True, slots=True)
class CouponGiven:
    """Her coupon, or the code of why she has none; `may_come`: the batch gives nothing now and may again."""

    coupon_id: int | None
    code: str = ""
    may_come: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class BatchSummary:
    """The numbers of a batch, summed over its counters."""

    quota: int
    issued_count: int
    redeemed_count: int
    voided_count: int
    expired_count: int
    budget_fen: int | None
    reserved_fen: int
    discount_fen: int
    sales_fen: int

    @property
    def remaining_count(self) -> int:
        return self.quota - self.issued_count


@dataclasses.dataclass(frozen=True, slots=True)
class IssuedCoupon:
    """The answer to a claim or an issue; `is_new` is False when the same request was answered before."""

    id: int
    code: str
    valid_from: dt.datetime
    valid_until: dt.datetime
    is_new: bool


@dataclasses.dataclass(frozen=True, slots=True)
class CouponCard:
    """One coupon as screens and tills show it. `state` is what it counts for at the moment of asking."""

    id: int
    code: str
    batch_id: int
    member_id: int
    template: TemplateCard
    state: CouponStateName
    state_label: str
    valid_from: dt.datetime
    valid_until: dt.datetime
    issued_at: dt.datetime
    door: DoorName
    door_label: str
    issued_by_guide_id: int | None
    issued_store_id: int | None
    partner_code: str
    locked_until: dt.datetime | None
    may_gift: bool


@dataclasses.dataclass(frozen=True, slots=True)
class CouponPage:
    cards: tuple[CouponCard, ...]
    next_cursor: int | None  # pass back for the next page


@dataclasses.dataclass(frozen=True, slots=True)
class CouponsOfMember:
    """All she has at a glance: what she may use, the first to end first, and the newest of what is used and over."""

    usable: tuple[CouponCard, ...]
    redeemed: CouponPage
    expired: CouponPage


@dataclasses.dataclass(frozen=True, slots=True)
class ClaimableBatch:
    """A batch of the claim centre, with the reason why this member cannot claim it now (empty: she can)."""

    batch: BatchCard
    template: TemplateCard
    remaining_count: int
    claimed_count: int  # by her
    why_not: str  # the code of a refusal
    why_not_words: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionContext:
    """Where, when and for what a coupon is to be used. What is None is not checked."""

    at: dt.datetime
    store_id: int | None = None
    channel: str | None = None
    tier_id: int | None = None
    member_id: int | None = None
    amount_fen: int | None = None  # of the lines the coupon counts for
    quantity: int | None = None
    lock_key: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class WhyNot:
    """One reason against using a coupon: the code of the refusal and its words."""

    code: str
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class CouponCheck:
    """Whether a coupon may be used, with all reasons against it."""

    coupon: CouponCard
    reasons: tuple[WhyNot, ...]

    @property
    def is_usable(self) -> bool:
        return not self.reasons


@dataclasses.dataclass(frozen=True, slots=True)
class RedemptionCard:
    """One use of a coupon."""

    id: int
    coupon_id: int
    code: str
    request_id: str
    store_id: int
    till: str
    order_no: str
    amount_fen: int
    discount_fen: int
    redeemed_at: dt.datetime
    reversed_at: dt.datetime | None
    coupon_state: CouponStateName


@dataclasses.dataclass(frozen=True, slots=True)
class IssueProgress:
    """How far a bulk issue is. `refused` counts members by the code of the reason."""

    job_id: int
    key: str
    batch_id: int
    state: Literal["draft", "running", "paused", "done", "stopped"]
    stop_reason: str
    asked_count: int
    done_count: int
    issued_count: int
    refused: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class GiftOffer:
    """A gift link: the token stands in the link and nowhere else."""

    gift_id: int
    token: str
    expires_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class GuideQuota:
    """What a guide may still issue of a batch in this period; None: as many as there are."""

    allowed_count: int | None
    used_count: int

    @property
    def remaining_count(self) -> int | None:
        return None if self.allowed_count is None else max(0, self.allowed_count - self.used_count)


@dataclasses.dataclass(frozen=True, slots=True)
class ShownCode:
    """What stands on her screen for a minute, as QR code or Code 128: 20 digits."""

    text: str
    expires_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class VoidProgress:
    """How far a voiding is: `asked_count` were unused when it began, `coupon_count` are void by it. Without a batch it
    is of coupons that staff chose."""

    job_id: int
    batch_id: int | None
    reason: str
    asked_count: int
    coupon_count: int
    percent: int
    started_at: dt.datetime
    finished_at: dt.datetime | None
    started_by: str


@dataclasses.dataclass(frozen=True, slots=True)
class VoidedBatch:
    """What a voiding takes of one batch."""

    batch_id: int
    name: str
    asked_count: int
    coupon_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class CouponRun:
    """What a set-based job or a voiding did."""

    coupon_count: int
    member_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class CodeImport:
    """What became of a partner's codes: taken over, there already, unusable (all their line numbers)."""

    added_count: int
    repeated_count: int
    bad_lines: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class UsedCoupon:
    """A redemption as others count it; `stands`: it was not taken back. `guide_id` None: a till redeemed it."""

    id: int
    store_id: int
    guide_id: int | None
    member_id: int | None
    redeemed_at: dt.datetime
    title: str
    order_no: str
    stands: bool
