"""Files of orders for the tests: written, uploaded, mapped, worked off."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

from core import clock
from core.actor import Actor
from sales import services
from sales.contracts import IntakeCounts
from sales.models import IntakeJob

STAFF = Actor.system("imports")
HEADINGS = (
    "订单号", "成交时间", "门店编号", "渠道", "导购工号", "会员码", "商品编码", "商品名称", "类目编码", "数量", "吊牌金额",
    "成交金额", "订单金额", "支付方式",
)  # fmt: skip
BACK_HEADINGS = ("退货单号", "原订单号", "退货时间", "门店编号", "商品编码", "数量", "退款金额", "原行号")


def row(order_no: str, **values: Any) -> list[str]:
    """One line of goods under HEADINGS, served by 李娜 in T01, half an hour ago."""
    sold_at = clock.now().astimezone(clock.SHANGHAI) - dt.timedelta(minutes=30)
    line = {
        "订单号": order_no, "成交时间": f"{sold_at:%Y-%m-%d %H:%M:%S}", "门店编号": "T01", "渠道": "store", "导购工号": "T001",
        "会员码": "", "商品编码": "A1", "商品名称": "针织衫", "类目编码": "tops", "数量": "1", "吊牌金额": "129.00",
        "成交金额": "100.00", "订单金额": "", "支付方式": "",
    } | values  # fmt: skip
    return [str(value) for value in line.values()]


def back_row(return_no: str, order_no: str, **values: Any) -> list[str]:
    """One line of goods that came back, under BACK_HEADINGS."""
    at = clock.now().astimezone(clock.SHANGHAI)
    line = {
        "退货单号": return_no, "原订单号": order_no, "退货时间": f"{at:%Y-%m-%d %H:%M:%S}", "门店编号": "T01", "商品编码": "A1",
        "数量": "1", "退款金额": "100.00", "原行号": "1",
    } | values  # fmt: skip
    return [str(value) for value in line.values()]


def text_of(rows: Iterable[Sequence[str]], headings: Sequence[str] = HEADINGS) -> str:
    """A CSV as a till writes it."""
    return "".join(",".join(line) + "\r\n" for line in (headings, *rows))


def upload(content: str | bytes, *, kind: str = "order", source: str = "pos", name: str = "订单.csv") -> int:
    raw = content.encode() if isinstance(content, str) else content
    return services.upload_intake(
        stream=io.BytesIO(raw), file_name=name, kind=kind, source=source, actor=STAFF
    )


def check(job_id: int, **options: Any) -> IntakeJob:
    """The job checked, with the mapping that was guessed and these options."""
    job = IntakeJob.objects.get(pk=job_id)
    services.map_intake(job_id=job_id, mapping={**job.mapping, **options}, actor=STAFF)
    services.work_intake(job_id)
    job.refresh_from_db()
    return job


def run(job_id: int) -> IntakeJob:
    """The checked job booked to its end."""
    services.start_intake(job_id=job_id, actor=STAFF)
    services.work_intake(job_id)
    return IntakeJob.objects.get(pk=job_id)


def take(content: str | bytes, *, kind: str = "order", **options: Any) -> IntakeJob:
    """Upload, check and run in one."""
    job = check(upload(content, kind=kind), **options)
    assert job.state == "checked", job.failure
    return run(job.pk)


def counts(job: IntakeJob) -> dict[str, int]:
    """What became of its documents, without the zeros."""
    return {name: number for name, number in job.counts.items() if number}


def expected(job: IntakeJob) -> IntakeCounts:
    return IntakeCounts(**job.expected)
