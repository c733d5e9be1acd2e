"""Share to unlock as members and staff see it."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q

from core import clock
from core.errors import Refusal
from coupons import errors
from coupons.contracts import (
    UnlockOfferCard,
    UnlockShareCard,
    UnlockSummary,
    UnlockVisit,
    WhyNot,
)
from coupons.models import OfferState, ShareState, UnlockHelp, UnlockOffer, UnlockShare
from coupons.selectors.templates import template_card_of
from members import selectors as member_selectors
from members.errors import NoSuchMember

_SHOWN = 50
# What may have kept a coupon from being issued, by its code.
_BY_CODE: dict[str, type[Refusal]] = {kind.code: kind for kind in errors.OF_OUTCOME.values()}
_BY_CODE[NoSuchMember.code] = NoSuchMember


def why_not_start(offer: UnlockOffer, at: dt.datetime) -> type[Refusal] | None:
    """Why nobody begins now."""
    if offer.state == OfferState.ENDED or (offer.closes_at is not None and at >= offer.closes_at):
        return errors.OfferEnded
    if offer.state == OfferState.PAUSED:
        return errors.OfferPaused
    if offer.opens_at is not None and at < offer.opens_at:
        return errors.OfferNotStarted
    return None


def state_of_share(share: UnlockShare, at: dt.datetime) -> str:
    """What it counts for: over from its last moment on, before the job comes by."""
    is_over = share.state == ShareState.COLLECTING and share.expires_at <= at
    return ShareState.EXPIRED.value if is_over else share.state


def list_unlock_offers(member_id: int, *, at: dt.datetime | None = None) -> tuple[UnlockOfferCard, ...]:
    """Offers that are on, and those of which she has a link under way or unlocked; at most fifty, the newest first."""
    at = at or clock.now()
    hers = UnlockShare.objects.filter(member_id__in=member_selectors.person_row_ids(member_id))
    shares = {share.offer_id: share for share in hers.order_by("pk")}
    kept = [key for key, share in shares.items() if state_of_share(share, at) != ShareState.EXPIRED]
    on = Q(state__in=[OfferState.OPEN, OfferState.PAUSED]) & (Q(closes_at__isnull=True) | Q(closes_at__gt=at))
    offers = list(_offers().filter(on | Q(pk__in=kept)).order_by("-pk")[:_SHOWN])
    found = [shares[offer.pk] for offer in offers if offer.pk in shares]
    cards = {card.id: card for card in share_cards_of(found, at)}
    return tuple(
        offer_card_of(offer, at, cards[shares[offer.pk].pk] if offer.pk in shares else None)
        for offer in offers
    )


def get_unlock_offer(public_id: str, *, member_id: int, at: dt.datetime | None = None) -> UnlockOfferCard:
    """One offer with her newest link. Raises NoSuchOffer."""
    at = at or clock.now()
    offer = _offers().filter(public_id=public_id[:16]).first()
    if offer is None:
        raise errors.NoSuchOffer
    rows = member_selectors.person_row_ids(member_id)
    share = UnlockShare.objects.filter(offer=offer, member_id__in=rows).order_by("-pk").first()
    return offer_card_of(offer, at, None if share is None else share_cards_of([share], at)[0])


def visit_unlock_share(public_id: str, *, member_id: int, at: dt.datetime | None = None) -> UnlockVisit:
    """A link as this member finds it; whose it is, is not told. Raises NoSuchShare."""
    at = at or clock.now()
    share = UnlockShare.objects.filter(public_id=public_id[:16]).first()
    if share is None:
        raise errors.NoSuchShare
    offer = _offers().get(pk=share.offer_id)
    rows = set(member_selectors.person_row_ids(member_id))
    help_ = UnlockHelp.objects.filter(offer=offer, helper_id__in=rows).first()
    is_own = share.member_id in rows
    is_helped = help_ is not None and help_.share_id == share.pk
    refusal = None if is_helped else _why_not_help(share, offer, is_own, help_ is not None, at)
    return UnlockVisit(
        offer=offer_card_of(offer, at, share_cards_of([share], at)[0], is_own=is_own),
        is_own=is_own,
        coupon_id=help_.coupon_id if help_ is not None and is_helped else None,
        why_not=None if refusal is None else WhyNot(refusal.code, str(refusal.sentence)),
    )


def _why_not_help(
    share: UnlockShare, offer: UnlockOffer, is_own: bool, has_helped: bool, at: dt.datetime
) -> type[Refusal] | None:
    checks: tuple[tuple[bool, type[Refusal]], ...] = (
        (is_own, errors.OwnShare),
        (has_helped, errors.AlreadyHelped),
        (share.expires_at <= at, errors.ShareOver),
        (offer.state == OfferState.PAUSED, errors.OfferPaused),
    )
    return next((refusal for holds, refusal in checks if holds), None)


def why_unreleased(share: UnlockShare) -> WhyNot | None:
    """Why an unlocked link has no coupon yet."""
    refusal = _BY_CODE.get(share.why_not)
    return None if refusal is None else WhyNot(refusal.code, str(refusal.sentence))


def share_cards_of(shares: Iterable[UnlockShare], at: dt.datetime) -> list[UnlockShareCard]:
    """Links with when their friends came, in one query."""
    shares = list(shares)
    came: dict[int, list[dt.datetime]] = {share.pk: [] for share in shares}
    helps = UnlockHelp.objects.filter(share__in=list(came), is_counted=True).order_by("pk")
    for share_id, helped_at in helps.values_list("share_id", "helped_at"):
        came[share_id].append(helped_at)
    return [_share_card(share, tuple(came[share.pk]), at) for share in shares]


def _share_card(share: UnlockShare, came: tuple[dt.datetime, ...], at: dt.datetime) -> UnlockShareCard:
    state = state_of_share(share, at)
    return UnlockShareCard(
        id=share.pk,
        public_id=share.public_id,
        state=state,  # type: ignore[arg-type]
        state_label=str(ShareState(state).label),
        needed_count=share.needed_count,
        helper_count=share.helper_count,
        started_at=share.started_at,
        expires_at=share.expires_at,
        unlocked_at=share.unlocked_at,
        coupon_id=share.coupon_id,
        why_not=why_unreleased(share),
        helped_at=came,
    )


def offer_card_of(
    offer: UnlockOffer, at: dt.datetime, share: UnlockShareCard | None, *, is_own: bool = True
) -> UnlockOfferCard:
    """The card of an offer fetched with its batches and their templates; of another's link without her coupon."""
    refusal = why_not_start(offer, at)
    if share is not None and not is_own:
        share = _without_hers(share)
    return UnlockOfferCard(
        id=offer.pk,
        public_id=offer.public_id,
        name=offer.name,
        needed_count=offer.needed_count,
        lasts_hours=offer.lasts_hours,
        new_members_only=offer.new_members_only,
        closes_at=offer.closes_at,
        template=template_card_of(offer.batch.template),
        friend_template=template_card_of(offer.friend_batch.template),
        share=share,
        why_not=None if refusal is None else WhyNot(refusal.code, str(refusal.sentence)),
    )


