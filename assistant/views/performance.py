"""业绩: her numbers and her place, the orders behind them, and what a manager sees and decides."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assistant.pages.performance import facts as fact_pages
from assistant.pages.performance import orders as order_pages
from assistant.pages.performance import reattributing
from assistant.pages.performance.asked import Asked, asked_of
from assistant.pages.performance.guide import build_guide
from assistant.pages.performance.listed import NumberList, Whose, open_seller, open_whose
from assistant.pages.performance.nine import build_nine
from assistant.pages.performance.page import build_performance
from assistant.pages.performance.store import build_store, build_team
from assistant.pages.performance.target import build_goal
from assistant.pages.shell import Stretch
from assistant.screens import guide_screen, show
from assistant.views.inputs import request_key, whole_number
from guides.contracts import GuideCard

_HIGHEST_ID = 2**63 - 1
ListBuilder = Callable[..., NumberList[Any]]
RowsBuilder = Callable[..., Stretch[Any]]
Screen = Callable[..., HttpResponse]


def read_asked(request: HttpRequest) -> Asked:
    """Which period, metric and circle an address asks for."""
    return asked_of(
        request.GET.get("period", ""), request.GET.get("metric", ""), request.GET.get("scope", "")
    )


@require_safe
@guide_screen
def performance(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/performance.html", build_performance(guide, read_asked(request)))


def _list_screen(build: ListBuilder, who: str = "") -> Screen:
    """The list behind one of her numbers, or behind one of her store's for its manager."""

    @require_safe
    @guide_screen
    def screen(request: HttpRequest, guide: GuideCard) -> HttpResponse:
        page = build(guide, read_asked(request), whose=open_whose(guide, who))
        return show(request, "assistant/performance_list.html", page)

    return screen


def _seller_screen(build: ListBuilder) -> Screen:
    """The list behind a number of one guide in a manager's store."""

    @require_safe
    @guide_screen
    def screen(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
        page = build(guide, read_asked(request), whose=open_seller(guide, public_id))
        return show(request, "assistant/performance_list.html", page)

    return screen


def _rows_screen(build: RowsBuilder, template: str) -> Screen:
    """The next stretch of any of these lists."""

    @require_safe
    @guide_screen
    def screen(request: HttpRequest, guide: GuideCard) -> HttpResponse:
        offset = whole_number(request, "offset", default=0, low=0, high=100_000)
        rows = build(guide, read_asked(request), whose=_whose(request, guide), offset=offset)
        return show(request, template, rows)

    return screen


# Orders, and the members or coupons behind a number that counts no orders.
orders = _list_screen(order_pages.build_orders)
store_orders = _list_screen(order_pages.build_orders, "store")
guide_orders = _seller_screen(order_pages.build_orders)
order_rows = _rows_screen(order_pages.build_order_rows, order_pages.ROWS_TEMPLATE)
facts = _list_screen(fact_pages.build_facts)
store_facts = _list_screen(fact_pages.build_facts, "store")
guide_facts = _seller_screen(fact_pages.build_facts)
fact_rows = _rows_screen(fact_pages.build_fact_rows, fact_pages.ROWS_TEMPLATE)


@require_safe
@guide_screen
def order(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """One order, explained."""
    page = order_pages.build_order(guide, public_id, request_key=uuid.uuid4().hex)
    return show(request, "assistant/performance_order.html", page)


@require_safe
@guide_screen
def store(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """A manager's view of her store."""
    return show(request, "assistant/performance_store.html", build_store(guide, read_asked(request)))


@require_safe
@guide_screen
def team(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The part of that page that names who made the numbers."""
    return show(request, "assistant/_performance_team.html", build_team(guide, read_asked(request)))


@require_safe
@guide_screen
def store_guide(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """What one guide does in a manager's store."""
    page = build_guide(guide, public_id, read_asked(request))
    return show(request, "assistant/performance_guide.html", page)


@require_safe
@guide_screen
def nine(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """How many members came to a manager's store, bought and spent, by how they stood."""
    page = build_nine(guide, request.GET.get("period", ""), request.GET.get("show", ""))
    return show(request, "assistant/performance_nine.html", page)


@require_safe
@guide_screen
def goal(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The ring of the month's target: hers, her store's, or that of a guide in it."""
    page = build_goal(guide, whose=_whose(request, guide))
    return show(request, "assistant/_performance_goal.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@guide_screen
def decide(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The dialog in which a manager says whose an order is; on POST it is so."""
    if request.method != "POST":
        sheet = reattributing.build_sheet(guide, public_id, request_key=uuid.uuid4().hex)
        return show(request, "assistant/_reattribute_sheet.html", sheet)
    reasons = (request.POST.get("reason", ""), request.POST.get("words", ""))
    reattributing.reattribute(
        guide,
        public_id,
        _wanted(request),
        replaces=whole_number(request, "replaces", default=0, low=0, high=_HIGHEST_ID),
        reason="：".join(part.strip() for part in reasons if part.strip()),
        request_key=request_key(request),
    )
    return _open(public_id)


@require_POST
@guide_screen
def preview(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """What the form as it stands would change."""
    page = reattributing.build_preview(guide, public_id, _wanted(request))
    return show(request, "assistant/_reattribute_preview.html", page)


@require_POST
@guide_screen
def undo(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The decision before holds again."""
    reattributing.take_back(
        guide,
        public_id,
        undoes=whole_number(request, "undoes", default=0, low=0, high=_HIGHEST_ID),
        request_key=request_key(request),
    )
    return _open(public_id)


def _whose(request: HttpRequest, guide: GuideCard) -> Whose:
    return open_whose(guide, request.GET.get("who", ""))


def _wanted(request: HttpRequest) -> reattributing.Wanted:
    return reattributing.Wanted(
        first=request.POST.get("first", "")[:20],
        second=request.POST.get("second", "")[:20],
        percent=whole_number(request, "percent", default=100, low=1, high=100),
    )


def _open(public_id: str) -> HttpResponse:
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = reverse("assistant:performance-order", args=[public_id])
    return answer
