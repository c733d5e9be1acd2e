"""The desk for files of orders: the whole way, what a wrong choice does, and who may."""

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from sales import services
from sales.models import IntakeJob, Sale
from tests.cast import Cast
from tests.sales.import_kit import STAFF, row, text_of, upload
from tests.sales.test_imports import json_order

ADD = "admin:sales_intakejob_add"


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:sales_intake{name}", args=args)


def desk_of(job_id: int) -> str:
    return reverse("admin:sales_intakejob_change", args=[job_id])


def send(desk: Client, content: str, **values: str) -> Any:
    file = SimpleUploadedFile("订单.csv", content.encode())
    return desk.post(reverse(ADD), {"kind": "order", "source": "pos", "file": file, **values})


def test_orders_go_the_whole_way_through_the_desk(desk: Client, cast: Cast) -> None:
    assert desk.get(reverse(ADD)).status_code == 200
    answer = send(desk, text_of([row("O1"), row("O2", 门店编号="T99"), row("O3", 数量="?")]))
    job = IntakeJob.objects.get()
    assert answer.url == desk_of(job.pk)
    assert (job.kind, job.source, job.created_by_id) == ("order", "pos", cast.head_office.pk)
    mapping = desk.get(desk_of(job.pk))
    chosen = {f"column_{column.index}": column.target for column in mapping.context["columns"]}
    assert desk.post(page("_preview", job.pk), chosen).status_code == 200
    assert desk.post(page("_map", job.pk), chosen).status_code == 302
    assert b"hx-get" in desk.get(page("_progress", job.pk)).content
    services.work_intake(job.pk)
    checked = desk.get(desk_of(job.pk))
    assert (checked.context["job"].expected.booked, checked.context["job"].expected.held) == (1, 1)
    assert "数量：不是整数" in checked.content.decode()
    assert b"".join(desk.get(page("_errors", job.pk)).streaming_content).startswith(b"PK")  # type: ignore[attr-defined]
    desk.post(page("_do", job.pk, "start"))
    services.work_intake(job.pk)
    done = desk.get(desk_of(job.pk))
    assert done.context["job"].counts.booked == 1
    assert done.context["links"] == [
        (f"{reverse('admin:sales_helddocument_changelist')}?source=pos", "处理 1 张待处理单据")
    ]
    assert Sale.objects.get().order_no == "O1"
    assert desk.get(reverse("admin:sales_intakejob_changelist")).status_code == 200
    desk.post(page("_do", job.pk, "forget"))
    assert desk.get(page("_errors", job.pk)).status_code == 302


def test_a_wrong_choice_keeps_what_was_chosen_and_says_what_is_missing(desk: Client, cast: Cast) -> None:
    assert send(desk, "订单号\r\n").context["form"].errors["file"]
    assert send(desk, text_of([row("O1")]), source="没有").context["form"].errors["source"]
    job_id = upload(text_of([row("O1")]))
    answer = desk.post(page("_map", job_id), {"column_0": "order_no", "channel": "online"})
    assert answer.status_code == 200
    assert "数量" in str(answer.context["form"].non_field_errors())
    assert answer.context["form"]["channel"].value() == "online"
    assert desk.get(page("_do", job_id, "start")).status_code == 403
    assert desk.post(page("_do", job_id, "start")).status_code == 302
    assert IntakeJob.objects.get().state == "uploaded"


def test_who_may_not_import_sees_nothing_of_it(east_desk: Client, cast: Cast) -> None:
    job_id = upload(text_of([row("O1")]))
    assert east_desk.get(reverse(ADD)).status_code == 403
    assert east_desk.post(page("_do", job_id, "stop")).status_code == 403
    assert east_desk.get(page("_errors", job_id)).status_code == 403
    services.stop_intake(job_id=job_id, actor=STAFF)


def test_json_lines_go_through_the_desk_as_tables_do(desk: Client, cast: Cast) -> None:
    lines = [json_order("O1"), json_order("O2"), {"order_no": "X"}]
    file = SimpleUploadedFile("night.jsonl", "\n".join(map(json.dumps, lines)).encode())
    desk.post(reverse(ADD), {"kind": "order", "source": "pos", "file": file})
    job = IntakeJob.objects.get()
    mapping = desk.get(desk_of(job.pk))
    chosen = {f"column_{column.index}": column.target for column in mapping.context["columns"]}
    desk.post(page("_map", job.pk), {**chosen, "channel": "store"})
    services.work_intake(job.pk)
    checked = desk.get(desk_of(job.pk))
    assert checked.context["job"].expected.booked == 2
    assert checked.context["job"].bad_count == 1
    desk.post(page("_do", job.pk, "start"))
    services.work_intake(job.pk)
    assert [sale.amount_fen for sale in Sale.objects.order_by("order_no")] == [15_050, 15_050]
    assert ".jsonl" in desk.get(reverse(ADD)).content.decode()
    huge = SimpleUploadedFile("huge.jsonl", b'{"order_no": "' + b"x" * (4 * 1024 * 1024 + 1) + b'"}')
    refused = desk.post(reverse(ADD), {"kind": "order", "source": "pos", "file": huge})
    assert refused.context["form"].errors["file"]
