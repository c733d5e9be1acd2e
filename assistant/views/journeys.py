"""旅程: who of hers is on one, and taking a member out of one."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from assistant.pages import journeys as pages
from assistant.pages.member_words import guide_actor
from assistant.screens import guide_screen, show
from assistant.views.inputs import whole_number
from campaigns.services import journeys as journey_services
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard


@require_safe
@guide_screen
def journey(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    return show(request, "assistant/journey.html", pages.build_journey_members(guide, public_id))


@require_safe
@guide_screen
def journey_rows(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The next stretch of the endless list."""
    after = whole_number(request, "after", default=0, low=0, high=2**62)
    rows = pages.build_journey_members(guide, public_id, after_id=after).list
    return show(request, "assistant/_journey_rows.html", rows)


@require_safe
@guide_screen
def ask_exit(request: HttpRequest, guide: GuideCard, public_id: str, journey_id: str) -> HttpResponse:
    """The dialog asks why."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    return show(request, "assistant/_journey_exit_sheet.html", pages.build_exit_sheet(member, journey_id))


@require_POST
@guide_screen
def take_out(request: HttpRequest, guide: GuideCard, public_id: str, journey_id: str) -> HttpResponse:
    """She is out; the section is drawn anew."""
    name = journey_services.take_member_out(
        guide_id=guide.id,
        member_public_id=public_id,
        journey_public_id=journey_id,
        reason=request.POST.get("reason", ""),
        words=request.POST.get("words", ""),
        actor=guide_actor(guide),
    )
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    section = pages.build_journey_section(member, now=clock.now())
    said = pages.ExitSaid(section, _("已让她退出“%(name)s”") % {"name": name})
    return show(request, "assistant/_journey_exit_said.html", said)
