"""Tables of `coupons`."""

from coupons.models.batches import (
    SHARDS,
    BatchState,
    CouponBatch,
    CouponBatchShard,
    Door,
    GuideAllowance,
    QuotaPeriod,
)
from coupons.models.coupons import TRANSITIONS, Coupon, CouponEvent, CouponState, Redemption
from coupons.models.entries import EntryKind, RedemptionEntry
from coupons.models.settlement import (
    MonthState,
    SettlementLine,
    SettlementMonth,
    SettlementPolicy,
    SettlementStatement,
)
from coupons.models.sharing import (
    CouponGift,
    CouponToken,
    GiftState,
    IssueJob,
    IssueSlice,
    JobState,
    PartnerCode,
)
from coupons.models.stats import CouponDay, CouponDayTotal, CouponDue, FactCursor, FactSource, StatsProof
from coupons.models.templates import (
    NUMBERS,
    NUMBERS_OF_KIND,
    CardColour,
    CouponKind,
    CouponTemplate,
    Gifting,
    TemplateState,
    Validity,
)

__all__ = [
    "NUMBERS",
    "NUMBERS_OF_KIND",
    "SHARDS",
    "TRANSITIONS",
    "BatchState",
    "CardColour",
    "Coupon",
    "CouponBatch",
    "CouponBatchShard",
    "CouponDay",
    "CouponDayTotal",
    "CouponDue",
    "CouponEvent",
    "CouponGift",
    "CouponKind",
    "CouponState",
    "CouponTemplate",
    "CouponToken",
    "Door",
    "EntryKind",
    "FactCursor",
    "FactSource",
    "GiftState",
    "Gifting",
    "GuideAllowance",
    "IssueJob",
    "IssueSlice",
    "JobState",
    "MonthState",
    "PartnerCode",
    "QuotaPeriod",
    "Redemption",
    "RedemptionEntry",
    "SettlementLine",
    "SettlementMonth",
    "SettlementPolicy",
    "SettlementStatement",
    "StatsProof",
    "TemplateState",
    "Validity",
]
