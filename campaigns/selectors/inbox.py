"""What a member finds in her inbox."""

from django.db.models import Q

from campaigns.contracts import TOPICS, InboxLine
from campaigns.models import InboxMessage


def list_inbox(member_id: int, *, before_id: int | None = None, limit: int = 20) -> tuple[InboxLine, ...]:
    """Her messages, newest first, those before the one with that id; one more than `limit`, so that the caller sees
    whether there is another page."""
    older = Q() if before_id is None else Q(pk__lt=before_id)
    rows = InboxMessage.objects.filter(older, member_id=member_id).order_by("-pk")[: limit + 1]
    return tuple(line_of(row) for row in rows)


def count_unread_inbox(member_id: int) -> int:
    """How many of hers she has not read."""
    return InboxMessage.objects.unread().filter(member_id=member_id).count()


def line_of(row: InboxMessage) -> InboxLine:
    topic = TOPICS.get(row.topic)
    return InboxLine(
        id=row.pk,
        public_id=row.public_id,
        topic=row.topic,
        topic_label="" if topic is None else str(topic.label),
        title=row.title,
        text=row.text,
        page=row.page,
        sent_at=row.sent_at,
        read_at=row.read_at,
    )
