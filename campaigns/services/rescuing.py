"""What a sender that died, or was frozen past its lease, left behind."""

import datetime as dt
import logging
from typing import Final

from django.db import transaction
from django.db.models import Case, F, When
from django.db.models.functions import Coalesce

from campaigns.contracts import reaches as why
from campaigns.contracts import topics as names
from campaigns.models import Reach, ReachState
from core import clock
from sms import services as sms_services
from sms.contracts import Spending
from wechat.contracts import REPEAT_SAFE_FOR

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 5_000
_HELD: Final = Coalesce(F("held_hundredths"), 0)


def rescue_stuck_reaches(*, at: dt.datetime | None = None) -> int:
    """Reaches whose sender died between the send and its result; how many.

    Nobody knows whether they went out. A template message may be sent again while WeChat knows its id; everything else is
    `uncertain`, for good. A text for which a budget put something by may be on the bill, and counts as if it were.
    """
    at = at or clock.now()
    ids = list(Reach.objects.stuck(at).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    if not ids:
        return 0
    stuck = Reach.objects.stuck(at).filter(pk__in=ids)
    again = stuck.filter(channel=names.TEMPLATE, sent_at__gt=at - REPEAT_SAFE_FOR).update(
        state=ReachState.QUEUED, code=why.DIED, not_before=at, leased_until=None, lease_holder=""
    )
    with transaction.atomic():
        bill = [_spending(row) for row in stuck.filter(channel=names.SMS, held_hundredths__gt=0).lock_rows()]
        given_up = stuck.update(
            state=ReachState.UNCERTAIN,
            code=why.DIED,
            finished_at=at,
            leased_until=None,
            lease_holder="",
            cost_hundredths=F("cost_hundredths") + Case(When(channel=names.SMS, then=_HELD), default=0),
        )
        sms_services.note_spending(spent=bill, at=at)
    if given_up:
        logger.warning("campaigns.reaches_uncertain", extra={"reach_count": given_up})
    return again + given_up


def _spending(row: Reach) -> Spending:
    """By which template nobody knows any more; what a budget holds is marketing."""
    return Spending("marketing", "", row.topic, 0, row.held_hundredths or 0)
