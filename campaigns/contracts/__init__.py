"""What may leave `campaigns`."""

from campaigns.contracts.inbox import GrantAnswer, InboxLine, OfferedTemplate
from campaigns.contracts.mass import (
    COPYRIGHT_WORDS,
    MASS_WORDS,
    REJECTIONS,
    MassDraft,
    MassReach,
    MassUse,
)
from campaigns.contracts.reaches import (
    REACH_WORDS,
    Cap,
    ReachOrder,
    ReachTry,
    TopicTerms,
)
from campaigns.contracts.topics import (
    CHANNEL_LABELS,
    CHANNELS,
    MARKETING_TOPICS,
    OUTSIDE_CHANNELS,
    TOPICS,
    ChannelName,
    ImportanceName,
    Topic,
)

__all__ = [
    "CHANNELS",
    "CHANNEL_LABELS",
    "COPYRIGHT_WORDS",
    "MARKETING_TOPICS",
    "MASS_WORDS",
    "OUTSIDE_CHANNELS",
    "REACH_WORDS",
    "REJECTIONS",
    "TOPICS",
    "Cap",
    "ChannelName",
    "GrantAnswer",
    "ImportanceName",
    "InboxLine",
    "MassDraft",
    "MassReach",
    "MassUse",
    "OfferedTemplate",
    "ReachOrder",
    "ReachTry",
    "Topic",
    "TopicTerms",
]
