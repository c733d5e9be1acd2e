"""Links from entries and reports to the documents behind them."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sales.models import PerformanceEntry
from sales.selectors.documents import DocumentName, name_returns, name_sales


def link_documents(entries: Iterable[PerformanceEntry]) -> dict[int, SafeString | str]:
    """What caused each entry, by the entry's row."""
    rows = list(entries)
    sales = name_sales(row.sale_ref for row in rows)
    returns = name_returns(row.return_ref for row in rows)
    return {row.pk: _link(row, sales, returns) for row in rows}


def _link(row: PerformanceEntry, sales: dict[int, DocumentName], returns: dict[int, DocumentName]) -> Any:
    given = returns.get(row.return_ref or 0)
    if given is not None:
        return link_to("salereturn", given)
    sold = sales.get(row.sale_ref or 0)
    return link_to("sale", sold) if sold is not None else "—"


def link_to(model_name: str, document: DocumentName) -> SafeString:
    """The document's number, leading to its page."""
    url = reverse(f"admin:sales_{model_name}_change", args=[document.row_id])
    return format_html('<a class="xe-link" href="{}">{}</a>', url, document.number)
