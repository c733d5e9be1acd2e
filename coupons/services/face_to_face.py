"""A guide shows a code for some minutes; who scans it with WeChat has a coupon.

The code is an ordinary channel code of hers with a purpose: the scan registers, binds and greets as every scan does
(`guides.services.answer_scan`), and is announced. Here it brings the coupon, or the reason why not. What counts is
the moment of the scan, not when we hear of it.
"""

import datetime as dt
import logging
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from core.errors import Refusal
from coupons.contracts import FaceToFaceCard
from coupons.errors import OF_OUTCOME, NoSuchOffer, RequestReused
from coupons.models import ClaimOutcome, Coupon, Door, FaceToFaceClaim, FaceToFaceOffer
from coupons.selectors.coupons import coupon_card_of
from coupons.selectors.guide_doors import counts_at, get_guide_batch, offer_card_of
from coupons.services.issuing import issue_coupon, usable_request_key
from coupons.services.telling import coupon_reason, coupon_words
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import ScanCard
from members import selectors as member_selectors
from members import services as member_services
from members.errors import NoSuchMember

logger = logging.getLogger(__name__)

PURPOSE: Final = "face_to_face"
# So long after the offer a scan of its picture still finds the guide and is told that the coupon is over.
_PICTURE_LIVES: Final = dt.timedelta(days=1)
_LOOK_BACK: Final = dt.timedelta(days=1)
# Younger scans are being answered by their own event just now.
_GRACE: Final = dt.timedelta(seconds=10)
_REFUSALS: Final = {refusal.code: refusal for refusal in OF_OUTCOME.values()}


def open_face_to_face(
    *, batch_id: int, guide_id: int, request_key: str, actor: Actor, at: dt.datetime | None = None
) -> FaceToFaceCard:
    """For the minutes of FACE_TO_FACE_MINUTES each member who scans the card's QR has one coupon of the batch, from
    this guide and within her quota. An offer of the same batch that she still has open is over with this one.

    The same `request_key` again gets the same offer. Refuses a guide who has left, and a batch that she could not
    issue one of now, each reason with its own code.
    """
    at = at or clock.now()
    usable_request_key(key=request_key)
    with transaction.atomic():
        guide_services.lock_guide(guide_id)
        offers = FaceToFaceOffer.objects.select_related("batch__template").filter(guide_id=guide_id)
        first = offers.filter(request_key=request_key).first()
        if first is not None:
            if first.batch_id != batch_id:
                raise RequestReused
            return offer_card_of(first, at)
        batch = get_guide_batch(batch_id=batch_id, guide_id=guide_id, door=Door.FACE_TO_FACE, at=at)
        if batch.why_not:
            raise _REFUSALS[batch.why_not]
        for other in offers.live(at).filter(batch_id=batch_id).lock_rows():
            _close(other, actor, at)
        expires_at = at + dt.timedelta(minutes=settings.FACE_TO_FACE_MINUTES)
        code = guide_services.open_channel_code(
            guide_id=guide_id,
            label=_("面对面发券：%(title)s") % {"title": batch.template.terms.title},
            valid_until=expires_at + _PICTURE_LIVES,
            purpose=PURPOSE,
            actor=actor,
            at=at,
        )
        offer = FaceToFaceOffer.objects.create(
            batch_id=batch_id,
            guide_id=guide_id,
            store_id=guide_selectors.get_guide_card(guide_id).store.id,
            channel_code_id=code.id,
            request_key=request_key,
            opened_at=at,
            expires_at=expires_at,
        )
        audit.record(
            action="coupons.face_to_face_opened", subject=offer, actor=actor, at=at, batch_id=batch_id
        )
        return offer_card_of(offers.get(pk=offer.pk), at)


def close_face_to_face(
    *, public_id: str, guide_id: int, actor: Actor, at: dt.datetime | None = None
) -> FaceToFaceCard:
    """Scans from now on bring no coupon; one that was made before and is still on its way does. Closing an offer that
    is over changes nothing. Raises NoSuchOffer, also for another guide's."""
    at = at or clock.now()
    with transaction.atomic():
        offers = FaceToFaceOffer.objects.select_related("batch__template")
        rows = offers.filter(public_id=public_id.replace("\0", "")[:17], guide_id=guide_id).lock_rows()
        if not rows:
            raise NoSuchOffer
        if counts_at(rows[0], at):
            _close(rows[0], actor, at)
        return offer_card_of(rows[0], at)


def answer_face_to_face_scan(*, scan_id: int, actor: Actor, at: dt.datetime | None = None) -> str:
    """The scan of an offer's code has its answer: a coupon and a message that says so, or a message why not. Once,
    whoever asks again. Answers the outcome (a ClaimOutcome), empty where the scan is of no offer or of nobody.

    The scan counts when it was made within the minutes. One member has one coupon of an offer however often she
    scans; limits, quota, budget, tier and the guide's quota hold as at every door.
    """
    at = at or clock.now()
    scan = guide_selectors.get_scan(scan_id)
    offers = FaceToFaceOffer.objects.select_related("batch__template")
    offer = offers.filter(channel_code_id=scan.channel_code_id).first()
    if offer is None:
        return ""
    try:
        with transaction.atomic():
            # Two handlers of one scan, and two scans of one member, wait for each other here.
            member_id = member_services.lock_member(scan.member_id)
            first = FaceToFaceClaim.objects.filter(scan_id=scan_id).first()
            if first is None:
                first = _answer(offer, scan, member_id, actor, at)
            return first.outcome
    except NoSuchMember:
        return ""


