"""Rows that are formatted as text reach the table as they were, whatever signs they hold; cells of a file are trimmed."""

from collections.abc import Iterator

import pytest
from django.db import DataError, IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from sales.models import Category, Product
from sales.services.copying import NULL, Rows, copy_lines, copy_word, write_rows
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


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("categories", "products"), [(0, 0), (3, 0), (0, 3), (100, 100), (101, 1), (1, 101), (0, 777), (250, 501)]
)
def test_lines_that_are_made_while_they_are_read_all_arrive_in_order(categories: int, products: int) -> None:
    """Few go by one statement, many by COPY, whichever table has them."""
    write_rows(*made_as_read(categories, products))
    assert list(Category.objects.order_by("pk").values_list("code", flat=True)) == codes("c", categories)
    assert list(Product.objects.order_by("pk").values_list("code", flat=True)) == codes("p", products)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [50, 400])
def test_lines_that_can_not_be_made_leave_nothing_behind(count: int) -> None:
    def broken() -> Iterator[str]:
        yield from (f"c{number}\t" for number in range(count))
        raise KeyError("unknown product")

    with pytest.raises(KeyError), transaction.atomic():
        write_rows(Rows(Category, ("code", "name"), broken()))
    assert not Category.objects.exists()
    with pytest.raises(DataError), transaction.atomic():
        write_rows(Rows(Category, ("code", "name"), (f"c{number}{'x' * 40}\t" for number in range(count))))
    assert not Category.objects.exists()


def made_as_read(categories: int, products: int) -> tuple[Rows, Rows]:
    at = clock.now()
    return (
        Rows(Category, ("code", "name"), (f"{code}\t" for code in codes("c", categories))),
        Rows(Product, ("code", "name", "created_at"), (f"{code}\t\t{at}" for code in codes("p", products))),
    )


def codes(sign: str, count: int) -> list[str]:
    return [f"{sign}{number}" for number in range(count)]


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
