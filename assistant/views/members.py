"""会员 and 会员详情."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from assistant.pages.member_360 import build_member_360, build_tab
from assistant.pages.member_360.points import build_points_rows
from assistant.pages.members import MOST_ROWS, PAGE_ROWS, build_members, build_rows
from assistant.screens import guide_screen, show
from assistant.views.inputs import member_part, search_words, whole_number
from guides.contracts import GuideCard


@require_safe
@guide_screen
def members(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    limit = whole_number(request, "rows", default=PAGE_ROWS, low=PAGE_ROWS, high=MOST_ROWS)
    return show(
        request,
        "assistant/members.html",
        build_members(guide, query=search_words(request), only=member_part(request), limit=limit),
    )


@require_safe
@guide_screen
def member_rows(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """A stretch of the list: the first one of a new search, or the next one of an endless list."""
    shown = whole_number(request, "shown", default=0, low=0, high=1_000_000)
    rows = build_rows(
        guide,
        query=search_words(request),
        only=member_part(request),
        cursor=request.GET.get("cursor") or None,
        shown=shown,
    )
    return show(request, "assistant/_member_rows.html", rows)


@require_safe
@guide_screen
def member(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    tab = request.GET.get("tab", "")
    if request.headers.get("HX-Target") == "member-part":
        return show(request, "assistant/_member_part.html", build_tab(guide, public_id, tab=tab))
    return show(request, "assistant/member.html", build_member_360(guide, public_id, tab=tab))


@require_safe
@guide_screen
def points_rows(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The next stretch of her points' ledger."""
    cursor = whole_number(request, "cursor", default=0, low=1, high=2**63 - 1)
    rows = build_points_rows(guide, public_id, cursor=cursor or None)
    return show(request, "assistant/_points_rows.html", rows)
