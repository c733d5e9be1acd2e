"""Tables of `guides`."""

from guides.models.binding import Binding, BindingPolicy, BindingSource
from guides.models.codes import ChannelCode, ChannelScan, CodeKind, CodePurpose, CodeTerm, ScanOutcome
from guides.models.conversations import AnswerState, Conversation, ConversationMessage, Speaker
from guides.models.follow_ups import FollowUp, FollowUpResult, FollowUpRound, FollowUpState
from guides.models.notes import GuideMemberTag, GuideNote, GuideRemark, GuideTag
from guides.models.organisation import Dealer, Region, StaffScope, Store
from guides.models.people import (
    ActivationCode,
    ActivationMiss,
    Guide,
    GuideLogin,
    GuideNotice,
    GuidePosting,
    GuideRole,
    GuideState,
    NoticeKind,
)
from guides.models.quick_replies import QuickReply
from guides.models.requests import (
    RUNNING,
    TRANSITIONS,
    UNFINISHED,
    RequestAct,
    RequestKind,
    RequestState,
    ServiceRequest,
    ServiceRequestStep,
)
from guides.models.tag_links import LinkDirection, TagLink

__all__ = [
    "RUNNING",
    "TRANSITIONS",
    "UNFINISHED",
    "ActivationCode",
    "ActivationMiss",
    "AnswerState",
    "Binding",
    "BindingPolicy",
    "BindingSource",
    "ChannelCode",
    "ChannelScan",
    "CodeKind",
    "CodePurpose",
    "CodeTerm",
    "Conversation",
    "ConversationMessage",
    "Dealer",
    "FollowUp",
    "FollowUpResult",
    "FollowUpRound",
    "FollowUpState",
    "Guide",
    "GuideLogin",
    "GuideMemberTag",
    "GuideNote",
    "GuideNotice",
    "GuidePosting",
    "GuideRemark",
    "GuideRole",
    "GuideState",
    "GuideTag",
    "LinkDirection",
    "NoticeKind",
    "QuickReply",
    "Region",
    "RequestAct",
    "RequestKind",
    "RequestState",
    "ScanOutcome",
    "ServiceRequest",
    "ServiceRequestStep",
    "Speaker",
    "StaffScope",
    "Store",
    "TagLink",
]
