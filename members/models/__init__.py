"""Tables of `members`."""

from members.models.codes import MemberCodeToken
from members.models.people import Gender, Identity, Member, MemberAddress, MemberIdentity, MemberStage, Source
from members.models.points import (
    ExpiryNotice,
    PendingReversal,
    PointsAccount,
    PointsEntry,
    PointsEntryKind,
    PointsLot,
    PointsLotUse,
)
from members.models.points_rules import (
    AdjustmentState,
    EarningRule,
    MultiplierKind,
    MultiplierRule,
    PointsAdjustment,
    PointsSettings,
    ShortagePolicy,
)
from members.models.tags import (
    MemberTag,
    Tag,
    TagGroup,
    TagOrigin,
)

__all__ = [
    "AdjustmentState",
    "EarningRule",
    "ExpiryNotice",
    "Gender",
    "Identity",
    "Member",
    "MemberAddress",
    "MemberCodeToken",
    "MemberIdentity",
    "MemberStage",
    "MemberTag",
    "MultiplierKind",
    "MultiplierRule",
    "PendingReversal",
    "PointsAccount",
    "PointsAdjustment",
    "PointsEntry",
    "PointsEntryKind",
    "PointsLot",
    "PointsLotUse",
    "PointsSettings",
    "ShortagePolicy",
    "Source",
    "Tag",
    "TagGroup",
    "TagOrigin",
]
