"""我的."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from assistant.pages.me import build_me
from assistant.screens import guide_screen, show
from guides.contracts import GuideCard


@require_safe
@guide_screen
def me(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/me.html", build_me(guide))
