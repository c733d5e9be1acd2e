"""What came of the demo campaigns' messages: most arrived, some were opened, a few members turned away. The same every time but
for `at`."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from campaigns.selectors.campaign_clicks import click_token
from campaigns.services.running.clicks import note_click
from config.demo.reach_log import Reachable, inbox_message, list_reachable, send_over
from core.actor import Actor
from members import selectors as member_selectors
from members import services as member_services

_DICE_SEED: Final = 1129
# Of those whom a message reached over this channel, how many open what it leads to. Over what guides pass on nobody can.
_OPENED: Final = {"subscription": 0.34, "template": 0.22, "service_message": 0.3, "sms": 0.07, "inbox": 0.45}
_OPENED_AFTER: Final = dt.timedelta(hours=7)  # on average
_TURNED_AWAY: Final = 0.02
_NOBODY: Final = Reachable(
    0, is_following=False, has_openid=False, has_mini=False, has_phone=False, has_guide=False
)


def deliver_and_open(*, campaign_id: int, at: dt.datetime) -> int:
    """The messages of a campaign that ran have gone out as any of those days did, and what was opened until `at` is noted; how
    many were."""
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents people's minds, keeps no secret)
    rows, inbox = (apps.get_model("campaigns", name).objects for name in ("CampaignMember", "InboxMessage"))
    places = list(
        rows.filter(run__campaign_id=campaign_id, reach_id__isnull=False).order_by("member_id", "pk")
    )
    sent = _deliver(dice, [place.reach_id for place in places])
    opened = 0
    for place in places:
        row = sent.get(place.reach_id)
        if row is None:
            continue
        opened_at = row.sent_at + _OPENED_AFTER * dice.expovariate(1)
        if dice.random() < _OPENED.get(row.channel, 0) and opened_at < at:
            inbox.filter(reason_key=row.reason_key, read_at=None).update(read_at=opened_at)
            opened += note_click(token=click_token(place.pk), member_id=place.member_id, at=opened_at)
        elif dice.random() < _TURNED_AWAY:
            _turn_away(place.member_id, min(at, row.sent_at + dt.timedelta(hours=dice.uniform(0.1, 60))))
    return opened


def _deliver(dice: random.Random, reach_ids: list[int]) -> dict[int, Any]:
    """Those that arrived, by id; the others say why not."""
    reach, inbox = apps.get_model("campaigns", "Reach"), apps.get_model("campaigns", "InboxMessage")
    people = {member.id: member for member in list_reachable()}
    agreed = set(member_selectors.may_reach_ids())
    rows = list(reach.objects.filter(pk__in=reach_ids, state="queued").order_by("pk"))
    for row in rows:
        row.attempt_count = 1
        if row.member_id in agreed:
            member = people.get(row.member_id, _NOBODY)
            then = row.queued_at + dt.timedelta(seconds=dice.uniform(1, 1_200))
            send_over(dice, row, member, row.channels.split(","), then, loses=False)
        else:
            row.state, row.code, row.attempt_count = "skipped", "no_consent", 0
            row.finished_at = row.queued_at + dt.timedelta(seconds=3)
    reach.objects.bulk_update(
        rows,
        ["state", "channel", "step", "code", "tries", "attempt_count", "message_id", "segment_count",
         "cost_hundredths", "sent_at", "finished_at"],
    )  # fmt: skip
    sent = {row.pk: row for row in rows if row.state in ("sent", "delivered")}
    inbox.objects.bulk_create(
        inbox_message(dice, inbox, row) for row in sent.values() if row.channel == "inbox"
    )
    return sent


def _turn_away(member_id: int, at: dt.datetime) -> None:
    member_services.withdraw_consent(
        member_id=member_id, kind="marketing", door="mini_program", actor=Actor.member(member_id), at=at
    )
