"""What came of the members of each run: begun when it is launched, followed while its window is open, frozen some days after.

Triggers note members of campaigns whose purchases, redemptions or visits change, in the change's own transaction
(`OutcomeTouch`). Whoever deletes a note counts her anew in the same transaction, by statements that begin after it, under
the lock of the run's book. A run is counted whole when it begins, when its window moves, once a day, and when it is frozen.
"""

import datetime as dt
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from campaigns.models import (
    CampaignBook,
    CampaignOutcome,
    CampaignRun,
    CampaignTotal,
    RunState,
)
from campaigns.selectors.proof_sums import sums_by_letter
from campaigns.services.outcome_sql import REPEATS, SUM_UP, begin_sql, count_sql, deliver_sql
from core import clock
from core.arrays import array_words
from core.horizons import writers_ended
from sales.selectors import get_rfm_rules
from sales.selectors.bought_sql import goods_values, stage_values

_TAKE: Final = """
DELETE FROM campaigns_outcometouch WHERE id IN (
    SELECT id FROM campaigns_outcometouch ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING member_id, run_id
"""
# What comes back so long after the window still counts against what was bought in it.
SETTLING: Final = dt.timedelta(days=15)
_TABLES: Final = ("sales_sale", "coupons_redemption", "members_behaviour")
_PATIENCE: Final = dt.timedelta(seconds=2)
_NOTES: Final = 20_000
_RUN_S: Final = 20.0
_LONGEST_MS: Final = 10 * 60_000
_DAILY: Final = dt.timedelta(days=1)
# Sums are made again at once for a small run; a run of a million waits some minutes.
_SOONEST: Final = dt.timedelta(seconds=15)
_MEMBERS_A_SECOND: Final = 2_000
# Messages arrive and are read in the first days; later they are looked at now and then.
_LIVELY: Final = dt.timedelta(days=3)
_LATER: Final = dt.timedelta(hours=6)


def work_outcomes(*, at: dt.datetime | None = None) -> int:
    """Runs that were launched have their outcomes, members whose purchases changed are counted anew, sums are fresh, and what
    is over is frozen; how many runs were looked at. Two at once share the work; a run ends after some seconds."""
    at, end = at or clock.now(), time.monotonic() + _RUN_S
    open_books(at=at)
    while time.monotonic() < end:
        if follow_touched(at=at) < _NOTES:
            break
    count = 0
    unfinished = CampaignBook.objects.filter(Q(frozen_at__isnull=True) | Q(is_stale=True))
    for run_id in list(unfinished.order_by("pk").values_list("pk", flat=True)):
        count += work_book(run_id=run_id, at=at)
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
    """The run is begun, counted, summed up and frozen, as far as that is due; of a frozen one only the sums change. Whether
    anything was done. Nothing happens while somebody else is at it, or while some who wrote before the book was opened have
    not ended."""
    begun = CampaignBook.objects.filter(run=run_id, begun_at__isnull=False).exists()
    # Their changes were not noted; a count that begins after they ended sees them.
    if not begun and not writers_ended(*_TABLES, patience=_PATIENCE):
        return False
    with transaction.atomic():
        books = CampaignBook.objects.filter(run=run_id).claim(1)
        if not books:
            return False
        [book] = books
        if book.frozen_at is not None:
            return book.is_stale and _sum_up(book, at)
        run = CampaignRun.objects.select_related("campaign").get(pk=run_id)
        _patiently()
        return _work(book, run, at)


