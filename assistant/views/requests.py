"""服务请求: the list, one request, and its buttons."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assistant.pages import requests as pages
from assistant.pages.member_words import guide_actor
from assistant.pages.request_sheets import build_request_sheet
from assistant.screens import guide_screen, show
from assistant.views.inputs import local_time, whole_number
from core.errors import InvalidInput, NotFound
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import GuideCard, RequestTab
from guides.errors import RequestMovedOn

_Act = Callable[[HttpRequest, GuideCard, dict[str, Any]], object]


@require_safe
@guide_screen
def requests(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    page = pages.build_requests(guide, tab=read_tab(request), limit=read_rows(request))
    return show(request, "assistant/requests.html", page)


@require_safe
@guide_screen
def request_rows(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The next stretch of the endless list."""
    shown = whole_number(request, "shown", default=0, low=0, high=1_000_000)
    rows = pages.build_request_rows(
        guide, tab=read_tab(request), cursor=request.GET.get("cursor") or None, shown=shown
    )
    return show(request, "assistant/_request_rows.html", rows)


@require_safe
@guide_screen
def request(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    return show(request, "assistant/request.html", pages.build_request(guide, public_id))


@require_http_methods(["GET", "HEAD", "POST"])
@guide_screen
def act(request: HttpRequest, guide: GuideCard, public_id: str, act: str) -> HttpResponse:
    """The dialog of an act; on POST the act itself, answered by the request as it stands then."""
    if request.method != "POST":
        sheet = build_request_sheet(guide, public_id, act, request_key=uuid.uuid4().hex)
        return show(request, "assistant/_request_sheet.html", sheet)
    if act not in _ACTS:
        raise NotFound
    run, told = _ACTS[act]
    text = str(told)
    try:
        run(request, guide, {"guide_id": guide.id, "public_id": public_id, "actor": guide_actor(guide)})
    except RequestMovedOn as refusal:
        text = refusal.message  # the page she tapped on was old: she gets the new one
    try:
        page = pages.build_request(guide, public_id)
    except NotFound:  # given away, and the member is not hers
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = reverse("assistant:requests")
        return answer
    return show(request, "assistant/_request_said.html", pages.RequestSaid(page, text))


def read_tab(request: HttpRequest) -> RequestTab:
    """The tab asked for; the first for none and for a made-up one."""
    asked = request.GET.get("tab", "")
    return next((tab for tab in pages.TABS if tab == asked), "open")


def read_rows(request: HttpRequest) -> int:
    """How many rows to draw at once."""
    return whole_number(request, "rows", default=pages.PAGE_ROWS, low=pages.PAGE_ROWS, high=pages.MOST_ROWS)


def _accept(request: HttpRequest, guide: GuideCard, hers: dict[str, Any]) -> object:
    return guide_services.accept_request(**hers)


def _start(request: HttpRequest, guide: GuideCard, hers: dict[str, Any]) -> object:
    return guide_services.start_request(**hers)


def _time(request: HttpRequest, guide: GuideCard, hers: dict[str, Any]) -> object:
    return guide_services.schedule_request(**hers, scheduled_at=local_time(request, "time"))


def _words(request: HttpRequest, guide: GuideCard, hers: dict[str, Any]) -> object:
    return guide_services.write_request(
        **hers, words=request.POST.get("words", ""), request_key=request.POST.get("request_key")
    )


def _finish(request: HttpRequest, guide: GuideCard, hers: dict[str, Any]) -> object:
    return guide_services.finish_request(**hers, words=request.POST.get("words", ""))


def _refuse(request: HttpRequest, guide: GuideCard, hers: dict[str, Any]) -> object:
    return guide_services.refuse_request(**hers, words=request.POST.get("words", ""))


def _hand_over(request: HttpRequest, guide: GuideCard, hers: dict[str, Any]) -> object:
    if "to" not in request.POST:
        raise InvalidInput(field="to")
    chosen = request.POST["to"]
    to_guide_id = None
    if chosen:
        ids = {other.public_id: other.id for other in guide_selectors.list_colleagues(guide.id)}
        if chosen not in ids:
            raise InvalidInput(field="to")
        to_guide_id = ids[chosen]
    return guide_services.hand_over_request(
        **hers, to_guide_id=to_guide_id, note=request.POST.get("words", "")
    )


_ACTS: Final[dict[str, tuple[_Act, Promise]]] = {
    "accept": (_accept, _("已接单")),
    "start": (_start, _("已开始处理")),
    "time": (_time, _("时间约好了")),
    "words": (_words, _("已留言")),
    "finish": (_finish, _("已完成")),
    "refuse": (_refuse, _("已回复会员")),
    "hand-over": (_hand_over, _("已转交")),
}
