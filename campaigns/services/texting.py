"""Reaches by text message: sending one, what it cost, what the provider and its recipients said afterwards."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction

from campaigns.contracts import topics as names
from campaigns.models import Reach, ReachState
from campaigns.services.delivering import write_delivery
from campaigns.services.planning import Way
from core.actor import Actor
from core.errors import NotFound, Unavailable
from members import selectors as member_selectors
from members import services as member_services
from members.errors import ConsentNotGiven, NoSuchConsentKind
from sms import services as sms_services
from sms.contracts import LostReports, Spending
from wechat.contracts import SendOutcome

# Some carriers tell after three days.
_TOLD_WITHIN: Final = dt.timedelta(days=4)
_REFERENCE: Final = "reach:"
_COST: Final = """
UPDATE campaigns_reach reach
SET segment_count = reach.segment_count + sent.segments, cost_hundredths = reach.cost_hundredths + sent.cost
FROM unnest(%(ids)s::bigint[], %(segments)s::int[], %(costs)s::int[]) AS sent (id, segments, cost)
WHERE reach.id = sent.id
"""


@dataclasses.dataclass(frozen=True, slots=True)
class TextOutcome(SendOutcome):
    """What came of one text, and what stands on the bill for it."""

    segment_count: int = 0
    cost_hundredths: int = 0


def send_by_text(way: Way) -> TextOutcome:
    """The provider was asked once."""
    assert way.text is not None
    told = sms_services.send_text(phone=way.phone, text=way.text, reference=f"{_REFERENCE}{way.held.id}")
    return TextOutcome(
        told.state,
        told.code,
        message_id=told.message_id,
        retry_at=told.retry_at,
        segment_count=told.segment_count,
        cost_hundredths=told.cost_hundredths,
    )


def note_costs(sent: Sequence[tuple[Way, SendOutcome]]) -> None:
    """What these texts cost stands on their reaches, whatever becomes of them afterwards. In a transaction."""
    billed = [
        (way.held.id, outcome)
        for way, outcome in sent
        if isinstance(outcome, TextOutcome) and outcome.segment_count
    ]
    if not billed:
        return
    values: dict[str, Any] = {
        "ids": [reach_id for reach_id, _outcome in billed],
        "segments": [outcome.segment_count for _id, outcome in billed],
        "costs": [outcome.cost_hundredths for _id, outcome in billed],
    }
    with connection.cursor() as cursor:
        cursor.execute(_COST, values)
    sms_services.note_spending(
        spent=[
            Spending(
                way.text.purpose,
                way.text.code,
                way.held.topic,
                outcome.segment_count,
                outcome.cost_hundredths,
            )
            for way, outcome in sent
            if isinstance(outcome, TextOutcome) and outcome.segment_count and way.text is not None
        ]
    )


def note_text_report(*, message_id: str, reference: str, is_delivered: bool, at: dt.datetime) -> None:
    """The text arrived, or it did not: then the next channel of its chain is tried. Raises Unavailable for one that no reach
    has, yet or at all.

    A report that names our reference also ends the doubt about one whose answer got lost.
    """
    with transaction.atomic():
        texts = Reach.objects.filter(channel=names.SMS, sent_at__gt=at - _TOLD_WITHIN)
        rows = texts.filter(message_id=message_id).lock_rows()
        number = reference.removeprefix(_REFERENCE)
        if not rows and reference.startswith(_REFERENCE) and number.isascii() and number.isdigit():
            rows = texts.filter(pk=int(number[:18]), state=ReachState.UNCERTAIN).lock_rows()
        if not rows:
            raise Unavailable
        [row] = rows
        if row.state == ReachState.UNCERTAIN and not row.message_id:
            row.message_id = message_id
            row.save(update_fields=["message_id"])
        if row.state in (ReachState.SENT, ReachState.UNCERTAIN):
            write_delivery(row, is_delivered=is_delivered, code="sms.not_delivered", at=at)


def note_opt_out(*, reply_id: int) -> bool:
    """Who answered a text that she wants no more of them takes back her consent to marketing; False when she never gave it,
    or nobody has the number. Raises NotFound."""
    reply = sms_services.get_reply(reply_id)
    member_id = member_selectors.find_member_id("phone", "", reply.phone)
    if member_id is None:
        return False
    try:
        member_services.withdraw_consent(
            member_id=member_id, kind="marketing", door="sms", actor=Actor.member(member_id), at=reply.at
        )
    except (ConsentNotGiven, NoSuchConsentKind, NotFound):
        return False
    return True


def recall_lost_reports(*, at: dt.datetime | None = None) -> int:
    """Reports about texts whose one answer was lost are asked for again; how many numbers were asked about."""
    return sms_services.recall_reports(texted=_list_texted, at=at)


def _list_texted(lost: LostReports, after: int, limit: int) -> list[tuple[int, str]]:
    """(reach id, number) of members who were texted; where receipts were lost only of those of whom none came."""
    texts = Reach.objects.filter(
        pk__gt=after, channel=names.SMS, sent_at__gte=lost.since, sent_at__lte=lost.until
    )
    if lost.kind == "receipts":
        texts = texts.filter(state__in=[ReachState.SENT, ReachState.UNCERTAIN])
    rows = list(texts.order_by("pk").values_list("pk", "member_id")[:limit])
    living = member_selectors.list_merge_targets({member_id for _pk, member_id in rows})
    numbers = member_selectors.list_phones(living.values())
    return [(pk, numbers.get(living.get(member_id, 0), "")) for pk, member_id in rows]
