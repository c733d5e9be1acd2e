"""Sharing to unlock: a link is begun, friends claim through it, and the last of them unlocks the sharer's own coupon.

A friend's claim and the count of friends are one transaction under the lock of the link's row, so exactly one friend is
the last. The sharer's coupon is a transaction of its own after it: it locks the sharer's row, and two members who help
each other must not wait for each other. Is the process killed between the two, `release_unlocks` finds the link.
"""

import datetime as dt
import logging
from typing import Final

from django.db import IntegrityError, transaction

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from core.errors import Refusal
from coupons import errors
from coupons.contracts import IssuedCoupon, UnlockHelped
from coupons.events import CouponIssued, UnlockReached
from coupons.models import Coupon, OfferState, ShareState, UnlockHelp, UnlockOffer, UnlockShare
from coupons.selectors.unlocks import state_of_share, why_not_start
from coupons.services.issuing import claim_coupon
from coupons.services.tiers import find_asked_tier
from members import selectors as member_selectors
from members import services as member_services
from members.errors import NoSuchMember

logger = logging.getLogger(__name__)

_PAGE: Final = 500
# What the batch says to everybody and may stop saying: the job asks again. Anything else is about her and stays.
_PASSING: Final = frozenset(
    kind.code
    for kind in (
        errors.BatchSoldOut, errors.BudgetSpent, errors.BatchPaused, errors.BatchNotOpen, errors.BatchNotStarted,
    )
)  # fmt: skip


def start_unlock(*, offer_public_id: str, member_id: int, actor: Actor, at: dt.datetime | None = None) -> str:
    """She has a link of the offer to share; its public id. Asking again gets the same link until its time is over.

    Refuses an offer that is not on.
    """
    at = at or clock.now()
    offer = UnlockOffer.objects.filter(public_id=offer_public_id[:16]).first()
    if offer is None:
        raise errors.NoSuchOffer
    with transaction.atomic():
        living_id = member_services.lock_member(member_id)
        rows = member_selectors.person_row_ids(living_id)
        for share in UnlockShare.objects.filter(offer=offer, member_id__in=rows).order_by("-pk").lock_rows():
            if state_of_share(share, at) != ShareState.EXPIRED:
                return share.public_id
            if share.state == ShareState.COLLECTING:
                share.state = ShareState.EXPIRED
                share.save(update_fields=["state"])
        refusal = why_not_start(offer, at)
        if refusal is not None:
            raise refusal
        share = UnlockShare.objects.create(
            offer=offer,
            member_id=living_id,
            needed_count=offer.needed_count,
            started_at=at,
            expires_at=at + dt.timedelta(hours=offer.lasts_hours),
        )
    return share.public_id


def help_unlock(
    *, share_public_id: str, member_id: int, actor: Actor, at: dt.datetime | None = None
) -> UnlockHelped:
    """She has the friends' coupon of the offer, and counts for the link unless enough came before her. The friend who
    completes it releases the sharer's coupon. Once for an offer: asking again gets the first answer.

    Refuses her own link, a second link of the same offer, a link whose time is over, members known before the link where
    the offer is for new ones, and what `claim_coupon` refuses; then she does not count.
    """
    at = at or clock.now()
    whole = UnlockShare.objects.select_related("offer__friend_batch__template")
    found = whole.filter(public_id=share_public_id[:16]).first()
    if found is None:
        raise errors.NoSuchShare
    with transaction.atomic():
        living_id = member_services.lock_member(member_id)
        share = UnlockShare.objects.lock(found.pk)
        rows = set(member_selectors.person_row_ids(living_id))
        earlier = UnlockHelp.objects.filter(offer=found.offer_id, helper_id__in=rows).first()
        if earlier is not None:
            return _first_answer(earlier, share)
        if share.member_id in rows:
            raise errors.OwnShare
        _check(share, found.offer, living_id, at)
        issued = claim_coupon(
            batch_id=found.offer.friend_batch_id,
            member_id=living_id,
            request_key=f"help:{found.offer_id}",
            door="share",
            source_key=f"share:{share.public_id}",
            tier_id=find_asked_tier(
                tier_ids=found.offer.friend_batch.template.tier_ids, member_id=living_id, at=at
            ),
            actor=actor,
            at=at,
        )
        is_last = _count(share, living_id, issued, at)
        is_counted = share.state == ShareState.COLLECTING or is_last
    if is_last:
        release_unlock(share_id=share.pk, actor=actor, at=at)
    return UnlockHelped(issued, is_counted)


