"""The nine numbers follow what members do: in seconds by those who changed, and proved whole at night.

One fold at a time, by the lock of its row. Whoever deletes a touch works its member out by a statement that begins
later: what the touch stands for is seen, and what comes later brings another touch (ADR 54 has the same rule).
"""

import dataclasses
import datetime as dt
import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max, Min

from core import audit, clock
from core.actor import Actor
from core.slots import slot
from guides import selectors as guide_selectors
from members import services as member_services
from sales.contracts import PeriodName, Span
from sales.models import MemberDay, MemberDayTouch, NineFold, NinePlace, NineScope
from sales.selectors.nine_sql import FILL, FOLD, FORGET, RECOUNT
from sales.selectors.rfm_rules import get_rfm_rules
from sales.selectors.spans import span_before, span_of

logger = logging.getLogger(__name__)

_PERIODS: Final[tuple[PeriodName, ...]] = ("day", "week", "month", "quarter")
# A merge and an erasure wait for the slice under way.
FOLDED_AT_ONCE: Final = 2_000  # touches
FILLED_AT_ONCE: Final = 2_000  # members
_RUN_S: Final = 30.0
RUN_SLOT: Final = 7_302_020  # one run at a time: a proof of all periods outlasts the timetable's seconds
_TAKE: Final = """
DELETE FROM sales_memberdaytouch WHERE id = ANY(ARRAY(SELECT id FROM sales_memberdaytouch ORDER BY id LIMIT %s))
RETURNING member_ref
"""
_UPTO: Final = "SELECT max(id) FROM (SELECT id FROM members_member WHERE id > %s ORDER BY id LIMIT %s) slice"


