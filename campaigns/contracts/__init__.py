"""What may leave `campaigns`."""

from campaigns.contracts.inbox import GrantAnswer, InboxLine, OfferedTemplate
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
    TOPICS,
    WECHAT_CHANNELS,
    ChannelName,
    ImportanceName,
    Topic,
)

__all__ = [
    "CHANNELS",
    "CHANNEL_LABELS",
    "REACH_WORDS",
    "TOPICS",
    "WECHAT_CHANNELS",
    "Cap",
    "ChannelName",
    "GrantAnswer",
    "ImportanceName",
    "InboxLine",
    "OfferedTemplate",
    "ReachOrder",
    "ReachTry",
    "Topic",
    "TopicTerms",
]
