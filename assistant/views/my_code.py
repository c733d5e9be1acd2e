"""我的码, its picture and the poster."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import content_disposition_header, parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assistant import qr
from assistant.pages.my_code import build_my_code, build_poster_texts, get_qr_content, poster_filename
from assistant.posters import draw_poster
from assistant.screens import guide_screen, show
from guides.contracts import GuideCard


@require_safe
@guide_screen
def my_code(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/my_code.html", build_my_code(guide))


@require_safe
@guide_screen
def poster_page(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The poster as large as the phone, to press and keep."""
    return show(request, "assistant/poster.html", build_my_code(guide))


@require_safe
@guide_screen
def qr_png(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The bare code as a file, for print."""
    name = f"{_('导购二维码')}-{guide.name}-{guide.store.name}.png"
    return _picture(qr.draw_png(get_qr_content(guide)), name)


@require_safe
@guide_screen
def poster_png(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The poster; drawn once, answered with 304 while nothing on it changed."""
    texts = build_poster_texts(guide)
    etag = f'"{texts.fingerprint}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = _picture(draw_poster(texts).png, poster_filename(guide))
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"  # kept by her phone, asked again each time
    return response


def _picture(png: bytes, filename: str) -> HttpResponse:
    response = HttpResponse(png, content_type="image/png")
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=False, filename=filename) or "inline"
    )
    return response