def follow_touched(*, at: dt.datetime) -> int:
    """Members who were noted are counted anew in every run of theirs that is not frozen; how many notes were taken."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [_NOTES])
            notes = cursor.fetchall()
        if not notes:
            return 0
        ids = sorted({member_id for member_id, _run_id in notes})
        resummed = {run_id for _member_id, run_id in notes if run_id is not None}
        hers = CampaignOutcome.objects.filter(run=OuterRef("pk"), member_id__in=ids)
        wanted = Q(Exists(hers), frozen_at__isnull=True, begun_at__isnull=False) | Q(pk__in=resummed)
        _patiently()
        for book in CampaignBook.objects.filter(wanted).lock_rows():
            changed = 0
            if book.frozen_at is None and book.begun_at is not None:
                run = CampaignRun.objects.select_related("campaign").get(pk=book.pk)
                changed = _count(run, book.counted_until, among=ids)
            if changed or book.pk in resummed:
                book.is_stale = True
                book.save(update_fields=["is_stale"])
    return len(notes)


def recount_run(*, run_id: int, at: dt.datetime | None = None) -> None:
    """The run is counted and summed up from scratch, unless it is frozen. Its launch places (`orders_before`) stay."""
    at = at or clock.now()
    with transaction.atomic():
        for book in CampaignBook.objects.filter(
            run=run_id, frozen_at__isnull=True, begun_at__isnull=False
        ).lock_rows():
            run = CampaignRun.objects.select_related("campaign").get(pk=run_id)
            _patiently()
            _count_whole(book, run, at)
            _deliver(book, run, at)
            _sum_up(book, at)


def _work(book: CampaignBook, run: CampaignRun, at: dt.datetime) -> bool:
    if book.begun_at is None:
        _begin(book, run, at)
    ends = run.window_ends_at
    is_over = (
        run.state in {RunState.RELEASED, RunState.STOPPED} and ends is not None and ends + SETTLING <= at
    )
    moved = book.counted_until != ends
    if is_over or moved or book.counted_at is None or book.counted_at + _DAILY <= at:
        _count_whole(book, run, at)
    elif not _is_due(book, run, at):
        return False
    _deliver(book, run, at)
    if book.is_stale or book.summed_at is None:
        _sum_up(book, at)
    if is_over:
        book.frozen_at = at
        book.save(update_fields=["frozen_at"])
    return True


def _is_due(book: CampaignBook, run: CampaignRun, at: dt.datetime) -> bool:
    pause = max(_SOONEST, dt.timedelta(seconds=run.member_count / _MEMBERS_A_SECOND))
    if book.is_stale and (book.summed_at is None or book.summed_at + pause <= at):
        return True
    is_lively = run.state == RunState.RELEASING or (run.released_at or at) + _LIVELY > at
    return book.delivered_at is None or book.delivered_at + (pause if is_lively else max(pause, _LATER)) <= at


def _begin(book: CampaignBook, run: CampaignRun, at: dt.datetime) -> None:
    values = _values(run, run.window_ends_at)
    _execute(begin_sql(run.campaign.goal), values)
    book.repeat_count = _ask(REPEATS, values) if run.number > 1 else 0
    book.begun_at, book.is_stale = at, True
    book.save(update_fields=["repeat_count", "begun_at", "is_stale"])


def _count_whole(book: CampaignBook, run: CampaignRun, at: dt.datetime) -> None:
    book.is_stale = bool(_count(run, run.window_ends_at)) or book.is_stale
    book.counted_at, book.counted_until = at, run.window_ends_at
    book.save(update_fields=["is_stale", "counted_at", "counted_until"])


def _count(run: CampaignRun, until: dt.datetime | None, *, among: Iterable[int] | None = None) -> int:
    """How many rows changed."""
    measure = run.campaign.measure
    text = count_sql(
        run.campaign.goal,
        has_goods=bool(measure.get("categories") or measure.get("products")),
        is_among=among is not None,
    )
    values = _values(run, until) | ({} if among is None else {"ids": array_words(among)})
    return _execute(text, values)


def _deliver(book: CampaignBook, run: CampaignRun, at: dt.datetime) -> None:
    changed = _execute(deliver_sql(), _values(run, run.window_ends_at))
    book.is_stale = bool(changed) or book.is_stale
    book.delivered_at = at
    book.save(update_fields=["is_stale", "delivered_at"])


def _sum_up(book: CampaignBook, at: dt.datetime) -> bool:
    CampaignTotal.objects.filter(run=book.pk).delete()
    _execute(SUM_UP, {"run_id": book.pk})
    book.is_stale, book.summed_at, book.sums = False, at, sums_by_letter([book.pk])
    book.save(update_fields=["is_stale", "summed_at", "sums"])
    return True


def _values(run: CampaignRun, until: dt.datetime | None) -> dict[str, Any]:
    """Everybody's clock begins at the launch: of the control group nobody was ever served."""
    measure = run.campaign.measure
    launched = run.launched_at
    assert launched is not None
    return {
        "run_id": run.pk,
        "campaign_id": run.campaign_id,
        "from_at": launched,
        "until_at": until,
        "today": clock.business_day(launched),
        **stage_values(get_rfm_rules()),
        **goods_values(
            measure.get("categories") or (), measure.get("products") or (), measure.get("least_fen") or 0
        ),
    }


def _patiently() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_LONGEST_MS)])


def _execute(text: str, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return int(cursor.rowcount)


def _ask(text: str, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return int(cursor.fetchone()[0])
