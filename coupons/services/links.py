"""A coupon claimed by the batch's public link, and who or what led her there."""

import datetime as dt
import re
from typing import Final

from django.db import transaction

from core import clock
from core.actor import Actor
from coupons.contracts import IssuedCoupon
from coupons.errors import NoSuchBatch
from coupons.models import CouponReferral
from coupons.selectors.batches import find_claim_target
from coupons.services.issuing import claim_coupon
from coupons.services.tiers import find_asked_tier
from guides import selectors as guide_selectors
from members import selectors as member_selectors

_ARTICLE: Final = re.compile(r"[A-Za-z0-9_\-]{1,40}")


def claim_from_link(
    *,
    batch_public_id: str,
    member_id: int,
    request_key: str,
    scene: str = "",
    sharer_public_id: str = "",
    article: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> IssuedCoupon:
    """She has claimed a coupon of the batch, and it is kept what led her to its link: the channel code of a guide or a
    store (`scene`), the member who shared it, the article it stood in. What is unknown, or herself, is left out.

    Being shared is no issue: the coupon counts in no guide's quota and is settled with nobody. Refuses an unknown link,
    and what `claim_coupon` refuses.
    """
    at = at or clock.now()
    target = find_claim_target(batch_public_id)
    if target is None:
        raise NoSuchBatch
    tier_id = find_asked_tier(tier_ids=target.tier_ids, member_id=member_id, at=at)
    referral = _referral_of(scene, sharer_public_id, article, member_id, at)

    def claim() -> IssuedCoupon:
        return claim_coupon(
            batch_id=target.batch_id,
            member_id=member_id,
            request_key=request_key,
            tier_id=tier_id,
            actor=actor,
            at=at,
        )

    if referral is None:
        return claim()
    with transaction.atomic():
        issued = claim()
        if issued.is_new:
            referral.coupon_id, referral.batch_id = issued.id, target.batch_id
            CouponReferral.objects.bulk_create([referral])
    return issued


def _referral_of(
    scene: str, sharer_public_id: str, article: str, member_id: int, at: dt.datetime
) -> CouponReferral | None:
    place = guide_selectors.find_code_place(scene, at) if scene else None
    sharer = member_selectors.find_member_card(sharer_public_id) if sharer_public_id else None
    sharer_id = sharer.id if sharer is not None and sharer.id != member_id else None
    article = article if _ARTICLE.fullmatch(article) else ""
    if place is None and sharer_id is None and not article:
        return None
    return CouponReferral(
        scene=place.code if place is not None else "",
        guide_id=place.guide_id if place is not None else None,
        store_id=place.store_id if place is not None else None,
        sharer_id=sharer_id,
        article=article,
        claimed_at=at,
    )
