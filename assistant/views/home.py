"""今日, and the pulse of all pages."""

from typing import Final, cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from assistant.pages.home import build_home
from assistant.pages.pulse import Looking, View, build_pulse
from assistant.screens import guide_screen, show
from assistant.views.inputs import member_part, search_words, whole_number
from assistant.views.performance import read_asked
from assistant.views.requests import read_rows, read_tab
from guides import services as guide_services
from guides.contracts import GuideCard

_VIEWS: Final = frozenset({"today", "members", "code", "requests", "request", "performance", "store"})
_HIGHEST_ID: Final = 2**63 - 1


@require_safe
@guide_screen
def home(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/home.html", build_home(guide))


@require_safe
@guide_screen
def pulse(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """204 when nothing happened since the page was drawn, else its changed parts."""
    asked = request.GET.get("view", "")
    looking = Looking(
        view=cast("View", asked if asked in _VIEWS else "other"),
        query=search_words(request),
        only=member_part(request),
        tab=read_tab(request),
        rows=read_rows(request),
        request_id=request.GET.get("request", "")[:17],
        board=read_asked(request),
        deals=request.GET["deals"][:60] if "deals" in request.GET else None,
        seen=request.GET.get("seen", "")[:80],
    )
    since = whole_number(request, "since", default=0, low=0, high=_HIGHEST_ID)
    page = build_pulse(guide, looking=looking, since=since)
    if page is None:
        return HttpResponse(status=204)
    answer = show(request, "assistant/pulse.html", page)
    if page.performance is not None or page.store is not None:
        answer["HX-Trigger"] = "numbers"  # what is fetched by itself (ring, team) is fetched again
    return answer


@require_POST
@guide_screen
def read_notices(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The home page was looked at: what it shows is no news any more."""
    up_to = whole_number(request, "up_to", default=0, low=0, high=_HIGHEST_ID)
    guide_services.read_notices(guide_id=guide.id, up_to_id=up_to)
    return HttpResponse(status=204)
