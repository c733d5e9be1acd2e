"""门店活动: what runs now, and her members in it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from assistant.pages import campaigns as pages
from assistant.screens import guide_screen, show
from assistant.views.inputs import whole_number
from guides.contracts import GuideCard


@require_safe
@guide_screen
def campaigns(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/campaigns.html", pages.build_campaigns(guide))


@require_safe
@guide_screen
def campaign(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    return show(request, "assistant/campaign.html", pages.build_campaign(guide, public_id))


@require_safe
@guide_screen
def campaign_rows(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The next stretch of the endless list."""
    after = whole_number(request, "after", default=0, low=0, high=2**62)
    rows = pages.build_campaign(guide, public_id, after_id=after).list
    return show(request, "assistant/_campaign_rows.html", rows)
