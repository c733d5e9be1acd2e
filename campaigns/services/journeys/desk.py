"""Journeys are written, published, switched on and off. A version is never changed: who is under way in it finishes it."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction

from campaigns.contracts.journeys import MOST_BYTES, Definition
from campaigns.contracts.moments import MOMENTS, SEGMENT_FAMILY
from campaigns.errors import (
    JourneyChangedMeanwhile,
    JourneyNameUnusable,
    JourneyNotInThisState,
    JourneyUnfit,
    NoSuchJourney,
)
from campaigns.models import Journey, JourneyState, JourneyVersion, JourneyWatch
from campaigns.selectors.journeys import definition_of, read_definition, write_definition
from campaigns.services.journeys.looking import last_looked
from campaigns.services.segments import one_rule_at_a_time
from core import audit, clock
from core.actor import Actor
from core.constraints import violated

NAME_LENGTH: Final = 40
_NOTE_LENGTH: Final = 200
_NAMES: Final = frozenset({"journey_one_live_per_name", "journey_ready_made_once"})


def create_journey(
    *,
    name: str,
    note: str = "",
    draft: Mapping[str, Any],
    made_as: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> Journey:
    """A journey is there, as a draft that does nothing. Refuses an unusable name and one that is taken."""
    at = at or clock.now()
    try:
        with transaction.atomic():
            row = Journey.objects.create(
                name=_usable_name(name),
                note=note.strip()[:_NOTE_LENGTH],
                draft=_usable_draft(draft),
                made_as=made_as,
                created_at=at,
                changed_at=at,
            )
            audit.record(action="campaigns.journey_created", subject=row, actor=actor, at=at)
    except IntegrityError as error:
        raise _name_taken(error) from None
    return row


def save_draft(
    *,
    journey_id: int,
    revision: int,
    name: str,
    note: str,
    draft: Mapping[str, Any],
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """What is being written is kept, faults and all; the new revision. What runs goes on as it was published. Refuses an ended
    one, and a revision that is not the last (JourneyChangedMeanwhile)."""
    at = at or clock.now()
    try:
        with transaction.atomic():
            row = _lock(journey_id)
            if row.state == JourneyState.ENDED:
                raise JourneyNotInThisState
            if row.revision != revision:
                raise JourneyChangedMeanwhile
            row.name, row.note, row.draft = (
                _usable_name(name),
                note.strip()[:_NOTE_LENGTH],
                _usable_draft(draft),
            )
            row.revision, row.changed_at = revision + 1, at
            row.save(update_fields=["name", "note", "draft", "revision", "changed_at"])
            audit.record(action="campaigns.journey_changed", subject=row, actor=actor, at=at)
            return row.revision
    except IntegrityError as error:
        raise _name_taken(error) from None


def publish_journey(*, journey_id: int, actor: Actor, at: dt.datetime | None = None) -> JourneyVersion:
    """Whoever enters from now on goes the way of the draft; who is under way finishes hers. The same draft again is the same
    version. Refuses a draft with faults (JourneyUnfit) and an ended journey."""
    at = at or clock.now()
    with transaction.atomic():
        row = _lock(journey_id)
        if row.state == JourneyState.ENDED:
            raise JourneyNotInThisState
        return _publish(row, actor, at)


def start_journey(*, journey_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """It runs: a new one as its draft is now, a paused one as it was. What happened before begins nothing. Refuses a new one
    whose draft has faults, and an ended one."""
    at = at or clock.now()
    with transaction.atomic():
        row = _lock(journey_id)
        if row.state == JourneyState.RUNNING:
            return
        if row.state == JourneyState.ENDED:
            raise JourneyNotInThisState
        version = row.version or _publish(row, actor, at)
        row.started_at = row.started_at or at
        row.looked_on = _looked_on(version, at)
        row.state = JourneyState.RUNNING
        row.save(update_fields=["state", "started_at", "looked_on"])
        audit.record(action="campaigns.journey_started", subject=row, actor=actor, at=at)


def pause_journey(*, journey_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Nobody moves in it and nobody enters; what ends somebody's way is heard meanwhile. Refuses one that does not run."""
    _change(journey_id, (JourneyState.RUNNING,), JourneyState.PAUSED, "campaigns.journey_paused", actor, at)


