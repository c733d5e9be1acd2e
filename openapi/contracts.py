"""What passes between the services, the views and the admin."""

import dataclasses
import datetime as dt
from typing import Any

from core.actor import Actor


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClientTerms:
    """What staff decide about a client. Neither store nor dealer: the whole chain."""

    name: str
    kind: str
    scopes: tuple[str, ...]
    store_id: int | None = None
    dealer_id: int | None = None
    per_minute: int = 600
    source: str = "pos"  # under which its sales are booked


@dataclasses.dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret on its way to whoever sets up the till: told once. `old_ends_at` is until when the one before signs."""

    client_id: int
    key_id: str
    secret: str = dataclasses.field(repr=False)
    old_ends_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as its signature speaks of it."""

    key_id: str
    timestamp: str
    nonce: str
    signature: str = dataclasses.field(repr=False)
    method: str
    path: str  # with its query, as it was sent
    body: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Whose request this is, and what it may do where."""

    client_id: int
    key_id: str
    name: str
    kind: str
    scopes: frozenset[str]
    store_id: int | None
    dealer_id: int | None
    per_minute: int
    source: str

    @property
    def actor(self) -> Actor:
        return Actor.client(self.client_id, self.name)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a write; `is_replay` when it is the stored one of an earlier request."""

    status: int
    body: dict[str, Any]
    is_replay: bool = False
