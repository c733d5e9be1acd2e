"""跟进任务: the lists, one of them, doing it and taking that back."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from assistant.pages import follow_ups as pages
from assistant.pages.member_words import guide_actor
from assistant.screens import guide_screen, show
from guides import services as guide_services
from guides.contracts import GuideCard
from guides.selectors.follow_ups import FollowUpTab


@require_safe
@guide_screen
def follow_ups(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/follow_ups.html", pages.build_follow_ups(guide, tab=_tab(request)))


@require_safe
@guide_screen
def follow_up_rows(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The next stretch of the endless list."""
    tab = _tab(request)
    rows = pages.build_follow_up_rows(guide, tab=tab, cursor=request.GET.get("cursor") or None)
    return show(request, "assistant/_follow_up_rows.html", rows)


@require_safe
@guide_screen
def follow_up(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    return show(request, "assistant/follow_up.html", pages.build_follow_up(guide, public_id))


@require_POST
@guide_screen
def done(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """Done, with a result and a note; answered by the page as it is then, with the way back."""
    guide_services.complete_follow_up(
        guide_id=guide.id,
        public_id=public_id,
        result=request.POST.get("result", ""),
        note=request.POST.get("note", ""),
        actor=guide_actor(guide),
    )
    return _said(request, guide, public_id, _("已完成"))


@require_POST
@guide_screen
def undo(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """To be done again."""
    guide_services.reopen_follow_up(guide_id=guide.id, public_id=public_id, actor=guide_actor(guide))
    return _said(request, guide, public_id, _("已撤销"))


def _said(request: HttpRequest, guide: GuideCard, public_id: str, text: str) -> HttpResponse:
    page = pages.build_follow_up(guide, public_id)
    return show(request, "assistant/_follow_up_said.html", pages.FollowUpSaid(page, text, page.may_undo))


def _tab(request: HttpRequest) -> FollowUpTab:
    """The tab asked for; the first for none and for a made-up one."""
    asked = request.GET.get("tab", "")
    return next((tab for tab in pages.TABS if tab == asked), "due")
