"""What people type."""


def clean_text(text: str) -> str:
    """The text with its line breaks and without other control characters and outer blanks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character for character in lines if character.isprintable() or character == "\n").strip()
