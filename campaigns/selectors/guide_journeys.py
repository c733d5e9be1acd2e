"""Journeys as a guide sees them: which ones a member of hers is on, where she stands, what comes and what she got of it; and how
many of the guide's members are on which.

A guide reads and alters nothing here. What is done behind her (tags, other systems) is not told.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from django.db.models import Count, Q

from campaigns.contracts.journeys import Definition, Step
from campaigns.models import Enrolment, EnrolmentState, EnrolmentStep, Journey, JourneyState
from campaigns.selectors.journeys import definition_of
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members.contracts import MemberCard

_SHOWN_FOR: Final = dt.timedelta(days=30)
_MOST: Final = 12
_MOST_STEPS: Final = 200
TOLD: Final = ("reach", "coupon", "points", "follow_up")


@dataclasses.dataclass(frozen=True, slots=True)
class MemberJourney:
    """One way of hers. `got`: what was done for her, and when, the newest first. `is_running`: the journey is not paused."""

    public_id: str
    name: str
    definition: Definition
    state: str
    step: str
    due_at: dt.datetime
    entered_at: dt.datetime
    ended_at: dt.datetime | None
    code: str
    is_running: bool
    got: tuple[tuple[dt.datetime, Step], ...]

    @property
    def is_live(self) -> bool:
        return self.state in (EnrolmentState.WAITING, EnrolmentState.FAILED)


@dataclasses.dataclass(frozen=True, slots=True)
class GuideJourney:
    """A journey with how many of the guide's members are on it now, of a manager those of her store."""

    public_id: str
    name: str
    note: str
    is_running: bool
    member_count: int
    achieved_count: int


def list_member_journeys(member_id: int, *, at: dt.datetime | None = None) -> tuple[MemberJourney, ...]:
    """Those that she is on, then those that ended of late; the newest first."""
    since = (at or clock.now()) - _SHOWN_FOR
    shown = Q(state__in=[EnrolmentState.WAITING, EnrolmentState.FAILED]) | Q(ended_at__gt=since)
    rows = list(
        Enrolment.objects.filter(shown, member_id=member_id)
        .select_related("journey", "version")
        .order_by("-entered_at", "-pk")[:_MOST]
    )
    got = _got(rows)
    found = [_shown(row, got[row.pk]) for row in rows]
    return tuple(sorted(found, key=lambda one: not one.is_live))


def list_guide_journeys(guide: GuideCard) -> tuple[GuideJourney, ...]:
    """Those that members of hers are on, by their name."""
    hers = Enrolment.objects.filter(member_id__in=_members_of(guide))
    live = Q(state__in=[EnrolmentState.WAITING, EnrolmentState.FAILED])
    counted = (
        hers.filter(journey__state__in=[JourneyState.RUNNING, JourneyState.PAUSED])
        .order_by()
        .values("journey_id")
        .annotate(
            live=Count("pk", filter=live), achieved=Count("pk", filter=Q(state=EnrolmentState.ACHIEVED))
        )
    )
    numbers = {row["journey_id"]: row for row in counted if row["live"]}
    journeys = Journey.objects.filter(pk__in=numbers).order_by("name", "pk")
    return tuple(
        GuideJourney(
            public_id=row.public_id,
            name=row.name,
            note=row.note,
            is_running=row.state == JourneyState.RUNNING,
            member_count=numbers[row.pk]["live"],
            achieved_count=numbers[row.pk]["achieved"],
        )
        for row in journeys
    )


def list_guide_journey_members(
    guide: GuideCard, public_id: str, *, after_id: int = 0, limit: int = 20
) -> tuple[Journey | None, tuple[tuple[int, MemberCard, MemberJourney], ...]]:
    """Who of hers is on the journey, from the one after that place on, at most so many and one more; each with her place. No
    journey when nobody of hers is on such a one."""
    rows = (
        Enrolment.objects.live()
        .filter(member_id__in=_members_of(guide), journey__public_id=public_id.replace("\0", "")[:17])
        .select_related("journey", "version")
        .order_by("pk")
    )
    found = list(rows.filter(pk__gt=after_id)[: limit + 1])
    first = found[0] if found else rows.first()
    cards = guide_selectors.list_cards_for(guide.id, [row.member_id for row in found])
    got = _got(found)
    shown = tuple(
        (row.pk, cards[row.member_id], _shown(row, got[row.pk])) for row in found if row.member_id in cards
    )
    return (None if first is None else first.journey), shown


def _members_of(guide: GuideCard) -> "Iterable[int]":
    if guide.role == "manager":
        return guide_selectors.place_member_ids(store_ids=[guide.store.id])
    return guide_selectors.bound_member_ids(guide.id)


def _got(rows: Sequence[Enrolment]) -> dict[int, list[EnrolmentStep]]:
    found: dict[int, list[EnrolmentStep]] = defaultdict(list)
    if rows:
        steps = EnrolmentStep.objects.filter(enrolment_id__in=[row.pk for row in rows], way="next")
        for step in steps.order_by("-pk")[:_MOST_STEPS]:
            found[step.enrolment_id].append(step)
    return found


def _shown(row: Enrolment, passed: Sequence[EnrolmentStep]) -> MemberJourney:
    definition = definition_of(row.version.definition)
    done = [(step.at, definition.steps[step.step]) for step in passed if step.step in definition.steps]
    return MemberJourney(
        public_id=row.journey.public_id,
        name=row.journey.name,
        definition=definition,
        state=row.state,
        step=row.step,
        due_at=row.due_at,
        entered_at=row.entered_at,
        ended_at=row.ended_at,
        code=row.code,
        is_running=row.journey.state == JourneyState.RUNNING,
        got=tuple((at, step) for at, step in done if step.kind in TOLD),
    )
