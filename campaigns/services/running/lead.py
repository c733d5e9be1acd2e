"""Reaches of a run that have not left yet. Only a few thousand of a run lie in the queue, so that it can be held back or
stopped at once, and others' messages do not wait behind it."""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Final

from campaigns.models import CampaignRun
from campaigns.selectors.tally import LONGEST_LIFE
from campaigns.services.telling import take_back
from core.compiled import ask

# So many of one run wait to be sent at most: some seconds' work of the senders.
MOST_QUEUED: Final = 5_000
# What others have in the queue is looked through up to here; behind a longer queue a run waits.
_LOOK_THROUGH: Final = 50_000
_OF_RUN: Final = re.compile(r"act:camp:([0-9]{1,18}):")
_COUNT: Final = """
WITH queued AS MATERIALIZED (SELECT reason_key FROM campaigns_reach WHERE state = 'queued' LIMIT %(most)s)
SELECT (SELECT count(*) FROM queued), count(*) FROM queued WHERE starts_with(reason_key, %(prefix)s)
"""
_KEYS: Final = """
WITH queued AS MATERIALIZED (SELECT reason_key FROM campaigns_reach WHERE state = 'queued' AND sent_at IS NULL)
SELECT reason_key FROM queued, unnest(%(prefixes)s::text[]) AS prefix WHERE starts_with(reason_key, prefix)
"""
# Out of the hands of whoever is about to send it: only what was marked as under way goes out.
_HOLD: Final = """
WITH queued AS MATERIALIZED (
    SELECT id, reason_key FROM campaigns_reach WHERE state = 'queued' AND sent_at IS NULL AND not_before < expires_at),
held AS (SELECT id FROM queued, unnest(%(prefixes)s::text[]) AS prefix WHERE starts_with(reason_key, prefix))
UPDATE campaigns_reach reach SET not_before = expires_at, lease_holder = '', leased_until = NULL
FROM held WHERE reach.id = held.id AND reach.state = 'queued' AND reach.sent_at IS NULL
RETURNING reach.id
"""
_LET_GO: Final = """
WITH queued AS MATERIALIZED (
    SELECT id, reason_key FROM campaigns_reach WHERE state = 'queued' AND not_before = expires_at),
held AS (SELECT id FROM queued, unnest(%(prefixes)s::text[]) AS prefix WHERE starts_with(reason_key, prefix))
UPDATE campaigns_reach reach SET not_before = %(at)s::timestamptz
FROM held WHERE reach.id = held.id AND reach.state = 'queued' AND reach.not_before = reach.expires_at
RETURNING reach.id
"""


def reason_prefix(run_id: int) -> str:
    """What the reasons of a run's reaches begin with."""
    return f"act:camp:{run_id}:"


def run_id_of(reason_key: str) -> int | None:
    """The run whose reach has this reason; None for what no run said."""
    found = _OF_RUN.match(reason_key)
    return int(found[1]) if found else None


def room_for(run_id: int) -> int:
    """How many more reaches of the run may be queued now."""
    [(looked_through, of_run)] = ask(_COUNT, {"most": _LOOK_THROUGH, "prefix": reason_prefix(run_id)})
    return 0 if looked_through >= _LOOK_THROUGH else max(0, MOST_QUEUED - of_run)


def hold_reaches(*, campaign_ids: Iterable[int], at: dt.datetime) -> int:
    """What is queued of these campaigns does not leave before it is let go, and lapses when its time is over; how many."""
    return _of(campaign_ids, _HOLD, at)


def let_go_reaches(*, campaign_ids: Iterable[int], at: dt.datetime) -> int:
    """What was held back of these may leave; how many."""
    return _of(campaign_ids, _LET_GO, at, at=at)


def take_back_reaches(*, campaign_ids: Iterable[int], at: dt.datetime) -> int:
    """What is queued of these campaigns is not sent; how many."""
    prefixes = list(reason_prefixes(campaign_ids=campaign_ids, at=at).values())
    keys = ask(_KEYS, {"prefixes": prefixes}) if prefixes else []
    return take_back(reason_keys=[key for (key,) in keys], at=at) if keys else 0


def _of(campaign_ids: Iterable[int], statement: str, now: dt.datetime, **values: Any) -> int:
    prefixes = list(reason_prefixes(campaign_ids=campaign_ids, at=now).values())
    return len(ask(statement, {"prefixes": prefixes, **values})) if prefixes else 0


def reason_prefixes(*, campaign_ids: Iterable[int], at: dt.datetime) -> dict[int, str]:
    """Of the runs whose reaches may still be under way, by run: a run may wait for months before its last are queued."""
    runs = CampaignRun.objects.filter(campaign_id__in=list(campaign_ids), launched_at__isnull=False)
    runs = runs.exclude(released_at__lte=at - 2 * LONGEST_LIFE)
    return {pk: reason_prefix(pk) for pk in runs.values_list("pk", flat=True)}
