"""Reaches come into being: one row for a reason, in the transaction of the reason."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from django.db import transaction

from campaigns.contracts import MARKETING_TOPICS, TOPICS, ReachOrder, TopicTerms
from campaigns.errors import ReachUnfit
from campaigns.events import ReachesQueued
from campaigns.models import Reach
from campaigns.selectors.policy import list_topic_terms
from campaigns.selectors.tally import LONGEST_LIFE
from core import clock, events
from core.arrays import array_words
from core.compiled import ask

TITLE_LENGTH: Final = 60
TEXT_LENGTH: Final = 1_000
_KEY_LENGTH: Final = 100
_PAGE_LENGTH: Final = 200
_AT_ONCE: Final = 1_000
_SEALED: Final[Any] = Reach._meta.get_field("content")

# In the order of their keys, so that two who queue the same never wait for each other in a ring.
_INSERT: Final = """
INSERT INTO campaigns_reach (
    reason_key, member_id, topic, importance, content, channels, step, state, channel, code, tries, attempt_count,
    message_id, queued_at, not_before, expires_at, lease_holder, held_hundredths
)
SELECT key, member, topic, importance, content, chain, 0, 'queued', '', '', '[]', 0, '', queued, starts, ends, '', held
FROM unnest(
    %(keys)s::text[], %(members)s::bigint[], %(topics)s::text[], %(importances)s::text[], %(contents)s::text[],
    %(chains)s::text[], %(queued)s::timestamptz[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(held)s::int[]
) AS asked (key, member, topic, importance, content, chain, queued, starts, ends, held)
ORDER BY key
ON CONFLICT (reason_key) DO NOTHING
RETURNING reason_key, id
"""


class _Row(NamedTuple):
    """What a new row says, by the names of the statement's arrays."""

    keys: str
    members: int
    topics: str
    importances: str
    contents: str
    chains: str
    queued: dt.datetime
    starts: dt.datetime
    ends: dt.datetime
    held: int | None


def reach_member(*, order: ReachOrder, at: dt.datetime | None = None) -> bool:
    """The message will be sent to her once for this reason, over the first channel that takes it; False when the reason
    has its message already. Refuses what `queue_reaches` refuses."""
    return queue_reaches(orders=[order], at=at) == 1


def queue_reaches(*, orders: Sequence[ReachOrder], at: dt.datetime | None = None) -> int:
    """Each of these will be sent once for its reason; how many are new. Refuses what `queue_orders` refuses."""
    return len(queue_orders(orders=orders, at=at))


def queue_orders(*, orders: Sequence[ReachOrder], at: dt.datetime | None = None) -> dict[str, int]:
    """The same; the ids of those that are new, by their reasons. A few statements for all of them, and one wake-up.

    Refuses (ReachUnfit) an unknown topic, an empty title, text or key, a chain without a channel, and an end that is past
    or over 31 days away; all of them then.
    """
    now = at or clock.now()
    terms = list_topic_terms()
    rows = [_row(order, terms, now) for order in orders]
    fresh: dict[str, int] = {}
    with transaction.atomic():
        for start in range(0, len(rows), _AT_ONCE):
            fresh |= _insert(rows[start : start + _AT_ONCE])
        if fresh:
            transaction.on_commit(lambda: events.dispatch_soon(ReachesQueued()), robust=True)
    return fresh


def _insert(rows: Sequence[_Row]) -> dict[str, int]:
    columns = map(array_words, zip(*rows, strict=True))
    return dict(ask(_INSERT, dict(zip(_Row._fields, columns, strict=True))))


def _row(order: ReachOrder, terms: dict[str, TopicTerms], now: dt.datetime) -> _Row:
    topic = TOPICS.get(order.topic)
    if topic is None:
        raise ReachUnfit(field="topic")
    title, text = order.title.strip(), order.text.strip()
    for field, value, limit in (
        ("title", title, TITLE_LENGTH),
        ("text", text, TEXT_LENGTH),
        ("reason_key", order.reason_key, _KEY_LENGTH),
    ):
        if not 0 < len(value) <= limit:
            raise ReachUnfit(field=field)
    if len(order.page) > _PAGE_LENGTH:
        raise ReachUnfit(field="page")
    channels = terms[order.topic].channels if order.channels is None else order.channels
    if not channels:
        raise ReachUnfit(field="channels")
    not_before = max(order.not_before or now, now)
    expires_at = order.expires_at or not_before + dt.timedelta(hours=topic.life_hours)
    if not not_before < expires_at <= now + LONGEST_LIFE:
        raise ReachUnfit(field="expires_at")
    content = {"title": title, "text": text, "values": dict(order.values), "page": order.page}
    if order.due_on is not None:
        content["due_on"] = order.due_on.isoformat()
    if order.first_reason:
        content["first_reason"] = order.first_reason
    return _Row(
        keys=order.reason_key,
        members=order.member_id,
        topics=order.topic,
        importances=_importance(order, terms[order.topic]),
        contents=_SEALED.get_prep_value(json.dumps(content, ensure_ascii=False)),
        chains=",".join(channels),
        queued=now,
        starts=not_before,
        ends=expires_at,
        held=order.held_hundredths,
    )


def _importance(order: ReachOrder, terms: TopicTerms) -> str:
    """As it was asked for, else as the rule says; marketing stays marketing."""
    return terms.importance if order.topic in MARKETING_TOPICS else order.importance or terms.importance
