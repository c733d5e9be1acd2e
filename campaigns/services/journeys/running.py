"""Journeys run: who is due is claimed in hands, grouped by version and step, and each group moves in one transaction.

A group of acts locks its members first, then its rows, does the act once for each key, and writes where everybody goes.
Killed anywhere nothing of a group has happened, or all of it. Who goes on to a step that is due at once stays in the hand.
"""

import datetime as dt
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from campaigns.contracts.journeys import Definition
from campaigns.models import JourneyVersion
from campaigns.selectors.journeys import definition_of
from campaigns.services.journeys.deciding import Deciding
from campaigns.services.journeys.hearing import hear_moments
from campaigns.services.journeys.looking import look_for_dates
from campaigns.services.journeys.rows import EACH, Held, Move, claim_due, hold, new_holder, release, write
from campaigns.services.journeys.trying import again
from core import clock
from core.slots import slot

logger = logging.getLogger(__name__)

# First half of the advisory lock's key; the second is the slot's number. Nothing else uses it.
RUNNER_SLOT: Final = 7_316_004
_RUN_S: Final = 50.0
# Members of one transaction that does something for them; where nothing is done, a whole hand moves at once.
GROUP: Final = 500
ERROR: Final = "error"

Clock = Callable[[], dt.datetime]


def work_journeys() -> int:
    """What happened is heard, whose day it is has entered, and who is due moves on, unless `JOURNEY_RUNNERS` processes are at it
    already; how many steps were made. A run ends after a while; the timetable begins the next."""
    with slot(kind=RUNNER_SLOT, count=settings.JOURNEY_RUNNERS) as is_free:
        return run_journeys() if is_free else 0


def run_journeys(*, at: dt.datetime | None = None) -> int:
    """The same without a slot."""
    end, moved = time.monotonic() + _RUN_S, 0
    now: Clock = clock.now if at is None else lambda: at
    look_for_dates(at=now())
    while time.monotonic() < end:
        heard = hear_moments(at=now())
        holder = new_holder()
        hand = claim_due(holder=holder, at=now())
        moved += _work(hand, holder, now, end)
        if not hand and not heard:
            break
    return moved


def _work(hand: Sequence[Held], holder: str, now: Clock, end: float) -> int:
    """A hand is worked off: groups by their oldest row, and who goes on joins the last ones."""
    versions = JourneyVersion.objects.select_related("journey").in_bulk({held.version_id for held in hand})
    definitions = {pk: definition_of(version.definition) for pk, version in versions.items()}
    seeds = {pk: version.journey.public_id for pk, version in versions.items()}
    moved, waiting = 0, list(hand)
    while waiting:
        going: list[Held] = []
        for (version_id, step), group in _groups(waiting).items():
            deciding = Deciding(definitions[version_id], step, seeds[version_id])
            size = GROUP if deciding.is_act else EACH
            for start in range(0, len(group), size):
                part = group[start : start + size]
                if time.monotonic() > end:
                    release(group=part, holder=holder)
                    continue
                moves = _move(part, deciding, holder, now)
                moved += sum(1 for move in moves if move.way)
                going += [_follow(move) for move in moves if move.keeps]
        waiting = going
    return moved


def _groups(hand: Sequence[Held]) -> Mapping[tuple[int, str], list[Held]]:
    groups: dict[tuple[int, str], list[Held]] = defaultdict(list)
    for held in hand:
        groups[held.version_id, held.step].append(held)
    return groups


def _move(group: Sequence[Held], deciding: Deciding, holder: str, now: Clock) -> list[Move]:
    """The group has moved, or those of it that could; who could not is tried again later. Moves that were made."""
    at = now()
    try:
        with transaction.atomic():
            living = deciding.lock(group)
            held = hold(group=group, holder=holder)
            moves = deciding.decide(held, living, at)
            made = write(moves=moves, holder=holder, at=at)
        missing = {one.id for one in held}
        left = [one for one in group if one.id not in missing]
        release(group=left, holder=holder)
        return [move for move in moves if move.held.id in made]
    except (OperationalError, InterfaceError):
        # A database that is gone ends the run, and the leases run out; a statement that took too long is the group's.
        if not connection.is_usable():
            raise
        logger.exception("journeys.group_failed")
        return _postpone(group, deciding.definition, holder, at)
    except Exception:
        # One that goes wrong keeps no other waiting.
        if len(group) == 1:
            logger.exception("journeys.step_failed", extra={"enrolment": group[0].id})
            return _postpone(group, deciding.definition, holder, at)
        half = len(group) // 2
        return [
            *_move(group[:half], deciding, holder, now),
            *_move(group[half:], deciding, holder, now),
        ]


def _postpone(group: Sequence[Held], definition: Definition, holder: str, at: dt.datetime) -> list[Move]:
    with transaction.atomic():
        held = hold(group=group, holder=holder)
        moves = [again(held=one, code=ERROR, at=at) for one in held]
        write(moves=moves, holder=holder, at=at)
    return []


def _follow(move: Move) -> Held:
    """The row as it is after its move."""
    held = move.held
    held.step, held.due_at, held.is_woken = move.step, move.due_at, False
    held.moved_count += 1
    held.round_count += move.rounds
    held.attempt_count = 0
    return held
