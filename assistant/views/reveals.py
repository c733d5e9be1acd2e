"""查看手机号 on a member's page. The number is in the answer to the POST alone, which nobody stores."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from assistant.pages.member_words import guide_actor
from assistant.pages.reveal import build_phone_sheet, build_reason_sheet
from assistant.screens import guide_screen, show
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import GuideCard


@require_safe
@guide_screen
def ask_reason(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The dialog asks why."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    return show(request, "assistant/_reveal_sheet.html", build_reason_sheet(member, uuid.uuid4().hex))


@require_POST
@guide_screen
def show_phone(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The number, once; that she saw it and why is kept."""
    phone = guide_services.reveal_member_phone(
        guide_id=guide.id,
        public_id=public_id,
        reason=request.POST.get("reason", ""),
        words=request.POST.get("words", ""),
        request_key=request.POST.get("request_key"),
        actor=guide_actor(guide),
    )
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    return show(request, "assistant/_phone_sheet.html", build_phone_sheet(member, phone))
