"""The uploaded file: where it lies, how it is deleted, and the file of its bad rows that goes back.

Files lie under settings.IMPORT_ROOT, readable for our own user only and served by no address.
"""

import csv
import hashlib
import io
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.utils.translation import gettext as _
from openpyxl import Workbook

from core.codes import new_public_id
from core.workbooks import safe_cells
from members.errors import ImportFileGone, ImportFileTooLarge
from members.models import ImportJob, ImportProblem
from members.services.import_columns import TARGETS
from members.services.import_reading import MOST_BYTES, open_table

logger = logging.getLogger(__name__)

_CHUNK: Final = 1024 * 1024
REASONS: Final[Mapping[str, Callable[[], str]]] = {
    "phone_scientific": lambda: _("被表格软件变成了科学计数，请把这一列设成文本后重新填"),
    "phone_masked": lambda: _("手机号中间是星号，请填写完整号码"),
    "phone_landline": lambda: _("这是座机或客服电话，请填写手机号"),
    "phone_unusable": lambda: _("不是 11 位手机号"),
    "name_too_long": lambda: _("姓名超过 60 个字"),
    "name_unusable": lambda: _("不像姓名"),
    "gender_unusable": lambda: _("认不出性别，请填写男或女"),
    "date_lunar": lambda: _("是农历日期，请填写公历"),
    "date_two_digit_year": lambda: _("年份只有两位，请填写四位年份"),
    "date_order_unclear": lambda: _("分不清月和日，请写成 1990-05-01"),
    "date_no_year": lambda: _("没有年份"),
    "date_unusable": lambda: _("不是日期，请写成 1990-05-01"),
    "date_future": lambda: _("日期在今天之后"),
    "date_too_early": lambda: _("日期太早，请核对年份"),
    "points_unusable": lambda: _("不是数字"),
    "points_fraction": lambda: _("积分要是整数"),
    "points_negative": lambda: _("积分不能是负数"),
    "points_too_many": lambda: _("数字太大，请核对"),
    "card_scientific": lambda: _("被表格软件变成了科学计数，请把这一列设成文本后重新填"),
    "card_unusable": lambda: _("卡号里有不能用的字符，或超过 80 位"),
    "wechat_id_unusable": lambda: _("不像微信给的编号"),
    "too_many_tags": lambda: _("标签超过 20 个"),
    "tag_too_long": lambda: _("有标签超过 20 个字"),
    "address_unclear": lambda: _("认不出是哪个省市区，请从省或市写起"),
    "too_long": lambda: _("超过 120 个字"),
    "too_many_cells": lambda: _("这一行的格子比表头多，内容可能错位了"),
    "no_identity": lambda: _("手机号、卡号等都没有填，认不出是谁"),
}


def keep_file(stream: IO[bytes], *, most_bytes: int = MOST_BYTES) -> tuple[str, str]:
    """The stream lies in the import folder; its name there and its digest. Refuses one that is too large."""
    root = Path(settings.IMPORT_ROOT)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = new_public_id()
    digest = hashlib.sha256()
    size = 0
    handle, part = tempfile.mkstemp(dir=root, prefix=".part-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as target:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > most_bytes:
                    raise ImportFileTooLarge(limit_mb=most_bytes // _CHUNK)
                digest.update(chunk)
                target.write(chunk)
        Path(part).replace(root / name)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return name, digest.hexdigest()


def path_of(job: ImportJob) -> Path:
    """The file of the job. Raises ImportFileGone when it was deleted."""
    path = Path(settings.IMPORT_ROOT) / job.stored_as
    if not job.stored_as or not path.is_file():
        raise ImportFileGone
    return path


def drop_file(name: str) -> None:
    """The file is gone; one that is not there is no error."""
    if name:
        (Path(settings.IMPORT_ROOT) / name).unlink(missing_ok=True)


def reason_words(reason: str) -> str:
    """phone:phone_landline → 手机号：这是座机…"""
    target, _colon, code = reason.partition(":")
    words = REASONS[code]() if code in REASONS else code
    return f"{TARGETS[target]}：{words}" if target in TARGETS else words


def bad_rows(job: ImportJob) -> Iterator[list[str]]:
    """The headings, then every bad line with its own cells, its number and its reasons; nothing is a formula.

    The cells are read from the file again: nothing of a bad line is kept in the database.
    """
    reasons = dict(ImportProblem.objects.filter(job=job).values_list("line", "reasons"))
    with open_table(path_of(job)) as table:
        yield [*safe_cells(table.headings), _("行号"), _("原因")]
        for line, cells in table.rows:
            if not reasons:
                return
            told = reasons.pop(line, None)
            if told is not None:
                padded = [*cells, *[""] * (len(table.headings) - len(cells))]
                words = "；".join(reason_words(reason) for reason in told)
                yield [*safe_cells(padded[: len(table.headings)]), str(line), words]


def error_workbook(job: ImportJob) -> IO[bytes]:
    """The bad rows as an open .xlsx, at its beginning. Raises ImportFileGone when the file was deleted."""
    stream = tempfile.TemporaryFile()  # noqa: SIM115  (whoever sends it closes it)
    try:
        write_workbook(rows=bad_rows(job), stream=stream, title=_("有问题的行"))
    except BaseException:
        stream.close()
        raise
    stream.seek(0)
    return stream


def write_workbook(*, rows: Iterable[list[str]], stream: IO[bytes], title: str) -> None:
    """The rows as an .xlsx of text cells with a frozen head; phones and card numbers keep all their digits."""
    rows = iter(rows)
    first = next(rows)  # whatever cannot be read refuses before the workbook is begun
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(first)
    for row in rows:
        sheet.append(row)
    book.save(stream)


def write_csv(*, rows: Iterable[list[str]], stream: IO[bytes]) -> None:
    """The rows as CSV with the mark by which Excel knows UTF-8."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    csv.writer(text).writerows(rows)
    text.flush()
    text.detach()
