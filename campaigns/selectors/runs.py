"""Runs as pages show them: how far, how fast, until when."""

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from campaigns.contracts.runs import RUN_WORDS, RunCard
from campaigns.models import CampaignRun, RunState
from core import clock
from core.compiled import ask
from core.errors import Refusal

# The rate is that of the last minute. Notes come every quarter of one while the run goes on; what lies further apart than
# this is before and after a standstill.
_LOOK_BACK: Final = dt.timedelta(minutes=1)
_STANDSTILL: Final = dt.timedelta(minutes=2)
_REACHES: Final = """
SELECT state, count(*), count(*) FILTER (WHERE state = 'queued' AND not_before = expires_at), sum(held_hundredths)
FROM campaigns_reach
WHERE id IN (SELECT unnest(array_append(other_reach_ids, reach_id)) FROM campaigns_campaignmember
             WHERE run_id = %(run)s)
GROUP BY state
"""
# From the queue's side, which is short: a run may have a million members.
_QUEUED: Final = """
SELECT count(*) FROM campaigns_reach reach
WHERE reach.state = 'queued' AND reach.sent_at IS NULL AND EXISTS (
    SELECT FROM campaigns_campaignmember place
    WHERE place.run_id = ANY(%(runs)s::bigint[]) AND place.member_id = reach.member_id
      AND (place.reach_id = reach.id OR reach.id = ANY(place.other_reach_ids)))
"""


def list_runs(campaign_id: int, *, limit: int = 20) -> tuple[RunCard, ...]:
    """The newest runs of the campaign."""
    rows = CampaignRun.objects.filter(campaign_id=campaign_id).order_by("-number")[:limit]
    return tuple(run_card(row) for row in rows)


def count_queued_messages(campaign_id: int) -> int:
    """How many messages of the campaign lie in the queue and have not left."""
    runs = CampaignRun.objects.filter(campaign_id=campaign_id, launched_at__isnull=False)
    [(count,)] = ask(_QUEUED, {"runs": list(runs.values_list("pk", flat=True))})
    return int(count)


def run_card(row: CampaignRun, *, with_reaches: bool = False, at: dt.datetime | None = None) -> RunCard:
    """How it stands. Messages by state are counted only on demand: that takes a second or two for a million."""
    at = at or clock.now()
    # Rows of a stopped run are written afterwards: its numbers say it at once.
    left = row.member_count - row.control_count - row.done_count - row.refused_count
    stretch = _stretch(row, at) if row.state == RunState.RELEASING else []
    rate = _rate(row, stretch, at)
    finishes_at = at + dt.timedelta(minutes=left / rate) if rate else None
    reaches = ask(_REACHES, {"run": row.pk}) if with_reaches else []
    return RunCard(
        id=row.pk,
        number=row.number,
        state=row.state,
        due_at=row.due_at,
        launched_at=row.launched_at,
        released_at=row.released_at,
        code=row.code,
        member_count=row.member_count,
        control_count=row.control_count,
        done_count=row.done_count,
        refused_count=row.refused_count,
        stopped_count=max(0, left) if row.state == RunState.STOPPED else 0,
        clicked_count=row.clicked_count,
        spent_fen=row.spent_fen,
        rate_per_min=round(rate) if rate else None,
        finishes_at=finishes_at,
        has_just_begun=len(stretch) == 1,
        reaches={state: count for state, count, _held, _money in reaches},
        held_count=sum(held for _state, _count, held, _money in reaches),
        text_hundredths=row.text_hundredths,
        held_hundredths=int(sum(money or 0 for _state, _count, _held, money in reaches)),
    )


def _stretch(row: CampaignRun, at: dt.datetime) -> list[tuple[dt.datetime, int]]:
    """How many had had their turn when, oldest first, since the run last stood still; empty while it does."""
    noted = [(dt.datetime.fromisoformat(moment), count) for moment, count in row.paces]
    # One later than now was noted before the clock was set back.
    noted = [one for one in noted if one[0] <= at]
    stretch: list[tuple[dt.datetime, int]] = []
    later = at
    for one in reversed(noted):
        if later - one[0] > _STANDSTILL:
            break
        stretch.insert(0, one)
        later = one[0]
    return stretch


def _rate(row: CampaignRun, stretch: Sequence[tuple[dt.datetime, int]], at: dt.datetime) -> float | None:
    """Members a minute, of about the last one; None while nobody has her turn.

    A stretch begins with a burst: the queue is empty and takes its few thousand at once. So its first note is no measure, and
    by the second the burst is over.
    """
    base = next((one for one in reversed(stretch[1:]) if one[0] <= at - _LOOK_BACK), None)
    begun, count = base or (stretch[1] if len(stretch) > 1 else (at, 0))
    minutes = (at - begun).total_seconds() / 60
    more = row.done_count + row.refused_count - count
    return more / minutes if minutes > 0 and more > 0 else None


def run_words(code: str) -> str:
    """Why she got nothing, or a run stopped."""
    return str(RUN_WORDS.get(code) or refusal_words().get(code, code))


@cache
def refusal_words() -> dict[str, Any]:
    """The sentences of what acts refuse, by code."""
    return {kind.code: kind.sentence for kind in _kinds(Refusal)}


def _kinds(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
