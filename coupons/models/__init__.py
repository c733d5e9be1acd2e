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
from coupons.models.directed import MOST_AT_ONCE, DirectedIssue
from coupons.models.doors import ClaimOutcome, FaceToFaceClaim, FaceToFaceOffer
from coupons.models.sharing import (
    CouponGift,
    CouponToken,
    GiftState,
    IssueJob,
    IssueSlice,
    JobState,
    PartnerCode,
)
from coupons.models.standing import (
    IssueState,
    Occasion,
    RuleState,
    StandingIssue,
    StandingRound,
    StandingRule,
)
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
    "MOST_AT_ONCE",
    "NUMBERS",
    "NUMBERS_OF_KIND",
    "SHARDS",
    "TRANSITIONS",
    "BatchState",
    "CardColour",
    "ClaimOutcome",
    "Coupon",
    "CouponBatch",
    "CouponBatchShard",
    "CouponEvent",
    "CouponGift",
    "CouponKind",
    "CouponState",
    "CouponTemplate",
    "CouponToken",
    "DirectedIssue",
    "Door",
    "FaceToFaceClaim",
    "FaceToFaceOffer",
    "GiftState",
    "Gifting",
    "GuideAllowance",
    "IssueJob",
    "IssueSlice",
    "IssueState",
    "JobState",
    "Occasion",
    "PartnerCode",
    "QuotaPeriod",
    "Redemption",
    "RuleState",
    "StandingIssue",
    "StandingRound",
    "StandingRule",
    "TemplateState",
    "Validity",
]
