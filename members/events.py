"""What `members` announces: ids only."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class MemberRegistered(Event):
    """A new member row exists: a prospect who followed, or a member who joined with her phone."""

    member_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class MemberJoined(Event):
    """A prospect proved a phone and is a member now."""

    member_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class ProfileCompleted(Event):
    """Name, gender, birthday and phone are all known; told once for each member."""

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
class MemberUnmerged(Event):
    """A merge was undone: `parted_member_id` is a person of her own again beside `survivor_id`."""

    merge_id: int
    parted_member_id: int
    survivor_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class IdentityUnlinked(Event):
    """This kind of identity is hers no more: staff found that it never was, or her number went to somebody else."""

    member_id: int
    kind: str


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
class PointsGranted(Event):
    """Points came in or went out by a decision of the chain, not by an order, which tells of its own. Delivered inside the
    transaction of the entry."""

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


@dataclasses.dataclass(frozen=True, slots=True)
class TierChanged(Event):
    """Members' tiers changed: the TierChange rows in this closed range of ids, one or a whole batch. Which of them
    are upgrades, and what gift an upgrade brings, `members.selectors.list_tier_changes` says."""

    first_change_id: int
    last_change_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class TierAtRisk(Event):
    """She will lose her tier on that day (ISO date, Shanghai) unless she does what is missing; told once for each
    such day. A measure that the tier does not ask for is None; where the tier asks for any of several, one is
    enough."""

    member_id: int
    tier_id: int
    ends_on: str
    missing_spend_fen: int | None
    missing_order_count: int | None
    missing_growth: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class ReassessmentRequested(Event):
    """Staff want everybody assessed by today's rules."""

    reassessment_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentAgreed(Event):
    """She agreed to this version of the text of a kind."""

    member_id: int
    kind: str
    version: int


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Event):
    """She agrees no more: whoever acts on this consent stops."""

    member_id: int
    kind: str


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentTextPublished(Event):
    """A new version is what members agree to from now on; those who agreed to an older one are asked again."""

    kind: str
    version: int


@dataclasses.dataclass(frozen=True, slots=True)
class AuthorizationForgotten(Event):
    """What she withdrew inside WeChat is gone; sessions of the app it came through end as well."""

    member_id: int
    app_id: str
    codes: str  # WeChat's, comma-separated; empty: all of them, as after a cancellation


@dataclasses.dataclass(frozen=True, slots=True)
class ErasureAsked(Event):
    """She asked to be erased; until the cooling-off period ends she may take it back."""

    member_id: int
    request_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class MemberErased(Event):
    """Nothing personal is left of her; sessions, tokens and caches that know her go as well."""

    member_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class RevealRefused(Event):
    """Somebody wanted to see more phones than the limits allow."""

    reveal_id: int
