"""Everything that decides whether a handful of reaches can go by text message, read at once."""

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping

from campaigns.contracts.topics import SMS
from campaigns.models import TopicText
from members import selectors as member_selectors
from sms import services as sms_services
from sms.contracts import TextCard


@dataclasses.dataclass(frozen=True, slots=True)
class TextStanding:
    """What is known of templates and of these members' numbers, by the id of the living row. `blocked` says why a number
    gets none."""

    is_on: bool = False
    mappings: Mapping[str, TopicText] = dataclasses.field(default_factory=dict)
    cards: Mapping[int, TextCard] = dataclasses.field(default_factory=dict)
    phones: Mapping[int, str] = dataclasses.field(default_factory=dict, repr=False)
    blocked: Mapping[int, str] = dataclasses.field(default_factory=dict)


def read_text_standing(member_ids: Collection[int], *, at: dt.datetime) -> TextStanding:
    """How things stand with these members now; numbers are opened only where some topic is said by text message."""
    mappings = live_topic_texts()
    if not mappings or not sms_services.is_set_up():
        return TextStanding(sms_services.is_set_up(), mappings)
    phones = member_selectors.list_phones(member_ids)
    return TextStanding(
        is_on=True,
        mappings=mappings,
        cards={card.id: card for card in sms_services.list_texts()},
        phones=phones,
        blocked=sms_services.list_blocked(phones, at=at),
    )


def live_topic_texts() -> dict[str, TopicText]:
    """What says each topic by text message."""
    return {row.topic: row for row in TopicText.objects.filter(is_on=True)}


def text_cost_at_most(*, topic: str, channels: Collection[str]) -> int:
    """What one message of the topic costs at most when it goes as a text, in hundredths of a fen; 0 where none of these
    channels is one, or nothing says the topic by text message now."""
    if SMS not in channels or not sms_services.is_set_up():
        return 0
    mapping = live_topic_texts().get(topic)
    cards = {card.id: card for card in sms_services.list_texts()} if mapping is not None else {}
    card = None if mapping is None else cards.get(mapping.template_id)
    return 0 if card is None else sms_services.cost_at_most(card)
