"""The code on a member's screen that stands for one of her coupons: new every minute, read once by a till.

A picture of it is worth nothing after a minute or after the first scan. What is kept is its keyed fingerprint
(HMAC-SHA256), so the table gives no code away.
"""

import datetime as dt
import re
import secrets
from typing import Final

from django.db import transaction

from core import audit, clock, crypto
from core.actor import Actor
from coupons import errors
from coupons.contracts import CouponCard, ShownCode
from coupons.models import Coupon, CouponToken
from coupons.selectors.checks import state_at
from coupons.selectors.coupons import coupon_card_of
from coupons.services.history import lock_by_id
from coupons.services.issuing import usable_request_key
from members import selectors as member_selectors

CODE_LIFE: Final = dt.timedelta(seconds=60)
# A row that was used is kept so long, for a till whose first answer was lost.
_KEPT: Final = dt.timedelta(minutes=10)
# Begins like no payment code and not like a member's code (80); 20 digits are ten signs in Code 128 C.
PREFIX: Final = "81"
_CODE: Final = re.compile(r"81[0-9]{18}")
_CONTEXT: Final = "coupons.codes"
_OVER: Final = {
    "redeemed": errors.CouponRedeemed,
    "expired": errors.CouponExpired,
    "voided": errors.CouponVoided,
}


def show_coupon(*, coupon_id: int, member_id: int, actor: Actor, at: dt.datetime | None = None) -> ShownCode:
    """Her coupon has a code that a till can read once within a minute; those that are over are forgotten.

    Refuses a coupon that is not hers as an unknown one, and one that was used, is expired or void. Not audited: an
    open page asks once a minute; what a till reads is.
    """
    at = at or clock.now()
    living_id = member_selectors.list_merge_targets([member_id]).get(member_id, 0)
    coupon = Coupon.objects.filter(pk=coupon_id, member_id=living_id).first()
    if coupon is None:
        raise errors.NoSuchCoupon
    state = state_at(coupon, at)
    if state in _OVER:
        raise _OVER[state]
    text = f"{PREFIX}{secrets.randbelow(10**18):018d}"
    with transaction.atomic():
        CouponToken.objects.filter(coupon=coupon).expired(at - _KEPT).delete()
        CouponToken.objects.create(coupon=coupon, code_index=_index(text), expires_at=at + CODE_LIFE)
    return ShownCode(text, at + CODE_LIFE)


def read_shown_code(
    *, text: str, request_key: str, actor: Actor, at: dt.datetime | None = None
) -> CouponCard:
    """Which coupon the code on the screen stands for; it can be read no more. The same `request_key` again gets the
    same answer for ten minutes.

    Refuses a code that is wrong, over, or was read, without telling which.
    """
    at = at or clock.now()
    usable_request_key(key=request_key)
    if not _CODE.fullmatch(text):
        raise errors.CodeUnusable
    found = CouponToken.objects.filter(code_index=_index(text))
    coupon_id = found.values_list("coupon_id", flat=True).first()
    if coupon_id is None:
        raise errors.CodeUnusable
    with transaction.atomic():
        coupon = lock_by_id(coupon_id=coupon_id)
        fresh = found.filter(used_at__isnull=True, expires_at__gt=at)
        if fresh.update(used_at=at, used_by_request=request_key):
            audit.record(action="coupons.code_read", subject=coupon, actor=actor, at=at)
        elif not found.filter(used_by_request=request_key, used_at__gt=at - _KEPT).exists():
            raise errors.CodeUnusable
    return coupon_card_of(coupon, at)


def _index(text: str) -> str:
    return crypto.blind_index(text, context=_CONTEXT)
