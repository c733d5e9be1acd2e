"""Rows with a page of their own in place of Django's form."""

import abc
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from core.admin.base import BaseAdmin

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


class OwnPage(_Base):
    """Mix in before the admin's base: `row_page` answers for a row that this account may see."""

    @abc.abstractmethod
    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The row's page, and what is sent from it."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if object_id is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        row = self.subject(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self.no_subject(request, object_id)
        return self.row_page(request, row)
