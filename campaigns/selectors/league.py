"""Campaigns beside each other: what each brought against its own control group, and what they brought together."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.contracts.proof import LeagueLine, LeagueQuery, LeagueSum, ProofNumbers
from campaigns.models import CampaignBook, CampaignRun
from campaigns.selectors.proof_sums import are_new, arm_of, halves, numbers_by_letter
from campaigns.selectors.uplift import compare
from core import clock
from sales.selectors.bought_sql import goods_values, purchases_sql

MOST_LINES: Final = 500
# Each purchase once: of whom it is known that she bought, and within the window of any of these runs of hers.
_TOGETHER: Final = """
WITH who AS MATERIALIZED (
    SELECT hers.member_id, run.launched_at, run.window_ends_at
    FROM campaigns_campaignoutcome hers JOIN campaigns_campaignrun run ON run.id = hers.run_id
    WHERE hers.run_id = ANY(%(run_ids)s::bigint[]) AND hers.order_count > 0 AND hers.letter <> ''
      AND hers.member_id IS NOT NULL {narrowed})
SELECT count(DISTINCT bought.member_id), count(*), coalesce(sum(bought.fen), 0)::bigint
FROM ({purchases}) bought
WHERE EXISTS (SELECT FROM who WHERE who.member_id = bought.member_id
              AND bought.sold_at >= who.launched_at AND bought.sold_at < who.window_ends_at)
"""


def list_league(query: LeagueQuery, *, at: dt.datetime | None = None) -> tuple[LeagueLine, ...]:
    """Campaigns with a run that was launched in the span, the newest first; those in which the stores have nobody are
    missing. Numbers are of the runs in the span."""
    at = at or clock.now()
    runs = list(_runs(query).select_related("campaign__region", "campaign__store"))
    by_run = numbers_by_letter([run.pk for run in runs], store_ids=query.store_ids)
    repeats = dict(CampaignBook.objects.filter(run__in=runs).values_list("pk", "repeat_count"))
    grouped: dict[int, list[CampaignRun]] = defaultdict(list)
    for run in runs:
        if by_run.get(run.pk):
            grouped[run.campaign_id].append(run)
    return tuple(_line(of_one, by_run, repeats, at) for of_one in grouped.values())


def sum_league(query: LeagueQuery) -> LeagueSum:
    """What those who were meant to get something bought in all, by whole orders."""
    runs = list(_runs(query).values_list("pk", "launched_at", "window_ends_at"))
    if not runs:
        return LeagueSum(0, 0, 0)
    narrowed = "" if query.store_ids is None else "AND hers.store_id = ANY(%(store_ids)s::bigint[])"
    purchases = purchases_sql(who="SELECT member_id FROM who", has_goods=False)
    values: dict[str, Any] = {
        "run_ids": [pk for pk, _launched, _ends in runs],
        "from_at": min(launched for _pk, launched, _ends in runs if launched),
        "until_at": max(ends for _pk, _launched, ends in runs if ends),
        "store_ids": list(query.store_ids or ()),
        **goods_values((), (), 0),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOGETHER.format(narrowed=narrowed, purchases=purchases), values)
        return LeagueSum(*cursor.fetchone())


def _runs(query: LeagueQuery) -> QuerySet[CampaignRun]:
    rows = CampaignRun.objects.filter(
        launched_at__gte=clock.day_bounds(query.since)[0],
        launched_at__lt=clock.day_bounds(query.until)[1],
        window_ends_at__isnull=False,
    )
    if query.kind:
        rows = rows.filter(campaign__kind=query.kind)
    if query.goal:
        rows = rows.filter(campaign__goal=query.goal)
    if query.scope:
        rows = rows.filter(
            campaign__region__isnull=query.scope != "region", campaign__store__isnull=query.scope != "store"
        )
    return rows.order_by("-launched_at", "-pk")[:MOST_LINES]


def _line(
    runs: Collection[CampaignRun],
    by_run: dict[int, dict[str, ProofNumbers]],
    repeats: dict[int, int],
    at: dt.datetime,
) -> LeagueLine:
    treated, control = ProofNumbers(), ProofNumbers()
    for run in runs:
        hers, others = halves(by_run[run.pk])
        treated, control = treated + hers, control + others
    campaign = next(iter(runs)).campaign
    is_open = any(run.window_ends_at is not None and run.window_ends_at > at for run in runs)
    earliest = min(runs, key=lambda run: run.number)
    seen_before = sum(repeats.get(run.pk, 0) for run in runs if run is not earliest)
    return LeagueLine(
        campaign_id=campaign.pk,
        name=campaign.name,
        kind=campaign.kind,
        goal=campaign.goal,
        owner=_owner(campaign),
        run_count=len(runs),
        is_open=is_open,
        treated=treated,
        control=control,
        uplift=compare(
            arm_of(treated, campaign.goal),
            arm_of(control, campaign.goal),
            is_open=is_open,
            may_judge=are_new(treated.member_count + control.member_count, seen_before),
        ),
    )


def _owner(campaign: Any) -> str:
    place = campaign.store or campaign.region
    return str(place.name) if place is not None else _("总部")
