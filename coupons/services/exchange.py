"""A code that she typed becomes a coupon, once."""

import datetime as dt

from django.db import transaction
from django.db.models import F

from core import clock
from core.actor import Actor
from coupons import errors
from coupons.contracts import IssuedCoupon
from coupons.models import (
    Coupon,
    ExchangeCode,
    ExchangeCodeState,
    ExchangeKind,
    ExchangeSet,
    ExchangeSetState,
)
from coupons.selectors.exchange import code_indexes, source_key_of
from coupons.services.exchange_tries import count_try, forgive_try
from coupons.services.issuing import claim_coupon, usable_request_key
from coupons.services.tiers import find_asked_tier
from members import services as member_services


def exchange_code(
    *,
    code: str,
    member_id: int,
    request_key: str,
    address: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> IssuedCoupon:
    """The code is used up and its coupon is hers; a shared phrase gives each member one. The same request again gets
    the first answer.

    Refuses a wrong code (counted, for her and for the address she calls from), one that is used, void, too early or too
    late, and what `claim_coupon` refuses; then the code stays free.
    """
    at = at or clock.now()
    usable_request_key(key=request_key)
    whole = ExchangeCode.objects.select_related("coupon", "exchange_set__batch__template")
    found = whole.filter(code_index__in=code_indexes(code)).first()
    if found is not None and _is_repeat(found, member_id, request_key):
        return _first_answer(found)
    tries_left = count_try(member_id=member_id, address=address, at=at)
    if found is None:
        raise errors.ExchangeCodeWrong(tries_left=tries_left)
    with transaction.atomic():
        living_id = member_services.lock_member(member_id)
        # As it was read: who makes a set void meanwhile waits for the code's row, or loses to the guarded update.
        owner = found.exchange_set
        if owner.kind == ExchangeKind.SHARED:
            issued = _use_phrase(owner, living_id, actor, at)
        else:
            issued = _use_code(owner, found.pk, living_id, request_key, actor, at)
    forgive_try(member_id=member_id, address=address, at=at)
    return issued


def _use_code(
    owner: ExchangeSet, code_id: int, member_id: int, request_key: str, actor: Actor, at: dt.datetime
) -> IssuedCoupon:
    row = ExchangeCode.objects.select_related("coupon").lock_all([code_id])[0]
    if _is_repeat(row, member_id, request_key):
        return _first_answer(row)
    if row.state == ExchangeCodeState.USED:
        raise errors.ExchangeCodeUsed
    if row.state == ExchangeCodeState.VOIDED:
        raise errors.ExchangeCodeVoided
    _check_window(owner, at)
    if ExchangeCode.objects.filter(used_by_id=member_id, request_key=request_key).exists():
        raise errors.RequestReused
    issued = _claim(owner, member_id, f"code:{row.pk}", actor, at)
    row.state, row.used_by_id, row.coupon_id = ExchangeCodeState.USED, member_id, issued.id
    row.used_at, row.request_key, row.plain = at, request_key, ""
    row.save(update_fields=["state", "used_by_id", "coupon_id", "used_at", "request_key", "plain"])
    return issued


def _use_phrase(owner: ExchangeSet, member_id: int, actor: Actor, at: dt.datetime) -> IssuedCoupon:
    # Her row is locked: nobody uses the phrase for her meanwhile. Who received it follows her through merges.
    hers = Coupon.objects.filter(batch_id=owner.batch_id, received_by=member_id)
    mine = hers.filter(source_key=source_key_of(owner)).first()
    if mine is not None:
        return _answer_of(mine)
    _check_window(owner, at)
    if owner.use_limit is not None:
        room = ExchangeSet.objects.filter(pk=owner.pk, used_count__lt=F("use_limit"))
        if not room.filter(state=ExchangeSetState.OPEN).update(used_count=F("used_count") + 1):
            raise errors.ExchangeUsedUp
    return _claim(owner, member_id, f"set:{owner.pk}", actor, at)


def _claim(owner: ExchangeSet, member_id: int, key: str, actor: Actor, at: dt.datetime) -> IssuedCoupon:
    return claim_coupon(
        batch_id=owner.batch_id,
        member_id=member_id,
        request_key=key,
        door="code",
        source_key=source_key_of(owner),
        tier_id=find_asked_tier(tier_ids=owner.batch.template.tier_ids, member_id=member_id, at=at),
        actor=actor,
        at=at,
    )


def _check_window(owner: ExchangeSet, at: dt.datetime) -> None:
    if owner.state == ExchangeSetState.VOIDED:
        raise errors.ExchangeCodeVoided
    if owner.opens_at is not None and at < owner.opens_at:
        raise errors.ExchangeNotStarted
    if owner.closes_at is not None and at >= owner.closes_at:
        raise errors.ExchangeEnded


def _is_repeat(row: ExchangeCode, member_id: int, request_key: str) -> bool:
    return row.used_by_id == member_id and row.request_key == request_key


def _first_answer(row: ExchangeCode) -> IssuedCoupon:
    assert row.coupon is not None  # exchangecode_used_says_by_whom
    return _answer_of(row.coupon)


def _answer_of(coupon: Coupon) -> IssuedCoupon:
    return IssuedCoupon(coupon.pk, coupon.code, coupon.valid_from, coupon.valid_until, False)
