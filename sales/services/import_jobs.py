"""Files of orders and returns: what their import does, on the job that every import has (`core.imports`)."""

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Final

from django.db.models import QuerySet

from core.actor import Actor
from core.imports.holds import Hold
from core.imports.life import ImportLife
from core.imports.running import ImportWorker
from core.imports.sort import ImportSort, Tell
from core.tables import Table
from sales.errors import (
    IntakeMappingUnusable,
    IntakeNotInThisState,
    IntakeSourceUnusable,
    IntakeStuck,
    NoSuchIntake,
)
from sales.events import IntakeQueued
from sales.models import IntakeDocument, IntakeJob, IntakeKind, IntakeMapping, IntakeProblem
from sales.services.booking import Again
from sales.services.import_columns import TARGETS, IntakePlan, suggest_mapping, usable_mapping
from sales.services.import_files import MOST_BYTES, MOST_ROWS, reason_words
from sales.services.import_json import as_table
from sales.services.import_preview import words_of
from sales.services.import_running import DOER, TURN, fold_after_step, foretell_documents, take_step
from sales.services.import_staging import Stager
from sales.services.import_values import READERS

_SOURCE: Final = re.compile(r"[0-9A-Za-z_.\-]{1,16}")


class OrderFiles(ImportSort[IntakeJob, IntakePlan]):
    """Rows are gathered into documents, staged, and booked in slices; a file may be as large as a night's orders."""

    name = "sales.intake"
    doer = DOER
    job_model = IntakeJob
    problem_model = IntakeProblem
    mapping_model = IntakeMapping
    no_such = NoSuchIntake
    not_in_this_state = IntakeNotInThisState
    mapping_unusable = IntakeMappingUnusable
    stuck = IntakeStuck
    turn = TURN
    again = (Again,)
    most_rows = MOST_ROWS
    most_bytes = MOST_BYTES
    remembered_by = ("kind",)
    marks = ("row_count", "done_place")
    readers = READERS

    def queued(self, job_id: int) -> IntakeQueued:
        return IntakeQueued(job_id)

    def targets(self, job: IntakeJob) -> Mapping[str, Any]:
        return TARGETS[job.kind]

    def suggest(self, headings: Sequence[str], told: Mapping[str, Any]) -> dict[str, Any]:
        return suggest_mapping(headings=headings, kind=told["kind"])

    def plan(self, job: IntakeJob, mapping: Mapping[str, Any]) -> IntakePlan:
        return usable_mapping(mapping=mapping, width=len(job.headings), kind=job.kind)

    def kept(self, plan: IntakePlan) -> dict[str, Any]:
        return {
            "columns": {str(place): target for target, place in plan.columns.items()},
            "app_id": plan.app_ids.get("openid", ""),
            "mini_app_id": plan.app_ids.get("mini_openid", ""),
            "channel": plan.channel,
        }

    def reason_words(self, job: IntakeJob, reason: str) -> str:
        return reason_words(reason=reason, kind=job.kind)

    def say(self, target: str, value: Any) -> str:
        return words_of(target=target, value=value)

    def staged(self, job: IntakeJob) -> QuerySet[Any]:
        return IntakeDocument.objects.filter(job=job)

    def stage(self, *, job: IntakeJob, plan: IntakePlan, hold: Hold, table: Table) -> Iterator[None]:
        return Stager(job=job, plan=plan, hold=hold).chunks(table)

    def foretell(self, *, job: IntakeJob, plan: IntakePlan, hold: Hold, tell: Tell) -> Mapping[str, Any]:
        expected = foretell_documents(job=job, hold=hold, tell=tell)
        return {"expected": dataclasses.asdict(expected), "total_count": self.staged(job).count()}

    def settle(self, *, job: IntakeJob, plan: IntakePlan, at: dt.datetime) -> bool:
        return take_step(job=job, at=at)

    def after_step(self, *, has_more: bool) -> None:
        fold_after_step(has_more=has_more)


INTAKE_LIFE: Final = ImportLife(OrderFiles())
INTAKE_WORKER: Final = ImportWorker(INTAKE_LIFE.sort)


def upload_intake(
    *,
    stream: IO[bytes],
    file_name: str,
    kind: str,
    source: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The file of orders or returns of that source is kept, and a job waits for its columns to be mapped; its id.

    JSON lines, told by the file's name, are kept as the table they mean. Refuses a source that is no code, and what
    `ImportLife.upload` refuses.
    """
    if not _SOURCE.fullmatch(source):
        raise IntakeSourceUnusable(field="source")
    with as_table(stream=stream, file_name=file_name, kind=IntakeKind(kind)) as table:
        return INTAKE_LIFE.upload(
            stream=table, file_name=file_name, actor=actor, at=at, kind=IntakeKind(kind), source=source
        )


map_intake = INTAKE_LIFE.map
start_intake = INTAKE_LIFE.start
pause_intake = INTAKE_LIFE.pause
resume_intake = INTAKE_LIFE.resume
stop_intake = INTAKE_LIFE.stop
forget_intake = INTAKE_LIFE.forget
prune_intakes = INTAKE_LIFE.prune
work_intake = INTAKE_WORKER.work
work_intakes = INTAKE_WORKER.work_due
