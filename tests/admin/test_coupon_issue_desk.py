"""The bulk issue desk: whom, how many, and nothing before somebody has seen the numbers."""

import datetime as dt
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core import clock
from core.models import AuditEntry
from coupons import selectors, services
from coupons.models import Coupon, IssueJob
from guides import services as guide_services
from members import services as member_services
from members.contracts import MemberCard
from tests.admin.coupon_desk_kit import errors_of, page, sheet_of, shown, staff_client
from tests.cast import Cast
from tests.coupons.kit import BOSS, claim, make_batch, make_members

ADD = "issuejob_add"
PHONE, OTHER_PHONE = "13900000001", "13900000002"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Any) -> Path:
    settings.IMPORT_ROOT = tmp_path
    return tmp_path


def start(desk: Client, to_issue: int, **values: Any) -> Any:
    return desk.post(page(ADD), {"batch": str(to_issue), "way": "filter", "form_key": "k1", **values})


def job_of(answer: Any) -> IssueJob:
    assert answer.status_code == 302, errors_of(answer)
    return IssueJob.objects.order_by("-pk")[0]


def press(desk: Client, job: IssueJob, verb: str) -> IssueJob:
    assert desk.post(page("issue_do", job.pk, verb)).status_code == 302
    job.refresh_from_db()
    return job


def run(job: IssueJob) -> Any:
    return services.run_issue_job(job_id=job.pk, actor=BOSS)


def members_in(job: IssueJob) -> set[int]:
    return {member for members in job.slices.values_list("member_ids", flat=True) for member in members}


def named(name: str, phone: str, guide_id: int | None = None) -> MemberCard:
    she = member_services.register_member(name=name, phone=phone, source="pos", actor=BOSS)
    if guide_id is not None:
        guide_services.bind_member(member_id=she.id, guide_id=guide_id, source="staff", actor=BOSS)
    return she


