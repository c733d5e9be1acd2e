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


def done(ref: str) -> ActOutcome:
    return ActOutcome("done", "", ref)


def refused(code: str) -> ActOutcome:
    return ActOutcome("refused", code)


def later(code: str) -> ActOutcome:
    return ActOutcome("later", code)
