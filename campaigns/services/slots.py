"""How many processes send reaches at the same time.

The timetable wakes a sender every few seconds and a run lasts up to a minute: without a bound one large broadcast would come
to hold every process of the workers, and pushes, answers and orders would wait behind it.
"""

from typing import Final

from django.conf import settings

from campaigns.services.sending import send_due_reaches
from core.slots import slot

# First half of the advisory lock's key; the second is the slot's number. Nothing else uses it.
SENDER_SLOT: Final = 7_316_001


def work_reaches() -> int:
    """`send_due_reaches`, unless `REACH_SENDERS` processes are at it already; how many reaches were taken in hand."""
    with slot(kind=SENDER_SLOT, count=settings.REACH_SENDERS) as is_free:
        return send_due_reaches() if is_free else 0
