"""Sending what is due: the database is the queue, Celery only wakes whoever works at it.

A chunk of rows is leased and looked at at once, decided on and sent in handfuls. What goes out is marked before and settled
after, a handful in a statement. While one handful is on the wire the one before it is settled and the next one made ready;
it leaves when few messages of the one before are left. A dead sender leaves one handful in doubt, two for the moment in
which one follows the other; the rest of its chunk is taken over when the lease ends.
"""

import datetime as dt
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from campaigns.contracts import OUTSIDE_CHANNELS
from campaigns.contracts import topics as names
from campaigns.models import ReachState
from campaigns.selectors.standing import Standing, read_standing
from campaigns.services.fleet import Fleet, Flight, fleet
from campaigns.services.judging import record_outcomes, wait_or_pass
from campaigns.services.marking import mark_ways
from campaigns.services.planning import Way, plan_reach
from campaigns.services.rescuing import rescue_stuck_reaches
from campaigns.services.rows import Held, Verdict, claim_reaches, new_holder, settle
from core import clock
from core.lanes import Permits
from core.outside import refuse_open_transaction
from sms.services import lanes as sms_lanes
from wechat.contracts import Channel, SendOutcome
from wechat.services import lanes

CHUNK: Final = 500
HANDFUL: Final = 100
# A run ends by itself so that a worker is not one's for hours; the next wake-up goes on.
_RUN_S: Final = 50.0
# A longer wait for a permit is left to a later run.
_LONGEST_WAIT_S: Final = 2.0
_LANES: Final[dict[str, Channel]] = {
    names.SUBSCRIPTION: "subscription",
    names.TEMPLATE: "template",
    names.SERVICE_MESSAGE: "service",
}


def send_due_reaches(*, limit: int | None = None) -> int:
    """What is due is sent, what must be said first; how many were taken in hand. Safe to run many times at once."""
    refuse_open_transaction()
    rescue_stuck_reaches()
    with fleet() as sailing:
        return _Run(sailing, limit).send()


