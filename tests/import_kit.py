"""Both sorts of import behind one face, for tests of what they share."""

import dataclasses
import io
from collections.abc import Callable
from types import ModuleType
from typing import Any

from core.imports.life import ImportLife
from core.imports.models import AbstractImportJob
from core.imports.running import ImportWorker
from members.models import ImportRow, Member
from members.services import import_running as member_running
from members.services import import_staging as member_staging
from members.services.import_jobs import IMPORT_LIFE, IMPORT_WORKER
from sales.models import IntakeDocument, Sale
from sales.services import import_running as order_running
from sales.services import import_staging as order_staging
from sales.services.import_jobs import INTAKE_LIFE, INTAKE_WORKER
from tests.members import import_kit as member_kit
from tests.sales import import_kit as order_kit


@dataclasses.dataclass(frozen=True)
class Sort:
    """One sort of import: `line(n)` is the n-th thing of a file, one line each; `made()` how many of them are there."""

    life: ImportLife[Any, Any]
    worker: ImportWorker[Any, Any]
    headings: tuple[str, ...]
    line: Callable[[int], list[str]]
    bad_line: Callable[[int], list[str]]  # one of its cells cannot be read, another is a formula
    made: Callable[[], int]
    staged: Any
    chunk: tuple[ModuleType, str]
    step: tuple[ModuleType, str]
    told: dict[str, Any]  # what an upload needs beside the file
    command: tuple[str, ...]
    url: str
    page: str
    new: str  # the count of what was not there before
    code: str  # error codes begin with it

    def text(self, lines: list[list[str]]) -> str:
        """A CSV as an export writes it."""
        return "".join(",".join(line) + "\r\n" for line in ([*self.headings], *lines))

    def lines(self, count: int) -> list[list[str]]:
        return [self.line(number) for number in range(count)]

    def upload(self, content: str | bytes, name: str = "文件.csv") -> int:
        raw = content.encode() if isinstance(content, str) else content
        return self.life.upload(stream=io.BytesIO(raw), file_name=name, actor=member_kit.STAFF, **self.told)

    def job(self, job_id: int) -> AbstractImportJob:
        job: AbstractImportJob = self.life.sort.jobs().get(pk=job_id)
        return job

    def check(self, job_id: int) -> AbstractImportJob:
        """The job checked, with the mapping that was guessed."""
        self.life.map(job_id=job_id, mapping=self.job(job_id).mapping, actor=member_kit.STAFF)
        self.worker.work(job_id)
        return self.job(job_id)

    def checked(self, count: int) -> AbstractImportJob:
        job = self.check(self.upload(self.text(self.lines(count))))
        assert job.state == "checked", job.failure
        return job

    def start(self, job_id: int) -> None:
        self.life.start(job_id=job_id, actor=member_kit.STAFF)

    def run(self, job_id: int) -> AbstractImportJob:
        """The checked job settled to its end."""
        self.start(job_id)
        self.worker.work(job_id)
        return self.job(job_id)


MEMBERS = Sort(
    life=IMPORT_LIFE,
    worker=IMPORT_WORKER,
    headings=member_kit.HEADINGS,
    line=member_kit.person,
    bad_line=lambda number: member_kit.person(number, 手机号="=坏", 姓名="+王"),
    made=lambda: Member.objects.filter(source="import").count(),
    staged=ImportRow,
    chunk=(member_staging, "CHUNK"),
    step=(member_running, "BATCH"),
    told={},
    command=("import_members",),
    url="members_import",
    page="members_importjob",
    new="created",
    code="members.import",
)
ORDERS = Sort(
    life=INTAKE_LIFE,
    worker=INTAKE_WORKER,
    headings=order_kit.HEADINGS,
    line=lambda number: order_kit.row(f"O{number}"),
    bad_line=lambda number: order_kit.row(f"O{number}", 数量="=坏", 商品名称="+王"),
    made=lambda: Sale.objects.count(),
    staged=IntakeDocument,
    chunk=(order_staging, "CHUNK"),
    step=(order_running, "SLICE"),
    told={"kind": "order", "source": "pos"},
    command=("import_sales", "--source", "pos"),
    url="sales_intake",
    page="sales_intakejob",
    new="booked",
    code="sales.intake",
)
