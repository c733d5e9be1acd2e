"""Tables of `members`."""

from members.models.imports import (
    CandidateState,
    CandidateWhy,
    ImportCandidate,
    ImportJob,
    ImportMapping,
    ImportProblem,
    ImportRow,
    ImportState,
)
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
    "CandidateState",
    "CandidateWhy",
    "EarningRule",
    "ExpiryNotice",
    "Gender",
    "Identity",
    "ImportCandidate",
    "ImportJob",
    "ImportMapping",
    "ImportProblem",
    "ImportRow",
    "ImportState",
    "Member",
    "MemberAddress",
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
