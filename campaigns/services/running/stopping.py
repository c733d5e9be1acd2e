"""A campaign is stopped in mid-send: what waits gets nothing, and what is queued is taken back."""

import dataclasses
import datetime as dt
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from campaigns.models import Campaign, CampaignMember, CampaignMemberState, CampaignRun, RunState
from campaigns.services.running.lead import take_back_reaches
from core.compiled import ask

_SLICE: Final = 20_000
_STOP: Final = """
UPDATE campaigns_campaignmember row SET state = 'stopped', code = '', not_before = NULL
FROM (SELECT id FROM campaigns_campaignmember WHERE run_id = %(run)s AND state = 'waiting'
      ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED) AS waiting
WHERE row.id = waiting.id
RETURNING row.id
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Stopped:
    """How many queued messages were taken back, and how many members were still to have their turn."""

    taken_back_count: int
    waiting_count: int


def stop_runs(campaign: Campaign, *, code: str = "", at: dt.datetime) -> Stopped:
    """Nothing more comes of the campaign's runs; messages that had not left are taken back. The caller has locked the campaign
    and ends it in the same transaction. Rows of a million members are written afterwards, in slices (`sweep_stopped`)."""
    open_runs = CampaignRun.objects.open().filter(campaign=campaign)
    waiting = 0
    for run in open_runs.lock_rows():
        waiting += run.member_count - run.control_count - run.done_count - run.refused_count
        run.state, run.code, run.released_at = RunState.STOPPED, code, at
        run.save(update_fields=["state", "code", "released_at"])
    return Stopped(take_back_reaches(campaign_ids=[campaign.pk], at=at), waiting)


def sweep_stopped() -> int:
    """Members who waited in runs that were stopped wait no more; how many."""
    waiting = CampaignMember.objects.filter(run=OuterRef("pk"), state=CampaignMemberState.WAITING)
    stopped, swept = CampaignRun.objects.filter(Exists(waiting), state=RunState.STOPPED), 0
    for run_id in list(stopped.values_list("pk", flat=True)):
        while True:
            with transaction.atomic():
                rows = ask(_STOP, {"run": run_id, "limit": _SLICE})
            swept += len(rows)
            if len(rows) < _SLICE:
                break
    return swept
