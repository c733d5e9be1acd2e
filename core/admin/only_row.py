"""Admins of tables with one row for the chain."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from core.admin.base import BaseAdmin

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
        return super().has_add_permission(request) and not self.get_queryset(request).exists()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Straight to the form."""
        row = self.get_queryset(request).first()
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is not None and self.has_view_or_change_permission(request, row):
            return HttpResponseRedirect(reverse(f"{page}_change", args=[row.pk]))
        if row is None and self.has_add_permission(request):
            return HttpResponseRedirect(reverse(f"{page}_add"))
        return super().changelist_view(request, extra_context)
