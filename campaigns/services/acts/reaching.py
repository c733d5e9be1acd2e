"""The act that writes to a member: a reach, which the reach layer sends when and how its rules allow."""

import datetime as dt
from collections.abc import Sequence

from campaigns.contracts import ReachOrder
from campaigns.contracts.acts import Act, ActOutcome
from campaigns.errors import ActNoConsent, ActTopicOff
from campaigns.models import Reach
from campaigns.selectors.acts import DEFAULT_TOPIC
from campaigns.selectors.policy import list_topic_terms
from campaigns.services.acts.asked import Asked, done, refused
from campaigns.services.acts.words import filler
from campaigns.services.queueing import TEXT_LENGTH, TITLE_LENGTH, queue_orders
from core.actor import Actor
from members import selectors as member_selectors


def reach(*, act: Act, asked: Sequence[Asked], actor: Actor, at: dt.datetime) -> list[ActOutcome]:
    """The message is queued. Caps, quiet hours and channels are decided on when it is sent."""
    topic = act.values.get("topic", DEFAULT_TOPIC)
    if not list_topic_terms()[topic].is_on:
        return [refused(ActTopicOff.code)] * len(asked)
    silent = member_selectors.withdrawn_among({one.member_id for one in asked})
    title, text = act.values["title"], act.values["text"]
    fill = filler(texts=[title, text], asked=asked, at=at)
    orders = [
        ReachOrder(
            member_id=one.member_id,
            topic=topic,
            reason_key=f"act:{one.key}",
            title=_fit(fill(title, one), TITLE_LENGTH),
            text=_fit(fill(text, one), TEXT_LENGTH),
            values=one.values,
            page=one.page or act.values.get("page", ""),
            channels=tuple(act.values["channels"]) if act.values.get("channels") else None,
            held_hundredths=one.held_hundredths,
        )
        for one in asked
        if one.member_id not in silent
    ]
    ids = queue_orders(orders=orders, at=at)
    if known := [order.reason_key for order in orders if order.reason_key not in ids]:
        ids |= dict(Reach.objects.filter(reason_key__in=known).values_list("reason_key", "pk"))
    return [
        refused(ActNoConsent.code) if one.member_id in silent else done(f"reach:{ids[f'act:{one.key}']}")
        for one in asked
    ]


def _fit(text: str, most: int) -> str:
    """A name may be longer than whoever wrote the text thought."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
