"""Admins of tables with one row for the chain."""

from typing import TYPE_CHECKING, Any

from django.db.models import Value
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from core.admin.base import BaseAdmin
from core.admin.extensions import panels_of

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


class OnlyRow(_Base):
    """Mix into an admin of one row: its menu entry opens the form, for there is nothing to choose from a list.

    Until somebody has decided there is no row, and the form of a new one shows what holds by default. The empty
    list is left for accounts that may only look.
    """

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Until there is the row."""
        return super().has_add_permission(request) and self.opts.label not in self._written(request)

    def _written(self, request: HttpRequest) -> frozenset[str]:
        """The tables of one row that have theirs. Every page's menu asks for each of them: one statement for all."""
        known: frozenset[str] | None = getattr(request, "_rows_written", None)
        if known is None:
            first, *others = [
                page.model._default_manager.order_by("pk").values_list(Value(page.opts.label))[:1]
                for page in self.admin_site._registry.values()
                if isinstance(page, OnlyRow)
            ]
            known = frozenset(label for (label,) in first.union(*others, all=True))
            request._rows_written = known  # type: ignore[attr-defined]
        return known

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """What others show below the row stands below its defaults too."""
        panels = panels_of(request, self.model())
        return super().add_view(request, form_url, {"panels": panels, **(extra_context or {})})

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Straight to the form."""
        row = self.get_queryset(request).first()
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is not None and self.has_view_or_change_permission(request, row):
            return HttpResponseRedirect(reverse(f"{page}_change", args=[row.pk]))
        if row is None and self.has_add_permission(request):
            return HttpResponseRedirect(reverse(f"{page}_add"))
        return super().changelist_view(request, extra_context)
