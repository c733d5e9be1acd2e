"""What the gateway announces: plain strings and numbers, no WeChat class and no row of ours leaves it.

`account_id` is the gateway's account row, `app_id` WeChat's appid (identities are unique per app), `at` is Unix
seconds as WeChat wrote them, `inbound_id` the stored push: the key under which reactions are idempotent.
"""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class FollowerGained(Event):
    """She followed the account. `scene` is the channel code she scanned, or None for a plain follow."""

    account_id: int
    app_id: str
    openid: str
    unionid: str | None
    scene: str | None
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class FollowersIdentified(Event):
    """The unionids of up to a hundred followers became known later than their follow. `people`: a line for each, openid
    and unionid with a space between."""

    account_id: int
    app_id: str
    people: str


@dataclasses.dataclass(frozen=True, slots=True)
class FollowerLost(Event):
    """She unfollowed."""

    account_id: int
    app_id: str
    openid: str
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class FollowersListed(Event):
    """A page of the account's list of followers, up to 10,000, as WeChat had it at that second. They may have followed
    long ago: nobody is to be greeted for it. `openids` stand with spaces between them."""

    account_id: int
    app_id: str
    openids: str
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class CodeScanned(Event):
    """A parametric code was scanned, by a new follower (`is_new_follower`) or by one who follows already."""

    account_id: int
    app_id: str
    openid: str
    unionid: str | None
    scene: str
    is_new_follower: bool
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class MessageReceived(Event):
    """She wrote to the account, or sent something (`kind` as WeChat names it); `is_answered`: a reply rule settled it.
    What she said stays in the inbox row; events carry no personal data."""

    account_id: int
    app_id: str
    openid: str
    kind: str
    is_answered: bool
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class MenuClicked(Event):
    account_id: int
    app_id: str
    openid: str
    key: str
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class AuthorizationRevoked(Event):
    """She withdrew an authorisation, or (`is_cancellation`) gave up her account with this app altogether; WeChat
    obliges us to delete the data it covered. `openid` is empty where WeChat named the unionid only."""

    account_id: int
    app_id: str
    openid: str
    unionid: str | None
    revoke_info: str
    is_cancellation: bool
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class MessageQueued(Event):
    """A customer-service message waits to be sent."""

    message_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class InboxFilled(Event):
    """Pushes wait in the inbox; one event may stand for many of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class TemplateDelivered(Event):
    """What became of a template message: `status` is success, blocked (she takes none) or failed.

    The push may be faster than the sender's own note of `message_id`: a handler that does not find it yet raises
    Unavailable, and the inbox tries again.
    """

    account_id: int
    app_id: str
    openid: str
    message_id: str
    status: str
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class MassSettled(Event):
    """What became of a mass message. `reason` is WeChat's number when it was refused in its examination, else 0.
    `reached_count` of `total_count` got it; `filtered_count` passed WeChat's own filter (the month's four, her settings).
    `copyright_state`: 1 original enough, 2 taken for a reprint that may be sent, 3 for one that may not; 0 not told.
    See TemplateDelivered for its speed."""

    account_id: int
    app_id: str
    message_id: str
    is_sent: bool
    reason: int
    total_count: int
    filtered_count: int
    reached_count: int
    error_count: int
    copyright_state: int
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class SubscriptionAnswered(Event):
    """She accepted or refused messages of one template: in the pop-up, or (`is_setting`) later in her settings.

    One push may answer for several templates; each is announced once. Key reactions by (inbound_id, template_id).
    """

    account_id: int
    app_id: str
    openid: str
    template_id: str
    is_accepted: bool
    is_setting: bool
    inbound_id: int
    at: int


@dataclasses.dataclass(frozen=True, slots=True)
class SubscriptionSettled(Event):
    """What became of a subscribe message; `message_id` may be empty. See TemplateDelivered for its speed."""

    account_id: int
    app_id: str
    openid: str
    template_id: str
    message_id: str
    is_delivered: bool
    errcode: int
    inbound_id: int
    at: int