def release_unlock(*, share_id: int, actor: Actor, at: dt.datetime | None = None) -> bool:
    """The sharer of an unlocked link has her coupon; whether she has. Run twice, or by two at once, it is one coupon.

    A refusal of the batch is kept on the link: where the batch may yet give one, `release_unlocks` tries again.
    """
    at = at or clock.now()
    found = UnlockShare.objects.select_related("offer__batch__template").get(pk=share_id)
    batch = found.offer.batch
    with transaction.atomic():
        try:
            living_id: int | None = member_services.lock_member(found.member_id)
        except NoSuchMember:
            living_id = None  # erased meanwhile
        share = UnlockShare.objects.lock(share_id)
        if share.state != ShareState.UNLOCKED or share.coupon_id is not None:
            return share.coupon_id is not None
        try:
            if living_id is None:
                raise NoSuchMember
            with transaction.atomic():
                issued = claim_coupon(
                    batch_id=batch.pk,
                    member_id=living_id,
                    request_key=f"unlock:{share.pk}",
                    door="share",
                    source_key=f"share:{share.public_id}",
                    tier_id=find_asked_tier(tier_ids=batch.template.tier_ids, member_id=living_id, at=at),
                    actor=actor,
                    at=at,
                )
        except Refusal as refusal:
            share.why_not = refusal.code
            share.save(update_fields=["why_not"])
            logger.warning("coupons.unlock_unreleased", extra={"share": share.pk, "code": refusal.code})
            return False
        share.coupon_id, share.why_not = issued.id, ""
        share.save(update_fields=["coupon_id", "why_not"])
        events.publish(CouponIssued(issued.id, living_id, batch.pk))
    return True


def release_unlocks(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Sharers whose link was unlocked and who have no coupon yet have it; how many. Finds what a killed process left,
    and links that waited for more quota. A batch that refuses one is not asked again for the others in this run."""
    at = at or clock.now()
    released = 0
    refused: set[int] = set()
    waiting = UnlockShare.objects.filter(
        state=ShareState.UNLOCKED, coupon__isnull=True, why_not__in=["", *_PASSING]
    )
    after = 0
    while True:
        rows = list(
            waiting.filter(pk__gt=after)
            .exclude(offer__batch__in=refused)
            .order_by("pk")
            .values_list("pk", "offer__batch_id")[:_PAGE]
        )
        for share_id, batch_id in rows:
            after = share_id
            if batch_id in refused:
                continue
            if release_unlock(share_id=share_id, actor=actor, at=at):
                released += 1
            elif UnlockShare.objects.filter(pk=share_id, why_not__in=_PASSING).exists():
                refused.add(batch_id)
        if len(rows) < _PAGE:
            return released


def retry_unlocks(*, offer_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """Every sharer of this offer who is through and has no coupon is tried again, also where the reason was hers; how
    many have it now."""
    at = at or clock.now()
    waiting = UnlockShare.objects.filter(offer=offer_id, state=ShareState.UNLOCKED, coupon__isnull=True)
    keys = list(waiting.order_by("pk").values_list("pk", flat=True))
    released = sum(release_unlock(share_id=key, actor=actor, at=at) for key in keys)
    with transaction.atomic():
        audit.record(
            action="coupons.unlocks_retried",
            subject=UnlockOffer(pk=offer_id),
            actor=actor,
            at=at,
            coupon_count=released,
        )
    return released


def expire_unlocks(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Links whose time is over without enough friends are closed; how many. Every rule counts them as over from their
    last moment on, so this only keeps the numbers true."""
    at = at or clock.now()
    closed = 0
    while True:
        with transaction.atomic():
            due = UnlockShare.objects.filter(state=ShareState.COLLECTING, expires_at__lte=at).claim(_PAGE)
            rows = UnlockShare.objects.filter(pk__in=[row.pk for row in due])
            rows.update(state=ShareState.EXPIRED)
        closed += len(due)
        if len(due) < _PAGE:
            return closed


def _check(share: UnlockShare, offer: UnlockOffer, helper_id: int, at: dt.datetime) -> None:
    if share.expires_at <= at:
        raise errors.ShareOver
    if offer.state == OfferState.PAUSED:
        raise errors.OfferPaused
    if offer.new_members_only:
        card = member_selectors.get_member_card(helper_id)
        if card.registered_at < share.started_at:
            raise errors.NotNewMember


def _count(share: UnlockShare, helper_id: int, issued: IssuedCoupon, at: dt.datetime) -> bool:
    """The help is written down; whether it was the one that completes the link."""
    is_counted = share.state == ShareState.COLLECTING
    try:
        with transaction.atomic():
            UnlockHelp.objects.create(
                share=share,
                offer_id=share.offer_id,
                helper_id=helper_id,
                coupon_id=issued.id,
                is_counted=is_counted,
                helped_at=at,
            )
    except IntegrityError as error:
        if violated(error) == "unlockhelp_once_per_offer":
            raise errors.AlreadyHelped from None
        raise
    if not is_counted:
        return False
    share.helper_count += 1
    is_last = share.helper_count == share.needed_count
    if is_last:
        share.state, share.unlocked_at = ShareState.UNLOCKED, at
        events.publish(UnlockReached(share.pk, share.member_id, share.offer_id))
    share.save(update_fields=["helper_count", "state", "unlocked_at"])
    return is_last


def _first_answer(earlier: UnlockHelp, share: UnlockShare) -> UnlockHelped:
    if earlier.share_id != share.pk:
        raise errors.AlreadyHelped
    coupon = Coupon.objects.get(pk=earlier.coupon_id)
    issued = IssuedCoupon(coupon.pk, coupon.code, coupon.valid_from, coupon.valid_until, False)
    return UnlockHelped(issued, earlier.is_counted)
