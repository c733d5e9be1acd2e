"""How a topic's text message will look: its places filled with a sample, every cut, and what one costs."""

import dataclasses
from collections.abc import Mapping

from campaigns.contracts import TOPICS
from campaigns.services.previewing import PreviewLine, sample_of
from core.texts import clean
from sms import services as sms_services
from sms import wording
from sms.contracts import SmsText, TextCard
from sms.errors import TextUnfit


@dataclasses.dataclass(frozen=True, slots=True)
class TextPreview:
    """The text as the phone shows it. `lines` tell of places that are cut, or (`fault`) cannot be filled so: then it is not
    sent. `cost_hundredths` of a fen."""

    whole: str
    lines: tuple[PreviewLine, ...]
    segment_count: int
    cost_hundredths: int


def preview_text(
    *, topic: str, card: TextCard, fields: Mapping[str, Mapping[str, str]], is_long: bool = False
) -> TextPreview:
    """By this mapping, saved or not. A source that is unknown is an empty text."""
    lines = tuple(
        _line(topic, card, str(gap), fields.get(str(gap), {}), is_long=is_long)
        for gap in range(1, card.gap_count + 1)
    )
    shown = [line.shown for line in lines]
    whole = wording.fill(card.text, card.sign, shown)
    count = wording.count_segments(whole)
    text = SmsText(card.id, card.code, card.sign, card.purpose, tuple(shown), whole)
    return TextPreview(whole, lines, count, sms_services.cost_of(text, count))


def _line(topic: str, card: TextCard, gap: str, source: Mapping[str, str], *, is_long: bool) -> PreviewLine:
    if "value" not in source:
        value = source.get("words", "")
    elif source["value"] in TOPICS[topic].values:
        value = sample_of(topic=topic, value=source["value"], is_long=is_long)
    else:
        value = ""
    label = f"{{{gap}}}"
    try:
        shown = wording.fit_param(value, limit=card.gap_limit, is_code=False)
    except TextUnfit as refusal:
        return PreviewLine(gap, label, label, value, str(refusal.details["rule"]))
    plain = clean(value)
    return PreviewLine(gap, label, shown, plain if shown != plain else "")
