"""What a batch costs, whom the budget pays for, and what messages that are over give back.

A message that may go as a text has the most that can cost put by when it is queued; no dearer one is sent
(`campaigns.services.planning`). When the message is over, what its text did cost is spent and the rest is free again.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction

from campaigns.contracts.acts import Act
from campaigns.models import Campaign, CampaignMemberState, CampaignRun
from campaigns.selectors.acts import DEFAULT_TOPIC
from campaigns.selectors.policy import list_topic_terms
from campaigns.selectors.text_standing import text_cost_at_most
from campaigns.services.running.batches import Place
from campaigns.services.running.lead import reason_prefixes
from core import clock
from core.compiled import ask
from coupons import selectors as coupon_selectors
from members import selectors as member_selectors

# WeChat tells within seconds that a message did not arrive, and then the next channel is tried, which may be a text.
_MAY_COME_BACK: Final = dt.timedelta(hours=1)
_SETTLE: Final = """
WITH over AS MATERIALIZED (
    SELECT reach.id, reach.held_hundredths AS held, reach.cost_hundredths AS cost, run.id AS run_id
    FROM campaigns_reach reach
        JOIN unnest(%(runs)s::bigint[], %(prefixes)s::text[]) AS run (id, prefix) ON starts_with(reach.reason_key, run.prefix)
    WHERE reach.held_hundredths > 0 AND reach.finished_at IS NOT NULL
      AND (reach.state <> 'sent' OR reach.channel NOT IN ('template', 'subscription')
           OR reach.sent_at < %(trusted)s::timestamptz)
    ORDER BY reach.id FOR NO KEY UPDATE OF reach SKIP LOCKED),
freed AS (
    UPDATE campaigns_reach reach SET held_hundredths = 0 FROM over WHERE reach.id = over.id
    RETURNING over.run_id, over.held, over.cost)
SELECT run_id, sum(held)::bigint, sum(cost)::bigint, sum(greatest(0, cost - held))::bigint FROM freed GROUP BY run_id
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """What one member's acts cost at most: her coupons in fen, her text in hundredths of a fen."""

    coupon_fen: int
    text_hundredths: int

    def of(self, place: Place) -> int:
        """What is still to be spent on her, in hundredths of a fen: what she has already is paid for."""
        if place.state != CampaignMemberState.DONE:
            return 0
        coupon = self.coupon_fen * 100 if place.coupon_id is None else 0
        return coupon + (place.text_hundredths if place.reach_id is None else 0)


def cost_of(acts: Sequence[Act]) -> Cost:
    """Of a variant's acts, as prices and templates are now."""
    batches = {act.values["batch"] for act in acts if act.kind == "coupon"}
    coupon_fen = sum(coupon_selectors.list_batch_costs(batches).values()) if batches else 0
    return Cost(coupon_fen, sum(_text_cost(act) for act in acts if act.kind == "reach"))


def _text_cost(act: Act) -> int:
    topic = act.values.get("topic", DEFAULT_TOPIC)
    channels = act.values.get("channels") or list_topic_terms()[topic].channels
    return text_cost_at_most(topic=topic, channels=channels)


def affordable(*, campaign: Campaign, places: Sequence[Place], cost: Cost) -> list[Place]:
    """The first of them whose coupons and texts the budget pays for, if each gets one; no text is put by for who has no
    phone. Nobody else spends meanwhile: the campaign's row is locked, and the CHECK holds whatever happens."""
    if cost.text_hundredths:
        phoned = member_selectors.with_phone_ids({place.member_id for place in places})
        for place in places:
            place.text_hundredths = cost.text_hundredths if place.member_id in phoned else 0
    if campaign.budget_fen is None or not (cost.coupon_fen or cost.text_hundredths):
        return list(places)
    left = campaign.budget_fen * 100 - campaign.used_hundredths
    fit: list[Place] = []
    for place in places:
        price = cost.of(place)
        if price > left:
            continue
        left -= price
        fit.append(place)
    return fit


def settle_texts(*, campaign_id: int, at: dt.datetime | None = None) -> None:
    """What is put by for the campaign's messages that are over is spent or free again. Nothing happens while somebody else
    has the campaign in hand.

    Locks: Campaign → CampaignRun → Reach, of which only those that nobody holds, so that merges, which hold reaches first, are
    never waited for with one in hand.
    """
    at = at or clock.now()
    with transaction.atomic():
        for campaign in Campaign.objects.filter(pk=campaign_id, held_hundredths__gt=0).claim(1):
            prefixes = reason_prefixes(campaign_ids=[campaign.pk], at=at)
            runs = {run.pk: run for run in CampaignRun.objects.filter(pk__in=prefixes).lock_rows()}
            values = {
                "runs": list(prefixes),
                "prefixes": list(prefixes.values()),
                "trusted": at - _MAY_COME_BACK,
            }
            _book(campaign, runs.values(), ask(_SETTLE, values))


def _book(campaign: Campaign, runs: Iterable[CampaignRun], freed: Sequence[Sequence[int]]) -> None:
    spent = {run_id: cost for run_id, _held, cost, _over in freed}
    for run in runs:
        if spent.get(run.pk):
            run.text_hundredths += spent[run.pk]
            run.save(update_fields=["text_hundredths"])
    if freed:
        campaign.text_hundredths += sum(spent.values())
        campaign.held_hundredths -= sum(held for _run_id, held, _cost, _over in freed)
        campaign.over_hundredths += sum(over for _run_id, _held, _cost, over in freed)
        campaign.save(update_fields=["text_hundredths", "held_hundredths", "over_hundredths"])


def settle_campaigns(*, at: dt.datetime | None = None) -> None:
    """The same of every campaign that has something put by, also of those that are over."""
    for pk in list(
        Campaign.objects.filter(held_hundredths__gt=0).order_by("pk").values_list("pk", flat=True)
    ):
        settle_texts(campaign_id=pk, at=at)
