"""What a member said in a stored push, for those who answer her."""

from typing import Final

from wechat.models import InboundEvent
from wechat.services import parsing

# Where the words of a kind are; other kinds have none.
_FIELDS: Final = {"text": "Content", "location": "Label", "link": "Title", "miniprogrampage": "Title"}


def find_words(inbound_id: int) -> str:
    """The text of a message, a location's name, a link's title; empty for pictures and the like, for a push that
    cannot be read and for one that is gone."""
    raw = InboundEvent.objects.filter(pk=inbound_id).values_list("raw", flat=True).first()
    try:
        fields = parsing.read_fields(raw or "")
        name = _FIELDS.get(parsing.kind_of(fields), "")
        return parsing.text_field(fields, name) if name else ""
    except parsing.Unreadable:
        return ""
