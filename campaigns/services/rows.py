"""Rows in a sender's hand: claimed in chunks, marked before they go out, settled after, each in one statement.

Every write names the holder, so that what a sender writes that was frozen past its lease changes nothing.
"""

import dataclasses
import datetime as dt
import json
import secrets
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

from campaigns.contracts import ChannelName, ReachTry
from campaigns.models import Importance, Reach, ReachState
from campaigns.selectors.policy import split_channels
from core import clock, crypto
from core.compiled import ask

# Longer than the slowest sub-batch: waiting for a token, for permits, the calls.
LEASE: Final = dt.timedelta(seconds=120)

_SEALED_AS: Final = Reach._meta.get_field("content").seal_context()

_CLAIM: Final = """
WITH due AS (
    SELECT id FROM campaigns_reach
    WHERE state = 'queued' AND importance = %(importance)s AND not_before <= %(now)s::timestamptz
      AND (leased_until IS NULL OR leased_until < %(now)s)
    ORDER BY not_before, id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE campaigns_reach reach SET lease_holder = %(holder)s, leased_until = %(until)s::timestamptz
FROM due WHERE reach.id = due.id
RETURNING reach.not_before, reach.id, reach.reason_key, reach.member_id, reach.topic, reach.importance, reach.channels,
    reach.step, reach.expires_at, reach.attempt_count, reach.sent_at, reach.held_hundredths, reach.channel, reach.content
"""
_MARK: Final = """
UPDATE campaigns_reach reach SET
    state = 'sending', channel = sent.channel, step = sent.step, sent_at = coalesce(reach.sent_at, %(now)s::timestamptz),
    leased_until = %(until)s::timestamptz, attempt_count = attempt_count + 1, tries = reach.tries || sent.tries::jsonb
FROM unnest(%(ids)s::bigint[], %(channels)s::text[], %(steps)s::int[], %(tries)s::text[]) AS sent (id, channel, step, tries)
WHERE reach.id = sent.id AND reach.state = 'queued' AND reach.lease_holder = %(holder)s
RETURNING reach.id
"""
_SETTLE: Final = """
UPDATE campaigns_reach reach SET
    state = told.state, step = told.step, code = told.code, errcode = told.errcode,
    message_id = CASE WHEN reach.content = '' THEN '' ELSE told.message_id END,  -- erased meanwhile
    not_before = coalesce(told.not_before, reach.not_before),
    sent_at = CASE WHEN told.went THEN coalesce(reach.sent_at, %(now)s::timestamptz) END,
    channel = CASE WHEN told.went THEN told.channel ELSE '' END,
    finished_at = CASE WHEN told.state IN ('queued', 'sending') THEN NULL ELSE %(now)s::timestamptz END,
    tries = reach.tries || told.tries::jsonb,
    lease_holder = CASE WHEN told.keeps THEN reach.lease_holder ELSE '' END,
    leased_until = CASE WHEN told.keeps THEN %(until)s::timestamptz END
FROM unnest(
    %(ids)s::bigint[], %(states)s::text[], %(steps)s::int[], %(codes)s::text[], %(errcodes)s::int[],
    %(messages)s::text[], %(not_before)s::timestamptz[], %(went)s::boolean[], %(channels)s::text[], %(tries)s::text[],
    %(keeps)s::boolean[]
) AS told (id, state, step, code, errcode, message_id, not_before, went, channel, tries, keeps)
WHERE reach.id = told.id AND reach.lease_holder = %(holder)s AND reach.state IN ('queued', 'sending')
RETURNING reach.id
"""


@dataclasses.dataclass(slots=True, eq=False)
class Held:
    """One reach in hand. `step`: which channel of the chain is next; `notes`: tries that no row has yet."""

    id: int
    reason_key: str
    member_id: int
    topic: str
    importance: str
    channels: tuple[ChannelName, ...]
    step: int
    expires_at: dt.datetime
    attempt_count: int
    # Of a try over `channel` whose end nobody knows, and that may be repeated under its own id.
    sent_at: dt.datetime | None
    # What may be spent on its text; nobody gives it back while the reach is in hand.
    held_hundredths: int | None
    channel: str
    content: dict[str, Any]
    notes: list[ReachTry] = dataclasses.field(default_factory=list)

    def note(self, channel: str, code: str, at: dt.datetime, errcode: int | None = None) -> None:
        """This channel was not the one; the next is."""
        self.notes.append(ReachTry(channel, code, at, errcode))
        self.step += 1


