"""What a member is told of her coupons: a customer-service message, once for each reason, while WeChat takes one."""

import datetime as dt

from django.utils.translation import gettext as _

from core import clock
from coupons.contracts import CouponCard
from members import selectors as member_selectors
from wechat.errors import NoAccount
from wechat.services import accounts, followers, outbox


def tell_member(
    *,
    member_id: int,
    text: str,
    reason_key: str,
    acted_at: dt.datetime | None = None,
    at: dt.datetime,
) -> bool:
    """The text waits in the outbox for her; False when this reason has its message, or nobody can write to her.

    `acted_at`: she did something in WeChat then, which opened a window of a minute. Where her window is known to be
    over, the message is dropped with that reason and WeChat is not asked.
    """
    try:
        account = accounts.get_default_official()
    except NoAccount:
        return False
    openid = member_selectors.find_openid(member_id, account.app_id)
    if openid is None:
        return False
    if acted_at is not None:
        window = followers.get_window_until(account_id=account.id, openid=openid, acted_at=acted_at)
    else:
        window = followers.find_window_until(account_id=account.id, openid=openid) or at
    return outbox.queue_text(
        account_id=account.id, openid=openid, text=text, reason_key=reason_key, window_until=window, at=at
    )


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


def day_words(*, day: dt.date) -> str:
    """ "2026年3月8日"."""
    return _("%(year)s年%(month)s月%(day)s日") % {"year": day.year, "month": day.month, "day": day.day}
