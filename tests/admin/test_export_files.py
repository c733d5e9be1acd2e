"""A long list becomes a file in the background: progress, one worker at a time, fetched by who asked, deleted in the end."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core import clock
from core.admin import export_jobs
from core.models import AuditEntry, ExportJob
from tests.admin.coupon_desk_kit import page, sheet_of, shown, staff_client
from tests.cast import Cast
from tests.coupons.kit import claim, make_batch, make_members

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _long_lists(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setattr("core.admin.exports.AT_ONCE", 2)
    monkeypatch.setattr("core.admin.export_jobs.CHUNK", 1)
    settings.EXPORT_ROOT = tmp_path / "exports"


def ask(desk: Client, **query: Any) -> int:
    """The job that the button begins."""
    batch = make_batch()
    for member in make_members(3):
        claim(batch, member)
    answer = desk.get(page("coupon_export"), query)
    assert answer.status_code == 302
    job = ExportJob.objects.get()
    assert answer["Location"] == url("change", job.pk)
    return job.pk


def url(name: str, *args: int) -> str:
    return reverse(f"admin:core_exportjob_{name}", args=args)


def fetch(client: Client, pk: int) -> Any:
    return client.get(reverse("admin:core_export_file", args=[pk]))


def files(settings: Any) -> list[str]:
    root = Path(settings.EXPORT_ROOT)
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def test_a_long_list_is_built_as_it_is_filtered_and_fetched(desk: Client, cast: Cast, settings: Any) -> None:
    claim(make_batch(), cast.xiaomei.id)
    pk = ask(desk, state="issued")
    desk.get(page("coupon_export"), {"state": "issued"})
    assert ExportJob.objects.count() == 1
    assert "已写入 0 / 4 条（0%）" in shown(desk.get(url("change", pk)))
    assert fetch(desk, pk).status_code == 302
    assert export_jobs.build_exports() == 1
    assert export_jobs.build_exports() == 0
    told = shown(desk.get(reverse("admin:core_export_progress", args=[pk])))
    assert "下载" in told
    assert "4 条" in told
    rows = sheet_of(fetch(desk, pk))
    assert len(rows) == 5
    assert rows[0][0] == "券码"
    made = AuditEntry.objects.get(action="coupons.coupon_exported")
    assert (made.subject_id, made.details) == (cast.head_office.pk, {"row_count": 4})
    assert AuditEntry.objects.get(action="core.export_fetched").actor_id == cast.head_office.pk
    assert [path.stat().st_mode & 0o077 for path in Path(settings.EXPORT_ROOT).iterdir()] == [0]


def test_nobody_else_sees_or_fetches_it(desk: Client, cast: Cast) -> None:
    pk = ask(desk)
    export_jobs.build_exports()
    other = staff_client(cast, "view_coupon", "export_coupon")
    assert fetch(other, pk).status_code == 403
    assert other.get(url("change", pk)).status_code == 302
    assert list(other.get(url("changelist")).context["cl"].result_list) == []


def test_rights_are_asked_again_when_it_is_built_and_fetched(cast: Cast) -> None:
    client = staff_client(cast, "view_coupon", "export_coupon")
    batch = make_batch()
    for _ in range(3):
        claim(batch, cast.xiaomei.id)
    client.get(page("coupon_export"))
    job = ExportJob.objects.get()
    cast.regional.user_permissions.set(Permission.objects.filter(codename="view_coupon"))
    assert export_jobs.build_exports() == 1
    job.refresh_from_db()
    assert (job.state, job.fault, job.stored_as) == ("failed", "no_right", "")
    assert "没有导出这个列表的权限" in shown(client.get(url("change", job.pk)))
    assert fetch(client, job.pk).status_code == 403
    assert not AuditEntry.objects.filter(action="coupons.coupon_exported").exists()


def test_a_worker_that_died_is_made_up_for_and_a_late_one_is_fenced_off(desk: Client, settings: Any) -> None:
    pk = ask(desk)
    stale = export_jobs.take_export()
    assert stale is not None
    assert export_jobs.build_exports() == 0  # its lease holds
    ExportJob.objects.filter(pk=pk).update(leased_until=clock.now())
    assert export_jobs.build_exports() == 1
    kept = ExportJob.objects.get().stored_as
    with pytest.raises(export_jobs.LostLease):
        export_jobs.build_export(stale)
    assert (ExportJob.objects.get().stored_as, files(settings)) == (kept, [kept])
    assert AuditEntry.objects.filter(action="coupons.coupon_exported").count() == 1


def test_a_list_that_kills_its_worker_every_time_is_given_up(
    desk: Client, monkeypatch: Any, settings: Any
) -> None:
    pk = ask(desk)

    def full(**_given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.admin.export_jobs.write_workbook", full)
    for _ in range(export_jobs.MOST_TRIES):
        with pytest.raises(OSError, match="No space"):
            export_jobs.build_exports()
        ExportJob.objects.filter(pk=pk).update(leased_until=clock.now())
    assert export_jobs.build_exports() == 0
    assert ExportJob.objects.get().fault == "broken"
    assert files(settings) == []
    assert "试了几次都没有生成成功" in shown(desk.get(url("change", pk)))


def test_files_are_deleted_when_they_are_over(desk: Client, settings: Any) -> None:
    pk = ask(desk)
    export_jobs.build_exports()
    assert export_jobs.prune_exports() == 0
    ExportJob.objects.update(expires_at=clock.now() - dt.timedelta(seconds=1))
    assert fetch(desk, pk).status_code == 302
    assert export_jobs.prune_exports() == 1
    assert (files(settings), ExportJob.objects.get().state) == ([], "over")
    assert fetch(desk, pk).status_code == 302
