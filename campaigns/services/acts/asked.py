"""What performers of acts are handed, and what they answer with."""

import dataclasses
from collections.abc import Mapping

from campaigns.contracts.acts import ActOutcome


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A living member under lock, and the key."""

    member_id: int
    key: str
    values: Mapping[str, str]
    page: str = ""
    held_hundredths: int | None = None


def done(ref: str) -> ActOutcome:
    """It happened, and this came of it."""
    return ActOutcome("done", "", ref)


def refused(code: str) -> ActOutcome:
    """Not for this member, and why."""
    return ActOutcome("refused", code)


def later(code: str) -> ActOutcome:
    """Not now, and why."""
    return ActOutcome("later", code)
