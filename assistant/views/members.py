"""会员 and 会员详情."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from assistant.pages.member import build_member
from assistant.pages.members import MOST_ROWS, PAGE_ROWS, build_members, build_rows
from assistant.screens import guide_screen, show
from assistant.views.inputs import search_words, whole_number
from guides.contracts import GuideCard


@require_safe
@guide_screen
def members(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    limit = whole_number(request, "rows", default=PAGE_ROWS, low=PAGE_ROWS, high=MOST_ROWS)
    return show(
        request, "assistant/members.html", build_members(guide, query=search_words(request), limit=limit)
    )


@require_safe
@guide_screen
def member_rows(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """A stretch of the list: the first one of a new search, or the next one of an endless list."""
    shown = whole_number(request, "shown", default=0, low=0, high=1_000_000)
    rows = build_rows(
        guide, query=search_words(request), cursor=request.GET.get("cursor") or None, shown=shown
    )
    return show(request, "assistant/_member_rows.html", rows)


@require_safe
@guide_screen
def member(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    return show(request, "assistant/member.html", build_member(guide, public_id))