def _without_hers(share: UnlockShareCard) -> UnlockShareCard:
    values = {name: getattr(share, name) for name in UnlockShareCard.__dataclass_fields__}
    return UnlockShareCard(**(values | {"coupon_id": None, "why_not": None}))


def sum_unlock_offers(offer_ids: list[int]) -> dict[int, UnlockSummary]:
    """The numbers of many offers in two queries."""
    shares: dict[int, Any] = {
        row["offer_id"]: row
        for row in UnlockShare.objects.filter(offer__in=offer_ids)
        .values("offer_id")
        .annotate(
            shares=Count("pk"),
            unlocked=Count("pk", filter=Q(state=ShareState.UNLOCKED)),
            expired=Count("pk", filter=Q(state=ShareState.EXPIRED)),
            waiting=Count("pk", filter=Q(state=ShareState.UNLOCKED, coupon__isnull=True)),
        )
    }
    helps: dict[int, Any] = {
        row["offer_id"]: row
        for row in UnlockHelp.objects.filter(offer__in=offer_ids)
        .values("offer_id")
        .annotate(helpers=Count("pk"), counted=Count("pk", filter=Q(is_counted=True)))
    }
    nothing = {"shares": 0, "unlocked": 0, "expired": 0, "waiting": 0, "helpers": 0, "counted": 0}
    found = {}
    for offer_id in offer_ids:
        row = nothing | shares.get(offer_id, {}) | helps.get(offer_id, {})
        found[offer_id] = UnlockSummary(
            row["shares"], row["helpers"], row["counted"], row["unlocked"], row["expired"], row["waiting"]
        )
    return found


def _offers() -> Any:
    return UnlockOffer.objects.select_related("batch__template", "friend_batch__template")
