"""素材 of a guide."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import content_disposition_header, parse_etags
from django.views.decorators.http import require_POST, require_safe

from assistant.material_posters import draw_material_poster
from assistant.pages.materials import (
    Looked,
    build_material,
    build_material_rows,
    build_materials,
    build_poster_texts,
)
from assistant.screens import guide_screen, is_in_wechat, show
from assistant.views.inputs import search_words, whole_number
from campaigns.services.material_shares import note_share
from guides.contracts import GuideCard

_LONGEST_CATEGORY = 12


@require_safe
@guide_screen
def materials(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/materials.html", build_materials(guide, _looked(request)))


@require_safe
@guide_screen
def material_rows(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """A stretch of the list: the first one of a new search, or the next one."""
    offset = whole_number(request, "offset", default=0, low=0, high=10_000)
    return show(
        request, "assistant/_material_rows.html", build_material_rows(guide, _looked(request), offset=offset)
    )


@require_safe
@guide_screen
def material(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    page = build_material(guide, public_id, is_wechat=is_in_wechat(request))
    return show(request, "assistant/material.html", page)


@require_POST
@guide_screen
def shared(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """She took the link: it stands among those she shared."""
    note_share(public_id=public_id, guide=guide)
    return HttpResponse(status=204)


@require_safe
@guide_screen
def poster_page(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The poster as large as the phone, to press and keep."""
    page = build_material(guide, public_id, is_wechat=is_in_wechat(request))
    return show(request, "assistant/material_poster.html", page)


@require_safe
@guide_screen
def poster_file(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The poster; drawn once, answered with 304 while nothing on it changed."""
    texts, name = build_poster_texts(guide, public_id)
    etag = f'"{texts.fingerprint}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(draw_material_poster(texts), content_type="image/jpeg")
        response["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"  # kept by her phone, asked again each time
    return response


def _looked(request: HttpRequest) -> Looked:
    return Looked(
        query=search_words(request),
        category=request.GET.get("category", "").replace("\0", "")[:_LONGEST_CATEGORY],
        only_mine=request.GET.get("mine") == "1",
    )
