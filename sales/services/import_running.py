"""The worker's side of a file of orders: read, foretell, book; in steps that may end anywhere and be taken up again."""

import dataclasses
import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F

from core import clock
from core.actor import Actor
from core.errors import Refusal
from core.leases import LeaseLost, give_lease_back, is_free, keep_lease, take_lease
from core.tables import open_table
from sales.contracts import IntakeCounts
from sales.errors import IntakeStuck
from sales.models import IntakeDocument, IntakeJob, IntakeKind, IntakeState
from sales.services.booking import Again
from sales.services.bulk import book_in_bulk
from sales.services.folding import fold_totals
from sales.services.import_columns import IntakePlan, usable_mapping
from sales.services.import_files import MOST_BYTES, MOST_ROWS, path_of
from sales.services.import_foretelling import foretell
from sales.services.import_staging import Stager, load_staged, refuse_scattered
from sales.services.intake import record_documents

logger = logging.getLogger(__name__)

SLICE: Final = 20_000  # orders booked in one transaction
APART: Final = 200  # documents that the engine for single ones takes in one
_MOST_CLAIMS: Final = 8
_ATTEMPTS: Final = 6
# Two files with the same orders in opposite order would otherwise wait for each other's numbers.
_TURN: Final = 7_302_002
_LOOK_ANEW: Final = """
ANALYZE (SKIP_LOCKED) sales_sale (source, order_no, is_current, member_id, is_first),
    members_pointsaccount, members_membertier (member_id), members_activityentry (member_id, origin_id, source_key),
    members_pointsentry (account_id, origin_id, source_key)
"""
_FEW_SLICES: Final = 4


def work_intake(job_id: int, *, tell: Callable[[int], None] | None = None) -> str | None:
    """The job is as far as it can go; its state then. None when it has no work or another worker has it.

    `tell` is called with the job's id after every step. Every step commits by itself under the lease, so a killed
    worker loses one step at most and nothing is done twice. A file that cannot be read fails the job with the
    refusal's code.
    """
    holder = take_lease(IntakeJob.objects.working().filter(pk=job_id))
    if holder is None:
        return None
    try:
        while _step(job_id, holder, tell or _tell_nobody):
            pass
    except LeaseLost:
        logger.info("sales.intake_lease_lost", extra={"job_id": job_id})
    finally:
        give_lease_back(IntakeJob.objects.filter(pk=job_id), holder=holder)
    return IntakeJob.objects.values_list("state", flat=True).get(pk=job_id)


def work_intakes() -> int:
    """Take up every file that has work and no worker; how many were taken up."""
    due = IntakeJob.objects.working().filter(is_free(clock.now())).order_by("pk")
    return sum(work_intake(job_id) is not None for job_id in list(due.values_list("pk", flat=True)))


def _tell_nobody(job_id: int) -> None:
    """Most workers are not watched."""


def _step(job_id: int, holder: str, tell: Callable[[int], None]) -> bool:
    """One stretch of work; whether there may be more."""
    job = IntakeJob.objects.select_related("created_by").get(pk=job_id)
    if job.state not in (IntakeState.CHECKING, IntakeState.RUNNING):
        return False
    if job.claim_count > _MOST_CLAIMS:
        return _fail(job, holder, IntakeStuck())
    if job.state == IntakeState.RUNNING:
        has_more = _take(job, holder)
        tell(job_id)
        return has_more
    plan = usable_mapping(mapping=job.mapping, width=len(job.headings), kind=job.kind)
    try:
        _check(job, plan, holder, tell)
    except Refusal as refusal:
        return _fail(job, holder, refusal)
    return True


def _check(job: IntakeJob, plan: IntakePlan, holder: str, tell: Callable[[int], None]) -> None:
    """The rest of the file is staged; what the import would do is counted, and the job is checked."""
    with open_table(path_of(job), most_rows=MOST_ROWS, most_bytes=MOST_BYTES) as table:
        for _chunk in Stager(job=job, plan=plan, holder=holder).chunks(table):
            tell(job.pk)
    row = IntakeJob.objects.working().filter(pk=job.pk)
    # Before anything is asked of what was staged: the planner would take it for a handful of rows.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE (SKIP_LOCKED) sales_intakedocument (job_id, place, number, revision)")
    with transaction.atomic():
        keep_lease(row, holder=holder)
        scattered = refuse_scattered(job_id=job.pk)
        row.update(bad_count=F("bad_count") + scattered)

    def still_ours() -> None:
        keep_lease(row, holder=holder)
        tell(job.pk)

    expected = foretell(job=job, still_ours=still_ours)
    with transaction.atomic():
        keep_lease(row, holder=holder)
        IntakeJob.objects.filter(pk=job.pk).update(
            state=IntakeState.CHECKED,
            expected=dataclasses.asdict(expected),
            total_count=IntakeDocument.objects.filter(job=job).count(),
        )


