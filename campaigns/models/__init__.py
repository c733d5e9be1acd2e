"""Tables of `campaigns`; private to this app."""

from campaigns.models.campaign_policy import Approvers, CampaignPolicy
from campaigns.models.campaigns import (
    Campaign,
    CampaignGoal,
    CampaignKind,
    CampaignMember,
    CampaignMemberState,
    CampaignMove,
    CampaignRun,
    CampaignState,
    CampaignVariant,
    RunState,
)
from campaigns.models.grants import GrantEntry, GrantReason, SubscriptionGrant
from campaigns.models.inbox import InboxMessage
from campaigns.models.mass import (
    MassAudienceKind,
    MassKind,
    MassMessage,
    MassPurpose,
    MassRecipient,
    MassState,
)
from campaigns.models.outcomes import CampaignBook, CampaignOutcome, CampaignTotal, OutcomeTouch
from campaigns.models.policy import (
    CapSpan,
    FrequencyCap,
    MappingKind,
    ReachPolicy,
    TopicRule,
    TopicTemplate,
    TopicText,
)
from campaigns.models.reaches import Importance, Reach, ReachBar, ReachState
from campaigns.models.segments import (
    Segment,
    SegmentKind,
    SegmentMember,
    SegmentMove,
    SegmentSize,
    SegmentTag,
    SegmentTouch,
    SegmentWatch,
)
from campaigns.models.webhooks import DeliveryState, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Approvers",
    "Campaign",
    "CampaignBook",
    "CampaignGoal",
    "CampaignKind",
    "CampaignMember",
    "CampaignMemberState",
    "CampaignMove",
    "CampaignOutcome",
    "CampaignPolicy",
    "CampaignRun",
    "CampaignState",
    "CampaignTotal",
    "CampaignVariant",
    "CapSpan",
    "DeliveryState",
    "FrequencyCap",
    "GrantEntry",
    "GrantReason",
    "Importance",
    "InboxMessage",
    "MappingKind",
    "MassAudienceKind",
    "MassKind",
    "MassMessage",
    "MassPurpose",
    "MassRecipient",
    "MassState",
    "OutcomeTouch",
    "Reach",
    "ReachBar",
    "ReachPolicy",
    "ReachState",
    "RunState",
    "Segment",
    "SegmentKind",
    "SegmentMember",
    "SegmentMove",
    "SegmentSize",
    "SegmentTag",
    "SegmentTouch",
    "SegmentWatch",
    "SubscriptionGrant",
    "TopicRule",
    "TopicTemplate",
    "TopicText",
    "WebhookDelivery",
    "WebhookEndpoint",
]
