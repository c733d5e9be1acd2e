"""What every provider is asked and what it answers."""

import abc
import dataclasses
from typing import Literal

from sms.contracts import TemplateName

Fate = Literal["sent", "refused", "later", "unclear"]


@dataclasses.dataclass(frozen=True, slots=True)
class Sending:
    """One text to be sent. `reference` is ours and stays the same when it is tried again."""

    phone: str = dataclasses.field(repr=False)
    template: TemplateName
    params: dict[str, str] = dataclasses.field(repr=False)
    reference: str


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it. `later`: surely not sent, try again after `pause_s`; `unclear`: it may have been sent.

    `code` is the provider's own or ours (timeout, connection …), never a number or a text.
    """

    fate: Fate
    code: str = ""
    provider_ref: str = ""
    pause_s: int = 5


class Gateway(abc.ABC):
    """A provider. `send` opens sockets and is never called inside a transaction; it raises nothing."""

    @abc.abstractmethod
    def send(self, sending: Sending) -> Verdict:
        """Hand one text over."""
