"""Rows that are formatted as text reach the table as they were, whatever signs they hold; cells of a file are trimmed."""

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from sales.models import Category
from sales.services.copying import NULL, copy_lines, copy_word
from sales.services.import_columns import suggest_mapping, usable_mapping
from sales.services.import_documents import Assembler
from sales.services.reading import usable_order
from tests.sales.import_kit import HEADINGS, row

ODD = ("plain", "反斜\\杠", "\\N", "\\.", "tab\there", "line\nend\r", "引号\"'", "\\\\x41", "\x1f")
TEXTS = ("订单号", "门店编号", "渠道", "导购工号", "会员码", "商品编码", "商品名称", "类目编码", "支付方式")


@pytest.mark.django_db
def test_every_sign_comes_back_as_it_went_in() -> None:
    lines = (f"{copy_word(text)}\t{copy_word(text[::-1])}" for text in ODD)
    assert copy_lines(model=Category, names=("code", "name"), lines=lines) == len(ODD)
    rows = Category.objects.order_by("pk").values_list("code", "name")
    assert list(rows) == [(text, text[::-1]) for text in ODD]


@pytest.mark.django_db
def test_no_rows_are_no_rows_and_a_row_that_may_not_be_is_refused_as_djangos_own() -> None:
    assert copy_lines(model=Category, names=("code", "name"), lines=()) == 0
    with pytest.raises(IntegrityError):
        copy_lines(model=Category, names=("code", "name"), lines=[f"{NULL}\tx"])


@given(st.dictionaries(st.sampled_from(TEXTS), st.text(max_size=24).map(lambda text: f" {text}9 ")))
def test_what_is_read_from_a_file_has_nothing_left_to_trim(said: dict[str, str]) -> None:
    """So the texts of a million orders need not be looked at a second time."""
    plan = usable_mapping(
        mapping=suggest_mapping(headings=HEADINGS, kind="order"), width=len(HEADINGS), kind="order"
    )
    at = clock.now()
    assembler = Assembler(plan=plan, source="pos", width=len(HEADINGS), at=at)
    [grouped] = assembler.documents([(2, row("O1", **said))])
    if grouped.document is not None:
        assert usable_order(grouped.document, at=at) == grouped.document  # type: ignore[arg-type]
