"""The life of an import: uploaded, mapped and checked, run, paused, stopped, forgotten."""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Final, Generic

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit, clock, events
from core.actor import Actor
from core.errors import Unavailable
from core.imports.columns import headings_digest
from core.imports.models import MAPPABLE, OVER, WORKING, ImportState
from core.imports.sort import ImportSort, J, P
from core.tables import MOST_BYTES, open_table
from core.uploads import drop_file, keep_file, kept_path

PATIENCE: Final = "25s"  # below the longest statement
_LOCK_NOT_GIVEN: Final = "55P03"
_COUNTED: Final = ("read_count", "total_count", "done_count", "bad_count")


class ImportLife(Generic[J, P]):
    """What people do with the imports of one sort. Every verb is one transaction, and twice is once.

    Each raises the sort's `no_such` for a job that does not exist, `not_in_this_state` for one that is past it, and
    Unavailable when a worker's step does not end within PATIENCE.
    """

    def __init__(self, sort: ImportSort[J, P]) -> None:
        self.sort = sort

    def upload(
        self, *, stream: IO[bytes], file_name: str, actor: Actor, at: dt.datetime | None = None, **told: Any
    ) -> int:
        """The file is kept, and a job with the columns `told` waits for its file's columns to be mapped; its id.

        The mapping is what files under the same headings had last time, or what the headings suggest. Refuses a file
        that cannot be read to its second row, and keeps nothing of it. What staff upload is at most MOST_BYTES.
        """
        at = at or clock.now()
        sort = self.sort
        most_bytes = min(MOST_BYTES, sort.most_bytes) if actor.kind == "staff" else sort.most_bytes
        stored_as, digest = keep_file(stream, most_bytes=most_bytes)
        try:
            with open_table(
                kept_path(stored_as), most_rows=sort.most_rows, most_bytes=sort.most_bytes
            ) as table:
                next(table.rows, None)
                headings = list(table.headings)
            with transaction.atomic():
                job = sort.job_model._default_manager.create(
                    file_name=_shown_name(file_name),
                    stored_as=stored_as,
                    file_digest=digest,
                    headings=headings,
                    mapping=self._recalled(headings, told),
                    created_at=at,
                    created_by_id=actor.id if actor.kind == "staff" else None,
                    **told,
                )
                self._record("uploaded", job, actor, at)
        except BaseException:
            drop_file(stored_as)
            raise
        return int(job.pk)

    def map(
        self, *, job_id: int, mapping: Mapping[str, Any], actor: Actor, at: dt.datetime | None = None
    ) -> None:
        """The columns are read like this, and a worker checks the whole file; so will be files with these headings.

        A job that was checked is checked afresh. Refuses an incomplete mapping, and a job that is past this.
        """
        at = at or clock.now()
        sort = self.sort
        with transaction.atomic():
            job = self._lock(job_id, MAPPABLE)
            kept = sort.kept(sort.plan(job, mapping))
            sort.staged(job).delete()
            sort.problems(job).delete()
            job.mapping = kept
            for name in (*_COUNTED, *sort.marks):
                setattr(job, name, 0)
            job.expected, job.counts = {}, {}
            job.save(update_fields=["mapping", *_COUNTED, *sort.marks, "expected", "counts"])
            sort.mapping_model._default_manager.update_or_create(
                **{name: getattr(job, name) for name in sort.remembered_by},
                headings_digest=headings_digest(job.headings),
                defaults={"mapping": kept, "changed_at": at},
            )
            self._set_to_work(job, ImportState.CHECKING, at)
            self._record("mapped", job, actor, at)

    def start(self, *, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
        """A worker settles what was checked. Refuses a job that is not checked."""
        self._go_on(job_id, ImportState.CHECKED, "started", actor, at)

    def resume(self, *, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
        """A paused import goes on where it was."""
        self._go_on(job_id, ImportState.PAUSED, "resumed", actor, at)

    def pause(self, *, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
        """The import rests after the step that is being written."""
        at = at or clock.now()
        with transaction.atomic():
            job = self._lock(job_id, (ImportState.RUNNING, ImportState.PAUSED))
            if job.state == ImportState.PAUSED:
                return
            job.state, job.lease_holder, job.leased_until = ImportState.PAUSED, "", None
            job.save(update_fields=["state", "lease_holder", "leased_until"])
            self._record("paused", job, actor, at)

    def stop(self, *, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
        """The import is over; what is settled stays, what was to come is gone."""
        at = at or clock.now()
        with transaction.atomic():
            job = self._lock(job_id, {*ImportState} - {ImportState.FINISHED, ImportState.FAILED})
            if job.state != ImportState.STOPPED:
                self._stop(job, actor, at)

    def forget(self, *, job_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
        """The file and all that is left of its rows is deleted; counts, and what was settled, stay. Refuses an import
        that is not over."""
        at = at or clock.now()
        with transaction.atomic():
            self._forget(self._lock(job_id, OVER), actor, at)

    def prune(self, *, actor: Actor, at: dt.datetime | None = None) -> int:
        """Imports that ended, or were left lying, IMPORT_KEEP_DAYS ago are forgotten; how many."""
        at = at or clock.now()
        before = at - dt.timedelta(days=settings.IMPORT_KEEP_DAYS)
        old = Q(ended_at__lt=before) | Q(ended_at__isnull=True, created_at__lt=before)
        due = self.sort.jobs().filter(old).exclude(stored_as="").exclude(state__in=WORKING)
        count = 0
        for job_id in list(due.order_by("pk").values_list("pk", flat=True)):
            with transaction.atomic():
                job = self.sort.jobs().lock(job_id)
                if job.state in WORKING:
                    continue
                if job.ended_at is None:
                    self._stop(job, actor, at)
                self._forget(job, actor, at)
                count += 1
        return count

    def _recalled(self, headings: list[str], told: Mapping[str, Any]) -> dict[str, Any]:
        """The mapping that files under these headings had last time; else what the headings suggest."""
        of_sort = {name: told[name] for name in self.sort.remembered_by}
        known = self.sort.mapping_model._default_manager.filter(
            **of_sort, headings_digest=headings_digest(headings)
        ).first()
        return self.sort.suggest(headings, of_sort) if known is None else dict(known.mapping)

    def _lock(self, job_id: int, states: Iterable[str]) -> J:
        """The job, locked; a worker has it until its step ends, which may be longer than other locks are waited for."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        try:
            rows = self.sort.jobs().lock_all([job_id])
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_GIVEN:
                raise
            raise Unavailable(_("正在写入的一批还没有写完，请过一会儿再点一次")) from None
        if not rows:
            raise self.sort.no_such
        if rows[0].state not in states:
            raise self.sort.not_in_this_state
        return rows[0]

    def _go_on(self, job_id: int, was: ImportState, verb: str, actor: Actor, at: dt.datetime | None) -> None:
        at = at or clock.now()
        with transaction.atomic():
            job = self._lock(job_id, (was, ImportState.RUNNING))
            if job.state == ImportState.RUNNING:
                return
            self._set_to_work(job, ImportState.RUNNING, at)
            self._record(verb, job, actor, at)

    def _set_to_work(self, job: J, state: ImportState, at: dt.datetime) -> None:
        job.state, job.failure, job.claim_count = state, "", 0
        job.lease_holder, job.leased_until = "", None
        job.phase_started_at, job.phase_from_count = at, job.done_count
        job.save(
            update_fields=[
                "state", "failure", "claim_count", "lease_holder", "leased_until", "phase_started_at",
                "phase_from_count",
            ]
        )  # fmt: skip
        events.publish(self.sort.queued(job.pk))

    def _stop(self, job: J, actor: Actor, at: dt.datetime) -> None:
        self.sort.staged(job).delete()
        job.state, job.ended_at, job.lease_holder, job.leased_until = ImportState.STOPPED, at, "", None
        job.save(update_fields=["state", "ended_at", "lease_holder", "leased_until"])
        self._record("stopped", job, actor, at)

    def _forget(self, job: J, actor: Actor, at: dt.datetime) -> None:
        self.sort.before_forgetting(job, actor=actor, at=at)
        self.sort.staged(job).delete()
        self.sort.problems(job).delete()
        if job.stored_as:
            stored_as, job.stored_as = job.stored_as, ""
            job.save(update_fields=["stored_as"])
            # After the commit: a file that is gone cannot come back with the transaction.
            transaction.on_commit(lambda: drop_file(stored_as))
            self._record("forgotten", job, actor, at)

    def _record(self, verb: str, job: J, actor: Actor, at: dt.datetime) -> None:
        audit.record(action=f"{self.sort.name}_{verb}", subject=job, actor=actor, at=at)


def _shown_name(file_name: str) -> str:
    name = "".join(sign for sign in Path(file_name).name if sign.isprintable()).strip()
    return name[-120:] or "import"
