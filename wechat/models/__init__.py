"""Tables of the gateway."""

from wechat.models.account import AccessToken, Account, PermanentCodeBudget
from wechat.models.followers import FollowerSync, FollowerTag, FollowerTagging, ForgottenFollower
from wechat.models.inbox import Follower, InboundEvent
from wechat.models.lanes import SendLane
from wechat.models.menus import MenuLease, MenuVersion
from wechat.models.outbox import MediaHandle, OutboundCall, OutboundMessage
from wechat.models.replies import (
    ReplyHoliday,
    ReplyHours,
    ReplyPart,
    ReplyRule,
    ReplyTally,
    ReplyTallyCursor,
)
from wechat.models.templates import MessageTemplate, TemplateTrial

__all__ = [
    "AccessToken",
    "Account",
    "Follower",
    "FollowerSync",
    "FollowerTag",
    "FollowerTagging",
    "ForgottenFollower",
    "InboundEvent",
    "MediaHandle",
    "MenuLease",
    "MenuVersion",
    "MessageTemplate",
    "OutboundCall",
    "OutboundMessage",
    "PermanentCodeBudget",
    "ReplyHoliday",
    "ReplyHours",
    "ReplyPart",
    "ReplyRule",
    "ReplyTally",
    "ReplyTallyCursor",
    "SendLane",
    "TemplateTrial",
]
