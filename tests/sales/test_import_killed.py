"""Workers of a file killed in the middle of a chunk, a slice and a fold, frozen past their lease, and two at once."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.db import connections

from core import clock, leases
from members import services as member_services
from members.models import EarningRule, PointsEntry
from sales import services
from sales.models import IntakeDocument, IntakeJob, IntakeProblem, PerformanceEntry, Sale, TotalMove
from sales.services import import_running
from sales.services.import_staging import load_staged
from tests.cast import Cast
from tests.killed_job import killed_while_waiting, run_killed
from tests.sales.import_kit import STAFF, check, counts, row, run, text_of, upload
from tests.sales.kit import assert_totals_agree, ledger

pytestmark = pytest.mark.django_db(transaction=True)

# Chunks and slices of three, in a process of its own.
BEGIN = (
    "from django.conf import settings; settings.IMPORT_ROOT = {root!r}; "
    "from sales import services; from sales.services import import_running, import_staging; "
    "import_staging.CHUNK = import_running.SLICE = 3; "
)
WORK = BEGIN + "services.work_intake({job_id})"
# Killed where the totals would be folded: the slice is committed, its moves wait, however few they are.
DIES_BEFORE_FOLD = (
    BEGIN
    + "from sales.services import totals; totals._MOST_MOVED = 0; "
    + "import os, signal; import_running.fold_late = lambda: os.kill(os.getpid(), signal.SIGKILL); "
    + "services.work_intake({job_id})"
)


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.IMPORT_ROOT = tmp_path


def elsewhere(text: str, job_id: int) -> str:
    return text.format(root=str(live_settings.IMPORT_ROOT), job_id=job_id)


def lease_runs_out() -> None:
    IntakeJob.objects.update(leased_until=clock.now() - leases.LEASE)


def rows_of(cast: Cast, count: int) -> list[list[str]]:
    return [row(f"O{number}", 会员码=cast.xiaoli.code if number % 2 else "") for number in range(count)]


def test_a_worker_killed_within_a_slice_leaves_whole_slices_and_the_next_books_the_rest(cast: Cast) -> None:
    EarningRule.objects.create(name="全部", fen_per_point=100)
    rows = rows_of(cast, 8)
    rows[4] = row("O4", 会员码=cast.xiaomei.code)
    job = check(upload(text_of(rows)))
    services.start_intake(job_id=job.pk, actor=STAFF)
    lock = "SELECT 1 FROM members_member WHERE id = %(id)s FOR UPDATE"
    with killed_while_waiting(elsewhere(WORK, job.pk), lock=lock, values={"id": cast.xiaomei.id}):
        job.refresh_from_db()
        assert (job.state, job.done_count, Sale.objects.count()) == ("running", 3, 3)
    assert services.work_intake(job.pk) is None  # the dead worker's lease still runs
    lease_runs_out()
    assert services.work_intakes() == 1
    job.refresh_from_db()
    assert (job.state, job.done_count, counts(job)) == ("finished", 8, {"booked": 8})
    assert PointsEntry.objects.count() == 5
    assert Sale.objects.count() == ledger()["order_count"] == 8
    assert_totals_agree()


def test_a_worker_killed_within_a_chunk_leaves_whole_chunks_and_the_next_reads_the_rest(cast: Cast) -> None:
    rows = [*rows_of(cast, 4), row("X", 数量="?"), row("X"), row("O8"), row("O9")]
    job_id = upload(text_of(rows))
    mapping = IntakeJob.objects.get(pk=job_id).mapping
    services.map_intake(job_id=job_id, mapping=mapping, actor=STAFF)
    lock = "LOCK TABLE sales_intakeproblem IN SHARE ROW EXCLUSIVE MODE"
    with killed_while_waiting(elsewhere(WORK, job_id), lock=lock):
        job = IntakeJob.objects.get(pk=job_id)
        assert (job.state, job.total_count, job.bad_count, IntakeDocument.objects.count()) == (
            "checking",
            3,
            0,
            3,
        )
    lease_runs_out()
    assert services.work_intake(job_id) == "checked"
    job.refresh_from_db()
    assert (job.total_count, job.row_count, job.bad_count, IntakeProblem.objects.count()) == (6, 8, 2, 2)
    places = IntakeDocument.objects.order_by("place").values_list("place", flat=True)
    assert list(places) == [1, 2, 3, 4, 5, 6]
    assert counts(run(job_id)) == {"booked": 6}
    assert_totals_agree()


def test_a_worker_killed_before_the_fold_leaves_moves_that_the_job_folds(cast: Cast) -> None:
    job = check(upload(text_of(rows_of(cast, 8))))
    services.start_intake(job_id=job.pk, actor=STAFF)
    run_killed(elsewhere(DIES_BEFORE_FOLD, job.pk))
    assert (Sale.objects.count(), TotalMove.objects.exists()) == (3, True)
    assert services.fold_totals() > 0
    assert_totals_agree()
    # Who proves totals while moves wait finds nothing wrong, and nothing is counted twice.
    lease_runs_out()
    run_killed(elsewhere(DIES_BEFORE_FOLD, job.pk))
    assert TotalMove.objects.exists()
    assert_totals_agree()
    lease_runs_out()
    services.work_intake(job.pk)
    assert Sale.objects.count() == ledger()["order_count"] == 8
    assert_totals_agree()


def test_two_files_in_opposite_order_at_once_end_as_one_clean_run(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "SLICE", 5)
    rows = rows_of(cast, 30)
    jobs = [check(upload(text_of(one))).pk for one in (rows, rows[::-1])]
    for job_id in jobs:
        services.start_intake(job_id=job_id, actor=STAFF)
    gate = threading.Barrier(2)
    failed: list[BaseException] = []

    def work(job_id: int) -> None:
        gate.wait()
        try:
            services.work_intake(job_id)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(job_id,)) for job_id in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    ended = IntakeJob.objects.order_by("pk")
    assert [job.state for job in ended] == ["finished", "finished"]
    assert sum(job.counts["booked"] for job in ended) == 30
    assert sum(job.counts["repeated"] for job in ended) == 30
    assert Sale.objects.count() == ledger()["order_count"] == 30
    assert Sale.objects.filter(is_first=True).count() == 1
    assert_totals_agree()


def test_a_till_with_the_same_order_meanwhile_leaves_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The till commits between the slice's look and its write; without another look the file would fail."""
    lock = member_services.lock_living
    told: list[bool] = []

    def till() -> None:
        services.record_documents(documents=[load_staged(staged, kind="order", source="pos")], actor=STAFF)
        connections.close_all()

    def lock_late(member_ids: Iterable[int]) -> bool:
        if not told:
            told.append(True)
            thread = threading.Thread(target=till)
            thread.start()
            thread.join(30)
        return lock(member_ids)

    monkeypatch.setattr(member_services, "lock_living", lock_late)
    checked = check(upload(text_of(rows_of(cast, 4))))
    staged = IntakeDocument.objects.get(job=checked, place=1)
    job = run(checked.pk)
    assert told
    assert counts(job) == {"booked": 3, "repeated": 1}
    assert PerformanceEntry.objects.filter(metric="order_count").count() == 4
    assert_totals_agree()
