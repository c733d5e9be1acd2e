"""What a member is told of her coupons, once for each reason."""

import datetime as dt
import itertools
from typing import Final

from django.utils.translation import gettext as _

from core import clock
from coupons.contracts import CouponCard
from coupons.models import Coupon, CouponGift, CouponState, Door, GiftState, IssueJob, IssueSlice, UnlockShare
from coupons.selectors.coupons import coupon_card_of
from guides.contracts import MemberText
from guides.services import day_words, tell_members
from members import selectors as member_selectors

# What she did not take herself. Who scanned a face-to-face code is answered there and then.
_GIVEN: Final = {Door.SYSTEM, Door.GUIDE}
_MOST_AT_ONCE: Final = 500


def tell_of_coupon(*, coupon_id: int, at: dt.datetime | None = None) -> bool:
    """She is told that a guide, the chain, or the last of the friends who helped her brought her this coupon: once, whoever
    asks again. False when it is no news: it is in her hands no more, she took it herself, or she does not want to hear."""
    at = at or clock.now()
    coupon = Coupon.objects.select_related("batch__template").filter(pk=coupon_id).first()
    if coupon is None:
        return False
    # Of the coupons of the door of sharing, the sharer's comes while she is away; a friend's is in her hand.
    is_unlocked = coupon.door == Door.SHARE and UnlockShare.objects.filter(coupon=coupon_id).exists()
    if not (is_unlocked or coupon.door in _GIVEN):
        return False
    title = _("好友助力成功，有一张新券") if is_unlocked else _("有一张新券")
    return _tell_of(coupon, coupon_reason(coupon_id=coupon_id), title, at)


def tell_of_returned_gift(*, gift_id: int, at: dt.datetime | None = None) -> bool:
    """She is told that nobody took what she gave away, and that it is hers again. No news when she took it back herself, or
    when it cannot be used any more."""
    at = at or clock.now()
    gift = CouponGift.objects.select_related("coupon__batch__template").filter(pk=gift_id).first()
    if gift is None or gift.state != GiftState.RETURNED or gift.ended_at is None:
        return False
    if gift.ended_at < gift.expires_at or gift.coupon.valid_until <= at:
        return False
    return _tell_of(gift.coupon, f"gift_returned:{gift_id}", _("送出的券没有人领，已经退回"), at)


def _tell_of(coupon: Coupon, reason_key: str, title: str, at: dt.datetime) -> bool:
    if coupon.state != CouponState.ISSUED or member_selectors.has_withdrawn(coupon.member_id):
        return False
    card = coupon_card_of(coupon, at)
    news = MemberText(
        member_id=coupon.member_id,
        topic="coupon_issued",
        reason_key=reason_key,
        title=title,
        text=coupon_words(card=card),
        values={
            "coupon": card.template.terms.title,
            "worth": card.template.value_words,
            "from_day": clock.business_day(card.valid_from).isoformat(),
            "day": clock.business_day(card.valid_until - dt.timedelta(microseconds=1)).isoformat(),
        },
    )
    return tell_members(told=[news], at=at) == 1


def tell_of_guide_issue(*, job_id: int, at: dt.datetime | None = None) -> int:
    """Members to whom a guide issued many at once are told, as if each had been alone; how many. Bulk issues of the
    system tell nobody: a campaign announces them."""
    job = IssueJob.objects.filter(pk=job_id).first()
    if job is None or job.issued_by_guide_id is None:
        return 0
    slices = IssueSlice.objects.filter(job=job).order_by("number").values_list("member_ids", flat=True)
    first = list(itertools.islice(itertools.chain.from_iterable(slices), _MOST_AT_ONCE))
    keys = [f"job:{job.pk}:{member_id}" for member_id in first]
    coupons = Coupon.objects.filter(batch_id=job.batch_id, request_key__in=keys)
    ids = coupons.order_by("pk").values_list("pk", flat=True)
    return sum(tell_of_coupon(coupon_id=coupon_id, at=at) for coupon_id in ids)


def tell_of_expiring(
    *, member_id: int, expires_on: dt.date, coupon_count: int, at: dt.datetime | None = None
) -> bool:
    """She is told that coupons of hers end on that day, once for the day."""
    at = at or clock.now()
    if member_selectors.has_withdrawn(member_id):
        return False
    text = _("您有 %(n)s 张券用到%(day)s为止，过期就用不了了，有空来店里看看。") % {
        "n": coupon_count,
        "day": day_words(day=expires_on),
    }
    news = MemberText(
        member_id=member_id,
        topic="coupon_expiring",
        reason_key=f"expiring:{member_id}:{expires_on.isoformat()}",
        title=_("券快到期了"),
        text=text,
        values={"count": str(coupon_count), "day": expires_on.isoformat()},
    )
    return tell_members(told=[news], at=at) == 1


def coupon_reason(*, coupon_id: int) -> str:
    """One message says that she has this coupon, whoever gave it."""
    return f"coupon:{coupon_id}"


def coupon_words(*, card: CouponCard) -> str:
    """Title, value, until when."""
    lines = [
        _("「%(title)s」已经放进您的券包。") % {"title": card.template.terms.title},
        card.template.value_words,
        span_words(valid_from=card.valid_from, valid_until=card.valid_until),
        _("结账前告诉店员您有这张券就行。"),
    ]
    return "\n".join(line for line in lines if line)


def span_words(*, valid_from: dt.datetime, valid_until: dt.datetime) -> str:
    """From which day to which, as people say it."""
    first = clock.business_day(valid_from)
    last = clock.business_day(valid_until - dt.timedelta(microseconds=1))
    if first == last:
        return _("%(day)s 当天可用") % {"day": day_words(day=first)}
    return _("%(first)s 至 %(last)s 可用") % {"first": day_words(day=first), "last": day_words(day=last)}
