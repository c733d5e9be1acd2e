"""What a worker does with staged documents: foretell what would become of them, and book them slice by slice."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from core.imports.holds import Hold
from core.imports.running import actor_of, add_counts
from sales.contracts import IntakeCounts
from sales.models import IntakeDocument, IntakeJob, IntakeKind
from sales.services.bulk import book_in_bulk
from sales.services.folding import fold_late, fold_totals
from sales.services.import_foretelling import foretell
from sales.services.import_staging import Staged, load_staged, refuse_scattered
from sales.services.intake import record_documents

SLICE: Final = 5_000  # orders booked in one transaction
DOER: Final = "import_sales"
APART: Final = 200  # documents that the engine for single ones takes in one
# Two files with the same orders in opposite order would otherwise wait for each other's numbers.
TURN: Final = 7_302_002
_LOOK_ANEW: Final = """
ANALYZE (SKIP_LOCKED) sales_sale (source, order_no, is_current, member_id, is_first),
    members_pointsaccount, members_membertier (member_id), members_activityentry (member_id, origin_id, source_key),
    members_pointsentry (account_id, origin_id, source_key)
"""
_FEW_SLICES: Final = 4


def foretell_documents(*, job: IntakeJob, hold: Hold, tell: Callable[[int], None]) -> IntakeCounts:
    """What would become of the staged documents; those of one number that contradict each other are bad."""
    # Before anything is asked of what was staged: the planner would take it for a handful of rows.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE (SKIP_LOCKED) sales_intakedocument (job_id, place, number, revision)")
    with transaction.atomic():
        hold.keep()
        hold.keep(bad_count=F("bad_count") + refuse_scattered(job_id=job.pk))

    def still_ours() -> None:
        hold.keep()
        tell(job.pk)

    return foretell(job=job, still_ours=still_ours)


def take_step(*, job: IntakeJob, at: dt.datetime) -> bool:
    """The next documents are booked; False when none were left. Inside a transaction that has the turn."""
    return _take_apart(job, at) or _take_slice(job, at)


def fold_after_step(*, has_more: bool) -> None:
    """The totals of what a step booked, now or, while there is more, by the job that runs beside."""
    if has_more:
        fold_late()
    else:
        fold_totals()


def _take_apart(job: IntakeJob, at: dt.datetime) -> bool:
    """Documents that a slice left: through the engine for single ones, in their order."""
    rows = _staged(job, APART, is_apart=True)
    if not rows:
        return False
    documents = [load_staged(row, kind=job.kind, source=job.source) for row in rows]
    outcomes = record_documents(documents=documents, actor=actor_of(job, doer=DOER), at=at)
    IntakeDocument.objects.filter(pk__in=[row.pk for row in rows]).update(is_apart=False)
    add_counts(job, Counter(told.outcome for told in outcomes))
    return True


def _take_slice(job: IntakeJob, at: dt.datetime) -> bool:
    rows = _staged(job, SLICE, place__gt=job.done_place)
    if not rows:
        IntakeDocument.objects.filter(job=job).delete()
        return False
    apart = _book(job, rows, at)
    IntakeDocument.objects.filter(pk__in=[rows[place].pk for place in apart]).update(is_apart=True)
    IntakeJob.objects.filter(pk=job.pk).update(done_place=rows[-1].place)
    if rows[0].place <= SLICE * _FEW_SLICES:
        # The first slices may be the first rows there are: the planner must not search them as it would a few.
        with connection.cursor() as cursor:
            cursor.execute(_LOOK_ANEW)
    return True


def _staged(job: IntakeJob, most: int, **which: object) -> list[Staged]:
    rows = IntakeDocument.objects.filter(job=job, **which).order_by("place").values_list(*Staged._fields)
    return list(map(Staged._make, rows[:most]))


def _book(job: IntakeJob, rows: Sequence[Staged], at: dt.datetime) -> Iterable[int]:
    """The places of those that are left for the engine for single documents: of returns all."""
    if job.kind == IntakeKind.RETURN:
        return range(len(rows))
    orders: list[Any] = [load_staged(row, kind=job.kind, source=job.source) for row in rows]
    told = book_in_bulk(
        orders=orders, digests=[bytes(row.digest) for row in rows], actor=actor_of(job, doer=DOER), at=at
    )
    add_counts(job, {"booked": len(told.booked), "repeated": len(told.repeated)})
    return told.apart
