"""Tables of `members`."""

from members.models.merging import UNDO_DAYS, KnownApart, MemberMerge, MergeHow
from members.models.people import (
    Gender,
    Identity,
    Member,
    MemberAddress,
    MemberIdentity,
    MemberStage,
    Source,
    UnlinkReason,
)
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
    "UNDO_DAYS",
    "AdjustmentState",
    "EarningRule",
    "ExpiryNotice",
    "Gender",
    "Identity",
    "KnownApart",
    "Member",
    "MemberAddress",
    "MemberIdentity",
    "MemberMerge",
    "MemberStage",
    "MemberTag",
    "MergeHow",
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
    "UnlinkReason",
]
