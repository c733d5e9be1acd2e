"""How a run's outcomes are worked out: passes over its members, slice by slice, each slice a transaction with the place it
came to.

A worker that is killed loses one slice, and whoever comes next goes on behind the last that was committed. Two at once take
turns: a slice is worked under the lock of the run's book, by statements that begin after it was taken. Notes of members
(`OutcomeTouch`) are worked off between slices under the same lock, so that whichever of the two comes second has seen the
purchase: a note is deleted when its purchase can be seen, and a row that a slice has still to count is counted by a
statement that begins later.
"""

import datetime as dt
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet

from campaigns.models import BookPass, CampaignBook, CampaignRun, CampaignTotal, RunState
from campaigns.selectors.proof_sums import sums_by_letter
from campaigns.services.outcome_slices import (
    END,
    Slice,
    begin_members,
    count_members,
    deliver_members,
    mend_rows,
    plan_by_keys,
    read_left_messages,
    read_slice,
)
from campaigns.services.outcome_sql import REPEATS, SUM_UP, execute, read, values_of

# What comes back so long after the window still counts against what was bought in it.
SETTLING: Final = dt.timedelta(days=15)
# So many members are worked out in one transaction: a second or two, for which others wait.
SLICE_SIZE: Final = 20_000
_LONGEST_MS: Final = 3 * 60_000
_DAILY: Final = dt.timedelta(days=1)
# Sums are made again at once for a small run; a run of a million waits some minutes.
_SOONEST: Final = dt.timedelta(seconds=15)
_MEMBERS_A_SECOND: Final = 2_000
# Messages arrive and are read in the first days; later they are looked at now and then.
_LIVELY: Final = dt.timedelta(days=3)
_LATER: Final = dt.timedelta(hours=6)


def step_book(*, book: CampaignBook, at: dt.datetime) -> bool:
    """What is due of the book, one slice of it; of a frozen one only the sums change. Whether anything was due. The caller
    holds the book's lock, in a transaction that began no earlier than the step before was committed."""
    if book.frozen_at is not None:
        if book.is_stale:
            patiently()
            _sum_up(book, at)
            return True
        return False
    run = CampaignRun.objects.select_related("campaign").get(pk=book.pk)
    if book.doing and not _has_moved(book, run):
        patiently()
        if book.through_id == END:
            _end_pass(book, run, at)
        else:
            _work_slice(book, run)
        return True
    due = _due_pass(book, run, at)
    if due:
        patiently()
        start_pass(book=book, run=run, kind=due, at=at)
    elif book.is_stale and (book.summed_at is None or book.summed_at + _pause(run) <= at):
        patiently()
        _sum_up(book, at)
    else:
        return False
    return True


def start_pass(*, book: CampaignBook, run: CampaignRun, kind: BookPass, at: dt.datetime) -> None:
    """The pass stands at its beginning."""
    book.doing, book.doing_since, book.through_id, book.done_count = kind, at, 0, 0
    if kind == BookPass.COUNT:
        book.counted_until = run.window_ends_at
    book.save(update_fields=["doing", "doing_since", "through_id", "done_count", "counted_until"])


def patiently() -> None:
    """The transaction's statements may take longer than those of a page."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_LONGEST_MS)])


def unfinished_books() -> QuerySet[CampaignBook]:
    """Those of which something may be due, the newest last."""
    return CampaignBook.objects.filter(Q(frozen_at__isnull=True) | Q(is_stale=True)).order_by("pk")


def _due_pass(book: CampaignBook, run: CampaignRun, at: dt.datetime) -> BookPass | None:
    if book.begun_at is None:
        return BookPass.BEGIN
    if (
        _has_moved(book, run)
        or book.counted_at is None
        or book.counted_at + _DAILY <= at
        or _is_over(run, at)
    ):
        return BookPass.COUNT
    pause = _pause(run)
    is_lively = run.state == RunState.RELEASING or (run.released_at or at) + _LIVELY > at
    if book.delivered_at is None or book.delivered_at + (pause if is_lively else max(pause, _LATER)) <= at:
        return BookPass.DELIVER
    return None


def _has_moved(book: CampaignBook, run: CampaignRun) -> bool:
    """The end of the window is another than the one by which rows are counted; who stood where at launch depends on none."""
    return book.begun_at is not None and book.counted_until != run.window_ends_at


def _is_over(run: CampaignRun, at: dt.datetime) -> bool:
    ends, released = run.window_ends_at, run.released_at
    is_done = run.state in {RunState.RELEASED, RunState.STOPPED} and released is not None and released <= at
    return is_done and ends is not None and ends + SETTLING <= at


def _pause(run: CampaignRun) -> dt.timedelta:
    return max(_SOONEST, dt.timedelta(seconds=run.member_count / _MEMBERS_A_SECOND))


def _work_slice(book: CampaignBook, run: CampaignRun) -> None:
    """The next members in the order of their keys."""
    plan_by_keys()
    members = read_slice(run_id=run.pk, after=book.through_id, size=SLICE_SIZE)
    book.is_stale = _work(book, run, members) or book.is_stale
    book.through_id, book.done_count = members.upto, book.done_count + len(members.places)
    book.save(update_fields=["through_id", "done_count", "is_stale"])


def _work(book: CampaignBook, run: CampaignRun, members: Slice) -> bool:
    """Whether a row changed."""
    if book.doing == BookPass.BEGIN:
        return bool(begin_members(run=run, members=members))
    changed = False
    if book.doing == BookPass.COUNT:
        if changed := mend_rows(run=run, members=members):
            members = read_slice(run_id=run.pk, after=book.through_id, size=SLICE_SIZE)
        changed = count_members(book=book, run=run, members=members) or changed
    return deliver_members(members=members) or changed


def _end_pass(book: CampaignBook, run: CampaignRun, at: dt.datetime) -> None:
    """What the pass was for is done; outcomes that changed are summed up. A run that was over when everybody was counted for
    the last time is frozen."""
    since = book.doing_since or at
    ended = book.doing
    if ended == BookPass.BEGIN:
        [(book.repeat_count,)] = (
            read(text=REPEATS, values=values_of(run, until=None)) if run.number > 1 else [(0,)]
        )
        book.begun_at, book.is_stale = at, True
    else:
        book.delivered_at = since
        book.is_stale = read_left_messages(run_id=run.pk) or book.is_stale
        book.counted_at = since if ended == BookPass.COUNT else book.counted_at
        if book.is_stale or book.summed_at is None:
            _sum_up(book, at)
        if ended == BookPass.COUNT and _is_over(run, since):
            book.frozen_at = at
    book.doing, book.doing_since, book.through_id, book.done_count = "", None, 0, 0
    book.save(
        update_fields=[
            "doing", "doing_since", "through_id", "done_count", "repeat_count", "begun_at", "is_stale", "delivered_at",
            "counted_at", "frozen_at",
        ]
    )  # fmt: skip


def _sum_up(book: CampaignBook, at: dt.datetime) -> None:
    CampaignTotal.objects.filter(run=book.pk).delete()
    execute(text=SUM_UP, values={"run_id": book.pk})
    book.is_stale, book.summed_at, book.sums = False, at, sums_by_letter([book.pk])
    book.save(update_fields=["is_stale", "summed_at", "sums"])
