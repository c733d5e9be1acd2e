"""Files as they come: encodings, separators, workbooks, and everything that is broken about them."""

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core import tables
from core.errors import Refusal
from core.tables import UNCOMPUTED, open_table
from core.workbooks import safe_cells


def rows_of(path: Path) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    with open_table(path) as table:
        return table.headings, list(table.rows)


def put(folder: Path, content: bytes) -> Path:
    path = folder / "members"
    path.write_bytes(content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(Refusal) as refusal:
        rows_of(path)
    return refusal.value.code


def workbook(folder: Path, *rows: Any) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    path = folder / "members"
    book.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = put(tmp_path, "手机号,姓名\n138,王小美\n".encode(encoding))
    assert rows_of(path) == (("手机号", "姓名"), [(2, ["138", "王小美"])])


def test_rare_characters_of_gb18030_survive(tmp_path: Path) -> None:
    assert rows_of(put(tmp_path, "手机号,姓名\n138,王㛃\n".encode("gb18030")))[1][0][1] == ["138", "王㛃"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found_out(tmp_path: Path, separator: str) -> None:
    path = put(tmp_path, f"手机号{separator}姓名\n138{separator}王芳\n".encode())
    assert rows_of(path)[0] == ("手机号", "姓名")


def test_quotes_line_breaks_nuls_and_mixed_line_ends(tmp_path: Path) -> None:
    path = put(tmp_path, '手机号,姓名\r\n1,"王,\n芳"\n\n2,"说""好"""\r3,李\0四\r\n,\r\n'.encode())
    assert [cells for _line, cells in rows_of(path)[1]] == [
        ["1", "王,\n芳"],
        ["2", '说"好"'],
        ["3", "李\0四"],
    ]


def test_headings_that_repeat_or_are_empty_are_told_apart(tmp_path: Path) -> None:
    assert rows_of(put(tmp_path, b"a,a,,b,a,\n1,2,3,4,5\n"))[0] == ("a", "a (2)", "#3", "b", "a (3)")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "core.file_empty"), (b"\n\n , \n", "core.file_empty"),
     ("手机号,姓名\n".encode(), "core.file_has_no_rows"), ("手机号\n,\n\n".encode(), "core.file_has_no_rows"),
     (b"a,b\n1,\xff\xfe\xff\n", "core.file_unreadable"),
     (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "core.file_unsupported"),
     (b"%PDF-1.7\n1 2 3", "core.file_unsupported"), (bytes(range(32)) * 9, "core.file_unsupported"),
     (b"PK\x03\x04 and then nothing", "core.file_broken"),
     (b"a,b\n1," + b"x" * 10_000_000 + b"\n", "core.file_cell_too_large"),
     (b'a,b\n1,"' + b"never closed\n" * 20_000, "core.file_cell_too_large"),
     (b"a,b\n1," + b"x" * 40_000 + b"\n", "core.file_cell_too_large"),
     ((",".join("abcdefghij" for _ in range(101)) + "\n1\n").encode(), "core.file_too_wide")],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_cannot_be_read_has_a_code(tmp_path: Path, content: bytes, code: str) -> None:
    assert refused(put(tmp_path, content)) == code


def test_sizes_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, b"a,b\n1,2\n3,4\n")
    monkeypatch.setattr(tables, "MOST_ROWS", 1)
    assert refused(path) == "core.file_too_long"
    monkeypatch.setattr(tables, "MOST_BYTES", 5)
    assert refused(path) == "core.file_too_large"


def test_a_workbook_gives_text_as_people_typed_it(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        ("手机号", "姓名", "生日", "注册时间", "卡号", "启用"),
        (
            13812345678,
            "王芳",
            dt.date(1990, 5, 1),
            dt.datetime(2020, 3, 1, 10, 30),
            6222000011112222333,
            True,
        ),
        (13812345678.0, None, None, None, 0.5, None),
    )
    headings, rows = rows_of(path)
    assert len(headings) == 6
    assert rows[0] == (
        2,
        ["13812345678", "王芳", "1990-05-01", "2020-03-01 10:30:00", "6.222000011112223e+18", "1"],
    )
    assert rows[1][1][:2] == ["13812345678", ""]


def test_a_formula_gives_its_kept_value_or_is_marked(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("手机号", "姓名"), ("=A9&B9", "王芳"))
    assert rows_of(path)[1] == [(2, [UNCOMPUTED, "王芳"])]
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.namelist():
            content = old.read(part).replace(
                b"<f>A9&amp;B9</f><v></v>", b"<f>A9&amp;B9</f><v>13812345678</v>"
            )
            new.writestr(
                part, content.replace(b"<f>A9&amp;B9</f><v />", b"<f>A9&amp;B9</f><v>13812345678</v>")
            )
    assert rows_of(put(tmp_path, changed.getvalue()))[1] == [(2, ["13812345678", "王芳"])]


def test_a_workbook_cut_off_anywhere_is_broken_or_at_least_refused(tmp_path: Path) -> None:
    whole = workbook(tmp_path, ("手机号",), *((number,) for number in range(500))).read_bytes()
    for cut in range(10, len(whole) - 10, len(whole) // 12):
        assert refused(put(tmp_path, whole[:cut])) == "core.file_broken"


def test_a_damaged_part_of_a_workbook_is_broken(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("手机号",), (1,))
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, content[: len(content) // 2] if "sheet1" in part else content)
    assert refused(put(tmp_path, changed.getvalue())) == "core.file_broken"


def test_a_zip_that_unpacks_to_too_much_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", b" " * 3_000_000)
    monkeypatch.setattr(tables, "_MOST_UNPACKED_BYTES", 1_000_000)
    assert refused(put(tmp_path, packed.getvalue())) == "core.file_too_large"
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as other:
        other.writestr("holiday.jpg", b"x")
    assert refused(put(tmp_path, plain.getvalue())) == "core.file_unsupported"


def test_a_huge_cell_of_a_workbook_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("手机号",), ("x",))
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, content.replace(b"<t>x</t>", b"<t>" + b"x" * 10_000_000 + b"</t>"))
    assert refused(put(tmp_path, changed.getvalue())) == "core.file_cell_too_large"


def test_nothing_we_write_is_a_formula_for_a_spreadsheet() -> None:
    dangerous = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1"]
    assert all(cell.startswith("'") for cell in safe_cells(dangerous))
    assert safe_cells(["王芳", "13812345678", ""]) == ["王芳", "13812345678", ""]
