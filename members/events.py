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


@dataclasses.dataclass(frozen=True, slots=True)
class ImportQueued(Event):
    """An import waits for a worker: to be checked, or to be written (on)."""

    job_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class MembersTagged(Event):
    """Members have this tag now: the rows of it whose `tagged_at` is this instant (ISO 8601)."""

    tag_id: int
    tagged_at: str
    member_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class MembersUntagged(Event):
    """Members have this tag no more: the rows of it whose `removed_at` is this instant (ISO 8601)."""

    tag_id: int
    removed_at: str
    member_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class PointsCredited(Event):
    """Points came in: earned, adjusted upwards, or released after a freeze."""

    member_id: int
    entry_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class PointsDebited(Event):
    """Points went out: spent, frozen, or adjusted downwards."""

    member_id: int
    entry_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class PointsReversed(Event):
    """An entry was undone by another."""

    member_id: int
    entry_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class PointsExpired(Event):
    """Points expired: the entries of kind expire in this closed range of ids, one or a whole batch."""

    first_entry_id: int
    last_entry_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class PointsExpiring(Event):
    """So many points of hers expire at the end of that day (ISO date, Shanghai); told once for each day."""

    member_id: int
    expires_on: str
    points: int


@dataclasses.dataclass(frozen=True, slots=True)
class PointsAdjustmentRequested(Event):
    """An adjustment waits for a second person."""

    adjustment_id: int
