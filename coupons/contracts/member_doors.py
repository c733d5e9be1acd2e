"""What may leave `coupons` about the doors by which members come to coupons, and about what they hold."""

import dataclasses
import datetime as dt
from typing import Literal

from coupons.contracts.coupons import CouponCard, IssuedCoupon, TemplateCard, WhyNot

ExchangeKindName = Literal["generated", "imported", "shared"]
ShareStateName = Literal["collecting", "unlocked", "expired"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeTerms:
    """A set of exchange codes to be made. `code_count` is for generated ones, `phrase` and `use_limit` for a shared
    phrase; an imported set gets its codes afterwards."""

    name: str
    kind: ExchangeKindName
    code_count: int = 0
    phrase: str = ""
    use_limit: int | None = None
    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ExchangeSetCard:
    id: int
    public_id: str
    batch_id: int
    name: str
    kind: ExchangeKindName
    code_count: int
    is_voided: bool
    may_download: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ExchangeSummary:
    """The numbers of a set. Of a shared phrase `used_count` is how many members used it."""

    code_count: int
    used_count: int
    voided_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class ExchangeFile:
    """The codes of a set as they were downloaded, once; in the order of their numbers."""

    name: str
    codes: tuple[str, ...] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnlockTerms:
    """All that a marketer decides about sharing to unlock."""

    name: str
    batch_id: int
    friend_batch_id: int
    needed_count: int = 3
    lasts_hours: int = 24
    new_members_only: bool = False
    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class UnlockShareCard:
    """One member's link and how far it is. `why_not` says why her coupon is not there though it is unlocked."""

    id: int
    public_id: str
    state: ShareStateName
    state_label: str
    needed_count: int
    helper_count: int
    started_at: dt.datetime
    expires_at: dt.datetime
    unlocked_at: dt.datetime | None
    coupon_id: int | None
    why_not: WhyNot | None
    helped_at: tuple[dt.datetime, ...]  # when each friend that counted came


@dataclasses.dataclass(frozen=True, slots=True)
class UnlockOfferCard:
    """An offer with what both sides get, and her own link where she has one."""

    id: int
    public_id: str
    name: str
    needed_count: int
    lasts_hours: int
    new_members_only: bool
    closes_at: dt.datetime | None
    template: TemplateCard
    friend_template: TemplateCard
    share: UnlockShareCard | None
    why_not: WhyNot | None  # she cannot begin now


@dataclasses.dataclass(frozen=True, slots=True)
class UnlockVisit:
    """A link as a friend sees it: whether it is her own, what she has from it, why she cannot help."""

    offer: UnlockOfferCard
    is_own: bool
    coupon_id: int | None
    why_not: WhyNot | None


@dataclasses.dataclass(frozen=True, slots=True)
class UnlockSummary:
    """The numbers of an offer."""

    share_count: int
    helper_count: int
    counted_count: int
    unlocked_count: int
    expired_count: int
    waiting_count: int  # unlocked, coupon still missing


@dataclasses.dataclass(frozen=True, slots=True)
class UnlockHelped:
    """What came of helping: her own coupon, and whether she counted."""

    coupon: IssuedCoupon
    is_counted: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ClaimTarget:
    """The batch of a public link."""

    batch_id: int
    tier_ids: tuple[int, ...]  # whom the template is for; empty: everybody


@dataclasses.dataclass(frozen=True, slots=True)
class HeldCoupon:
    """A coupon in her list: where it came from in words, and until when her gift link is open."""

    card: CouponCard
    origin_words: str
    gift_until: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class HeldPage:
    coupons: tuple[HeldCoupon, ...]
    next_cursor: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class HeldCounts:
    """How many she has of each; `expiring_count` of the usable are over within three days."""

    usable_count: int
    expiring_count: int
    redeemed_count: int
    over_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class TermLine:
    """One of the terms in words: 使用门槛, 满 200 元可用."""

    title: str
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class CouponStep:
    """One thing that happened to a coupon while it was hers."""

    at: dt.datetime
    title: str
    words: str
