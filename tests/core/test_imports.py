"""What every sort of import shares: the life of its job, its worker's lease and steps, its files, its command."""

import datetime as dt
import io
import os
import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as live_settings
from django.core.management import call_command
from django.db import IntegrityError

from core import clock, leases
from core.errors import Refusal
from core.imports import life
from core.imports.reading import bad_rows
from core.models import AuditEntry
from tests.cast import Cast
from tests.import_kit import MEMBERS, ORDERS, Sort
from tests.killed_job import database_url
from tests.members.import_kit import STAFF

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("cast"),
    pytest.mark.parametrize("sort", [MEMBERS, ORDERS], ids=["members", "orders"]),
]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where uploaded files lie; empty at first."""
    root = tmp_path / "uploads"
    settings.IMPORT_ROOT = root
    return root


@pytest.fixture
def small(sort: Sort, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and steps of three."""
    for module, name in (sort.chunk, sort.step):
        monkeypatch.setattr(module, name, 3)


def code_of(call: Any, **values: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        call(**values, actor=STAFF)
    return refusal.value.code


@pytest.mark.usefixtures("small")
def test_a_worker_that_lost_its_lease_writes_nothing(sort: Sort) -> None:
    job = sort.checked(7)
    sort.start(job.pk)

    def taken_away(job_id: int) -> None:
        sort.life.sort.jobs().filter(pk=job_id).update(lease_holder="another")

    sort.worker.work(job.pk, tell=taken_away)
    job.refresh_from_db()
    assert (job.state, job.lease_holder, job.done_count, sort.made()) == ("running", "another", 3, 3)


@pytest.mark.usefixtures("small")
def test_a_worker_frozen_past_its_lease_leaves_the_job_to_who_took_it_over(sort: Sort) -> None:
    job = sort.checked(8)
    sort.start(job.pk)
    others: list[str | None] = []

    def sleep_long(_job_id: int) -> None:
        if not others:
            sort.life.sort.jobs().update(leased_until=clock.now() - leases.LEASE)
            others.append(sort.worker.work(job.pk))  # somebody else takes over, and finishes

    sort.worker.work(job.pk, tell=sleep_long)
    job.refresh_from_db()
    assert (others, job.state, job.done_count, sort.made()) == (["finished"], "finished", 8, 8)


@pytest.mark.usefixtures("small")
def test_a_checking_worker_frozen_past_its_lease_stages_no_line_twice(sort: Sort) -> None:
    job_id = sort.upload(sort.text(sort.lines(8)))
    sort.life.map(job_id=job_id, mapping=sort.job(job_id).mapping, actor=STAFF)
    others: list[str | None] = []

    def sleep_long(_job_id: int) -> None:
        if not others:
            sort.life.sort.jobs().update(leased_until=clock.now() - leases.LEASE)
            others.append(sort.worker.work(job_id))

    sort.worker.work(job_id, tell=sleep_long)
    assert (others, sort.job(job_id).total_count, sort.staged.objects.count()) == (["checked"], 8, 8)


@pytest.mark.usefixtures("small")
def test_pause_holds_after_the_step_and_resume_goes_on(sort: Sort) -> None:
    job = sort.checked(7)
    sort.start(job.pk)
    sort.start(job.pk)
    sort.worker.work(job.pk, tell=lambda job_id: sort.life.pause(job_id=job_id, actor=STAFF))
    job.refresh_from_db()
    assert (job.state, job.done_count, sort.made()) == ("paused", 3, 3)
    assert sort.worker.work(job.pk) is None
    sort.life.pause(job_id=job.pk, actor=STAFF)
    sort.life.resume(job_id=job.pk, actor=STAFF)
    assert (sort.worker.work(job.pk), sort.made()) == ("finished", 7)
    verbs = AuditEntry.objects.filter(subject_id=job.pk, action__startswith=f"{sort.code}_").order_by("pk")
    assert [action.rpartition("_")[2] for action in verbs.values_list("action", flat=True)] == [
        "uploaded", "mapped", "started", "paused", "resumed",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_who_meets_a_step_that_does_not_end_is_asked_to_come_again(
    sort: Sort, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = sort.checked(2)
    sort.start(job.pk)
    monkeypatch.setattr(life, "PATIENCE", "100ms")
    with psycopg.connect(database_url()) as worker:
        worker.execute(f"SELECT 1 FROM {job._meta.db_table} WHERE id = %s FOR NO KEY UPDATE", [job.pk])
        for verb in (sort.life.pause, sort.life.stop):
            assert code_of(verb, job_id=job.pk) == "core.unavailable"
        # Its lease would have run out by now; it is at work all the same.
        assert (sort.worker.work(job.pk), sort.worker.work_due()) == (None, 0)
    sort.life.pause(job_id=job.pk, actor=STAFF)
    assert sort.job(job.pk).state == "paused"


@pytest.mark.usefixtures("small")
def test_stop_keeps_what_is_written_and_drops_the_rest(sort: Sort) -> None:
    job = sort.checked(7)
    sort.start(job.pk)
    sort.worker.work(job.pk, tell=lambda job_id: sort.life.stop(job_id=job_id, actor=STAFF))
    sort.life.stop(job_id=job.pk, actor=STAFF)
    job.refresh_from_db()
    assert (job.state, job.done_count, sort.made(), sort.staged.objects.count()) == ("stopped", 3, 3, 0)
    for verb in (sort.life.start, sort.life.resume, sort.life.pause):
        assert code_of(verb, job_id=job.pk) == f"{sort.code}_not_in_this_state"
    assert code_of(sort.life.start, job_id=job.pk + 1).startswith(f"{sort.code.partition('.')[0]}.no_such_")


@pytest.mark.usefixtures("small")
def test_a_file_that_turns_out_broken_far_below_fails_the_job_and_leaves_nothing(sort: Sort) -> None:
    content = sort.text(sort.lines(6)) + 'x,"' + "x" * 40_000
    job = sort.check(sort.upload(content))
    assert (job.state, job.failure, job.failure_line) == ("failed", "core.file_cell_too_large", 8)
    assert not sort.staged.objects.exists()
    assert code_of(sort.life.stop, job_id=job.pk) == f"{sort.code}_not_in_this_state"


def test_a_job_that_never_goes_forward_is_given_up(sort: Sort) -> None:
    job = sort.checked(2)
    sort.start(job.pk)
    sort.life.sort.jobs().update(claim_count=8, leased_until=clock.now() - dt.timedelta(hours=1))
    assert sort.worker.work_due() == 1
    job.refresh_from_db()
    assert (job.state, job.failure, sort.made()) == ("failed", f"{sort.code}_stuck", 0)


@pytest.mark.usefixtures("small")
def test_a_step_that_somebody_is_always_in_the_way_of_is_left_to_the_next_worker(
    sort: Sort, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = sort.checked(7)
    sort.start(job.pk)
    settle, tries = sort.life.sort.settle, []

    def late(**values: Any) -> bool:
        """The first step goes through; the next writes, and loses it all."""
        answer = settle(**values)
        if values["job"].done_count:
            tries.append(values["job"].done_count)
            raise IntegrityError
        return bool(answer)

    with monkeypatch.context() as patch:
        patch.setattr(sort.life.sort, "settle", late)
        with pytest.raises(IntegrityError):
            sort.worker.work(job.pk)
    job.refresh_from_db()
    assert (tries, job.done_count, sort.made(), job.lease_holder) == ([3] * 6, 3, 3, "")
    assert sort.worker.work_due() == 1
    job.refresh_from_db()
    assert (job.state, job.done_count, sort.made()) == ("finished", 7, 7)


def test_the_same_file_twice_changes_nothing(sort: Sort) -> None:
    content = sort.text(sort.lines(5))
    first = sort.run(sort.check(sort.upload(content)).pk)
    second = sort.run(sort.check(sort.upload(content)).pk)
    assert (first.counts[sort.new], second.counts.get(sort.new), sort.made()) == (5, 0, 5)
    assert (second.state, second.done_count) == ("finished", 5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_encodings_of_chinese_shops(sort: Sort, encoding: str) -> None:
    job = sort.check(sort.upload(sort.text(sort.lines(1)).encode(encoding)))
    assert sort.run(job.pk).counts[sort.new] == 1


BROKEN: list[tuple[bytes, str]] = [
    (b"", "core.file_empty"),
    (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "core.file_unsupported"),
    (b"%PDF-1.7 nothing", "core.file_unsupported"),
    (b"a,b\r\n1,\xff\xff\xfe\xff", "core.file_unreadable"),
    (b"PK\x03\x04 nothing", "core.file_broken"),
    ("手机号,订单号\r\n".encode(), "core.file_has_no_rows"),
    ("手机号\r\n".encode() + b"x" * 10 * 1024 * 1024, "core.file_cell_too_large"),
]


@pytest.mark.parametrize(("content", "code"), BROKEN, ids=[code for _content, code in BROKEN])
def test_a_file_that_cannot_be_read_is_refused_and_not_kept(
    sort: Sort, content: bytes, code: str, folder: Path
) -> None:
    with pytest.raises(Refusal) as refusal:
        sort.upload(content)
    assert refusal.value.code == code
    assert os.listdir(folder) == []
    assert not sort.life.sort.jobs().exists()


def test_a_mapping_is_remembered_for_the_same_headings_only(sort: Sort) -> None:
    job_id = sort.upload(sort.text(sort.lines(1)))
    columns = dict(list(sort.job(job_id).mapping["columns"].items())[::-1])
    left_out = next(place for place, target in columns.items() if target in ("gender", "product_name"))
    del columns[left_out]
    sort.life.map(job_id=job_id, mapping={**sort.job(job_id).mapping, "columns": columns}, actor=STAFF)
    assert sort.job(sort.upload(sort.text(sort.lines(2)))).mapping == sort.job(job_id).mapping
    other = sort.upload(sort.text(sort.lines(1)).replace(sort.headings[0], f"{sort.headings[0]}（新）", 1))
    assert left_out in sort.job(other).mapping["columns"]


def test_bad_rows_come_back_with_their_reasons_and_no_formula(sort: Sort) -> None:
    job = sort.check(sort.upload(sort.text([sort.line(1), sort.bad_line(2)])))
    headings, line = list(bad_rows(sort.life.sort, job))
    assert headings == [*sort.headings, "行号", "原因"]
    assert (line[-2], "'=坏" in line, "'+王" in line) == ("3", True, True)
    assert (job.bad_count, job.total_count, sort.run(job.pk).counts[sort.new]) == (1, 1, 1)


def test_the_file_is_private_and_forgotten_after_its_days(
    sort: Sort, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    job = sort.run(sort.check(sort.upload(sort.text([sort.line(1), sort.bad_line(2)]))).pk)
    assert stat.S_IMODE((folder / job.stored_as).stat().st_mode) == 0o600
    left = sort.upload(sort.text(sort.lines(1)))
    waiting = sort.checked(1)
    sort.start(waiting.pk)
    later = clock.now() + dt.timedelta(days=live_settings.IMPORT_KEEP_DAYS, minutes=1)
    assert sort.life.prune(actor=STAFF, at=clock.now()) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert sort.life.prune(actor=STAFF, at=later) == 2
    assert os.listdir(folder) == [sort.job(waiting.pk).stored_as]
    assert not sort.life.sort.problems(job).exists()
    job.refresh_from_db()
    assert (job.stored_as, job.counts[sort.new], sort.job(left).state) == ("", 1, "stopped")
    assert sort.life.prune(actor=STAFF, at=later) == 0
    with pytest.raises(Refusal) as refusal:
        list(bad_rows(sort.life.sort, job))
    assert refusal.value.code == "core.file_gone"


def command(sort: Sort, *arguments: Any) -> tuple[int, str]:
    """Exit status, and what was written to both streams."""
    told, warned = io.StringIO(), io.StringIO()
    name, *options = sort.command
    status = 0
    try:
        call_command(name, *map(str, arguments), *options, stdout=told, stderr=warned)
    except SystemExit as end:
        status = int(end.code or 0)
    return status, told.getvalue() + warned.getvalue()


def test_the_command_checks_imports_tells_and_ends_with_a_status(sort: Sort, tmp_path: Path) -> None:
    path, errors = tmp_path / "file.csv", tmp_path / "bad.csv"
    good = sort.line(1)  # of one moment: an order of another is another
    path.write_text(sort.text([good, sort.bad_line(2)]), encoding="gbk")
    status, told = command(sort, path, "--dry-run")
    assert (status, f"checked: 1 {sort.new}" in told, sort.made()) == (1, True, 0)
    status, told = command(sort, path, "--errors", errors)
    assert (status, f"finished: 1 {sort.new}" in told, sort.made()) == (1, True, 1)
    assert "'=坏" in errors.read_text(encoding="utf-8-sig")
    path.write_text(sort.text([good]), encoding="utf-8")
    assert command(sort, path)[0] == 0
    assert command(sort, tmp_path / "none.csv")[0] == command(sort)[0] == 2
    assert command(sort, path, "--resume", 1)[0] == command(sort, "--resume", 987654)[0] == 2
    path.write_bytes(b"")
    assert "core.file_empty" in command(sort, path)[1]
    mapping = tmp_path / "map.json"
    mapping.write_text('{"columns": {"没有这列": "phone"}}', encoding="utf-8")
    path.write_text(sort.text([good]), encoding="utf-8")
    assert command(sort, path, "--mapping", mapping) == (2, "no such heading in the file: 没有这列\n")


@pytest.mark.usefixtures("small")
def test_the_command_goes_on_with_an_interrupted_import(sort: Sort, cast: Cast) -> None:
    job = sort.checked(7)
    sort.start(job.pk)

    def interrupt(_job_id: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sort.worker.work(job.pk, tell=interrupt)
    assert sort.made() == 3
    status, told = command(sort, "--resume", job.pk)
    assert (status, f"finished: 7 {sort.new}" in told, sort.made()) == (0, True, 7)
