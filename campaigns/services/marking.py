"""The last moment before a reach goes out: under the turn of its member it is held against the caps once more, uses up
what it needs, and is marked. What goes into our own tables goes there in the same transaction.

Two workers with two reaches of one member would otherwise both find her below her cap.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction

from campaigns.contracts import OUTSIDE_CHANNELS
from campaigns.contracts import topics as names
from campaigns.models import InboxMessage, ReachState
from campaigns.selectors.policy import Policy
from campaigns.selectors.standing import GrantKey
from campaigns.selectors.tally import Tally, count_sent
from campaigns.services.grants import take_grants
from campaigns.services.planning import Way
from campaigns.services.rows import Verdict, mark_sending, settle
from core import clock
from core.compiled import ask
from guides import services as guide_services
from guides.contracts import FollowUpOrder

# Members take turns by the last digits of their id: a lock for each would be too many.
_TURN_LOCK: Final = 7_302_045
_TURNS: Final = 256
_TAKE_TURNS: Final = (
    "SELECT pg_advisory_xact_lock(%(lock)s::int, turn::int) FROM unnest(%(turns)s::bigint[]) AS turn"
)
_LOCK_OURS: Final = """
SELECT id, member_id FROM campaigns_reach
WHERE id = ANY(%(ids)s::bigint[]) AND state = 'queued' AND lease_holder = %(holder)s
ORDER BY id FOR NO KEY UPDATE
"""
# A guide has some days for it, if the news lasts so long.
_DAYS_TO_DO: Final = dt.timedelta(days=3)


def mark_ways(*, ways: Sequence[Way], policy: Policy, holder: str, at: dt.datetime) -> list[Way]:
    """Of these the ones that somebody outside is to be asked for now; they are marked as under way. What goes into our own tables
    is done. Those that lost a race (a cap, a consent, a guide) wait to be looked at again."""
    with transaction.atomic():
        take_turns(way.member_id for way in ways)
        whose = _lock_ours(ways, holder)
        counted = {way.member_id for way in ways if way.held.importance != "must"}
        tally = count_sent(counted, at=at) if counted and policy.caps else Tally()
        fit: list[Way] = []
        lost: list[Way] = []
        for way in ways:
            if way.held.id not in whose:
                continue
            is_repeat = way.held.sent_at is not None
            is_another = whose[way.held.id] != way.held.member_id  # merged or parted since
            is_over = tally.is_over(policy.caps, way.member_id, way.channel, way.held.importance)
            if not is_repeat and (is_another or is_over):
                lost.append(way)
                continue
            if not is_repeat:
                tally.add(way.member_id, way.channel, way.held.importance)
            fit.append(way)
        fit, unable = _use_up(fit, at)
        outside = [way for way in fit if way.channel in OUTSIDE_CHANNELS]
        inside, undone = _do_inside([way for way in fit if way.channel not in OUTSIDE_CHANNELS], holder, at)
        marked = mark_sending(held=[(way.held, way.channel) for way in outside], holder=holder, at=at)
        settle(
            verdicts=[*inside, *(_again(way, at) for way in (*lost, *unable, *undone))], holder=holder, at=at
        )
    return [way for way in outside if way.held.id in marked]


def take_turns(member_ids: Iterable[int]) -> None:
    """Whoever marks for one of these members waits until the caller's transaction ends; in one order, so that nobody
    waits in a ring."""
    ask(_TAKE_TURNS, {"lock": _TURN_LOCK, "turns": sorted({member_id % _TURNS for member_id in member_ids})})


def _lock_ours(ways: Sequence[Way], holder: str) -> dict[int, int]:
    """Those that nobody has taken away, and whose they are by now."""
    return dict(ask(_LOCK_OURS, {"ids": [way.held.id for way in ways], "holder": holder}))


def _use_up(ways: Sequence[Way], at: dt.datetime) -> tuple[list[Way], list[Way]]:
    """Those that need a consent use one up; who found none left is among the second."""
    wanted: dict[GrantKey, str] = {}
    first: dict[GrantKey, Way] = {}
    for way in ways:
        if way.grant is not None and way.grant not in wanted:
            wanted[way.grant] = grant_key(way=way, attempt=way.held.attempt_count + 1)
            first[way.grant] = way
    taken = take_grants(wanted=wanted, at=at) if wanted else set()
    fit: list[Way] = []
    unable: list[Way] = []
    for way in ways:
        is_able = way.grant is None or (way.grant in taken and first[way.grant] is way)
        (fit if is_able else unable).append(way)
    return fit, unable


def grant_key(*, way: Way, attempt: int) -> str:
    """Under which the attempt uses up her consent, and gives it back."""
    return f"reach:{way.held.id}:{attempt}"


def _do_inside(ways: Sequence[Way], holder: str, at: dt.datetime) -> tuple[list[Verdict], list[Way]]:
    """What these became, and those whose member lost her guide this moment."""
    follow_ups = [way for way in ways if way.channel == names.FOLLOW_UP]
    keys = guide_services.assign_follow_ups(
        orders=[_follow_up(way, at) for way in follow_ups], at=at
    ) if follow_ups else set()  # fmt: skip
    undone = [way for way in follow_ups if _source_key(way) not in keys]
    done = [way for way in ways if way not in undone]
    InboxMessage.objects.bulk_create(
        [
            InboxMessage(
                member_id=way.member_id,
                topic=way.held.topic,
                title=way.held.content["title"],
                text=way.held.content["text"],
                page=way.held.content["page"],
                reason_key=way.held.reason_key,
                sent_at=at,
            )
            for way in done
            if way.channel == names.INBOX
        ],
        ignore_conflicts=True,
    )
    return [Verdict(way.held, ReachState.SENT, went=True, channel=way.channel) for way in done], undone


def _follow_up(way: Way, at: dt.datetime) -> FollowUpOrder:
    asked = way.held.content.get("due_on")
    soon = clock.business_day(at) + _DAYS_TO_DO
    last = dt.date.fromisoformat(asked) if asked else min(clock.business_day(way.held.expires_at), soon)
    return FollowUpOrder(
        member_id=way.member_id,
        topic=way.held.topic,
        title=way.held.content["title"],
        script=way.held.content["text"],
        due_on=last,
        source_key=_source_key(way),
        reason_key=way.held.content.get("first_reason", way.held.reason_key),
    )


def _source_key(way: Way) -> str:
    return f"reach:{way.held.id}"


def _again(way: Way, at: dt.datetime) -> Verdict:
    return Verdict(way.held, ReachState.QUEUED, not_before=at)
