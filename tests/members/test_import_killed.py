"""Workers of an import killed with SIGKILL in the middle of a chunk and of a batch, and those who take over."""

import pytest
from django.conf import settings

from core import clock, leases
from core.models import AuditEntry
from members import services
from members.models import ImportJob, ImportProblem, ImportRow, Member, MemberIdentity
from tests.killed_job import killed_while_waiting
from tests.members.import_kit import STAFF, check, counts, people, person, take_over, text_of, upload

# Chunks and batches of three rows, in a process of its own.
WORK = (
    "from django.conf import settings; settings.IMPORT_ROOT = {root!r}; "
    "from members import services; from members.services import import_running, import_staging; "
    "import_staging.CHUNK = import_running.BATCH = 3; services.work_import({job_id})"
)


def work_elsewhere(job_id: int) -> str:
    return WORK.format(root=str(settings.IMPORT_ROOT), job_id=job_id)


def lease_runs_out() -> None:
    ImportJob.objects.update(leased_until=clock.now() - leases.LEASE)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_within_a_batch_leaves_whole_batches_and_the_next_writes_the_rest() -> None:
    take_over([person(4)])
    known = Member.objects.get()
    job = check(upload(text_of(people(8))))
    services.start_import(job_id=job.pk, actor=STAFF)
    lock = "SELECT 1 FROM members_member WHERE id = %(id)s FOR UPDATE"
    with killed_while_waiting(work_elsewhere(job.pk), lock=lock, values={"id": known.pk}):
        job.refresh_from_db()
        assert (job.state, job.done_count, Member.objects.count()) == ("running", 3, 4)
        assert ImportRow.objects.filter(job=job).count() == 5
    assert services.work_import(job.pk) is None  # the dead worker's lease still runs
    lease_runs_out()
    assert services.work_imports() == 1
    job.refresh_from_db()
    assert (job.state, job.done_count, counts(job).created, counts(job).unchanged) == ("finished", 8, 7, 1)
    assert (Member.objects.count(), MemberIdentity.objects.count()) == (8, 16)
    assert AuditEntry.objects.filter(action="members.imported").count() == 8
    assert not ImportRow.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_within_a_chunk_leaves_whole_chunks_and_the_next_reads_the_rest() -> None:
    job_id = upload(text_of([*people(4), person(90, 手机号="坏"), *people(4, start=10)]))
    mapping = ImportJob.objects.get(pk=job_id).mapping
    services.map_import(job_id=job_id, mapping=mapping, actor=STAFF)
    lock = "LOCK TABLE members_importproblem IN SHARE ROW EXCLUSIVE MODE"
    with killed_while_waiting(work_elsewhere(job_id), lock=lock):
        job = ImportJob.objects.get(pk=job_id)
        assert (job.state, job.total_count, job.bad_count) == ("checking", 3, 0)
        assert ImportRow.objects.count() == 3
    assert services.work_import(job_id) is None
    lease_runs_out()
    assert services.work_import(job_id) == "checked"
    job.refresh_from_db()
    assert (job.total_count, job.bad_count, ImportProblem.objects.count()) == (8, 1, 1)
    assert list(ImportRow.objects.order_by("line").values_list("line", flat=True)) == [
        2,
        3,
        4,
        5,
        7,
        8,
        9,
        10,
    ]
