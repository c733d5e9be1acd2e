"""What guides do besides selling."""

import dataclasses
import datetime as dt
from typing import Literal

FactKindName = Literal["member", "binding", "redemption", "share", "task"]


@dataclasses.dataclass(frozen=True, slots=True)
class Fact:
    """Something that counts one for a guide, or for a store alone. `ref` is the row that keeps it, in the app that
    does; `stands`: it was not taken back. A day ahead of its record counts on the day it was recorded."""

    kind: FactKindName
    ref: int
    happened_at: dt.datetime
    guide_id: int | None
    store_id: int
    stands: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class FactNote:
    """What a fact was about: whom (the row she lives on in), and in a few words what."""

    kind: FactKindName
    ref: int
    member_id: int | None
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class FactLine:
    """One entry of a fact behind a number: +1, or −1 where it was taken back."""

    kind: FactKindName
    ref: int
    value: int
    reason_label: str
    is_reversal: bool
    booked_on: dt.date
    due_on: dt.date
    store_id: int
    guide_id: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class FactLines:
    """A stretch of them, the newest first."""

    lines: tuple[FactLine, ...]
    next_offset: int | None
