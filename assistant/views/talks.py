"""会话: the list of those who wait, one conversation, and what a guide does in it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from assistant.pages import talks as pages
from assistant.pages.member_words import guide_actor
from assistant.screens import guide_screen, show
from assistant.views.inputs import request_key, search_words
from guides import services as guide_services
from guides.contracts import GuideCard


@require_safe
@guide_screen
def talks(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/talks.html", pages.build_talks(guide))


@require_safe
@guide_screen
def talk(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    return show(request, "assistant/talk.html", pages.build_talk(guide, public_id))


@require_safe
@guide_screen
def talk_live(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """204 while it stands as the page shows it, else as it stands now; what is shown counts as read."""
    live = pages.build_live(guide, public_id)
    if live.has_unread:
        guide_services.read_conversation(guide_id=guide.id, public_id=public_id, up_to_id=live.last_id)
    if request.GET.get("seen", "") == live.seen:
        return HttpResponse(status=204)
    return show(request, "assistant/_talk_live.html", live)


@require_safe
@guide_screen
def replies(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The dialog 话术."""
    return show(request, "assistant/_reply_sheet.html", pages.build_reply_sheet(guide, public_id))


@require_safe
@guide_screen
def found_replies(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """Its rows, narrowed by what was typed."""
    sheet = pages.build_reply_sheet(guide, public_id, query=search_words(request))
    return show(request, "assistant/_reply_rows.html", sheet)


@require_POST
@guide_screen
def send(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """Her words are on their way; the page has them and an empty field."""
    guide_services.answer_member(
        guide_id=guide.id,
        public_id=public_id,
        text=request.POST.get("text", ""),
        request_key=request_key(request),
        actor=guide_actor(guide),
    )
    return show(request, "assistant/_talk_said.html", pages.build_talk(guide, public_id).part)


@require_POST
@guide_screen
def settle(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """She waits no more."""
    guide_services.settle_conversation(guide_id=guide.id, public_id=public_id, actor=guide_actor(guide))
    return show(request, "assistant/_talk_said.html", pages.build_talk(guide, public_id).part)
