"""Campaigns as rows: launched runs with members, and purchases that follow. Rows are made by the models; nothing is sent."""

import datetime as dt
import itertools
from collections.abc import Iterable
from typing import Any

from django.apps import apps

from campaigns import services
from campaigns.models import Campaign, CampaignMember, CampaignOutcome, CampaignRun, CampaignTotal, Segment
from core import clock
from core.codes import new_public_id
from core.models import StaffAccount
from members.models import Member

DAY = dt.timedelta(days=1)
_numbers = itertools.count(1)


def make_campaign(**values: Any) -> Campaign:
    """A running campaign of the chain for a list of its own: purchases within fourteen days."""
    at, number = clock.now(), next(_numbers)
    segment = Segment.objects.create(name=f"人群{number}", kind="listed", created_at=at, changed_at=at)
    author = StaffAccount.objects.get_or_create(username="campaign-author")[0]
    given: dict[str, Any] = {
        "name": f"活动{number}",
        "kind": "coupon",
        "segment": segment,
        "author": author,
        "created_at": at,
        "changed_at": at,
        "send_from": dt.time(10),
        "send_until": dt.time(20),
        "state": "running",
    }
    return Campaign.objects.create(**(given | values))


def make_run(
    campaign: Campaign | None = None, *, launched_at: dt.datetime | None = None, **values: Any
) -> CampaignRun:
    """A run that was launched a day ago and has nobody in it."""
    campaign = campaign or make_campaign()
    launched = launched_at or clock.now() - DAY
    given: dict[str, Any] = {
        "campaign": campaign,
        "number": CampaignRun.objects.filter(campaign=campaign).count() + 1,
        "due_at": launched,
        "state": "released",
        "launched_at": launched,
        "released_at": launched,
        "window_ends_at": launched + campaign.window_days * DAY,
    }
    return CampaignRun.objects.create(**(given | values))


def put_in(run: CampaignRun, member_ids: Iterable[int], *, letter: str = "A", **values: Any) -> None:
    """These are in the run; with no letter, in its control group."""
    state = "done" if letter else "control"
    rows = [
        CampaignMember(run=run, member_id=pk, letter=letter, **({"state": state} | values))
        for pk in member_ids
    ]
    CampaignMember.objects.bulk_create(rows)
    everybody = CampaignMember.objects.filter(run=run)
    run.member_count = everybody.count()
    run.control_count = everybody.filter(state="control").count()
    run.done_count = everybody.filter(state="done").count()
    run.save(update_fields=["member_count", "control_count", "done_count"])


def make_members(count: int) -> list[int]:
    """So many members; their ids."""
    at = clock.now() - 100 * DAY
    rows = Member.objects.bulk_create(Member(source="import", registered_at=at) for _each in range(count))
    return [row.pk for row in rows]


def sell(member_ids: Iterable[int], store_id: int, *, at: dt.datetime, amount_fen: int = 10_000) -> None:
    """Each buys one thing at this moment: rows alone, for crowds. Single orders go through `tests.sales.kit`."""
    sale = apps.get_model("sales", "Sale")
    sale.objects.bulk_create(
        sale(
            source="kit", order_no=new_public_id(), digest=b"", member_id=pk, store_id=store_id, channel="store",
            sold_at=at, business_on=clock.business_day(at), list_fen=amount_fen, amount_fen=amount_fen, unit_count=1,
            recorded_at=at,
        )
        for pk in member_ids
    )  # fmt: skip


def outcome(run: CampaignRun, member_id: int) -> CampaignOutcome:
    return CampaignOutcome.objects.get(run=run, member_id=member_id)


def work(at: dt.datetime | None = None) -> None:
    """The job, as often as it takes until there is nothing to do."""
    for _round in range(3):
        services.work_outcomes(at=at)


OUTCOME_COLUMNS = tuple(
    field.attname for field in CampaignOutcome._meta.concrete_fields if field.name != "id"
)
TOTAL_COLUMNS = tuple(field.attname for field in CampaignTotal._meta.concrete_fields if field.name != "id")


def outcomes_of(run: CampaignRun) -> set[tuple[Any, ...]]:
    return set(CampaignOutcome.objects.filter(run=run).values_list(*OUTCOME_COLUMNS))


def totals_of(run: CampaignRun) -> set[tuple[Any, ...]]:
    return set(CampaignTotal.objects.filter(run=run).values_list(*TOTAL_COLUMNS))
