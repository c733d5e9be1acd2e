"""Files of members: what their import does, on the job that every import has (`core.imports`)."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.db.models import QuerySet

from core.actor import Actor
from core.imports.holds import Hold
from core.imports.life import ImportLife
from core.imports.running import ImportWorker
from core.imports.sort import ImportSort, Tell
from core.tables import Table
from members.errors import ImportMappingUnusable, ImportNotInThisState, ImportStuck, NoSuchImport
from members.events import ImportQueued
from members.models import (
    CandidateState,
    ImportCandidate,
    ImportJob,
    ImportMapping,
    ImportProblem,
    ImportRow,
)
from members.services.import_columns import TARGETS, ColumnPlan, suggest_mapping, usable_mapping
from members.services.import_files import reason_words
from members.services.import_preview import words_of
from members.services.import_running import DOER, TURN, Moved, foretell, write_batch
from members.services.import_staging import READERS, Stager
from members.services.tags import tag_doer


class MemberFiles(ImportSort[ImportJob, ColumnPlan]):
    """Rows are staged one by one and written in batches; what may be somebody we know waits for a person."""

    name = "members.import"
    doer = DOER
    job_model = ImportJob
    problem_model = ImportProblem
    mapping_model = ImportMapping
    no_such = NoSuchImport
    not_in_this_state = ImportNotInThisState
    mapping_unusable = ImportMappingUnusable
    stuck = ImportStuck
    turn = TURN
    again = (Moved,)
    readers = READERS

    def queued(self, job_id: int) -> ImportQueued:
        return ImportQueued(job_id)

    def targets(self, job: ImportJob) -> Mapping[str, Any]:
        return TARGETS

    def suggest(self, headings: Sequence[str], told: Mapping[str, Any]) -> dict[str, Any]:
        return suggest_mapping(headings)

    def plan(self, job: ImportJob, mapping: Mapping[str, Any]) -> ColumnPlan:
        return usable_mapping(mapping=mapping, width=len(job.headings))

    def kept(self, plan: ColumnPlan) -> dict[str, Any]:
        return {
            "columns": {str(place): target for target, places in plan.columns.items() for place in places},
            "newer_wins": plan.newer_wins,
            "tag_group": plan.tag_group,
            "app_id": plan.app_id,
            "mini_app_id": plan.mini_app_id,
        }

    def reason_words(self, job: ImportJob, reason: str) -> str:
        return reason_words(reason)

    def say(self, target: str, value: Any) -> str:
        return words_of(target=target, value=value)

    def staged(self, job: ImportJob) -> QuerySet[Any]:
        return ImportRow.objects.filter(job=job, is_waiting=False)

    def stage(self, *, job: ImportJob, plan: ColumnPlan, hold: Hold, table: Table) -> Iterator[None]:
        return Stager(job=job, plan=plan, hold=hold).chunks(table)

    def foretell(self, *, job: ImportJob, plan: ColumnPlan, hold: Hold, tell: Tell) -> Mapping[str, Any]:
        expected, newest = foretell(job=job, plan=plan, hold=hold)
        return {"expected": dataclasses.asdict(expected), "newest_member_id": newest}

    def settle(self, *, job: ImportJob, plan: ColumnPlan, at: dt.datetime) -> bool:
        return write_batch(job=job, plan=plan, at=at)

    def before_forgetting(self, job: ImportJob, *, actor: Actor, at: dt.datetime) -> None:
        """Questions nobody answered count as put aside."""
        ImportCandidate.objects.filter(job=job, state=CandidateState.WAITING).update(
            state=CandidateState.SKIPPED, decided_at=at, decided_by=tag_doer(actor)
        )
        ImportRow.objects.filter(job=job, is_waiting=True).delete()


IMPORT_LIFE: Final = ImportLife(MemberFiles())
IMPORT_WORKER: Final = ImportWorker(IMPORT_LIFE.sort)

upload_import = IMPORT_LIFE.upload
map_import = IMPORT_LIFE.map
start_import = IMPORT_LIFE.start
pause_import = IMPORT_LIFE.pause
resume_import = IMPORT_LIFE.resume
stop_import = IMPORT_LIFE.stop
forget_import = IMPORT_LIFE.forget
prune_imports = IMPORT_LIFE.prune
work_import = IMPORT_WORKER.work
work_imports = IMPORT_WORKER.work_due
