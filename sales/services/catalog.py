"""The dictionary of goods: categories and products under the codes that tills send."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction

from core import audit, clock
from core.actor import Actor
from sales.contracts import CatalogOutcome, CategoryEntry, ProductEntry
from sales.errors import DocumentUnusable
from sales.models import Category, Product

MOST_ENTRIES: Final = 1_000
# In the order of the codes: two who tell the same dictionary at once do not wait for each other in a ring.
_CATEGORIES: Final = """
INSERT INTO sales_category (code, name)
SELECT code, name FROM unnest(%s::text[], %s::text[]) AS told(code, name) ORDER BY code
ON CONFLICT (code) DO UPDATE SET name = excluded.name WHERE sales_category.name IS DISTINCT FROM excluded.name
RETURNING id, xmax = 0
"""
_PRODUCTS: Final = """
INSERT INTO sales_product (code, name, category_id, brand, created_at)
SELECT told.code, told.name, category.id, coalesce(told.brand, there.brand, ''), %s
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS told(code, name, category_code, brand)
LEFT JOIN sales_category category ON category.code = told.category_code
LEFT JOIN sales_product there ON there.code = told.code ORDER BY told.code
ON CONFLICT (code) DO UPDATE SET name = excluded.name, category_id = excluded.category_id, brand = excluded.brand
    WHERE (sales_product.name, sales_product.category_id, sales_product.brand)
       IS DISTINCT FROM (excluded.name, excluded.category_id, excluded.brand)
RETURNING id, xmax = 0
"""


def upsert_categories(
    *, entries: Sequence[CategoryEntry], actor: Actor, at: dt.datetime | None = None
) -> CatalogOutcome:
    """Each category has this name. Refuses more than 1,000, a code twice, and texts that do not fit."""
    at = at or clock.now()
    _check("categories", [(one.code, 40) for one in entries], [(one.name, 60) for one in entries])
    columns = [[one.code for one in entries], [one.name for one in entries]]
    with transaction.atomic():
        rows = _run(_CATEGORIES, columns)
        if rows:
            subject = Category.objects.get(pk=rows[0][0])
            audit.record(action="sales.categories_told", subject=subject, actor=actor, at=at, count=len(rows))
    return _outcome(rows, len(entries))


def upsert_products(
    *, entries: Sequence[ProductEntry], actor: Actor, at: dt.datetime | None = None
) -> CatalogOutcome:
    """Each product has this name and category, and the brand that is told; a category nobody told yet is there without
    a name. Refuses as `upsert_categories`."""
    at = at or clock.now()
    _check(
        "products",
        [(one.code, 40) for one in entries],
        [(one.name, 80) for one in entries]
        + [(one.category_code, 40) for one in entries]
        + [(one.brand or "", 40) for one in entries],
    )
    codes = sorted({one.category_code for one in entries} - {""})
    columns = [
        at,
        [one.code for one in entries],
        [one.name for one in entries],
        [one.category_code for one in entries],
        [one.brand for one in entries],
    ]
    with transaction.atomic():
        Category.objects.bulk_create([Category(code=code) for code in codes], ignore_conflicts=True)
        rows = _run(_PRODUCTS, columns)
        if rows:
            subject = Product.objects.get(pk=rows[0][0])
            audit.record(action="sales.products_told", subject=subject, actor=actor, at=at, count=len(rows))
    return _outcome(rows, len(entries))


def _run(statement: str, columns: Any) -> list[tuple[int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, columns)
        return list(cursor.fetchall())


def _outcome(rows: Sequence[tuple[int, bool]], told: int) -> CatalogOutcome:
    created = sum(is_new for _id, is_new in rows)
    return CatalogOutcome(created, len(rows) - created, told - len(rows))


def _check(field: str, codes: Sequence[tuple[str, int]], texts: Sequence[tuple[str, int]]) -> None:
    if not 1 <= len(codes) <= MOST_ENTRIES or len({code for code, _most in codes}) != len(codes):
        raise DocumentUnusable(field=field)
    for text, most in (*codes, *texts):
        if len(text) > most or text != text.strip() or not text.isprintable():
            raise DocumentUnusable(field=field)
    if not all(code for code, _most in codes):
        raise DocumentUnusable(field=field)
