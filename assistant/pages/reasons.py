"""The reasons a sheet offers where the words themselves are what is kept."""

from members.contracts import Choice


def choices_of(*words: str) -> tuple[Choice, ...]:
    """Each is stored as it reads."""
    return tuple(Choice(one, one) for one in words)
