"""Members enter a journey: many at once, once for their reason, as far as its rule of re-entry allows."""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction

from campaigns.contracts.journeys import Definition
from campaigns.errors import JourneyNotForHer, JourneyNotOpen, JourneyNotRunning, NoSuchJourney
from campaigns.models import Enrolment, Journey, JourneyState, JourneyVersion
from campaigns.selectors.journeys import definition_of
from campaigns.selectors.segments import Sql, found_of, select_members
from campaigns.services.journeys.rows import tally
from campaigns.services.journeys.steps import arrive
from core import clock
from core.arrays import array_words
from members import selectors as member_selectors

AT_ONCE: Final = 5_000
_KEY_LENGTH: Final = 80
# In the order of their members, so that two who let the same ones in never wait for each other in a ring.
_ENTER: Final = """
INSERT INTO campaigns_enrolment (
    journey_id, version_id, member_id, entry_key, state, step, due_at, waiting_for, is_woken, heard, "values", moved_count,
    round_count, attempt_count, code, entered_at, begun_after, lease_holder)
SELECT DISTINCT ON (asked.member_id) %(journey)s, %(version)s, asked.member_id, asked.entry_key, 'waiting', %(step)s,
    %(due)s::timestamptz, %(waiting)s, false, '{{}}', asked.told::jsonb, 0, 0, 0, '', %(at)s,
    coalesce(asked.begun_after, (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM campaigns_journeymoment_id_seq)), ''
FROM unnest(%(members)s::bigint[], %(keys)s::text[], %(told)s::text[], %(after)s::bigint[])
    AS asked (member_id, entry_key, told, begun_after)
WHERE NOT EXISTS (
    SELECT FROM campaigns_enrolment before
    WHERE before.journey_id = %(journey)s AND before.member_id = asked.member_id AND {again})
ORDER BY asked.member_id
ON CONFLICT DO NOTHING
RETURNING id, member_id
"""
_AGAIN: Final = {
    "never": "true",
    "after_days": "(before.state IN ('waiting', 'failed') OR before.entered_at > %(since)s::timestamptz)",
    "always": "before.state IN ('waiting', 'failed')",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """Who is to enter, why (once for it), words for placeholders, and the moment that lets her in: what follows it is of her way.
    Without one what happens from now on is."""

    member_id: int
    key: str
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    moment_id: int | None = None


def let_in(*, version: JourneyVersion, entries: Sequence[Entry], at: dt.datetime) -> dict[int, int]:
    """Those who may enter have; the enrolment of each living member who did. A merged row stands for whom it lives on as."""
    definition = definition_of(version.definition)
    entered: dict[int, int] = {}
    with transaction.atomic():
        for start in range(0, len(entries), AT_ONCE):
            entered |= _let_in(version, definition, entries[start : start + AT_ONCE], at)
        if entered:
            tally(counts={(version.pk, "", "entered"): len(entered)})
    return entered


def enrol_member(
    *,
    public_id: str,
    member_id: int,
    key: str,
    values: Mapping[str, str] | None = None,
    at: dt.datetime | None = None,
) -> int:
    """She is on her way in the journey, entered by another system; the enrolment's id, and for the same key again the same.

    Refuses an unknown or ended journey, one that is not running or does not begin by the API, and who may not enter.
    """
    at = at or clock.now()
    journey = (
        Journey.objects.select_related("version").filter(public_id=public_id.replace("\0", "")[:17]).first()
    )
    if journey is None or journey.state == JourneyState.ENDED:
        raise NoSuchJourney
    if journey.version is None or journey.state != JourneyState.RUNNING:
        raise JourneyNotRunning
    if journey.version.definition["trigger"]["on"] != "api":
        raise JourneyNotOpen
    entry_key = f"api:{key}"[:_KEY_LENGTH]
    living = member_selectors.list_living_targets([member_id]).get(member_id, 0)
    with transaction.atomic():
        entered = let_in(
            version=journey.version, entries=[Entry(member_id, entry_key, dict(values or {}))], at=at
        )
        if living in entered:
            return entered[living]
    again = Enrolment.objects.filter(journey=journey, entry_key=entry_key, member_id=living).first()
    if again is None:
        raise JourneyNotForHer
    return again.pk


def _let_in(
    version: JourneyVersion, definition: Definition, entries: Sequence[Entry], at: dt.datetime
) -> dict[int, int]:
    living = member_selectors.list_living_targets({entry.member_id for entry in entries})
    fit = set(living.values())
    if definition.who is not None and fit:
        fit = whom(sql=select_members(found_of(definition.who, clock.business_day(at)), among=fit))
    asked = [(living[entry.member_id], entry) for entry in entries if living.get(entry.member_id) in fit]
    if not asked:
        return {}
    arrival = arrive(step=definition.steps[definition.first], at=at)
    again = definition.re_entry
    values: dict[str, Any] = {
        "journey": version.journey_id,
        "version": version.pk,
        "step": definition.first,
        "due": arrival.due_at,
        "waiting": arrival.waiting_for,
        "at": at,
        "since": at - dt.timedelta(days=again.days),
        "members": array_words(member_id for member_id, _entry in asked),
        "keys": array_words(entry.key[:_KEY_LENGTH] for _member_id, entry in asked),
        "after": array_words(entry.moment_id for _member_id, entry in asked),
        "told": array_words(json.dumps(dict(entry.values)) for _member_id, entry in asked),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENTER.format(again=_AGAIN[again.how]), values)
        return {member_id: pk for pk, member_id in cursor.fetchall()}


def whom(*, sql: Sql) -> set[int]:
    """The ids that a compiled rule yields."""
    with connection.cursor() as cursor:
        cursor.execute(sql.text, sql.params)
        return {member_id for (member_id,) in cursor.fetchall()}
