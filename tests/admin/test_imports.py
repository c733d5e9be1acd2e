"""The import desk: who may, what each page says, what a wrong click does."""

import io
from typing import Any

import openpyxl
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from members import services
from members.models import ImportCandidate, ImportJob, Member
from tests.cast import Cast
from tests.members.import_kit import STAFF, check, people, person, phone, run, text_of, upload

LIST = "admin:members_importjob_changelist"
ADD = "admin:members_importjob_add"


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:members_import{name}", args=args)


def desk_of(job_id: int) -> str:
    return reverse("admin:members_importjob_change", args=[job_id])


def send(desk: Client, content: str, name: str = "名单.csv") -> Any:
    return desk.post(reverse(ADD), {"file": SimpleUploadedFile(name, content.encode())})


def test_the_whole_way_through_the_desk(desk: Client, cast: Cast) -> None:
    answer = send(desk, text_of(people(3)))
    job = ImportJob.objects.get()
    assert answer.url == desk_of(job.pk)
    assert (job.file_name, job.created_by_id) == ("名单.csv", cast.head_office.pk)
    mapping_page = desk.get(desk_of(job.pk))
    assert [column.target for column in mapping_page.context["columns"]][:3] == ["phone", "card", "name"]
    chosen = {f"column_{column.index}": column.target for column in mapping_page.context["columns"]}
    assert desk.post(page("_map", job.pk), chosen).status_code == 302
    assert desk.get(desk_of(job.pk)).context["is_working"]
    services.work_import(job.pk)
    assert desk.get(desk_of(job.pk)).context["job"].expected.created == 3
    assert desk.get(f"{desk_of(job.pk)}?map=1").context["columns"]
    desk.post(page("_do", job.pk, "start"))
    assert b"hx-get" in desk.get(page("_progress", job.pk)).content
    services.work_import(job.pk)
    done = desk.get(desk_of(job.pk))
    assert (done.context["job"].state, done.context["job"].counts.created) == ("finished", 3)
    assert Member.objects.filter(source="import").count() == 3


def test_no_page_shows_a_phone_in_full(desk: Client, cast: Cast) -> None:
    services.register_member(name="王芳", phone=phone(7), source="pos", actor=STAFF)
    job_id = upload(text_of([person(1, 会员卡号="C7"), person(2), person(2, 手机号=phone(8))]))
    pages = [desk.get(desk_of(job_id))]
    job = run(check(job_id).pk)
    pages += [desk.get(desk_of(job.pk)), desk.get(reverse(LIST)), desk.get(page("_candidates", job.pk))]
    for answer in pages:
        assert answer.status_code == 200
        assert not any(phone(number) in answer.content.decode() for number in (1, 2, 7, 8))


def test_a_file_that_cannot_be_read_is_refused_on_the_page(desk: Client, cast: Cast) -> None:
    answer = send(desk, "手机号\r\n")
    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert not ImportJob.objects.exists()


def test_a_wrong_mapping_keeps_what_was_chosen(desk: Client, cast: Cast) -> None:
    job_id = upload(text_of(people(1)))
    answer = desk.post(page("_map", job_id), {"column_2": "name", "tag_group": "肤质"})
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors()
    assert answer.context["form"]["tag_group"].value() == "肤质"
    answer = desk.post(page("_map", job_id), {"column_0": "phone", "column_1": "tags"})
    assert answer.context["form"].errors["tag_group"]
    previewed = desk.post(page("_preview", job_id), {"column_2": "phone"})
    assert previewed.context["columns"][2].samples[0].problem
    assert ImportJob.objects.get(pk=job_id).state == "uploaded"


def test_bad_rows_come_back_as_a_workbook_without_formulas(desk: Client, cast: Cast) -> None:
    job = check(upload(text_of([person(1), person(2, 手机号="=CMD|1", 姓名="+王"), person(3, 手机号="坏")])))
    ImportJob.objects.update(created_by=cast.head_office)
    answer: Any = desk.get(page("_errors", job.pk))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert rows[0][:3] == ["手机号", "会员卡号", "姓名"]
    assert (rows[1][0], rows[1][2], rows[1][6], len(rows)) == ("'=CMD|1", "'+王", "3", 3)
    assert all(cell.data_type in "sn" for row in book.active.iter_rows() for cell in row)


def test_pause_resume_and_stop_by_their_buttons(desk: Client, cast: Cast) -> None:
    job = check(upload(text_of(people(2))))
    ImportJob.objects.update(created_by=cast.head_office)
    for verb, state in (
        ("start", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("stop", "stopped"),
    ):
        assert desk.get(page("_do", job.pk, verb)).status_code == 403
        desk.post(page("_do", job.pk, verb))
        job.refresh_from_db()
        assert job.state == state
        assert desk.get(desk_of(job.pk)).status_code == 200
    desk.post(page("_do", job.pk, "forget"))
    job.refresh_from_db()
    assert job.stored_as == ""
    assert desk.get(page("_errors", job.pk)).status_code == 302


def test_the_queue_asks_one_by_one(desk: Client, cast: Cast) -> None:
    for number in (1, 2):
        services.register_member(name="王小美", phone=phone(number), source="pos", actor=STAFF)
    lines = [person(n, 手机号=f"1360000000{n}", 姓名="王小美") for n in (1, 2)]
    job = run(check(upload(text_of(lines))).pk)
    assert job.counts["candidates"] == 2
    first = desk.get(page("_candidates", job.pk)).context["card"]
    answer: Any = desk.post(page("_decide", job.pk, first.id), {"decision": "same"})
    second = desk.get(answer.url).context["card"]
    assert second.id != first.id
    desk.post(page("_decide", job.pk, second.id), {"decision": "skipped"})
    over: Any = desk.get(page("_candidates", job.pk))
    assert over.url == desk_of(job.pk)
    assert {row.state for row in ImportCandidate.objects.all()} == {"same", "skipped"}
    assert desk.post(page("_decide", job.pk, second.id), {"decision": "maybe"}).status_code == 403


def test_who_has_not_the_right_sees_and_does_nothing(client: Client, cast: Cast) -> None:
    job = check(upload(text_of(people(1))))
    client.force_login(cast.regional)
    for url in (
        reverse(LIST),
        reverse(ADD),
        desk_of(job.pk),
        page("_progress", job.pk),
        page("_errors", job.pk),
    ):
        assert client.get(url).status_code in (302, 403)
    cast.regional.user_permissions.set(Permission.objects.filter(codename="view_importjob"))
    assert client.get(desk_of(job.pk)).status_code == 200
    assert client.get(reverse(ADD)).status_code == 403
    for url in (page("_map", job.pk), page("_do", job.pk, "start"), page("_candidates", job.pk)):
        assert client.post(url).status_code == 403
    assert client.post(page("_do", 987654, "start")).status_code == 403
    job.refresh_from_db()
    assert job.state == "checked"
