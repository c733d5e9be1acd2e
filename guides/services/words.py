"""What people type, and words that several services say."""

from django.conf import settings

from guides.contracts import GuideCard


def clean_text(text: str) -> str:
    """The text with its line breaks and without other control characters and outer blanks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character for character in lines if character.isprintable() or character == "\n").strip()


def place_of(guide: GuideCard) -> str:
    """Brand and store, as she introduces herself."""
    return f"{settings.BRAND_NAME}·{guide.store.name}"
