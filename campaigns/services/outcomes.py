"""What came of the members of each run: begun when it is launched, followed while its window is open, frozen some days after.

Triggers note members of campaigns whose purchases, redemptions or visits change, in the change's own transaction
(`OutcomeTouch`). Whoever deletes a note counts her anew in the same transaction, by statements that begin after it, under
the lock of the run's book. A run is counted whole when it begins, when its window moves, once a day, and when it is frozen:
slice by slice (`outcome_passes`).
"""

import datetime as dt
import time
from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from campaigns.models import BookPass, CampaignBook, CampaignOutcome, CampaignRun
from campaigns.services.outcome_passes import patiently, start_pass, step_book, unfinished_books
from campaigns.services.outcome_slices import count_members, mend_rows, plan_by_keys, read_members
from core import clock
from core.horizons import writers_ended

_TAKE: Final = """
DELETE FROM campaigns_outcometouch WHERE id IN (
    SELECT id FROM campaigns_outcometouch ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING member_id, run_id
"""
_TABLES: Final = ("sales_sale", "coupons_redemption", "members_behaviour")
_PATIENCE: Final = dt.timedelta(seconds=2)
_NOTES: Final = 20_000
_RUN_S: Final = 20.0


def work_outcomes(*, at: dt.datetime | None = None) -> int:
    """Runs that were launched have their outcomes, members whose purchases changed are counted anew, sums are fresh, and what
    is over is frozen; of how many runs anything was done. Two at once share the work; a run ends after some seconds and goes on
    with the next."""
    at, end = at or clock.now(), time.monotonic() + _RUN_S
    open_books(at=at)
    _follow(at, end)
    count = 0
    for run_id in list(unfinished_books().values_list("pk", flat=True)):
        count += _work_book(run_id, at, end)
        if time.monotonic() > end:
            break
    return count


def open_books(*, at: dt.datetime) -> int:
    """Every run whose audience is frozen has a book, from which moment on changes of its members are noted; how many were
    opened."""
    without = CampaignRun.objects.filter(launched_at__isnull=False, window_ends_at__isnull=False).exclude(
        Exists(CampaignBook.objects.filter(run=OuterRef("pk")))
    )
    rows = [CampaignBook(run_id=pk, opened_at=at) for pk in without.values_list("pk", flat=True)]
    return len(CampaignBook.objects.bulk_create(rows, ignore_conflicts=True))


def work_book(*, run_id: int, at: dt.datetime) -> bool:
    """One slice of what is due of the run's outcomes; whether anything was. Nothing happens while somebody else is at it, or
    while some who wrote before the book was opened have not ended."""
    untouched = CampaignBook.objects.filter(run=run_id, begun_at__isnull=True, doing="").exists()
    # Their changes were not noted; a count that begins after they ended sees them.
    if untouched and not writers_ended(*_TABLES, patience=_PATIENCE):
        return False
    with transaction.atomic():
        books = CampaignBook.objects.filter(run=run_id).claim(1)
        return any(step_book(book=book, at=at) for book in books)


def follow_touched(*, at: dt.datetime) -> int:
    """Members who were noted are counted anew in every run of theirs that is not frozen; how many notes were taken."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [_NOTES])
            notes = cursor.fetchall()
        if not notes:
            return 0
        ids = sorted({member_id for member_id, _run_id in notes})
        merged = {run_id for _member_id, run_id in notes if run_id is not None}
        hers = CampaignOutcome.objects.filter(run=OuterRef("pk"), member_id__in=ids)
        wanted = Q(Exists(hers), frozen_at__isnull=True, begun_at__isnull=False) | Q(pk__in=merged)
        patiently()
        books = CampaignBook.objects.filter(wanted).lock_rows()
        plan_by_keys()
        for book in books:
            if _count_these(book, ids, is_merged=book.pk in merged) or book.pk in merged:
                book.is_stale = True
                book.save(update_fields=["is_stale"])
    return len(notes)


def recount_run(*, run_id: int, at: dt.datetime | None = None) -> None:
    """The run is counted and summed up from scratch, unless it is frozen. Where members stood at its launch stays."""
    at = at or clock.now()
    mine = CampaignBook.objects.filter(run=run_id, frozen_at__isnull=True, begun_at__isnull=False)
    with transaction.atomic():
        for book in mine.lock_rows():
            patiently()
            run = CampaignRun.objects.select_related("campaign").get(pk=run_id)
            start_pass(book=book, run=run, kind=BookPass.COUNT, at=at)
            book.is_stale = True
            book.save(update_fields=["is_stale"])
    while mine.filter(doing=BookPass.COUNT).exists():
        with transaction.atomic():
            for book in mine.filter(doing=BookPass.COUNT).lock_rows():
                step_book(book=book, at=at)


def _count_these(book: CampaignBook, ids: Sequence[int], *, is_merged: bool) -> bool:
    """Whether a row changed. Before the first pass that counts has begun nobody is counted, and then she is with everybody."""
    if book.frozen_at is not None or book.counted_until is None:
        return False
    run = CampaignRun.objects.select_related("campaign").get(pk=book.pk)
    members = read_members(run_id=run.pk, member_ids=ids)
    was_wrong = is_merged and mend_rows(run=run, members=members)
    if was_wrong:
        members = read_members(run_id=run.pk, member_ids=ids)
    return count_members(book=book, run=run, members=members) or was_wrong


def _follow(at: dt.datetime, end: float) -> None:
    """Notes are worked off, as far as the time reaches."""
    while follow_touched(at=at) == _NOTES and time.monotonic() < end:
        pass


def _work_book(run_id: int, at: dt.datetime, end: float) -> bool:
    """Slice by slice, notes in between: whoever bought in the meantime waits for no million. Whether anything was done."""
    is_worked = False
    while work_book(run_id=run_id, at=at):
        is_worked = True
        if time.monotonic() > end:
            break
        _follow(at, end)
    return is_worked
