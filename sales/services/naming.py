"""Products and categories: names that people read, corrected by hand or from a file."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from core.models import StaffAccount
from sales.contracts import ProductLine, ProductsReport
from sales.errors import CatalogUnusable
from sales.models import Category, Product

_LENGTHS = {"code": 40, "name": 80, "category_code": 40, "category_name": 60, "brand": 40}
_MOST_LINES = 200_000
_CHUNK = 1_000


def change_product(
    *,
    product_id: int,
    name: str,
    category_id: int | None,
    brand: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> None:
    """The product is called this, of that category and brand. Sales keep the category they were sold under, and
    whose they are."""
    with transaction.atomic():
        row = Product.objects.lock(product_id)
        before = (row.name, row.category_id, row.brand)
        row.name, row.category_id, row.brand = _name(name, "name"), category_id, _name(brand, "brand")
        row.save(update_fields=["name", "category", "brand"])
        fields = [
            field
            for field, was, now in (
                ("name", before[0], row.name),
                ("category", before[1], category_id),
                ("brand", before[2], row.brand),
            )
            if was != now
        ]
        if fields:
            audit.record(action="sales.product_changed", subject=row, actor=actor, at=at, fields=fields)


def change_category(*, category_id: int, name: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The category is called this."""
    with transaction.atomic():
        row = Category.objects.lock(category_id)
        if row.name != (name := _name(name, "category_name")):
            row.name = name
            row.save(update_fields=["name"])
            audit.record(action="sales.category_changed", subject=row, actor=actor, at=at, fields=["name"])


def import_products(
    *,
    lines: Iterable[ProductLine],
    is_trial: bool,
    staff_id: int,
    actor: Actor,
    at: dt.datetime | None = None,
) -> ProductsReport:
    """Products and categories are what the lines say; an empty name, category or brand leaves what is there. A trial counts
    and writes nothing. Of a code that stands twice the last line counts; a line that cannot be is left out and told."""
    at = at or clock.now()
    wanted: dict[str, ProductLine] = {}
    bad: list[tuple[int, str]] = []
    count = 0
    for line in lines:
        count += 1
        if count > _MOST_LINES:
            raise CatalogUnusable(field="file")
        fault = _fault(line)
        if fault:
            bad.append((line.number, fault))
        else:
            wanted[line.code] = line
    report = ProductsReport(line_count=count, bad=tuple(bad))
    with transaction.atomic():
        categories, made, renamed = _categories(wanted.values())
        report = dataclasses.replace(report, new_categories=made, changed_categories=renamed)
        codes = sorted(wanted)
        for start in range(0, len(codes), _CHUNK):
            report = _write([wanted[code] for code in codes[start : start + _CHUNK]], categories, report, at)
        if is_trial:
            transaction.set_rollback(True)
        else:
            staff = StaffAccount.objects.get(pk=staff_id)
            audit.record(
                action="sales.products_imported", subject=staff, actor=actor, at=at,
                count=report.new_products + report.changed_products,
            )  # fmt: skip
    return report


def _write(
    lines: Sequence[ProductLine], categories: dict[str, int], report: ProductsReport, at: dt.datetime
) -> ProductsReport:
    there = {
        row.code: row for row in Product.objects.filter(code__in=[line.code for line in lines]).lock_rows()
    }
    changed, fresh = [], []
    for line in lines:
        category_id = categories.get(line.category_code)
        row = there.get(line.code)
        if row is None:
            fresh.append(
                Product(
                    code=line.code, name=line.name, category_id=category_id, brand=line.brand, created_at=at
                )
            )
            continue
        told = (line.name or row.name, category_id or row.category_id, line.brand or row.brand)
        if (row.name, row.category_id, row.brand) != told:
            row.name, row.category_id, row.brand = told
            changed.append(row)
    Product.objects.bulk_update(changed, ["name", "category", "brand"])
    # Intake makes products too, in the same order of codes; who comes second finds them.
    Product.objects.bulk_create(fresh, ignore_conflicts=True)
    return dataclasses.replace(
        report,
        new_products=report.new_products + len(fresh),
        changed_products=report.changed_products + len(changed),
        same_products=report.same_products + len(lines) - len(fresh) - len(changed),
    )


def _categories(lines: Iterable[ProductLine]) -> tuple[dict[str, int], int, int]:
    titles: dict[str, str] = {}
    for line in lines:
        if line.category_code:
            titles[line.category_code] = line.category_name or titles.get(line.category_code, "")
    known = {row.code: row for row in Category.objects.filter(code__in=titles).lock_rows()}
    missing = sorted(titles.keys() - known.keys())
    Category.objects.bulk_create(
        [Category(code=code, name=titles[code]) for code in missing], ignore_conflicts=True
    )
    renamed = [row for code, row in known.items() if titles[code] and row.name != titles[code]]
    for row in renamed:
        row.name = titles[row.code]
    Category.objects.bulk_update(renamed, ["name"])
    ids = dict(Category.objects.filter(code__in=titles).values_list("code", "pk"))
    return ids, len(missing), len(renamed)


def _fault(line: ProductLine) -> str:
    if not line.code:
        return "code_missing"
    for field, longest in _LENGTHS.items():
        text = getattr(line, field)
        if len(text) > longest or not text.isprintable():
            return f"{field}_unusable"
    return ""


def _name(text: str, field: str) -> str:
    name = " ".join(text.split())
    if len(name) > _LENGTHS[field] or not name.isprintable():
        raise CatalogUnusable(field="name")
    return name
