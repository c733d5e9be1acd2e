"""What may leave `sms`."""

import dataclasses
import datetime as dt
from typing import Literal

TemplateName = Literal["verification_code"]
PurposeName = Literal["code", "notice", "marketing"]
SmsStateName = Literal["queued", "sending", "sent", "delivered", "failed"]


@dataclasses.dataclass(frozen=True, slots=True)
class SmsCard:
    """One text message as other apps may see it; no number and no text in it."""

    id: int
    state: SmsStateName
    outcome: str
    queued_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class TextCard:
    """One template of the provider's. `gap_count`: its places are {1} to {gap_count}, each takes up to `gap_limit`
    characters. `trouble` says why nothing can be sent by it ("" when it can)."""

    id: int
    code: str
    title: str
    text: str
    purpose: PurposeName
    sign: str
    gap_count: int
    gap_limit: int
    has_opt_out: bool
    trouble: str


@dataclasses.dataclass(frozen=True, slots=True)
class TextDraft:
    """A template as it is being written. `pieces` are the text on the phone, each with whether it is a place.

    `longest` counts the characters when every place is filled to its limit (`gap_limit`); that is billed as `segment_count`
    texts. `faults` say why it cannot be kept so, `warnings` what it could not do.
    """

    pieces: tuple[tuple[str, bool], ...]
    gap_count: int
    gap_limit: int
    longest: int
    segment_count: int
    cost_hundredths: int
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class SmsText:
    """One text ready to go: what the provider is given, and (`whole`) what the phone will show."""

    template_id: int
    code: str
    sign: str
    purpose: PurposeName
    params: tuple[str, ...] = dataclasses.field(repr=False)
    whole: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class SmsOutcome:
    """What came of one send whose record the caller keeps.

    `sent`: the provider took it as `segment_count` texts; `message_id` is its id. `refused`: never again, as it is.
    `later`: the provider surely does not have it, try from `retry_at`. `uncertain`: it may have gone out, and the provider
    would not know a second one. `halted`: the lane is stopped, until `retry_at` or (None) until a person lifts it; the
    provider does not have it. `code` is ours and stable ("" when sent).
    """

    state: Literal["sent", "refused", "later", "uncertain", "halted"]
    code: str = ""
    message_id: str = ""
    retry_at: dt.datetime | None = None
    segment_count: int = 0
    cost_hundredths: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class SmsLaneCard:
    """How texts of one purpose stand. A halt without end waits for a person."""

    id: int
    purpose: PurposeName
    rate_per_s: int
    backoff_until: dt.datetime | None
    halted_at: dt.datetime | None
    halted_until: dt.datetime | None
    halt_code: str


@dataclasses.dataclass(frozen=True, slots=True)
class ReceiptTold:
    """What the provider says of a text it took. `reference` is ours where it gives it back."""

    message_id: str
    is_delivered: bool
    code: str
    at: dt.datetime
    reference: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ReplyTold:
    """What somebody answered to a text."""

    phone: str = dataclasses.field(repr=False)
    text: str = dataclasses.field(repr=False)
    at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class LostReports:
    """Reports of this kind about texts from `since` to `until` may have been lost."""

    kind: Literal["receipts", "replies"]
    since: dt.datetime
    until: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Review:
    """How the provider's review of a sign or template stands; `text` is a template's, as the provider has it."""

    state: Literal["pending", "approved", "rejected", "gone"]
    note: str = ""
    text: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Spending:
    """One text that stands on the bill: by which template, for which reason of the sender's, and what it costs."""

    purpose: PurposeName
    template_code: str
    filed_under: str
    segment_count: int
    cost_hundredths: int


@dataclasses.dataclass(frozen=True, slots=True)
class NumberLine:
    """One thing that is kept under a number. `words`: what was replied, or why the number takes no texts."""

    kind: Literal["code", "reply", "blocked"]
    at: dt.datetime
    words: str = dataclasses.field(repr=False)
