"""Which template of the provider's says a topic by text message, and what fills its places."""

from collections.abc import Mapping
from typing import Final

from django.db import transaction

from campaigns.contracts import TOPICS
from campaigns.errors import MappingUnfit, TextPurposeUnfit
from campaigns.models import TopicText
from core import audit
from core.actor import Actor
from sms import services as sms_services
from sms.contracts import TextCard
from sms.errors import TextUnfit
from sms.wording import fit_param

# What every topic has and a text hardly says.
_COMMON: Final = ("title", "text", "member")


def map_topic_to_text(
    *,
    topic: str,
    template_id: int,
    fields: Mapping[str, Mapping[str, str]] | None,
    is_on: bool,
    actor: Actor,
) -> int:
    """The topic is said by this template; the id of the mapping. Without `fields` they are guessed.

    Raises TextGone, TextPurposeUnfit for a template of codes, and MappingUnfit with `details["faults"]` (place → why): a value
    the topic does not have, or a fixed text that the provider would refuse.
    """
    card = sms_services.get_text(template_id)
    if card.purpose == "code":
        raise TextPurposeUnfit
    chosen = guess_places(topic=topic, card=card) if fields is None else fields
    faults = _faults(topic, card, chosen)
    if faults:
        raise MappingUnfit(faults=faults)
    with transaction.atomic():
        row, _is_new = TopicText.objects.update_or_create(
            topic=topic,
            defaults={
                "template_id": template_id,
                "fields": {place: dict(source) for place, source in chosen.items()},
                "is_on": is_on,
            },
        )
        audit.record(action="campaigns.topic_text_set", subject=row, actor=actor, topic=topic, is_on=is_on)
    return row.pk


def guess_places(*, topic: str, card: TextCard) -> dict[str, dict[str, str]]:
    """The topic's own values in their order; staff look at it and change it."""
    own = [name for name in TOPICS[topic].values if name not in _COMMON] or ["title"]
    return {str(gap): {"value": own[min(gap, len(own)) - 1]} for gap in range(1, card.gap_count + 1)}


def _faults(topic: str, card: TextCard, fields: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    faults = {}
    for gap in map(str, range(1, card.gap_count + 1)):
        source = fields.get(gap, {})
        if "value" in source:
            if source["value"] not in TOPICS[topic].values:
                faults[gap] = str(MappingUnfit.sentence)
            continue
        try:
            fit_param(source.get("words", ""), limit=card.gap_limit, is_code=False)
        except TextUnfit as refusal:
            faults[gap] = str(refusal.details["rule"])
    return faults