def work_nine(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """All that is due: the first pass over all members, members who changed, the proof of a new day or a new rule; how many
    days of members changed. Where another worker is at it, this one leaves.

    A run takes half a minute and the slice it is at: after an import the next run goes on, and the proof waits for none.
    """
    with slot(kind=RUN_SLOT, count=1) as is_free:
        return _work_off(actor, at or clock.now()) if is_free else 0


def prove_nine(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Totals say what the days add up to, of this quarter and the one before, on the first of a month of all, and also when the
    stores of a place or the rule of who is asleep are others; how many said something else.

    One kind of period, and those of one month (or quarter), in a transaction, for which folds, merges and erasures wait.
    Periods that began before behaviours are kept stay as they are.
    """
    at = at or clock.now()
    today = clock.business_day(at)
    with transaction.atomic():
        state = NineFold.objects.lock(1)
        is_first, is_other = state.proved_on is None, _has_other_rule(state)
        is_other = _sync_places() or is_other
        state.active_days = get_rfm_rules().stage_days[0]
        state.save(update_fields=["active_days"])
    bounds = MemberDay.objects.aggregate(first=Min("day"), last=Max("day"))
    since = span_before(span_of("quarter", today)).starts_on
    if is_first or is_other or today.day == 1:
        since = bounds["first"] or today
    floor = None if is_first or state.kept_on is None else state.kept_on
    wrong = 0
    first = span_of("quarter", since).starts_on
    last = span_of("quarter", max(bounds["last"] or today, today)).ends_on - dt.timedelta(days=1)
    for period in _PERIODS:
        for piece in _pieces("quarter" if period == "quarter" else "month", first, last):
            wrong += _recount(_within(period, piece, floor), period)
    NineFold.objects.filter(pk=1).update(proved_on=today, wrong_count=0 if is_first or is_other else wrong)
    if wrong and not is_first and not is_other:
        logger.error("sales.nine_numbers_were_wrong", extra={"count": wrong})
        audit.record(action="sales.nine_mended", subject=state, actor=actor, at=at, count=wrong)
    return wrong


def touch_member_days(member_ids: Iterable[int]) -> None:
    """These members are worked out anew by the next fold."""
    MemberDayTouch.objects.bulk_create(MemberDayTouch(member_ref=pk) for pk in sorted(set(member_ids)))


def forget_member_days(member_ids: Iterable[int], *, at: dt.datetime) -> int:
    """These members have no days any more, and count in no total; how many days there were. Inside the caller's
    transaction, which a fold under way makes wait."""
    ids = sorted(set(member_ids))
    if not MemberDay.objects.filter(member__in=ids).exists():
        return 0
    return _run(FOLD, NineFold.objects.lock(1), ids=ids, without=ids)


def _work_off(actor: Actor, at: dt.datetime) -> int:
    end = time.monotonic() + _RUN_S
    NineFold.objects.get_or_create(pk=1)
    changed = 0
    while (done := _work(at)) is not None:
        changed += done
        if time.monotonic() > end:
            break
    state = NineFold.objects.get(pk=1)
    if state.cursor is None and (state.proved_on != clock.business_day(at) or _has_other_rule(state)):
        prove_nine(actor=actor, at=at)
    return changed


def _work(at: dt.datetime) -> int | None:
    """One slice; None when nothing is left, or somebody else is at it."""
    with transaction.atomic():
        rows = NineFold.objects.claim(1)
        if not rows:
            return None
        state = rows[0]
        _forget_old(state, at)
        if state.cursor is not None:
            return _fill(state)
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [FOLDED_AT_ONCE])
            ids = sorted({member_id for (member_id,) in cursor.fetchall()})
        state.folded_at = at
        state.save(update_fields=["folded_at"])
        return _run(FOLD, state, ids=ids, without=[]) if ids else None


def _fill(state: NineFold) -> int:
    """The days of the next members; after the last ones the totals are due."""
    if state.cursor == 0:
        MemberDayTouch.objects.all().delete()  # all of them are to be worked out, by statements that begin later
    with connection.cursor() as cursor:
        cursor.execute(_UPTO, [state.cursor, FILLED_AT_ONCE])
        [upto] = cursor.fetchone()
    after, state.cursor = state.cursor, upto
    state.save(update_fields=["cursor"])
    return 0 if upto is None else _run(FILL, state, after=after, upto=upto, without=[])


def _forget_old(state: NineFold, at: dt.datetime) -> None:
    """Days that only behaviours tell of which are kept no longer go; the horizon never goes back."""
    kept_on = member_services.behaviours_kept_on(at=at)
    if state.kept_on is not None and kept_on <= state.kept_on:
        return
    state.kept_on = kept_on
    state.save(update_fields=["kept_on"])
    with connection.cursor() as cursor:
        # A day's worth, but for a chain that now keeps behaviours for fewer months: that must end, or no fold ever would.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(FORGET, {"kept_on": kept_on})


def _run(statement: str, state: NineFold, **values: Any) -> int:
    kept_on = state.kept_on or clock.today()
    values |= {"kept_from": clock.day_bounds(kept_on)[0], "active_days": state.active_days}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])


def _recount(span: Span | None, period: str) -> int:
    if span is None:
        return 0
    with transaction.atomic():
        state = NineFold.objects.lock(1)
        return _run(RECOUNT, state, period=period, since=span.starts_on, until=span.ends_on)


def _has_other_rule(state: NineFold) -> bool:
    return state.active_days != get_rfm_rules().stage_days[0]


def _sync_places() -> bool:
    """The stores of regions and dealers are those of today's tree; whether they were others."""
    wanted = {
        (scope, ref, place.store_id)
        for place in guide_selectors.list_all_store_places()
        for scope, ref in (
            *((NineScope.REGION.value, region_id) for region_id in place.region_ids),
            *([(NineScope.DEALER.value, place.dealer_id)] if place.dealer_id else []),
        )
    }
    stood = set(NinePlace.objects.values_list("scope", "ref", "store_ref"))
    if wanted == stood:
        return False
    NinePlace.objects.all().delete()
    NinePlace.objects.bulk_create(
        [NinePlace(scope=scope, ref=ref, store_ref=store_id) for scope, ref, store_id in sorted(wanted)]
    )
    return True


def _pieces(period: PeriodName, first: dt.date, last: dt.date) -> Iterator[Span]:
    span = span_of(period, first)
    while span.starts_on <= last:
        yield span
        span = span_of(period, span.ends_on)


def _within(period: PeriodName, piece: Span, floor: dt.date | None) -> Span | None:
    """From the first period of that kind that begins in the piece (and not before the floor) to the end of the last."""
    day = max(piece.starts_on, floor or piece.starts_on)
    first = span_of(period, day)
    if first.starts_on < day:
        first = span_of(period, first.ends_on)
    if first.starts_on >= piece.ends_on:
        return None
    return dataclasses.replace(first, ends_on=span_of(period, piece.ends_on - dt.timedelta(days=1)).ends_on)
