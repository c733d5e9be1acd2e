"""Ordinary admin forms whose saving is a service."""

import abc
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.admin.base import BaseAdmin
from core.admin.questions import add_refusal
from core.errors import NotAllowed, Refusal

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


class ServiceForms(_Base):
    """Mix into an admin: saving calls `run_service`, and its refusal becomes an error of the form.

    The form is shown again with everything typed kept; nothing of a refused change is stored, because the
    admin saves inside one transaction.
    """

    @abc.abstractmethod
    def run_service(self, request: HttpRequest, row: Any, form: Any, change: bool) -> int:
        """Call the service with the form's cleaned data; return the row's key. May raise a refusal."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The service writes, audits and publishes; the row on hand only learns what was stored."""
        obj.pk = self.run_service(request, obj, form, change)
        obj._state.adding = False
        # Nobody puts a row where she could not see it: the admin's transaction undoes what the service did.
        if not self.get_queryset(request).filter(pk=obj.pk).exists():
            raise NotAllowed(_("这会超出您的可见范围，请选择您范围内的区域或门店"))
        obj.refresh_from_db()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refusal as refusal:
            if request.method != "POST":
                raise
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form_class: Any = super().get_form(request, obj, change=change, **kwargs)
        refusal: Any = getattr(request, "refusal", None)
        if refusal is None:
            return form_class

        class Refused(form_class):  # type: ignore[misc]
            def full_clean(self) -> None:
                super().full_clean()
                if self.is_bound and not self.errors:
                    add_refusal(self, refusal)

        return Refused
