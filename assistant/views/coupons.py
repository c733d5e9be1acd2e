"""券: the tab, giving coupons, and what became of them."""

import re
import uuid
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from assistant.pages.coupons import given as given_pages
from assistant.pages.coupons import giving
from assistant.pages.coupons.tab import build_coupons
from assistant.pages.member_360 import build_tab
from assistant.pages.member_360.coupons import build_past_rows
from assistant.pages.member_words import guide_actor
from assistant.screens import guide_screen, show
from assistant.views.inputs import public_ids, request_key, search_words, whole_number
from coupons import services as coupon_services
from coupons.contracts import DirectedIssueCard
from guides import selectors as guide_selectors
from guides.contracts import GuideCard

_HIGHEST_ID: Final = 2**63 - 1
_TAG: Final = re.compile(r"[co][0-9]{1,18}")


@require_safe
@guide_screen
def coupons(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    return show(request, "assistant/coupons.html", build_coupons(guide))


@require_safe
@guide_screen
def pick(request: HttpRequest, guide: GuideCard, batch_id: str) -> HttpResponse:
    """Who is to have one of the batch."""
    page = giving.build_pick(guide, batch_id, narrowing=_narrowing(request))
    return show(request, "assistant/coupon_pick.html", page)


@require_safe
@guide_screen
def pick_rows(request: HttpRequest, guide: GuideCard, batch_id: str) -> HttpResponse:
    """A stretch of the list: the first one of a new narrowing, or the next one."""
    rows = giving.build_pick_rows(
        guide, batch_id, narrowing=_narrowing(request), cursor=request.GET.get("cursor") or None
    )
    return show(request, "assistant/_coupon_pick_rows.html", rows)


@require_POST
@guide_screen
def confirm(request: HttpRequest, guide: GuideCard, batch_id: str) -> HttpResponse:
    """The dialog that says what will happen. A POST, because fifty members do not belong into an address."""
    sheet = giving.build_confirm(
        guide,
        batch_id,
        public_ids=public_ids(request, "m", most=giving.MOST_AT_ONCE),
        request_key=uuid.uuid4().hex,
    )
    return show(request, "assistant/_coupon_confirm_sheet.html", sheet)


@require_POST
@guide_screen
def give(request: HttpRequest, guide: GuideCard, batch_id: str) -> HttpResponse:
    """Each of them has one, or the result says why not."""
    issue = _give(request, guide, batch_id, public_ids(request, "m", most=giving.MOST_AT_ONCE))
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = reverse("assistant:coupon-result", args=[issue.public_id])
    return answer


@require_safe
@guide_screen
def result(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """What became of it, also after a lost answer or a reload."""
    return show(
        request,
        "assistant/coupon_result.html",
        giving.build_result(guide, public_id, retry_key=uuid.uuid4().hex),
    )


@require_safe
@guide_screen
def give_sheet(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """发券 on a member's page."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    sheet = giving.build_give_sheet(guide, member, request_key=uuid.uuid4().hex)
    return show(request, "assistant/_coupon_give_sheet.html", sheet)


@require_POST
@guide_screen
def give_member(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """One member has one, told by a toast; her coupons are drawn anew where they are open."""
    guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    issue = _give(request, guide, request.POST.get("batch", ""), [public_id])
    line = issue.lines[0]
    if line.coupon is not None:
        text = _("已发“%(title)s”") % {"title": issue.template.terms.title}
    else:
        text = _("没有发出：%(why)s") % {"why": line.why_not.words if line.why_not else ""}
    part = build_tab(guide, public_id, tab="coupons").part if request.POST.get("open") == "1" else None
    said = giving.GivenSaid(part, text, is_given=line.coupon is not None)
    answer = show(request, "assistant/_coupon_given_said.html", said)
    if line.why_not is not None:
        answer["X-Refusal"] = line.why_not.code
    return answer


@require_safe
@guide_screen
def member_coupon_rows(request: HttpRequest, guide: GuideCard, public_id: str) -> HttpResponse:
    """The next stretch of a member's used or expired coupons."""
    state = "expired" if request.GET.get("state") == "expired" else "redeemed"
    cursor = whole_number(request, "cursor", default=0, low=1, high=_HIGHEST_ID)
    rows = build_past_rows(guide, public_id, state=state, cursor=cursor or None)
    return show(request, "assistant/_coupon_past_rows.html", rows)


@require_safe
@guide_screen
def given(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """我发的券."""
    limit = whole_number(
        request, "rows", default=given_pages.PAGE_ROWS, low=given_pages.PAGE_ROWS, high=given_pages.MOST_ROWS
    )
    return show(
        request, "assistant/coupons_given.html", given_pages.build_given(guide, _asked(request), limit=limit)
    )


@require_safe
@guide_screen
def given_rows(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """A stretch of that list."""
    cursor = whole_number(request, "cursor", default=0, low=1, high=_HIGHEST_ID)
    shown = whole_number(request, "shown", default=0, low=0, high=1_000_000)
    rows = given_pages.build_given_rows(guide, _asked(request), cursor=cursor or None, shown=shown)
    return show(request, "assistant/_coupons_given_rows.html", rows)


def _give(request: HttpRequest, guide: GuideCard, batch_id: str, members: list[str]) -> DirectedIssueCard:
    return coupon_services.issue_directed(
        batch_id=giving.get_batch_id(batch_id),
        guide_id=guide.id,
        public_ids=members,
        request_key=request_key(request),
        actor=guide_actor(guide),
    )


def _narrowing(request: HttpRequest) -> giving.Narrowing:
    """What the form asks for; a made-up tag narrows to nothing of hers and is dropped."""
    tag = request.GET.get("tag", "")
    return giving.Narrowing(
        query=search_words(request),
        birthday=request.GET.get("birthday") == "1",
        tier_id=whole_number(request, "tier", default=0, low=0, high=_HIGHEST_ID),
        tag=tag if _TAG.fullmatch(tag) else "",
    )


def _asked(request: HttpRequest) -> given_pages.Asked:
    state = request.GET.get("state", "")
    return given_pages.Asked(
        state=state if state in given_pages.STATES else "",
        query=search_words(request),
        member_id=request.GET.get("member", "")[:17],
    )
