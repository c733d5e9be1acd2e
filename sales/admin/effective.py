"""有效导购: who sold enough orders in a week or month, by guide or by store, filtered, paged and taken away as a file."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core import clock
from core.workbooks import Sheet
from guides import selectors as guide_selectors
from sales import selectors
from sales.admin.boards_form import span_words
from sales.admin.words import rate
from sales.contracts import EffectiveGuides, EffectiveLine, PeriodName

_AT_ONCE: Final = 100
_STATES: Final = ("yes", "no")


class EffectiveAsked:
    """What the address asks for, of the stores that the account sees."""

    def __init__(self, request: HttpRequest, store_ids: frozenset[int] | None) -> None:
        told = request.GET
        self.period: PeriodName = "month" if told.get("period") == "month" else "week"
        self.day = min(_day(told.get("day", "")), clock.today())
        self.store = told.get("store", "")
        self.state = told.get("state", "") if told.get("state") in _STATES else ""
        self.text = told.get("q", "").strip()[:40]
        self.by = "store" if told.get("by") == "store" else "guide"
        self.page = told.get("page")
        self.span = selectors.span_of(self.period, self.day)
        self.found: EffectiveGuides = selectors.list_effective_guides(self.span, store_ids=store_ids)
        self.names = guide_selectors.list_store_names({line.store_id for line in self.found.lines})
        self.lines = [line for line in self.found.lines if self._fits(line)]

    def _fits(self, line: EffectiveLine) -> bool:
        return (
            (not self.store or str(line.store_id) == self.store)
            and (not self.state or line.is_effective == (self.state == "yes"))
            and (not self.text or self.text in line.name or self.text.upper() in line.number.upper())
        )

    def query(self, **changes: str) -> str:
        """The same question but for these."""
        asked = {
            "period": self.period, "day": self.day.isoformat(), "store": self.store, "state": self.state,
            "q": self.text, "by": self.by,
        } | changes  # fmt: skip
        return "?" + urlencode({name: value for name, value in asked.items() if value})

    def context(self) -> dict[str, Any]:
        """What the page shows."""
        stores = self.by_store()
        shown: Sequence[Any] = stores if self.by == "store" else self.lines
        page = Paginator(shown, _AT_ONCE).get_page(self.page)
        before = selectors.span_before(self.span).starts_on
        is_latest = self.span.ends_on > clock.today()
        return {
            "asked": self,
            "span_words": span_words(self.span),
            "needed": self.found.needed_count,
            "effective": sum(line.is_effective for line in self.lines),
            "all": len(self.lines),
            "share": _share(self.lines),
            "pages": page,
            "rows": list(page) if self.by == "store" else [(self.names[one.store_id], one) for one in page],
            "stores": [
                (str(pk), name, str(pk) == self.store)
                for pk, name in sorted(self.names.items(), key=lambda one: one[1])
            ],
            "periods": [
                (_("按周"), self.query(period="week"), self.period == "week"),
                (_("按月"), self.query(period="month"), self.period == "month"),
            ],
            "before_url": self.query(day=before.isoformat()),
            "after_url": "" if is_latest else self.query(day=self.span.ends_on.isoformat()),
            "views": [
                (_("每位导购"), self.query(by="guide"), self.by == "guide"),
                (_("每家门店"), self.query(by="store"), self.by == "store"),
            ],
            "states": [
                ("yes", _("有效"), self.state == "yes"),
                ("no", _("未达标"), self.state == "no"),
            ],
            "export_url": reverse("admin:sales_targets_effective_export") + self.query(),
            "page_query": self.query(),
        }

    def by_store(self) -> list[dict[str, Any]]:
        """Each store's share."""
        found: dict[int, list[EffectiveLine]] = defaultdict(list)
        for line in self.lines:
            found[line.store_id].append(line)
        return [
            {
                "name": self.names[store_id],
                "effective": sum(line.is_effective for line in of_it),
                "all": len(of_it),
                "share": _share(of_it),
            }
            for store_id, of_it in sorted(found.items(), key=lambda one: self.names[one[0]])
        ]

    def sheets(self) -> list[Sheet]:
        """Guides, and stores."""
        guides = Sheet(
            _("有效导购"),
            [(_("门店"), "text"), (_("工号"), "text"), (_("姓名"), "text"), (_("订单"), "count"), (_("有效"), "text")],
            (
                (self.names[one.store_id], one.number, one.name, one.order_count, _("有效") if one.is_effective else "")
                for one in self.lines
            ),
        )  # fmt: skip
        stores = Sheet(
            _("门店"),
            [(_("门店"), "text"), (_("有效"), "count"), (_("导购"), "count"), (_("占比"), "text")],
            ((one["name"], one["effective"], one["all"], one["share"]) for one in self.by_store()),
        )
        return [guides, stores]

    @property
    def file_name(self) -> str:
        return _("有效导购_%(period)s_%(day)s") % {
            "period": _("周") if self.period == "week" else _("月"),
            "day": self.span.starts_on,
        }


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return clock.today()
    return max(day, dt.date(2000, 1, 1))


def _share(lines: Sequence[EffectiveLine]) -> str:
    return rate(sum(line.is_effective for line in lines) * 10_000 // len(lines)) if lines else "—"
