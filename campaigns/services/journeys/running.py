"""Journeys run: who is due is taken in hands, one journey after the other, and walked as far as nothing is done for her.

A hand is walked and written in the transaction that claimed it. Who then stands at an act moves with up to five hundred others in
one transaction: members are locked, then their rows, the act is done once for each key, and they are walked on. Killed anywhere
nothing of a group has happened, or all of it.
"""

import datetime as dt
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from campaigns.models import JourneyVersion
from campaigns.services.journeys.deciding import Deciding, Decision, Version
from campaigns.services.journeys.hearing import AT_ONCE, hear_moments
from campaigns.services.journeys.looking import look_for_dates
from campaigns.services.journeys.rows import (
    Held,
    claim_due,
    due_journeys,
    hold,
    new_holder,
    release,
    write,
)
from campaigns.services.journeys.trying import fault_of
from core import clock
from core.slots import slot

logger = logging.getLogger(__name__)

# First half of the advisory lock's key; the second is the slot's number. Nothing else uses it.
RUNNER_SLOT: Final = 7_316_004
_RUN_S: Final = 50.0
# Transactions of moments between two hands.
_HEARINGS: Final = 20
# Members of one transaction that does something for them.
GROUP: Final = 500

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
    is_busy = True
    while is_busy and time.monotonic() < end:
        is_busy = _hear(now) > 0
        # A hand of each, so that a million in one keep nobody waiting in another; what happened meanwhile is heard in between.
        for journey_id in due_journeys(at=now()):
            if time.monotonic() > end:
                break
            taken, made = _Hand(journey_id, now, end).work()
            moved += made
            is_busy |= taken > 0
            is_busy |= _hear(now) > 0
    return moved


def _hear(now: Clock) -> int:
    """What happened is heard until little is left: whoever it concerns would be looked at in vain with every hand."""
    total = 0
    for _round in range(_HEARINGS):
        heard = hear_moments(at=now())
        total += heard
        if heard < AT_ONCE:
            break
    return total


class _Hand:
    """Some members who are due in one journey, and what is known of its versions."""

    def __init__(self, journey_id: int, now: Clock, end: float) -> None:
        self._journey_id = journey_id
        self._now, self._end = now, end
        self._holder = new_holder()
        self._versions: dict[int, Version] = {}
        self._made = 0

    def work(self) -> tuple[int, int]:
        """How many were due, and how many steps were made."""
        at = self._now()
        with transaction.atomic():
            hand = claim_due(journey_id=self._journey_id, at=at)
            self._learn({held.version_id for held in hand})
            self._walk(hand, at)
            made = write(rows=hand, holder=self._holder, at=at)
        self._made += made
        waiting = _groups(held for held in hand if held.keeps)
        while waiting:
            going: list[Held] = []
            for step, group in waiting.items():
                ids = [held.id for held in group]
                for start in range(0, len(ids), GROUP):
                    part = ids[start : start + GROUP]
                    if time.monotonic() > self._end:
                        release(ids=part, holder=self._holder)
                    else:
                        going += self._move(
                            part, {held.member_id for held in group[start : start + GROUP]}, step
                        )
            waiting = _groups(going)
        return len(hand), self._made

    def _learn(self, version_ids: set[int]) -> None:
        versions = (
            JourneyVersion.objects.select_related("journey").in_bulk(version_ids) if version_ids else {}
        )
        self._versions = {pk: Version(version) for pk, version in versions.items()}

    def _walk(self, hand: Iterable[Held], at: dt.datetime) -> None:
        """Each goes as far as nothing is done for her: she waits, it is over, or she is kept for an act. So is who stands at a
        step that goes wrong, which is for `_move` to find out."""
        waiting = _groups(hand)
        while waiting:
            going: list[Held] = []
            for step, group in waiting.items():
                deciding = self._deciding(step, at)
                decisions = [] if deciding.is_act else _tried(deciding, group)
                if not decisions:
                    for held in group:
                        held.keeps = True
                for held, turn, ref in decisions:
                    held.take(turn, ref)
                    if turn.keeps:
                        going.append(held)
            waiting = _groups(going)

    def _move(self, ids: Sequence[int], member_ids: set[int], step: tuple[int, str]) -> list[Held]:
        """Those at this step have moved, or those of them that could; who could not is tried again later. Who is to go on."""
        at = self._now()
        deciding = self._deciding(step, at)
        try:
            with transaction.atomic():
                locked = deciding.lock(member_ids)
                # Who became another's row while we waited is left: hers is not locked.
                rows = [one for one in self._hold(ids) if one.member_id in member_ids | locked]
                for held, turn, ref in deciding.decide(rows):
                    held.take(turn, ref)
                self._walk([held for held in rows if held.keeps], at)
                made = write(rows=rows, holder=self._holder, at=at)
        except (OperationalError, InterfaceError) as error:
            # A database that is gone ends the run, and the leases run out; a statement that took too long is the group's.
            if not connection.is_usable():
                raise
            logger.exception("journeys.group_failed")
            return self._postpone(ids, deciding, fault_of(error), at)
        except Exception as error:
            # One that goes wrong keeps no other waiting.
            if len(ids) == 1:
                logger.exception("journeys.step_failed", extra={"enrolment": ids[0]})
                return self._postpone(ids, deciding, fault_of(error), at)
            half = len(ids) // 2
            return [*self._move(ids[:half], member_ids, step), *self._move(ids[half:], member_ids, step)]
        self._made += made
        there = {held.id for held in rows}
        release(ids=[pk for pk in ids if pk not in there], holder=self._holder)
        return [held for held in rows if held.keeps]

    def _postpone(self, ids: Sequence[int], deciding: Deciding, fault: str, at: dt.datetime) -> list[Held]:
        with transaction.atomic():
            rows = self._hold(ids)
            for held in rows:
                held.take(deciding.again(held, fault), "")
            write(rows=rows, holder=self._holder, at=at)
        return []

    def _hold(self, ids: Sequence[int]) -> list[Held]:
        return hold(journey_id=self._journey_id, ids=ids, holder=self._holder)

    def _deciding(self, step: tuple[int, str], at: dt.datetime) -> Deciding:
        version_id, name = step
        return Deciding(self._versions[version_id], name, at)


def _tried(deciding: Deciding, group: Sequence[Held]) -> list[Decision]:
    """Where they go, or nothing when it went wrong."""
    try:
        with transaction.atomic():
            return deciding.decide(group)
    except Exception:
        if not connection.is_usable():
            raise
        return []


def _groups(hand: Iterable[Held]) -> Mapping[tuple[int, str], list[Held]]:
    groups: dict[tuple[int, str], list[Held]] = defaultdict(list)
    for held in hand:
        groups[held.version_id, held.step].append(held)
    return groups
