"""面对面: choose, show, look, end."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from assistant.pages.coupons import face_to_face as pages
from assistant.pages.coupons.giving import get_batch_id
from assistant.pages.member_words import guide_actor
from assistant.screens import guide_screen, show
from assistant.views.inputs import request_key
from coupons import services as coupon_services
from guides.contracts import GuideCard


@require_safe
@guide_screen
def face_list(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    page = pages.build_face_list(guide, request_key=uuid.uuid4().hex)
    return show(request, "assistant/faces.html", page)


@require_POST
@guide_screen
def open_face(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """A code for some minutes; the page of it opens. The code before it, of the same batch, is over."""
    card = coupon_services.open_face_to_face(
        batch_id=get_batch_id(request.POST.get("batch", "")),
        guide_id=guide.id,
        request_key=request_key(request),
        actor=guide_actor(guide),
    )
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = reverse("assistant:face", args=[card.public_id])
    return answer


@require_safe
@guide_screen
def face(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The code on the whole screen."""
    page = pages.build_face(guide, public_id, request_key=uuid.uuid4().hex)
    return show(request, "assistant/face.html", page)


@require_safe
@guide_screen
def face_live(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """204 while it stands as the page shows it, else what changed."""
    live = pages.build_face_live(guide, public_id, seen=request.GET.get("seen", "")[:40])
    if live is None:
        return HttpResponse(status=204)
    return show(request, "assistant/_face_live.html", live)


@require_POST
@guide_screen
def close_face(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """It is over from now on; the page says so."""
    coupon_services.close_face_to_face(public_id=public_id, guide_id=guide.id, actor=guide_actor(guide))
    live = pages.build_face_live(guide, public_id, seen="")
    return show(request, "assistant/_face_live.html", live)
