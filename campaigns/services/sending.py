"""Sending what is due: the database is the queue, Celery only wakes whoever works at it.

A chunk of rows is leased at once, decided on and sent in handfuls. What goes out is marked before and settled after, a
handful in a statement. A dead sender leaves at most one handful in doubt; the rest of its chunk is taken over when the
lease ends.
"""

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from campaigns.contracts import WECHAT_CHANNELS
from campaigns.contracts import topics as names
from campaigns.models import ReachState
from campaigns.selectors.policy import Policy
from campaigns.selectors.standing import read_standing
from campaigns.services.fleet import Fleet, fleet
from campaigns.services.judging import record_outcomes, wait_or_pass
from campaigns.services.marking import mark_ways
from campaigns.services.planning import Way, plan_reach
from campaigns.services.rescuing import rescue_stuck_reaches
from campaigns.services.rows import Held, Verdict, claim_reaches, new_holder, settle
from core import clock
from core.outside import refuse_open_transaction
from wechat.contracts import Channel, Permits, SendOutcome
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
    holder = new_holder()
    ends_at = time.monotonic() + _RUN_S
    taken = 0
    with fleet() as sailing:
        while (limit is None or taken < limit) and time.monotonic() < ends_at:
            wanted = CHUNK if limit is None else min(CHUNK, limit - taken)
            chunk = claim_reaches(holder=holder, limit=wanted, at=clock.now())
            if not chunk:
                break
            taken += len(chunk)
            for start in range(0, len(chunk), HANDFUL):
                _work(chunk[start : start + HANDFUL], holder, sailing)
    return taken


def _work(handful: Iterable[Held], holder: str, sailing: Fleet) -> None:
    """Each of these over the first channel that takes it, wave after wave."""
    in_hand = list(handful)
    while in_hand:
        now = clock.now()
        standing = read_standing([one.member_id for one in in_hand], at=now)
        plans = [plan_reach(held=one, standing=standing, at=now) for one in in_hand]
        settle(verdicts=[plan for plan in plans if isinstance(plan, Verdict)], holder=holder, at=now)
        ways = [plan for plan in plans if isinstance(plan, Way)]
        inside = [way for way in ways if way.channel not in WECHAT_CHANNELS]
        if inside:
            mark_ways(ways=inside, policy=standing.policy, holder=holder, at=now)
        by_lane: dict[tuple[int, str], list[Way]] = defaultdict(list)
        for way in ways:
            if way.channel in WECHAT_CHANNELS:
                by_lane[(way.account_id, way.channel)].append(way)
        in_hand = []
        for (account_id, channel), some in by_lane.items():
            lane = _Lane(account_id, channel, holder, sailing)
            in_hand += lane.send(some, standing.policy)


class _Lane:
    """One account's channel: as many at once as there are permits for."""

    def __init__(self, account_id: int, channel: str, holder: str, sailing: Fleet) -> None:
        self._account_id = account_id
        self._channel = channel
        self._holder = holder
        self._sailing = sailing

    def send(self, ways: Sequence[Way], policy: Policy) -> list[Held]:
        """All of them as the rate allows; those that stay in hand for another channel."""
        left = list(ways)
        passing: list[Held] = []
        while left:
            now = clock.now()
            permits = lanes.take_permits(
                account_id=self._account_id, channel=_LANES[self._channel], wanted=len(left), at=now
            )
            if permits.count == 0:
                if not self._waits(permits, now):
                    return passing + self._give_up(left, permits, now)
                continue
            now_going, left = left[: permits.count], left[permits.count :]
            marked = mark_ways(ways=now_going, policy=policy, holder=self._holder, at=clock.now())
            outcomes = self._sailing.send(marked)
            passing += record_outcomes(sent=list(zip(marked, outcomes, strict=True)), holder=self._holder)
        return passing

    def _waits(self, permits: Permits, now: dt.datetime) -> bool:
        """Slept until a permit may be due; False when that would take too long."""
        if permits.halt_code or permits.wait_until is None:
            return False
        pause_s = (permits.wait_until - now).total_seconds()
        if pause_s > _LONGEST_WAIT_S:
            return False
        time.sleep(max(pause_s, 0.001))
        return True

    def _give_up(self, ways: Sequence[Way], permits: Permits, now: dt.datetime) -> list[Held]:
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
        return [one.held for one in verdicts if one.keeps and one.held.id in settled]