def end_journey(*, journey_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """It is over for good: `finish_ended_journeys` lets everybody out. Refuses one that is over."""
    states = (JourneyState.DRAFT, JourneyState.RUNNING, JourneyState.PAUSED)
    _change(journey_id, states, JourneyState.ENDED, "campaigns.journey_ended", actor, at)


def _publish(row: Journey, actor: Actor, at: dt.datetime) -> JourneyVersion:
    # As when a campaign is submitted: nobody retires a segment between the look at it and the version that asks for it.
    one_rule_at_a_time()
    definition = read_definition(row.draft)
    kept = write_definition(definition)
    if row.version is not None and row.version.definition == kept:
        return row.version
    last = JourneyVersion.objects.filter(journey=row).order_by("-number").first()
    trigger = definition.trigger
    version = JourneyVersion.objects.create(
        journey=row,
        number=1 if last is None else last.number + 1,
        definition=kept,
        events=sorted(set(_events(definition))),
        entry_events=[trigger.values["event"]] if trigger.kind == "moment" else [],
        exit_events=sorted({ending.event for ending in definition.exits if ending.event}),
        goal_events=[definition.goal.event] if definition.goal and definition.goal.event else [],
        published_at=at,
    )
    JourneyWatch.objects.bulk_create(
        [JourneyWatch(event=event, family=_family(event)) for event in version.events], ignore_conflicts=True
    )
    row.version = version
    row.looked_on = _looked_on(version, at)
    row.fault, row.look_after = "", None
    row.save(update_fields=["version", "looked_on", "fault", "look_after"])
    audit.record(
        action="campaigns.journey_published", subject=row, actor=actor, at=at, version=version.number
    )
    return version


def _looked_on(version: JourneyVersion, at: dt.datetime) -> dt.date | None:
    return last_looked(trigger=definition_of(version.definition).trigger, at=at)


def _events(definition: Definition) -> Iterator[str]:
    if definition.trigger.kind == "moment":
        yield definition.trigger.values["event"]
    for step in definition.steps.values():
        if "event" in step.values:
            yield step.values["event"]
    for ending in (*definition.exits, definition.goal):
        if ending is not None and ending.event:
            yield ending.event


def _family(event: str) -> str:
    return MOMENTS[event].family if event in MOMENTS else SEGMENT_FAMILY


def _change(
    journey_id: int,
    states: tuple[JourneyState, ...],
    state: JourneyState,
    action: str,
    actor: Actor,
    at: dt.datetime | None,
) -> None:
    with transaction.atomic():
        row = _lock(journey_id)
        if row.state not in states:
            raise JourneyNotInThisState
        row.state = state
        row.save(update_fields=["state"])
        audit.record(action=action, subject=row, actor=actor, at=at)


def _lock(journey_id: int) -> Journey:
    rows = Journey.objects.lock_all([journey_id])
    if not rows:
        raise NoSuchJourney
    return rows[0]


def _usable_name(text: str) -> str:
    name = " ".join("".join(sign for sign in text if sign.isprintable()).split())
    if not 1 <= len(name) <= NAME_LENGTH:
        raise JourneyNameUnusable(field="name")
    return name


def _usable_draft(draft: Mapping[str, Any]) -> dict[str, Any]:
    """JSON that PostgreSQL keeps; whether it can run is asked when it is published."""
    text = json.dumps(dict(draft))
    if len(text) > MOST_BYTES or "\\u0000" in text:
        raise JourneyUnfit(faults=[])
    return dict(draft)


def _name_taken(error: IntegrityError) -> Exception:
    return JourneyNameUnusable(field="name") if violated(error) in _NAMES else error
