"""One coupon comes to one member: claimed by her, or issued by a guide or the system.

All of it is one call of the database function `coupons_issue` (migration 0013; why, in ADRs 19 and 28): it locks her row, so
that two devices and a merge wait, finds an earlier answer to the same request, holds the limits, takes one piece of
the quota and of the budget from a shard, and inserts the coupon. Outside a transaction the call is its own.
"""

import contextlib
import datetime as dt
import re
from typing import Final, Literal

from django.db import transaction

from core import audit, clock, events
from core.actor import Actor
from core.codes import new_code
from core.compiled import ask
from coupons import errors
from coupons.contracts import DoorName, IssuedCoupon
from coupons.events import CouponClaimed, CouponIssued
from coupons.models import Coupon, Door
from coupons.selectors.coupons import CODE_LENGTH
from coupons.services.sold_out import is_sold_out, remember_sold_out
from members import selectors as member_selectors
from members.errors import NoSuchMember

ClaimDoor = Literal["claim", "code", "share", "partner"]

_ISSUE: Final = """
SELECT * FROM coupons_issue(
    %(batch)s, %(member)s, %(key)s, %(door)s, %(code)s, %(guide)s::bigint, %(store)s::bigint, %(source)s,
    %(tier)s::bigint, %(at)s)
"""
_KEY: Final = re.compile(r"[A-Za-z0-9_.:/\-]{1,80}")
_GUIDE_DOORS: Final = {Door.GUIDE, Door.FACE_TO_FACE}
_TRIES: Final = 3


def claim_coupon(
    *,
    batch_id: int,
    member_id: int,
    request_key: str,
    door: ClaimDoor = "claim",
    source_key: str = "",
    tier_id: int | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> IssuedCoupon:
    """She has taken one coupon of the batch. The same `request_key` again gets the first answer, also when the batch
    has ended or is sold out since.

    Refuses, each with its own code: a batch that is not open, not yet or no more, another door, another tier, her
    limit in total or today, the quota, the budget. `tier_id` is her tier, asked for only by templates for tiers.
    """
    issued = _issue(
        batch_id, member_id, request_key, door, None, None, source_key, tier_id, at=at or clock.now()
    )
    if issued.is_new:
        events.publish(CouponClaimed(issued.id, member_id, batch_id))
    return issued


def issue_coupon(
    *,
    batch_id: int,
    member_id: int,
    request_key: str,
    door: DoorName = "system",
    guide_id: int | None = None,
    store_id: int | None = None,
    source_key: str = "",
    tier_id: int | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> IssuedCoupon:
    """She has been given one coupon of the batch. A guide's doors name the guide and her store, who settle for it,
    and count in her quota of the period; `source_key` is what earned it (a sale), for `void_coupons_of_source`.

    Refuses what `claim_coupon` refuses, and a guide whose quota is spent. The coupon itself says how it came; the
    audit has a row besides when a member of staff gave it by hand.
    """
    if (door in _GUIDE_DOORS) != (guide_id is not None):
        raise errors.GuideMissing(field="guide_id")
    at = at or clock.now()
    with transaction.atomic() if actor.kind == "staff" else contextlib.nullcontext():
        issued = _issue(
            batch_id, member_id, request_key, door, guide_id, store_id, source_key, tier_id, at=at
        )
        if issued.is_new and actor.kind == "staff":
            audit.record(action="coupons.coupon_issued", subject=Coupon(pk=issued.id), actor=actor, at=at)
    if issued.is_new:
        events.publish(CouponIssued(issued.id, member_id, batch_id))
    return issued


def usable_request_key(*, key: str) -> str:
    """A caller's key. Raises RequestKeyUnusable."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise errors.RequestKeyUnusable(field="request_key")
    return key


def _issue(
    batch_id: int,
    member_id: int,
    request_key: str,
    door: str,
    guide_id: int | None,
    store_id: int | None,
    source_key: str,
    tier_id: int | None,
    *,
    at: dt.datetime,
) -> IssuedCoupon:
    usable_request_key(key=request_key)
    if source_key:
        usable_request_key(key=source_key)
    # The member as she asked, not the row she lives on in: a repeat after a merge finds the first answer.
    stored_key = f"{member_id}:{request_key}"
    if is_sold_out(batch_id):
        return _answer_again(batch_id, stored_key)
    living_id = member_id
    for _attempt in range(_TRIES):
        row = call_issue(
            batch_id=batch_id,
            member_id=living_id,
            stored_key=stored_key,
            door=door,
            guide_id=guide_id,
            store_id=store_id,
            source_key=source_key,
            tier_id=tier_id,
            at=at,
        )
        if row[0] != "merged":
            break
        living_id = member_selectors.list_merge_targets([member_id]).get(member_id, member_id)
    return _answer(row, batch_id)


def call_issue(
    *,
    batch_id: int,
    member_id: int,
    stored_key: str,
    door: str,
    guide_id: int | None,
    store_id: int | None,
    source_key: str,
    tier_id: int | None,
    at: dt.datetime,
) -> tuple[str, int, str, dt.datetime, dt.datetime]:
    """What the database function answers: outcome, coupon, code, span."""
    [row] = ask(
        _ISSUE,
        {
            "batch": batch_id,
            "member": member_id,
            "key": stored_key,
            "door": door,
            "code": new_code(CODE_LENGTH),
            "guide": guide_id,
            "store": store_id,
            "source": source_key,
            "tier": tier_id,
            "at": at,
        },
    )
    outcome, coupon_id, code, valid_from, valid_until = row
    return outcome, coupon_id, code, valid_from, valid_until


def _answer(row: tuple[str, int, str, dt.datetime, dt.datetime], batch_id: int) -> IssuedCoupon:
    outcome, coupon_id, code, valid_from, valid_until = row
    if outcome in {"issued", "repeated"}:
        return IssuedCoupon(coupon_id, code, valid_from, valid_until, outcome == "issued")
    if outcome == "sold_out":
        remember_sold_out(batch_id)
    if outcome in {"no_member", "merged"}:
        raise NoSuchMember
    raise errors.OF_OUTCOME[outcome]


def _answer_again(batch_id: int, stored_key: str) -> IssuedCoupon:
    found = Coupon.objects.filter(batch_id=batch_id, request_key=stored_key).first()
    if found is None:
        raise errors.BatchSoldOut
    return IssuedCoupon(found.pk, found.code, found.valid_from, found.valid_until, False)
