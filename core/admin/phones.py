"""A phone beside a form: what members will see, redrawn while it is typed, saved or not; stores nothing."""

import abc
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from core.admin.base import BaseAdmin

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object


class PhonePages(_Base):
    """Mix in before the admin's base. A page that a refusal brings back shows what was typed."""

    class Media:
        js = ("admin_xiaoer/phones.js",)

    change_form_outer_after_template = "admin/xiaoer/phone_after.html"
    phone_template: ClassVar[str]
    # What stands in place of the phone while there is too little to draw one.
    phone_waits_for: ClassVar[Any] = ""
    # Whether the phone is shown with values of usual length or with very long ones.
    has_long_sample: ClassVar[bool] = False

    @abc.abstractmethod
    def draw_phone(self, request: HttpRequest, row: Any) -> dict[str, Any] | None:
        """What the phone needs of the page in hand, typed or kept; None while there is too little. No row: a new one."""

    def name_choice(self) -> str:
        """The field whose choice asks for other fields: the page comes anew with those. Empty: there is none."""
        return ""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = None if object_id is None else self.subject(request, object_id)
        beside = {} if row is None and not self.has_add_permission(request) else self._beside(request, row)
        return super().changeform_view(request, object_id, form_url, {**beside, **(extra_context or {})})

    def _beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        name, drawn = f"admin:{self._preview_name}", self.draw_phone(request, row)
        return {
            "preview_url": reverse(f"{name}_new") if row is None else reverse(name, args=[row.pk]),
            "choice_field": self.name_choice(),
            "has_long_sample": self.has_long_sample,
            "waits_for": self.phone_waits_for,
            "phone_template": "" if drawn is None else self.phone_template,
            **(drawn or {}),
        }

    @property
    def _preview_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_preview"

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("preview/", f"{self._preview_name}_new", self.preview_view),
            ("<int:pk>/preview/", self._preview_name, self.preview_view),
        )

    def preview_view(
        self, request: HttpRequest, pk: int | None = None, model_admin: Any = None
    ) -> HttpResponse:
        """The phone as the form in hand would have it."""
        row = None if pk is None else get_object_or_404(self.get_queryset(request), pk=pk)
        is_allowed = (
            self.has_add_permission(request) if row is None else self.has_change_permission(request, row)
        )
        drawn = self.draw_phone(request, row) if is_allowed else None
        if drawn is None:
            raise PermissionDenied
        return TemplateResponse(request, self.phone_template, drawn)