@dataclasses.dataclass(slots=True, eq=False)
class Verdict:
    """What becomes of a reach in hand. `went`: over its channel, as far as anybody knows. `keeps`: it stays in hand."""

    held: Held
    state: ReachState
    code: str = ""
    errcode: int | None = None
    message_id: str = ""
    not_before: dt.datetime | None = None
    went: bool = False
    channel: str = ""
    keeps: bool = False


def new_holder() -> str:
    """A name for one sender's run."""
    return secrets.token_hex(16)


def claim_reaches(*, holder: str, limit: int, at: dt.datetime) -> list[Held]:
    """Up to `limit` due reaches are this holder's: what must be said before what is news, and that before marketing."""
    chunk: list[Held] = []
    for importance in Importance.values:
        if len(chunk) >= limit:
            break
        values = {
            "importance": importance,
            "now": at,
            "limit": limit - len(chunk),
            "holder": holder,
            "until": at + LEASE,
        }
        chunk += [_held(row) for row in sorted(ask(_CLAIM, values), key=itemgetter(0, 1))]
    return chunk


def _held(row: Sequence[Any]) -> Held:
    _not_before, pk, reason_key, member_id, topic, importance, channels, step, *times, channel, sealed = row
    expires_at, attempt_count, sent_at, held_hundredths = times
    content = crypto.unseal(sealed, context=_SEALED_AS) if sealed else ""
    return Held(
        id=pk,
        reason_key=reason_key,
        member_id=member_id,
        topic=topic,
        importance=importance,
        channels=split_channels(channels),
        step=step,
        expires_at=expires_at,
        attempt_count=attempt_count,
        sent_at=sent_at,
        held_hundredths=held_hundredths,
        channel=channel,
        content=json.loads(content) if content else {},
    )


def mark_sending(*, held: Sequence[tuple[Held, str]], holder: str, at: dt.datetime) -> set[int]:
    """These go out over these channels now; the ids of those that are still this holder's. In a transaction."""
    if not held:
        return set()
    rows = ask(
        _MARK,
        {
            "ids": [one.id for one, _channel in held],
            "channels": [channel for _one, channel in held],
            "steps": [one.step for one, _channel in held],
            "tries": [_packed(one) for one, _channel in held],
            "holder": holder,
            "now": at,
            "until": at + LEASE,
        },
    )
    marked = {row[0] for row in rows}
    for one, _channel in held:
        if one.id in marked:
            one.notes.clear()
            one.attempt_count += 1
    return marked


def settle(*, verdicts: Iterable[Verdict], holder: str, at: dt.datetime | None = None) -> set[int]:
    """These are the results; the ids of those that were still this holder's."""
    told = list(verdicts)
    if not told:
        return set()
    at = at or clock.now()
    rows = ask(
        _SETTLE,
        {
            "ids": [one.held.id for one in told],
            "states": [one.state.value for one in told],
            "steps": [one.held.step for one in told],
            "codes": [one.code for one in told],
            "errcodes": [one.errcode for one in told],
            "messages": [one.message_id for one in told],
            "not_before": [one.not_before for one in told],
            "went": [one.went for one in told],
            "channels": [one.channel for one in told],
            "tries": [_packed(one.held) for one in told],
            "keeps": [one.keeps for one in told],
            "holder": holder,
            "now": at,
            "until": at + LEASE,
        },
    )
    settled = {row[0] for row in rows}
    for one in told:
        one.held.notes.clear()
        if not one.went:
            one.held.sent_at, one.held.channel = None, ""
    return settled


def _packed(held: Held) -> str:
    return json.dumps([one.pack() for one in held.notes]) if held.notes else "[]"