def _fail(job: IntakeJob, holder: str, refusal: Refusal) -> bool:
    """The job is over, for this reason; nothing of its documents stays."""
    with transaction.atomic():
        keep_lease(IntakeJob.objects.working().filter(pk=job.pk), holder=holder)
        IntakeDocument.objects.filter(job=job).delete()
        IntakeJob.objects.filter(pk=job.pk).update(
            state=IntakeState.FAILED,
            failure=refusal.code,
            failure_line=refusal.details.get("line"),
            ended_at=clock.now(),
        )
    logger.warning("sales.intake_failed", extra={"job_id": job.pk, "code": refusal.code})
    return False


def _take(job: IntakeJob, holder: str) -> bool:
    """The next documents are booked, tried again when somebody was in the way; whether more may be left."""
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                keep_lease(IntakeJob.objects.working().filter(pk=job.pk), holder=holder)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
                has_more = _take_apart(job) or _take_slice(job)
            break
        except (Again, IntegrityError, OperationalError) as error:
            # A till had the same order or member, or two waited for each other.
            if attempt + 1 == _ATTEMPTS or not connection.is_usable():
                raise
            logger.info("sales.intake_slice_again", extra={"job_id": job.pk, "kind": type(error).__name__})
    fold_totals()
    return has_more


def _take_apart(job: IntakeJob) -> bool:
    """Documents that a slice left: through the engine for single ones, in their order."""
    rows = list(IntakeDocument.objects.filter(job=job, is_apart=True).order_by("place")[:APART])
    if not rows:
        return False
    documents = [load_staged(row, kind=job.kind, source=job.source) for row in rows]
    outcomes = record_documents(documents=documents, actor=actor_of(job), at=clock.now())
    IntakeDocument.objects.filter(pk__in=[row.pk for row in rows]).update(is_apart=False)
    _add_counts(job, Counter(told.outcome for told in outcomes))
    return True


def _take_slice(job: IntakeJob) -> bool:
    at = clock.now()
    mark = IntakeJob.objects.values_list("done_place", flat=True).get(pk=job.pk)
    rows = list(IntakeDocument.objects.filter(job=job, place__gt=mark).order_by("place")[:SLICE])
    if not rows:
        IntakeDocument.objects.filter(job=job).delete()
        IntakeJob.objects.filter(pk=job.pk).update(state=IntakeState.FINISHED, ended_at=at)
        return False
    apart = _book(job, rows, at)
    IntakeDocument.objects.filter(pk__in=[rows[place].pk for place in apart]).update(is_apart=True)
    IntakeJob.objects.filter(pk=job.pk).update(done_place=rows[-1].place)
    if rows[0].place <= SLICE * _FEW_SLICES:
        # The first slices may be the first rows there are: the planner must not search them as it would a few.
        with connection.cursor() as cursor:
            cursor.execute(_LOOK_ANEW)
    return True


def _book(job: IntakeJob, rows: Sequence[IntakeDocument], at: dt.datetime) -> Iterable[int]:
    """The places of those that are left for the engine for single documents: of returns all."""
    if job.kind == IntakeKind.RETURN:
        return range(len(rows))
    orders: list[Any] = [load_staged(row, kind=job.kind, source=job.source) for row in rows]
    told = book_in_bulk(
        orders=orders, digests=[bytes(row.digest) for row in rows], actor=actor_of(job), at=at
    )
    _add_counts(job, {"booked": told.booked_count, "repeated": told.repeated_count})
    return told.apart


def _add_counts(job: IntakeJob, told: Any) -> None:
    """The job, locked by the caller, has come so much further."""
    row = IntakeJob.objects.get(pk=job.pk)
    names = [field.name for field in dataclasses.fields(IntakeCounts)]
    counts = {name: row.counts.get(name, 0) + told.get(name, 0) for name in names}
    IntakeJob.objects.filter(pk=job.pk).update(
        counts=counts, done_count=row.done_count + sum(told.get(name, 0) for name in names)
    )


def actor_of(job: IntakeJob) -> Actor:
    """Who the import acts for: the account that uploaded it."""
    if job.created_by is None:
        return Actor.system("import_sales")
    return Actor.staff(job.created_by.pk, str(job.created_by))
