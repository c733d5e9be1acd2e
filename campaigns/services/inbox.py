"""A member reads what is in her inbox."""

import datetime as dt

from campaigns.errors import NoSuchInboxMessage
from campaigns.models import InboxMessage
from core import clock


def read_inbox_message(*, member_id: int, public_id: str, at: dt.datetime | None = None) -> None:
    """She has read it; the first time counts. Raises NoSuchInboxMessage for another's and for an unknown one."""
    rows = InboxMessage.objects.filter(member_id=member_id, public_id=public_id)
    if not rows.filter(read_at__isnull=True).update(read_at=at or clock.now()) and not rows.exists():
        raise NoSuchInboxMessage


def read_whole_inbox(*, member_id: int, up_to_id: int, at: dt.datetime | None = None) -> int:
    """All up to that one are read; how many were unread. What came since stays unread."""
    unread = InboxMessage.objects.unread().filter(member_id=member_id, pk__lte=up_to_id)
    return unread.update(read_at=at or clock.now())