class _Run:
    """One sender's work from its first chunk to its last message."""

    def __init__(self, sailing: Fleet, limit: int | None) -> None:
        self._sailing = sailing
        self._limit = limit
        self._holder = new_holder()
        self._ends_at = time.monotonic() + _RUN_S
        self._taken = 0
        # Not decided on yet, or to be decided on again.
        self._in_hand: deque[Held] = deque()
        # On the wire, oldest first.
        self._flights: deque[Flight] = deque()

    def send(self) -> int:
        """Until nothing is due, or enough was taken; how many were."""
        try:
            while self._fill():
                self._work_off()
        finally:
            # What WeChat answered is known, whatever went wrong meanwhile.
            self._land_all()
        return self._taken

    def _work_off(self) -> None:
        """What is in hand is looked at once and sent in handfuls, as long as that look is good for."""
        standing = read_standing(
            {one.member_id for one in self._in_hand},
            channels={channel for one in self._in_hand for channel in one.channels},
            importances={one.importance for one in self._in_hand},
            at=clock.now(),
        )
        looked_at = len(self._in_hand)
        while looked_at and not standing.is_stale(clock.now()):
            size = min(HANDFUL, looked_at)
            looked_at -= size
            self._work([self._in_hand.popleft() for _one in range(size)], standing)

    def _fill(self) -> bool:
        """Whether there is anything in hand; a chunk is claimed when little is left. While nothing is, what is on the wire
        is waited for: some of it may come back for another channel."""
        while True:
            if len(self._in_hand) < HANDFUL:
                self._claim()
            if self._in_hand or not self._flights:
                return bool(self._in_hand)
            self._land()

    def _claim(self) -> None:
        wanted = CHUNK if self._limit is None else min(CHUNK, self._limit - self._taken)
        if wanted > 0 and time.monotonic() < self._ends_at:
            chunk = claim_reaches(holder=self._holder, limit=wanted, at=clock.now())
            self._taken += len(chunk)
            self._in_hand.extend(chunk)

    def _work(self, handful: Sequence[Held], standing: Standing) -> None:
        """Each of these over the first channel that takes it, as the rates allow. Those that stay in hand, because what
        was known of them has become old or their channel failed, come to its end."""
        now = clock.now()
        plans = [plan_reach(held=one, standing=standing, at=now) for one in handful]
        settle(verdicts=[plan for plan in plans if isinstance(plan, Verdict)], holder=self._holder, at=now)
        left = [plan for plan in plans if isinstance(plan, Way)]
        while left:
            if any(way.channel in OUTSIDE_CHANNELS for way in left):
                self._make_room()
            now = clock.now()
            if standing.is_stale(now):
                self._in_hand.extend(way.held for way in left)
                return
            going, left, pause_s = self._permit(left, now)
            if going:
                marked = mark_ways(ways=going, policy=standing.policy, holder=self._holder, at=clock.now())
                self._depart(marked)
            elif left:
                self._land_all()
                time.sleep(pause_s)

    def _permit(self, ways: Sequence[Way], now: dt.datetime) -> tuple[list[Way], list[Way], float]:
        """Which of these may go now, which wait for a permit, and how many seconds at least. Whose channel is shut for
        longer is let go of."""
        going = [way for way in ways if way.channel not in OUTSIDE_CHANNELS]
        waiting: list[Way] = []
        pause_s = _LONGEST_WAIT_S
        by_lane: dict[tuple[int, str, str], list[Way]] = {}
        for way in ways:
            if way.channel in OUTSIDE_CHANNELS:
                by_lane.setdefault(way.lane, []).append(way)
        for some in by_lane.values():
            permits = _take_permits(some[0], len(some), now)
            going += some[: permits.count]
            if permits.count:
                waiting += some[permits.count :]
                continue
            wait_s = _wait_s(permits, now)
            if wait_s is None:
                self._give_up(some, permits, now)
            else:
                waiting += some
                pause_s = min(pause_s, wait_s)
        return going, waiting, pause_s

    def _give_up(self, ways: Sequence[Way], permits: Permits, now: dt.datetime) -> None:
        """Nothing leaves over this channel for a while: these wait, or try the next."""
        verdicts = []
        for way in ways:
            if way.held.sent_at is not None:
                verdicts.append(
                    Verdict(
                        way.held, ReachState.QUEUED, not_before=permits.wait_until, went=True, channel=way.channel
                    )
                )  # fmt: skip
            elif permits.halt_code:
                outcome = SendOutcome("halted", permits.halt_code, retry_at=permits.wait_until)
                verdicts.append(wait_or_pass(held=way.held, channel=way.channel, outcome=outcome, at=now))
            else:
                verdicts.append(Verdict(way.held, ReachState.QUEUED, not_before=permits.wait_until))
        settled = settle(verdicts=verdicts, holder=self._holder, at=now)
        self._in_hand.extend(one.held for one in verdicts if one.keeps and one.held.id in settled)

    def _make_room(self) -> None:
        """Nothing more is marked before what is on the wire nears its end."""
        if self._flights:
            self._flights[-1].wait_for_end()

    def _depart(self, ways: Sequence[Way]) -> None:
        """These leave; what left before them comes in meanwhile."""
        if ways:
            self._flights.append(self._sailing.launch(ways))
        while len(self._flights) > 1:
            self._land()

    def _land_all(self) -> None:
        while self._flights:
            self._land()

    def _land(self) -> None:
        flight = self._flights.popleft()
        self._in_hand.extend(record_outcomes(sent=flight.land(), holder=self._holder))


def _take_permits(way: Way, wanted: int, at: dt.datetime) -> Permits:
    """For so many of this way's lane: an account's channel, or texts of one purpose."""
    if way.text is not None:
        return sms_lanes.take_permits(purpose=way.text.purpose, wanted=wanted, at=at)
    return lanes.take_permits(account_id=way.account_id, channel=_LANES[way.channel], wanted=wanted, at=at)


def _wait_s(permits: Permits, now: dt.datetime) -> float | None:
    """Seconds until a permit may be due; None when that is too long to wait for."""
    if permits.halt_code or permits.wait_until is None:
        return None
    pause_s = (permits.wait_until - now).total_seconds()
    return None if pause_s > _LONGEST_WAIT_S else max(pause_s, 0.001)
