"""What the chain decides about reaching members, and who decided it."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from campaigns.contracts import CHANNELS, MARKETING_TOPICS, TOPICS
from campaigns.errors import ChannelsUnusable, TopicIsMarketing
from campaigns.models import TopicRule
from core import audit
from core.actor import Actor


def set_topic_rule(*, topic: str, is_on: bool, importance: str, channels: Sequence[str], actor: Actor) -> int:
    """The topic is handled so from now on; reaches that wait keep the chain they were queued with. The rule's id.

    Refuses (ChannelsUnusable) a chain without a channel, and names that are none; (TopicIsMarketing) to send marketing as
    something that needs no consent.
    """
    chosen = tuple(channel for channel in CHANNELS if channel in channels)
    if not chosen or len(chosen) != len(set(channels)) or topic not in TOPICS:
        raise ChannelsUnusable
    if topic in MARKETING_TOPICS and importance != "marketing":
        raise TopicIsMarketing
    values: Mapping[str, object] = {
        "is_on": is_on,
        "importance": importance,
        "channels": ",".join(chosen),
    }
    with transaction.atomic():
        rule, _is_new = TopicRule.objects.update_or_create(topic=topic, defaults=values)
        audit.record(
            action="campaigns.topic_rule_set",
            subject=rule,
            actor=actor,
            topic=topic,
            is_on=is_on,
            importance=importance,
            channels=list(chosen),
        )
    return rule.pk