def mend_face_to_face(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Every scan of the last day's offers has its answer; how many were missing. Events are lost when the broker dies
    between a commit and its publishing."""
    at = at or clock.now()
    mended = 0
    offers = FaceToFaceOffer.objects.filter(opened_at__gt=at - _LOOK_BACK)
    answered = FaceToFaceClaim.objects.filter(offer__in=offers.values("pk"))
    missed = guide_selectors.list_code_scans(
        channel_code_ids=offers.values_list("channel_code_id", flat=True),
        without=answered.values_list("scan_id", flat=True),
        until=at - _GRACE,
    )
    for scan in missed:
        mended += bool(answer_face_to_face_scan(scan_id=scan.id, actor=actor, at=at))
    return mended


def fetch_face_to_face_codes(*, at: dt.datetime | None = None) -> int:
    """Every live offer has its QR; how many were fetched from WeChat now, outside any transaction. An offer lasts for
    minutes: a lost event is not left to the job that renews printed codes."""
    at, fetched = at or clock.now(), 0
    live = FaceToFaceOffer.objects.live(at).filter(opened_at__lte=at - _GRACE)
    for channel_code_id in live.values_list("channel_code_id", flat=True):
        if guide_selectors.get_channel_code(channel_code_id, at).qr_content:
            continue
        try:
            fetched += bool(guide_services.publish_channel_code(channel_code_id, at=at).qr_content)
        except Refusal as refusal:
            logger.info("coupons.offer_without_code", extra={"refusal": refusal.code})
            break
    return fetched


def _answer(
    offer: FaceToFaceOffer, scan: ScanCard, member_id: int, actor: Actor, at: dt.datetime
) -> FaceToFaceClaim:
    """The claim of a locked member, and the message that goes with it."""
    hers = FaceToFaceClaim.objects.filter(offer=offer, member_id=member_id, outcome=ClaimOutcome.ISSUED)
    coupon_id = hers.values_list("coupon_id", flat=True).first()
    reason, reason_key = "", f"f2f:{scan.id}"
    if coupon_id is not None:
        # Also where another row of hers, merged since, had it.
        outcome, words = ClaimOutcome.REPEATED, _("您已经领过这张券了，一人一张，在您的券包里。")
    elif not counts_at(offer, scan.scanned_at) or scan.outcome in {"code_closed", "guide_left"}:
        outcome, words = ClaimOutcome.LATE, _("这次面对面发券已经结束了，想要券请让导购重新出示。")
    else:
        try:
            coupon_id = _issue(offer, member_id, actor, at)
            outcome, reason_key = ClaimOutcome.ISSUED, coupon_reason(coupon_id=coupon_id)
            coupon = Coupon.objects.select_related("batch__template").get(pk=coupon_id)
            words = coupon_words(card=coupon_card_of(coupon, at))
        except Refusal as refusal:
            outcome, reason = ClaimOutcome.REFUSED, refusal.code
            words = _("这张券没有领到：%(why)s。") % {"why": _why_words(refusal)}
    guide_services.answer_act(
        member_id=member_id, text=words, reason_key=reason_key, acted_at=scan.scanned_at, at=at
    )
    return FaceToFaceClaim.objects.create(
        offer=offer,
        scan_id=scan.id,
        member_id=member_id,
        coupon_id=coupon_id,
        outcome=outcome,
        reason=reason,
        at=at,
    )


def _issue(offer: FaceToFaceOffer, member_id: int, actor: Actor, at: dt.datetime) -> int:
    tier = member_selectors.get_tier_standing(member_id, at).tier
    issued = issue_coupon(
        batch_id=offer.batch_id,
        member_id=member_id,
        request_key=f"f2f:{offer.pk}",
        door="face_to_face",
        guide_id=offer.guide_id,
        store_id=offer.store_id,
        tier_id=None if tier is None else tier.id,
        actor=actor,
        at=at,
    )
    return issued.id


def _why_words(refusal: Refusal) -> str:
    """To the member, who has no quota of a guide's."""
    if refusal.code == "coupons.guide_quota_spent":
        return _("这位导购这段时间能发的券已经发完了，可以问问其他导购")
    return refusal.message


def _close(offer: FaceToFaceOffer, actor: Actor, at: dt.datetime) -> None:
    offer.closed_at = max(at, offer.opened_at)
    offer.save(update_fields=["closed_at"])
    audit.record(action="coupons.face_to_face_closed", subject=offer, actor=actor, at=at)
