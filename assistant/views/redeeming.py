"""核销: scan or type, see, redeem; the day's list; and the way back."""

import datetime as dt
import uuid
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assistant.pages.coupons import redeeming as pages
from assistant.pages.coupons import redemptions as lists
from assistant.pages.member_words import guide_actor
from assistant.screens import allow_camera, guide_screen, is_in_wechat, show
from assistant.views.inputs import request_key, whole_number, yuan_in_fen
from assistant.views.wechat_pages import answer_signature
from core.errors import InvalidInput, Refusal
from coupons import services as coupon_services
from coupons.errors import (
    BelowMinimumQuantity,
    BelowMinimumSpend,
    CodeUnusable,
    MemberCodeShown,
    NoSuchCoupon,
    RequestReused,
)
from guides.contracts import GuideCard

_HIGHEST_ID: Final = 2**63 - 1
_MOST_PIECES: Final = 100_000
# These leave the form as it is: what was typed can be mended.
_MENDABLE: Final = (InvalidInput, BelowMinimumSpend, BelowMinimumQuantity, RequestReused)


@require_safe
@guide_screen
def redeem(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    page = pages.build_redeem(guide, request_key=uuid.uuid4().hex, is_wechat=is_in_wechat(request))
    return allow_camera(show(request, "assistant/redeem.html", page))


@require_safe
@guide_screen
def wechat_signature(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """What `wx.config` needs on the page that asks; without WeChat the page falls back to typing."""
    return answer_signature(request)


@require_POST
@guide_screen
def find(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The coupon of the code, with all reasons against it; or the form again with what was typed."""
    key, typed = request_key(request), request.POST.get("code", "")[:60]
    try:
        code = coupon_services.read_counter_code(text=typed, request_key=key, actor=guide_actor(guide))
        page = pages.build_counter(guide, code, request_key=uuid.uuid4().hex)
    except (NoSuchCoupon, CodeUnusable, MemberCodeShown) as refusal:
        form = pages.FindForm(uuid.uuid4().hex, typed, refusal.message)
        answer = show(request, "assistant/_redeem_find.html", form)
        answer["X-Refusal"] = refusal.code
        return answer
    return show(request, "assistant/_redeem_card.html", page)


@require_POST
@guide_screen
def quote(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """What the amount comes to so far. A new amount computes the discount anew, a typed discount holds."""
    is_by_discount = request.headers.get("HX-Trigger-Name") == "discount"
    typed = pages.Typed(
        amount_fen=yuan_in_fen(request, "amount"),
        quantity=_pieces(request),
        discount_fen=yuan_in_fen(request, "discount") if is_by_discount or _is_fixed(request) else None,
    )
    page = pages.build_quote(guide, request.POST.get("code", ""), typed=typed)
    answer = pages.QuoteAnswer(page, is_new_discount=not is_by_discount and bool(page.discount))
    return show(request, "assistant/_redeem_quote.html", answer)


@require_POST
@guide_screen
def redeem_now(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The coupon is used; the result opens. A reason that nothing typed can mend is shown in large and red."""
    try:
        amount = yuan_in_fen(request, "amount")
        if amount is None:
            raise InvalidInput(field="amount")
        done = coupon_services.redeem_at_counter(
            code=request.POST.get("code", ""),
            guide_id=guide.id,
            order_no=request.POST.get("order_no", ""),
            amount_fen=amount,
            discount_fen=yuan_in_fen(request, "discount"),
            quantity=_pieces(request),
            request_key=request_key(request),
            actor=guide_actor(guide),
        )
    except _MENDABLE:
        raise
    except Refusal as refusal:
        answer = show(request, "assistant/_redeem_refused.html", pages.RefusedScreen((refusal.message,)))
        answer["HX-Retarget"] = "#redeem-step"
        answer["X-Refusal"] = refusal.code
        return answer
    return _open(done.id)


@require_safe
@guide_screen
def redemptions(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """Today's list; a manager's other days."""
    page = lists.build_redemptions(guide, who=_who(request), day=_day(request))
    return show(request, "assistant/redemptions.html", page)


@require_safe
@guide_screen
def redemption_rows(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """The next stretch of it."""
    cursor = whole_number(request, "cursor", default=0, low=1, high=_HIGHEST_ID)
    rows = lists.build_redemption_rows(guide, who=_who(request), day=_day(request), cursor=cursor or None)
    return show(request, "assistant/_redemption_rows.html", rows)


@require_safe
@guide_screen
def redemption(request: HttpRequest, guide: GuideCard, redemption_id: int) -> HttpResponse:
    """One of them in large."""
    return show(request, "assistant/redemption.html", lists.build_redemption(guide, redemption_id))


@require_http_methods(["GET", "HEAD", "POST"])
@guide_screen
def undo(request: HttpRequest, guide: GuideCard, redemption_id: int) -> HttpResponse:
    """The dialog that asks why; on POST the redemption is taken back."""
    if request.method != "POST":
        sheet = lists.build_undo_sheet(guide, redemption_id, request_key=uuid.uuid4().hex)
        return show(request, "assistant/_undo_sheet.html", sheet)
    parts = (request.POST.get("reason", ""), request.POST.get("words", ""))
    coupon_services.undo_at_counter(
        redemption_id=redemption_id,
        guide_id=guide.id,
        reason="：".join(part.strip() for part in parts if part.strip()),
        request_key=request_key(request),
        actor=guide_actor(guide),
    )
    return _open(redemption_id)


def _open(redemption_id: int) -> HttpResponse:
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = reverse("assistant:coupon-redemption", args=[redemption_id])
    return answer


def _pieces(request: HttpRequest) -> int | None:
    if not request.POST.get("quantity", ""):
        return None
    return whole_number(request, "quantity", default=0, low=0, high=_MOST_PIECES)


def _is_fixed(request: HttpRequest) -> bool:
    """The coupon takes off what the guide says: no amount computes it."""
    return request.POST.get("by_goods") == "1"


def _who(request: HttpRequest) -> lists.Who:
    return "mine" if request.GET.get("who") == "mine" else "store"


def _day(request: HttpRequest) -> dt.date | None:
    """The day asked for; None for today and for what is no day."""
    try:
        return dt.date.fromisoformat(request.GET.get("day", "")[:10])
    except ValueError:
        return None
