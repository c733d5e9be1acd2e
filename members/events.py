"""What `members` announces: ids only."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class MemberRegistered(Event):
    """A new member row exists: a prospect who followed, or a member who joined with her phone."""

    member_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class IdentityLinked(Event):
    member_id: int
    identity_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class MemberMerged(Event):
    """Two rows turned out to be one person: `from_member_id` lives on in `into_member_id`."""

    from_member_id: int
    into_member_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class MemberFollowed(Event):
    """She follows the account now (again, or for the first time)."""

    member_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class MemberUnfollowed(Event):
    member_id: int
