"""Customer-service windows: official page "customer service messages" (number and length per trigger).

How the windows of several triggers add up is not documented; here each trigger opens its own, a repeated
trigger renews its own, and a message is taken from the window that closes first. Following by scanning is
one act and opens one window.
"""

from sandbox.errors import WeChatRefusal
from sandbox.models import CsGrant, Tie

HOUR_S = 3600
# trigger: (messages, seconds)
RULES = {
    "message": (5, 48 * HOUR_S),
    "menu": (3, 60),
    "follow": (3, 60),
    "scan": (3, 60),
    "enter": (2, 60),  # a mini-program's customer-service session was opened
}


def open_window(tie: Tie, trigger: str, now: float) -> None:
    """The person did something that lets the account write to her."""
    count, seconds = RULES[trigger]
    tie.grants = [grant for grant in tie.grants if grant.trigger != trigger and grant.expires_at > now]
    tie.grants.append(CsGrant(trigger, now, now + seconds, count))
    tie.last_interaction_at = now


def close_windows(tie: Tie) -> None:
    """She left: nothing may be sent any more."""
    tie.grants = []
    tie.typing_until = 0.0


def spend_window(tie: Tie, now: float) -> None:
    """Take one message from an open window: 45015 when none is open, 45047 when all are used up."""
    live = [grant for grant in tie.grants if grant.opened_at <= now < grant.expires_at]
    if not live:
        raise WeChatRefusal(45015)
    usable = [grant for grant in live if grant.left > 0]
    if not usable:
        raise WeChatRefusal(45047)
    min(usable, key=lambda grant: grant.expires_at).left -= 1
