"""What a journey does is written once more: into a copy of its own, or from an earlier version into its draft."""

import datetime as dt
from collections.abc import Collection

from campaigns.errors import NoSuchJourney
from campaigns.models import Journey, JourneyState, JourneyVersion
from campaigns.services.journeys.desk import NAME_LENGTH, create_journey, save_draft
from core.actor import Actor


def copy_journey(*, journey_id: int, actor: Actor, at: dt.datetime | None = None) -> Journey:
    """A new draft that says what this one's draft says, under a name of its own; nobody is in it. An ended one is copied too.
    Refuses an unknown one."""
    row = Journey.objects.filter(pk=journey_id).first()
    if row is None:
        raise NoSuchJourney
    taken = set(Journey.objects.exclude(state=JourneyState.ENDED).values_list("name", flat=True))
    return create_journey(
        name=_free_name(row.name, taken), note=row.note, draft=row.draft, actor=actor, at=at
    )


def _free_name(name: str, taken: Collection[str]) -> str:
    number = 1
    while True:
        end = "（副本）" if number == 1 else f"（副本 {number}）"
        copied = f"{name[: NAME_LENGTH - len(end)]}{end}"
        if copied not in taken:
            return copied
        number += 1


def restore_version(
    *, journey_id: int, number: int, revision: int, actor: Actor, at: dt.datetime | None = None
) -> int:
    """The draft says what that version says; what had been written is gone; the new revision. What runs goes on. Refuses an
    unknown version and what `save_draft` refuses."""
    row = Journey.objects.filter(pk=journey_id).first()
    version = JourneyVersion.objects.filter(journey_id=journey_id, number=number).first()
    if row is None or version is None:
        raise NoSuchJourney
    return save_draft(
        journey_id=row.pk,
        revision=revision,
        name=row.name,
        note=row.note,
        draft=version.definition,
        actor=actor,
        at=at,
    )
