"""The worker's side of an import: read, foretell, settle; in steps that may end anywhere and be taken up again."""

import logging
from collections.abc import Mapping
from typing import Any, Final, Generic

from django.db import IntegrityError, OperationalError, connection, transaction

from core import clock
from core.actor import Actor
from core.collecting import collector_resting
from core.errors import Refusal
from core.imports.holds import Hold, wait_turn
from core.imports.models import WORKING, AbstractImportJob, ImportState
from core.imports.reading import open_file
from core.imports.sort import ImportSort, J, P, Tell
from core.leases import LeaseLost, give_lease_back, take_lease

logger = logging.getLogger(__name__)

_MOST_CLAIMS: Final = 8
_ATTEMPTS: Final = 6


class ImportWorker(Generic[J, P]):
    """Who works on the imports of one sort."""

    def __init__(self, sort: ImportSort[J, P]) -> None:
        self.sort = sort

    def work(self, job_id: int, *, tell: Tell | None = None) -> str | None:
        """The job is as far as it can go; its state then. None when it has no work or another worker has it.

        `tell` is called with the job's id after every step. Every step commits by itself under the lease, so a killed
        worker loses one step at most and nothing is done twice. A file that cannot be read fails the job with the
        refusal's code.
        """
        jobs = self.sort.jobs()
        row = jobs.working().filter(pk=job_id)
        holder = take_lease(row)
        if holder is None:
            return None
        try:
            while self._step(job_id, Hold(row, holder), tell or _tell_nobody):
                pass
        except LeaseLost:
            logger.info("%s_lease_lost", self.sort.name, extra={"job_id": job_id})
        finally:
            give_lease_back(jobs.filter(pk=job_id), holder=holder)
        return str(jobs.values_list("state", flat=True).get(pk=job_id))

    def work_due(self) -> int:
        """Take up every import that has work and no worker; how many were taken up."""
        due = list(self.sort.jobs().due(clock.now()).order_by("pk").values_list("pk", flat=True))
        return sum(self.work(job_id) is not None for job_id in due)

    def _job(self, job_id: int) -> J:
        return self.sort.jobs().select_related("created_by").get(pk=job_id)

    def _step(self, job_id: int, hold: Hold, tell: Tell) -> bool:
        """One stretch of work; whether there may be more."""
        job = self._job(job_id)
        if job.state not in WORKING:
            return False
        if job.claim_count > _MOST_CLAIMS:
            return self._fail(job, hold, self.sort.stuck())
        plan = self.sort.plan(job, job.mapping)
        if job.state == ImportState.RUNNING:
            has_more = self._settle(job_id, plan, hold)
            tell(job_id)
            return has_more
        try:
            self._check(job, plan, hold, tell)
        except Refusal as refusal:
            return self._fail(job, hold, refusal)
        return True

    def _check(self, job: J, plan: P, hold: Hold, tell: Tell) -> None:
        """The rest of the file is staged; what the import would do is counted, and the job is checked."""
        with open_file(self.sort, job) as table:
            for _chunk in self.sort.stage(job=job, plan=plan, hold=hold, table=table):
                tell(job.pk)
        found = self.sort.foretell(job=job, plan=plan, hold=hold, tell=tell)
        hold.keep(state=ImportState.CHECKED, **found)

    def _fail(self, job: J, hold: Hold, refusal: Refusal) -> bool:
        """The job is over, for this reason; nothing of what was staged stays."""
        with transaction.atomic():
            hold.keep(
                state=ImportState.FAILED,
                failure=refusal.code,
                failure_line=refusal.details.get("line"),
                ended_at=clock.now(),
            )
            self.sort.staged(job).delete()
        logger.warning("%s_failed", self.sort.name, extra={"job_id": job.pk, "code": refusal.code})
        return False

    def _settle(self, job_id: int, plan: P, hold: Hold) -> bool:
        """The next step is settled, tried again when somebody was in the way; whether more may be left.

        A step that does not come through raises what was in its way, and is left to the next worker: the job that
        takes up what has none.
        """
        conflicts: tuple[type[Exception], ...] = (*self.sort.again, IntegrityError, OperationalError)
        for attempt in range(_ATTEMPTS):
            try:
                has_more = self._settle_once(job_id, plan, hold)
                break
            except conflicts as error:
                # Somebody wrote the same thing between our look and our write, or two waited for each other.
                if attempt + 1 == _ATTEMPTS or not connection.is_usable():
                    raise
                told = {"job_id": job_id, "attempt": attempt, "kind": type(error).__name__}
                logger.info("%s_again", self.sort.name, extra=told)
        self.sort.after_step(has_more=has_more)
        return has_more

    def _settle_once(self, job_id: int, plan: P, hold: Hold) -> bool:
        with collector_resting(), transaction.atomic():
            hold.keep()
            job = self._job(job_id)
            wait_turn(self.sort.turn)
            now = clock.now()
            has_more = self.sort.settle(job=job, plan=plan, at=now)
            if not has_more:
                hold.keep(state=ImportState.FINISHED, ended_at=now)
        return has_more


def add_counts(job: AbstractImportJob, told: Mapping[str, int]) -> None:
    """The job, locked by the caller, has come so much further."""
    counts = {name: job.counts.get(name, 0) + told.get(name, 0) for name in {**job.counts, **told}}
    rows: Any = type(job)._default_manager.filter(pk=job.pk)
    rows.update(counts=counts, done_count=job.done_count + sum(told.values()))


def actor_of(job: AbstractImportJob, *, doer: str) -> Actor:
    """Who the import acts for: the account that uploaded it, else the command of that name."""
    if job.created_by is None:
        return Actor.system(doer)
    return Actor.staff(job.created_by.pk, str(job.created_by))


def _tell_nobody(job_id: int) -> None:
    """Most workers are not watched."""
