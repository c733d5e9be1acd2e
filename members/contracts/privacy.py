"""Consents, reveals, copies and erasures."""

import dataclasses
import datetime as dt
from typing import Literal

ConsentDoorKind = Literal["mini_program", "official_account", "pos", "staff", "import", "wechat"]


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentTextCard:
    """One published version, as a member is shown it."""

    kind: str
    kind_title: str
    version: int
    title: str
    body: str
    published_at: dt.datetime
    is_required: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentCard:
    """What one member says to one kind now. `version` is the one she agreed to or withdrew from, None when she
    was never asked; `current_version` is what there is to agree to, None when nothing is published."""

    kind: str
    title: str
    is_required: bool
    is_agreed: bool
    version: int | None
    current_version: int | None
    changed_at: dt.datetime | None
    door_label: str
    offers_erasure: bool  # she withdrew what her data was kept on: the screen offers to erase her

    @property
    def is_pending(self) -> bool:
        """She has to be asked (again): she never answered, or agreed to an older version."""
        if self.current_version is None:
            return False
        return self.version is None or (self.is_agreed and self.version != self.current_version)

    @property
    def is_to_be_shown(self) -> bool:
        """The text is put before her: she has to be asked, or refused what membership hangs on."""
        is_missing = self.is_required and not self.is_agreed and self.current_version is not None
        return self.is_pending or is_missing


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentLine:
    """One entry of her history."""

    kind: str
    title: str
    version: int
    action_label: str
    door_label: str
    at: dt.datetime
    actor: str


@dataclasses.dataclass(frozen=True, slots=True)
class DataRequestCard:
    """A request for a copy of her data, or to be erased."""

    id: int
    public_id: str
    member_id: int
    kind: Literal["export", "erase"]
    state: Literal["open", "done", "withdrawn"]
    state_label: str
    asked_at: dt.datetime
    due_on: dt.date
    not_before: dt.datetime | None  # until then she may take it back
    closed_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing touched: rows by part. `is_new` is False when she had been erased before."""

    member_id: int
    is_new: bool
    counts: dict[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class ExportFile:
    """A member's own data as a file to hand over; never stored, and kept out of logs by its repr."""

    name: str
    content: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class PrivacyDecisions:
    """The chain's decisions about privacy (the columns of PrivacySettings)."""

    guide_reveals_per_hour: int
    guide_reveals_per_day: int
    staff_reveals_per_hour: int
    staff_reveals_per_day: int
    member_reveals_per_day: int
    cooling_off_days: int
    request_due_days: int
    unfollow_keep_days: int | None
    unfollow_withdraws_marketing: bool
    phone_rest_days: int


@dataclasses.dataclass(frozen=True, slots=True)
class DeletionDuty:
    """People whose data is to be deleted: how many wait, how many should be gone by now, and when the next is due."""

    waiting_count: int
    late_count: int
    next_at: dt.datetime | None
