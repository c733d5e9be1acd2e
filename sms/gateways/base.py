"""What every provider is asked and what it answers."""

import abc
import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal

from sms.contracts import ReceiptTold, ReplyTold, Review, SmsText

Fate = Literal["sent", "refused", "later", "unclear", "halted"]
ReportKind = Literal["receipts", "replies"]
# Whose fault a refusal is: this text's, the number's, the template's or the sign's, or everybody's of the lane.
Scope = Literal["text", "number", "template", "sign", "lane"]


@dataclasses.dataclass(frozen=True, slots=True)
class Sending:
    """One text to be sent. `reference` is ours and stays the same when it is tried again."""

    phone: str = dataclasses.field(repr=False)
    text: SmsText
    reference: str


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it. `later`: surely not sent, try again after `pause_s`; `unclear`: it may have been sent; `halted`:
    surely not sent, and nothing of its purpose will be, until `until` or (None) until a person did something.

    `code` is one of `sms.services.words`, or "provider." and what the provider calls it; never a number or a text.
    """

    fate: Fate
    code: str = ""
    provider_ref: str = ""
    pause_s: int = 5
    until: dt.datetime | None = None
    scope: Scope = "text"
    segment_count: int = 0


class ProviderError(Exception):
    """A question about reviews or reports was not answered. `code` is ours; `is_away`: asking again later is right;
    `is_unclear`: the provider may have answered, and we do not have it."""

    def __init__(self, code: str, *, is_away: bool, is_unclear: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.is_away = is_away
        self.is_unclear = is_unclear


class Gateway(abc.ABC):
    """A provider. Everything opens sockets and is never called inside a transaction; `send` raises nothing."""

    @abc.abstractmethod
    def send(self, sending: Sending) -> Verdict:
        """Hand one text over."""

    @abc.abstractmethod
    def review_templates(self, codes: Sequence[str]) -> Mapping[str, Review]:
        """How the reviews of these templates stand; one that is missing is not there. Raises ProviderError."""

    @abc.abstractmethod
    def review_signs(self, provider_ids: Sequence[str]) -> Mapping[str, Review]:
        """The same of signs; `Review.text` is the sign's name."""

    @abc.abstractmethod
    def pull(self, kind: ReportKind) -> str:
        """Some reports that were not pulled yet, as the provider wrote them: it gives each once. Raises ProviderError."""

    @abc.abstractmethod
    def recall(self, kind: ReportKind, phone: str, since: dt.datetime) -> str:
        """What was reported of this number since then, told or not, in the same form; asking changes nothing. Raises
        ProviderError."""

    @abc.abstractmethod
    def read_receipts(self, body: str) -> Sequence[ReceiptTold]:
        """What an answer of `pull` or `recall` says, nothing when there was nothing. Raises ProviderError for one that says
        nothing we know. Opens no socket."""

    @abc.abstractmethod
    def read_replies(self, body: str) -> Sequence[ReplyTold]:
        """The same of replies."""
