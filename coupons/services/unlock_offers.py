"""Offers of sharing to unlock: made, changed, paused, ended."""

import dataclasses
import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.actor import Actor
from core.models import changed_fields
from coupons.contracts import UnlockTerms
from coupons.errors import NoSuchBatch, NoSuchOffer, OfferEnded, OfferUnusable
from coupons.models import CouponBatch, Door, OfferState, UnlockOffer


def create_unlock_offer(*, terms: UnlockTerms, actor: Actor, at: dt.datetime | None = None) -> int:
    """The offer is on, from its `opens_at` where it has one; its id. Refuses numbers and spans that make no sense, and
    batches that are not issued by sharing."""
    at = at or clock.now()
    with transaction.atomic():
        columns = _usable(terms)
        offer = UnlockOffer.objects.create(created_at=at, **columns)
        audit.record(action="coupons.offer_created", subject=offer, actor=actor, at=at)
    return offer.pk


def change_unlock_offer(
    *, offer_id: int, terms: UnlockTerms, actor: Actor, at: dt.datetime | None = None
) -> int:
    """The offer has these terms for whoever begins from now on; links that exist keep their number and time. Refuses an
    ended offer, other batches than it began with, and what making one refuses."""
    with transaction.atomic():
        offer = _lock(offer_id)
        if offer.state == OfferState.ENDED:
            raise OfferEnded
        if (terms.batch_id, terms.friend_batch_id) != (offer.batch_id, offer.friend_batch_id):
            _refuse("batch", _("活动开始后不能换券，请另建一个活动"))
        changed = changed_fields(offer, **_usable(terms))
        if changed:
            offer.save(update_fields=changed)
            audit.record(action="coupons.offer_changed", subject=offer, actor=actor, at=at, fields=changed)
    return offer.pk


def pause_unlock_offer(*, offer_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Nobody begins or helps until it is resumed; the time of links that exist runs on."""
    _move(offer_id, OfferState.PAUSED, "coupons.offer_paused", actor, at)


def resume_unlock_offer(*, offer_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The offer is on again."""
    _move(offer_id, OfferState.OPEN, "coupons.offer_resumed", actor, at)


def end_unlock_offer(*, offer_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Nobody begins any more, for good; friends may help links that exist until their time is over."""
    _move(offer_id, OfferState.ENDED, "coupons.offer_ended", actor, at)


def _move(offer_id: int, state: OfferState, action: str, actor: Actor, at: dt.datetime | None) -> None:
    with transaction.atomic():
        offer = _lock(offer_id)
        if offer.state == state:
            return
        if offer.state == OfferState.ENDED:
            raise OfferEnded
        offer.state = state
        offer.save(update_fields=["state"])
        audit.record(action=action, subject=offer, actor=actor, at=at)


def _lock(offer_id: int) -> UnlockOffer:
    rows = UnlockOffer.objects.lock_all([offer_id])
    if not rows:
        raise NoSuchOffer
    return rows[0]


def _refuse(field: str, message: str | Promise) -> None:
    raise OfferUnusable(str(message), field=field)


def _usable(terms: UnlockTerms) -> dict[str, Any]:
    """The columns. Raises OfferUnusable with the field and what to do."""
    if not 1 <= len(terms.name.strip()) <= 40 or "\0" in terms.name:
        _refuse("name", _("活动名称请填写 1 到 40 个字"))
    if not 1 <= terms.needed_count <= 100:
        _refuse("needed_count", _("需要的好友请填写 1 到 100 位"))
    if not 1 <= terms.lasts_hours <= 720:
        _refuse("lasts_hours", _("完成时间请填写 1 到 720 小时"))
    if terms.opens_at and terms.closes_at and terms.closes_at <= terms.opens_at:
        _refuse("closes_at", _("活动结束要晚于活动开始"))
    for field, batch_id in (("batch", terms.batch_id), ("friend_batch", terms.friend_batch_id)):
        batch = CouponBatch.objects.filter(pk=batch_id).first()
        if batch is None:
            raise NoSuchBatch(field=field)
        if Door.SHARE not in batch.doors:
            _refuse(field, _("这批券的发放渠道里没有分享裂变，请先在批次里勾选"))
    return dataclasses.asdict(terms) | {"name": terms.name.strip()}
