"""Files of members for the tests: written, uploaded, mapped, worked off."""

import io
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from core.actor import Actor
from members import services
from members.contracts import ImportCounts
from members.models import ImportJob

STAFF = Actor.system("imports")
HEADINGS = ("手机号", "会员卡号", "姓名", "性别", "生日", "注册时间")
Line = Sequence[object]


def text_of(lines: Iterable[Line], headings: Line = HEADINGS) -> str:
    """A CSV as an export writes it."""
    return "".join(",".join(map(str, line)) + "\r\n" for line in (headings, *lines))


def upload(content: str | bytes, name: str = "会员.csv") -> int:
    """The uploaded file's job."""
    raw = content.encode() if isinstance(content, str) else content
    return services.upload_import(stream=io.BytesIO(raw), file_name=name, actor=STAFF)


def check(job_id: int, **options: Any) -> ImportJob:
    """The job checked, with the mapping that was guessed and these options."""
    job = ImportJob.objects.get(pk=job_id)
    services.map_import(job_id=job_id, mapping={**job.mapping, **options}, actor=STAFF)
    services.work_import(job_id)
    job.refresh_from_db()
    return job


def run(job_id: int) -> ImportJob:
    """The checked job written to its end."""
    services.start_import(job_id=job_id, actor=STAFF)
    services.work_import(job_id)
    return ImportJob.objects.get(pk=job_id)


def take_over(lines: Iterable[Line], headings: Line = HEADINGS, **options: Any) -> ImportJob:
    """Upload, check and run in one."""
    job = check(upload(text_of(lines, headings)), **options)
    assert job.state == "checked", job.failure
    return run(job.pk)


def counts(job: ImportJob) -> ImportCounts:
    return ImportCounts(**job.counts) if job.counts else ImportCounts()


def expected(job: ImportJob) -> ImportCounts:
    return ImportCounts(**job.expected)


def phone(number: int) -> str:
    """The number's own mobile phone."""
    return f"139{number:08}"


def person(number: int, **values: str) -> list[str]:
    """One line under HEADINGS."""
    line = {"手机号": phone(number), "会员卡号": f"C{number:06}", "姓名": _name(number), "性别": "女",
            "生日": f"19{70 + number % 30}-0{1 + number % 9}-1{number % 9}",
            "注册时间": "2020-03-01 10:00:00"} | values  # fmt: skip
    return list(line.values())


def people(count: int, start: int = 0) -> list[list[str]]:
    return [person(number) for number in range(start, start + count)]


_SURNAMES = "王李张刘陈杨赵黄周吴"
_GIVEN = ["".join(pair) for pair in itertools.product("小晓雅佳梦雨思静文丽", "美芳娜敏洁婷雪琳玲燕")]
_THIRD = "一二三四五六七八九十春夏秋冬东南西北中华"


def _name(number: int) -> str:
    return (
        _SURNAMES[number % 10]
        + _GIVEN[number // 10 % 100]
        + ("" if number < 1000 else _THIRD[number // 1000 % 20])
    )