def upload(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_from_conditions_to_coupons_with_a_look_in_between(desk: Client, cast: Cast) -> None:
    batch = make_batch(5, member_limit=1)
    east, south = named("王小二", PHONE, cast.lina.id), named("林一", OTHER_PHONE, cast.chenjing.id)
    claim(batch, east.id)
    counted = desk.post(
        page("issue_count"), {"batch": str(batch), "way": "filter", "region_ids": [str(cast.east.id)]}
    )
    assert (counted.context["total"], counted.context["served"]) == (2, 1)
    yesterday = (clock.today() - dt.timedelta(days=1)).isoformat()  # 小美 came an hour ago
    job = job_of(start(desk, batch, region_ids=[str(cast.east.id)], joined_from=yesterday))
    assert (job.state, job.asked_count) == ("draft", 2)
    assert members_in(job) == {cast.xiaomei.id, east.id}
    seen = desk.get(page("issuejob_change", job.pk))
    assert (seen.context["served"], seen.context["expected"]) == (1, 1)
    html = shown(seen)
    assert "王＊＊" in html
    assert "王小二" not in html
    assert PHONE not in html
    assert services.resume_issue_jobs(actor=BOSS) == 0
    assert Coupon.objects.count() == 1
    assert press(desk, job, "confirm").state == "running"
    assert run(job).issued_count == 1
    assert Coupon.objects.filter(member_id=cast.xiaomei.id, door="system").count() == 1
    report = desk.get(page("issuejob_change", job.pk))
    assert report.context["reasons"] == [("已经达到每人限领的张数", 1)]
    rows = sheet_of(desk.get(page("issue_missed", job.pk)))
    assert rows[1:] == [[east.code, "0001", "已经达到每人限领的张数"]]
    assert not Coupon.objects.filter(member_id=south.id).exists()


def test_a_form_sent_twice_is_one_issue(desk: Client, cast: Cast) -> None:
    batch = make_batch()
    for _ in range(2):
        job = job_of(start(desk, batch, way="everyone"))
    assert IssueJob.objects.count() == 1
    for _ in range(2):
        press(desk, job, "confirm")
    run(job)
    run(job)
    assert Coupon.objects.count() == job.asked_count


def test_a_region_reaches_its_own_members_only(cast: Cast, desk: Client) -> None:
    named("林一", PHONE, cast.chenjing.id)
    east = staff_client(cast)
    batch = make_batch()
    mine = job_of(start(east, batch, way="everyone"))
    assert members_in(mine) == {cast.xiaomei.id}
    theirs = east.post(page("issue_count"), {"way": "filter", "region_ids": [str(cast.south.id)]})
    assert theirs.context["total"] == 0
    listed = start(east, batch, way="list", form_key="k2", file=upload("a.csv", f"{PHONE}\n".encode()))
    assert job_of(listed).bad_lines == {"1": "unknown"}
    foreign = job_of(start(desk, batch, way="everyone", form_key="k3"))
    assert east.get(page("issuejob_change", foreign.pk)).status_code == 302
    for name in ("issue_progress", "issue_missed", "issue_bad_lines"):
        assert east.get(page(name, foreign.pk)).status_code == 403, name
    assert east.post(page("issue_do", foreign.pk, "confirm")).status_code == 403
    ids = [row.pk for row in east.get(page("issuejob_changelist")).context["cl"].result_list]
    assert foreign.pk not in ids
    assert mine.pk in ids


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_list_of_any_sort_and_what_nobody_has_goes_back(desk: Client, cast: Cast) -> None:
    she, other = named("王小二", PHONE), named("林一", OTHER_PHONE)
    lines = [
        PHONE,
        other.code.lower(),
        "138****0000",
        "021-63220118",
        "=1+1",
        "13911112222",
        f"+86 {PHONE}",
        "",
    ]
    text = "备注,手机号/会员码\n" + "".join(f"x,{line}\n" for line in lines)
    job = job_of(start(desk, make_batch(), way="list", file=upload("老客.csv", text.encode("gbk"))))
    assert members_in(job) == {she.id, other.id}
    assert job.bad_lines == {
        "4": "phone_masked", "5": "phone_landline", "6": "unreadable", "7": "unknown", "8": "repeated", "9": "empty",
    }  # fmt: skip
    rows = sheet_of(desk.get(page("issue_bad_lines", job.pk)))
    assert rows[3] == ["x", "'=1+1", "6", "认不出是手机号、会员码还是卡号"]
    assert len(rows) == 7
    assert "名单里重复，只发一次" in shown(desk.get(page("issuejob_change", job.pk)))
    assert AuditEntry.objects.filter(action="coupons.missed_exported").exists()


@pytest.mark.parametrize(
    "content",
    [f"\ufeff{PHONE}\r\n".encode(), PHONE.encode(), workbook([PHONE]), workbook(["手机"], [int(PHONE)])],
)
def test_lists_without_a_heading_with_a_mark_and_with_numbers_are_read(desk: Client, content: bytes) -> None:
    she = named("王小二", PHONE)
    job = job_of(start(desk, make_batch(), way="list", file=upload("名单", content)))
    assert (members_in(job), job.bad_lines) == ({she.id}, {})


@pytest.mark.parametrize(
    "content", [b"\xd0\xcf\x11\xe0", b"PK\x03\x04", b"\xff" * 40, b"%PDF-1.4\n" + b"\0" * 50]
)
def test_a_broken_list_is_told_at_the_file_and_not_kept(
    desk: Client, own_folder: Path, content: bytes
) -> None:
    assert "file" in errors_of(start(desk, make_batch(), way="list", file=upload("a.xlsx", content)))
    assert "file" in errors_of(start(desk, make_batch(), way="list"))
    assert list(own_folder.iterdir()) == []
    assert not IssueJob.objects.exists()


def test_a_list_that_is_too_long_is_refused(desk: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("coupons.services.issue_lists.MOST_LINES", 2)
    answer = start(desk, make_batch(), way="list", file=upload("a.csv", b"13900000001\n" * 3))
    assert "10 万行" in str(errors_of(answer)["file"])


def test_merged_members_are_found_under_who_they_are(desk: Client, cast: Cast) -> None:
    first, second = named("王小二", PHONE), named("王小二", OTHER_PHONE)
    kept = member_services.merge_members(
        first_id=first.id, second_id=second.id, survivor_id=first.id, actor=BOSS
    )
    text = f"{first.code}\n{second.code}\n".encode()
    job = job_of(start(desk, make_batch(), way="list", file=upload("a.txt", text)))
    assert (members_in(job), job.bad_lines) == ({kept.id}, {"2": "repeated"})


@pytest.mark.parametrize(
    ("field", "values"),
    [("way", {}), ("way", {"way": "x"}), ("batch", {"batch": "987654", "way": "everyone"}),
     ("joined_until", {"joined_from": "2027-02-02", "joined_until": "2027-02-01"}),
     ("joined_from", {"joined_from": "soon"}), ("tag_ids", {"tag_ids": ["1"]})],
)  # fmt: skip
def test_what_makes_no_sense_is_told_at_its_field(desk: Client, field: str, values: dict[str, Any]) -> None:
    assert field in errors_of(start(desk, make_batch(), **values))
    assert not IssueJob.objects.exists()


def test_conditions_of_nobody_start_nothing(desk: Client) -> None:
    answer = start(desk, make_batch(), joined_until="1999-01-01")
    assert "没有符合条件的会员" in str(errors_of(answer))
    assert not IssueJob.objects.exists()


def test_pause_stop_and_what_may_follow(desk: Client, monkeypatch: Any) -> None:
    make_members(6)
    monkeypatch.setattr("coupons.services.bulk.SLICE", 2)
    job = job_of(start(desk, make_batch(), way="everyone"))
    assert press(desk, job, "pause").state == "draft"
    assert "已经是别的状态" in shown(desk.get(page("issuejob_change", job.pk)))
    press(desk, job, "confirm")
    assert press(desk, job, "pause").state == "paused"
    assert run(job).issued_count == 0
    assert press(desk, job, "continue").state == "running"
    assert press(desk, job, "stop").state == "stopped"
    assert run(job).issued_count == 0
    assert press(desk, job, "continue").state == "stopped"
    assert "您或同事停止了它" in shown(desk.get(page("issuejob_change", job.pk)))
    assert desk.get(page("issue_do", job.pk, "confirm")).status_code == 403
    assert desk.post(page("issue_do", job.pk, "delete")).status_code == 403


def test_lists_are_deleted_after_some_days_and_drafts_with_them(desk: Client, own_folder: Path) -> None:
    named("王小二", PHONE)
    job = job_of(start(desk, make_batch(), way="list", file=upload("a.csv", f"{PHONE}\n1\n".encode())))
    assert len(list(own_folder.iterdir())) == 1
    late = clock.now() + 2 * settings.IMPORT_KEEP_DAYS * (
        clock.day_bounds(clock.today())[1] - clock.day_bounds(clock.today())[0]
    )
    assert services.prune_issue_lists(actor=BOSS) == 0
    assert services.prune_issue_lists(actor=BOSS, at=late) == 1
    assert services.prune_issue_lists(actor=BOSS, at=late) == 0
    assert list(own_folder.iterdir()) == []
    job.refresh_from_db()
    assert (job.state, job.stored_as) == ("stopped", "")
    told = desk.get(page("issue_bad_lines", job.pk), follow=True)
    assert "原文件已按期删除" in shown(told)


def test_the_right_is_one_of_its_own(cast: Cast) -> None:
    batch = make_batch()
    viewer = staff_client(cast, "view_issuejob", "change_issuejob")
    assert viewer.get(page(ADD)).status_code == 403
    assert start(viewer, batch, way="everyone").status_code == 403
    assert viewer.post(page("issue_count"), {"way": "everyone"}).status_code == 403
    job = job_of(start(staff_client(cast, "view_issuejob", "add_issuejob"), batch, way="everyone"))
    viewer = staff_client(cast, "view_issuejob")
    assert viewer.get(page("issuejob_change", job.pk)).status_code == 200
    assert viewer.post(page("issue_do", job.pk, "confirm")).status_code == 403


def test_tags_and_tiers_narrow_each_other(desk: Client, cast: Cast) -> None:
    group = member_services.create_tag_group(name="肤质", is_exclusive=False, actor=BOSS)
    dry, oily = (
        member_services.create_tag(group_id=group.id, name=name, actor=BOSS) for name in ("干", "油")
    )
    first, second, third = make_members(3)
    member_services.tag_members(member_ids=[first, second], tag_id=dry.id, actor=BOSS)
    member_services.tag_members(member_ids=[third], tag_id=oily.id, actor=BOSS)
    job = job_of(start(desk, make_batch(), tag_ids=[str(dry.id), str(oily.id)]))
    assert members_in(job) == {first, second, third}
    assert job.audience_words == "标签 干、油"
    guide_services.bind_member(member_id=first, guide_id=cast.lina.id, source="staff", actor=BOSS)
    narrow = start(desk, make_batch(), tag_ids=[str(dry.id)], store_ids=[str(cast.store.id)], form_key="k2")
    assert members_in(job_of(narrow)) == {first}


def test_the_audience_is_counted_in_the_database(
    desk: Client, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    make_members(300)
    batch = make_batch()
    desk.get(page(ADD))
    with django_assert_max_num_queries(30):
        job = job_of(start(desk, batch, way="everyone"))
    assert job.asked_count == 302
    assert selectors.get_issue_progress(job.pk).state == "draft"
