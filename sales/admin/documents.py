"""Links from entries and reports to the documents behind them."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now

from members import selectors as member_selectors
from sales.models import PerformanceEntry
from sales.selectors import describe_facts
from sales.selectors.documents import DocumentName, name_returns, name_sales


def link_documents(
    entries: Iterable[PerformanceEntry], *, opens_members: bool = False
) -> dict[int, SafeString | str]:
    """What caused each entry, by the entry's row. `opens_members`: the members behind facts are linked."""
    rows = list(entries)
    sales = name_sales(row.sale_ref for row in rows)
    returns = name_returns(row.return_ref for row in rows)
    facts = _fact_words([_key(row) for row in rows if row.fact_kind], opens_members=opens_members)
    return {
        row.pk: facts.get(_key(row), "—") if row.fact_kind else _link(row, sales, returns) for row in rows
    }


def _key(row: PerformanceEntry) -> tuple[str, int]:
    return row.fact_kind, row.fact_ref or 0


def _fact_words(
    facts: Sequence[tuple[str, int]], *, opens_members: bool
) -> dict[tuple[str, int], SafeString | str]:
    """What a fact was, and whose: her surname and masked phone."""
    notes = describe_facts(facts) if facts else {}
    ids = {note.member_id for note in notes.values() if note.member_id is not None}
    members = member_selectors.list_member_cards(ids) if ids else {}
    found: dict[tuple[str, int], SafeString | str] = {}
    for key, note in notes.items():
        member = members.get(note.member_id or 0)
        words = note.words or _now("新会员")
        if member is None:
            found[key] = words
            continue
        name = f"{member.display_name[:1]}**" if member.is_named else _now("会员")
        whom = " ".join(filter(None, (name, member.masked_phone)))
        url = reverse("admin:members_member_change", args=[member.id])
        link = format_html('<a class="xe-link" href="{}">{}</a>', url, whom) if opens_members else whom
        found[key] = format_html("{} · {}", words, link)
    return found


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
