"""Follow-ups: made for a reason, with the member's exclusive guide as long as they are open, done with a result."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection, transaction

from core import audit, clock, events
from core.actor import Actor
from guides.contracts import FollowUpOrder
from guides.errors import FollowUpMovedOn, FollowUpTooOld, FollowUpUnfit, NoSuchFollowUp
from guides.events import FollowUpChanged
from guides.models import FollowUp, FollowUpResult, FollowUpState
from guides.selectors.bound_guides import list_bound_guides
from guides.services.round_keys import rounds_of

NOTE_LENGTH: Final = 200
# An open one that nobody did by then is dropped.
KEPT_OPEN: Final = dt.timedelta(days=30)
_AT_ONCE: Final = 1_000

# Open follow-ups that are not with the guide at work whom their member is bound to now, or with nobody.
_MOVE: Final = """
UPDATE guides_followup task SET guide_id = found.guide_id
FROM (
    SELECT open.id, bound.guide_id FROM guides_followup open
    LEFT JOIN (
        SELECT binding.member_id, binding.guide_id FROM guides_binding binding
        JOIN guides_guide guide ON guide.id = binding.guide_id AND guide.state = 'active'
        WHERE binding.ended_at IS NULL
    ) bound ON bound.member_id = open.member_id
    WHERE open.state = 'open' AND open.guide_id IS DISTINCT FROM bound.guide_id
      AND (%(members)s::bigint[] IS NULL OR open.member_id = ANY(%(members)s))
    ORDER BY open.id LIMIT %(limit)s FOR NO KEY UPDATE OF open SKIP LOCKED
) found
WHERE task.id = found.id
"""


def assign_follow_ups(*, orders: Sequence[FollowUpOrder], at: dt.datetime | None = None) -> set[str]:
    """Each of these is the follow-up of its member's guide, once for its source; the keys of those that somebody has
    now, before or by this call. A member without a guide at work gets none. A title over 60 characters is cut."""
    at = at or clock.now()
    guides = list_bound_guides({order.member_id for order in orders})
    rounds = rounds_of({order.reason_key for order in orders})
    rows = [
        FollowUp(
            member_id=order.member_id,
            guide_id=guides[order.member_id],
            topic=order.topic,
            title=order.title[:60],
            script=order.script,
            due_on=order.due_on,
            source_key=order.source_key,
            round_id=rounds.get(order.reason_key),
            created_at=at,
        )
        for order in sorted(orders, key=lambda one: one.source_key)
        if order.member_id in guides
    ]
    FollowUp.objects.bulk_create(rows, ignore_conflicts=True)
    return {row.source_key for row in rows}


def complete_follow_up(
    *,
    guide_id: int,
    public_id: str,
    result: str,
    note: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """It is done, with what came of it; its id. The same again changes nothing. Refuses another's or an unknown one
    (NoSuchFollowUp), one that is dropped or was done otherwise (FollowUpMovedOn), and a missing result (FollowUpUnfit)."""
    at = at or clock.now()
    note = note.strip()
    if result not in FollowUpResult.values:
        raise FollowUpUnfit(field="result")
    if len(note) > NOTE_LENGTH:
        raise FollowUpUnfit(field="note")
    with transaction.atomic():
        row = _lock(guide_id, public_id)
        if row.state == FollowUpState.DONE and row.result == result and row.note == note:
            return row.pk
        if row.state != FollowUpState.OPEN:
            raise FollowUpMovedOn
        row.state, row.result, row.note = FollowUpState.DONE, result, note
        row.done_at = row.changed_at = at
        row.save(update_fields=["state", "result", "note", "done_at", "changed_at"])
        audit.record(action="guides.follow_up_done", subject=row, actor=actor, at=at, result=result)
        events.publish(FollowUpChanged(follow_up_id=row.pk))
        return row.pk


def reopen_follow_up(*, guide_id: int, public_id: str, actor: Actor, at: dt.datetime | None = None) -> int:
    """It is to be done again, and goes to whoever is the member's guide now; its id. The same again changes nothing.
    Refuses what was done before today (FollowUpTooOld); see `complete_follow_up`."""
    at = at or clock.now()
    with transaction.atomic():
        row = _lock(guide_id, public_id)
        if row.state == FollowUpState.OPEN:
            return row.pk
        if row.state != FollowUpState.DONE or row.done_at is None:
            raise FollowUpMovedOn
        if clock.business_day(row.done_at) != clock.business_day(at):
            raise FollowUpTooOld
        row.state, row.result, row.note = FollowUpState.OPEN, "", ""
        row.done_at, row.changed_at = None, at
        row.save(update_fields=["state", "result", "note", "done_at", "changed_at"])
        audit.record(action="guides.follow_up_reopened", subject=row, actor=actor, at=at)
        events.publish(FollowUpChanged(follow_up_id=row.pk))
        _move([row.member_id], 1)
        return row.pk


def settle_follow_ups(*, member_ids: Iterable[int]) -> int:
    """What is open for these members is with the guide each has now; how many moved."""
    return _move(sorted(set(member_ids)), _AT_ONCE)


def mend_follow_ups(*, at: dt.datetime | None = None) -> int:
    """Open ones whose member changed her guide unnoticed, or whose guide left, are where they belong, and those a month
    over their day are dropped; how many."""
    today = clock.business_day(at or clock.now())
    old = FollowUp.objects.overdue(today - KEPT_OPEN)
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    dropped = FollowUp.objects.open().filter(pk__in=ids).update(state=FollowUpState.DROPPED)
    return dropped + _move(None, _AT_ONCE)


def _lock(guide_id: int, public_id: str) -> FollowUp:
    rows = FollowUp.objects.filter(guide_id=guide_id, public_id=public_id.replace("\0", "")[:17]).lock_rows()
    if not rows:
        raise NoSuchFollowUp
    return rows[0]


def _move(member_ids: list[int] | None, limit: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_MOVE, {"members": member_ids, "limit": limit})
        return int(cursor.rowcount)
