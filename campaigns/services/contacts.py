"""The months of the communication matrix are counted: the running one every hour, the last one until its purchases are in."""

import datetime as dt
from typing import Final

from django.db import transaction

from campaigns.models import ContactCell, ContactMonth
from campaigns.selectors.contacts import count_cells
from core import clock

# Who bought within a week of a message of the last day.
_SETTLED_ON: Final = 9


def count_contacts(*, at: dt.datetime | None = None) -> int:
    """This month's cells are what its messages say, until the ninth also the last month's; how many cells there are. Where
    another worker counts a month, it is left to him. Older months stay as they were counted."""
    at = at or clock.now()
    today = clock.business_day(at)
    first = today.replace(day=1)
    months = [first]
    if today.day <= _SETTLED_ON:
        months.append((first - dt.timedelta(days=1)).replace(day=1))
    return sum(_count(month_on, at) for month_on in months)


def _count(month_on: dt.date, at: dt.datetime) -> int:
    ContactMonth.objects.get_or_create(month_on=month_on)
    with transaction.atomic():
        claimed = ContactMonth.objects.filter(month_on=month_on).claim(1)
        if not claimed:
            return 0
        [month] = claimed
        cells = [
            ContactCell(
                month=month, channel=channel, importance=importance, rfm_group=group, stage=stage, band=band,
                member_count=members, message_count=messages, reader_count=readers, clicker_count=clickers,
                buyer_count=buyers, leaver_count=leavers, barred_count=barred,
            )
            for channel, importance, group, stage, band, members, messages, readers, clickers, buyers, leavers, barred
            in count_cells(month_on)
        ]  # fmt: skip
        ContactCell.objects.filter(month=month).delete()
        ContactCell.objects.bulk_create(cells)
        month.counted_at = at
        month.save(update_fields=["counted_at"])
    return len(cells)
