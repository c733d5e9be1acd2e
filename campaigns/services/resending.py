"""Sending by hand what went over no channel: after what stood in the way was mended."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from campaigns.contracts import ReachOrder
from campaigns.errors import ReachNotResendable
from campaigns.models import Reach, ReachState
from campaigns.services.queueing import reach_member
from campaigns.services.running.again import lock_of_run, note_again, put_by_again
from campaigns.services.running.lead import run_id_of
from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from members import selectors as member_selectors

_AGAIN: Final = ":again:"


def resend_reach(*, reach_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """The same words go to her once more, over the channels and with the importance of the topic's rule of now, under a
    reason of their own; the new reach's id. A repeat gets the first answer again. What it becomes in a guide's hands is
    still of the round that the first was of, and due on its day if that is not over. One of a campaign's run stays the run's
    (`campaigns.services.running.again`).

    Refuses (ReachNotResendable) all but a failed one: what was skipped was not to be said, and of what is uncertain
    nobody knows whether she has it. Refuses one whose words were cleared, or whose member is gone, one of a run that is past
    (ReachOfPastRun), and one that its campaign's budget does not pay for (ReachOverBudget). Raises NotFound.
    """
    now = at or clock.now()
    with transaction.atomic():
        reason = Reach.objects.filter(pk=reach_id).values_list("reason_key", flat=True).first()
        of_run = lock_of_run(reason_key=reason or "")
        failed = Reach.objects.filter(pk=reach_id).lock_rows()
        if not failed:
            raise NotFound
        reach = failed[0]
        key = reason_of_again(reach)
        known = Reach.objects.filter(reason_key=key).values_list("pk", flat=True).first()
        if known is not None:
            return known
        member_id = member_selectors.list_merge_targets({reach.member_id}).get(reach.member_id)
        if reach.state != ReachState.FAILED or not reach.content or member_id is None:
            raise ReachNotResendable
        content = json.loads(reach.content)
        held = (
            None if of_run is None else put_by_again(of_run, member_id=member_id, topic=reach.topic, at=now)
        )
        reach_member(
            order=ReachOrder(
                member_id=member_id,
                topic=reach.topic,
                reason_key=key,
                title=content["title"],
                text=content["text"],
                values=content["values"],
                page=content["page"],
                due_on=_day_of(content, clock.business_day(now)),
                first_reason=content.get("first_reason", reach.reason_key),
                held_hundredths=held,
            ),
            at=now,
        )
        again = Reach.objects.get(reason_key=key)
        if of_run is not None:
            note_again(of_run, reach=again)
        audit.record(action="campaigns.reach_resent", subject=reach, actor=actor, at=now, reach_id=again.pk)
        return again.pk


def _day_of(content: Mapping[str, Any], today: dt.date) -> dt.date | None:
    asked = content.get("due_on")
    day = dt.date.fromisoformat(asked) if asked else None
    return day if day is not None and day >= today else None


def reason_of_again(reach: Reach) -> str:
    """One failed reach is sent again once; when that fails too, it is that one's turn. A run knows its reaches by what their
    reasons begin with."""
    if run_id_of(reach.reason_key) is None:
        return f"again:{reach.pk}"
    first, _word, _pk = reach.reason_key.partition(_AGAIN)
    return f"{first}{_AGAIN}{reach.pk}"
