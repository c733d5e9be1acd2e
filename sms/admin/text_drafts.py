"""The phone beside a template's form: what is being written, redrawn while it is typed; stores nothing."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from core.admin import cost_words
from sms import services
from sms.models import SmsTemplate
from sms.services.words import words_of

if TYPE_CHECKING:
    from core.admin import BaseAdmin as _Pages
else:
    _Pages = object

_PHONE = "admin/xiaoer/_draft_phone.html"
_FRESH_LIMIT = 6  # characters of a place, of an account that is new at the provider


class DraftPages(_Pages):
    """Mix into the admin of templates, in front of BaseAdmin."""

    class Media:
        js = ("admin_xiaoer/mappings.js",)

    change_form_outer_after_template = "admin/xiaoer/draft_after.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = None if object_id is None else self.subject(request, object_id)
        beside: dict[str, Any] = {}
        if row is not None or self.has_add_permission(request):
            typed = request.POST if request.method == "POST" else _kept(row)
            beside = {"preview_url": reverse("admin:sms_smstemplate_preview"), **_drawn(typed, row)}
        return super().changeform_view(request, object_id, form_url, {**beside, **(extra_context or {})})

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("preview/", "sms_smstemplate_preview", self.preview_view),)

    def preview_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return TemplateResponse(request, _PHONE, _drawn(request.POST))


def _kept(row: SmsTemplate | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {"purpose": row.purpose, "text": row.text, "sign": row.sign_id, "gap_limit": row.gap_limit}


def _drawn(typed: Any, row: SmsTemplate | None = None) -> dict[str, Any]:
    """What the phone needs, of a form that may be half filled. `row`, as it is kept, says whether it can be sent."""
    text, limit = str(typed.get("text") or ""), _number(typed.get("gap_limit"))
    draft = services.draft_text(
        purpose=str(typed.get("purpose") or ""),
        text=text,
        sign_id=_number(typed.get("sign")),
        gap_limit=_FRESH_LIMIT if limit is None else limit,
    )
    trouble = "" if row is None else services.get_text(row.pk).trouble
    return {
        "draft": draft,
        "is_empty": not text.strip(),
        "cost": cost_words(draft.cost_hundredths),
        "row": row,
        "trouble": words_of(trouble) if trouble else "",
    }


def _number(typed: Any) -> int | None:
    """What a field holds, where it is a number that a row may have."""
    words = str(typed or "")
    return int(words) if words.isascii() and words.isdecimal() and len(words) < 10 else None
