"""What a member holds, as she sees it: what is over first comes first, where each came from, what happened to it."""

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.compiled import Compiled, Given, compiled
from coupons.contracts import CouponStep, HeldCounts, HeldCoupon, HeldPage
from coupons.errors import NoSuchCoupon
from coupons.models import Coupon, CouponEvent, CouponGift, CouponState, Door, GiftState, Redemption
from coupons.models.coupons import CouponQuerySet
from coupons.selectors.coupons import coupon_cards_of, fetched, in_state
from coupons.selectors.templates import yuan
from guides import selectors as guide_selectors

EXPIRING_DAYS: Final = 3
_PAGE: Final = 100
_ORIGINS: Final[Mapping[str, str | Promise]] = {
    Door.CLAIM: gettext_lazy("自己领取"),
    Door.SYSTEM: gettext_lazy("会员专享"),
    Door.CODE: gettext_lazy("兑换码兑换"),
    Door.SHARE: gettext_lazy("好友助力"),
    Door.PARTNER: gettext_lazy("合作方赠送"),
}


def in_list(state: str, at: dt.datetime | Given) -> Q:
    """`over` is what she cannot use any more and did not use; all else as `list_member_coupons` has it."""
    if state == "over":
        return in_state(CouponState.EXPIRED, at) | in_state(CouponState.VOIDED, at)
    return in_state(state, at)


def list_held_coupons(
    member_id: int,
    *,
    state: str = "usable",
    cursor: int | None = None,
    limit: int = 20,
    at: dt.datetime | None = None,
) -> HeldPage:
    """Her coupons in that state: usable ones by their last moment, others the newest first."""
    at = at or clock.now()
    limit = max(1, min(limit, _PAGE))
    if not cursor:
        rows = _first(state, limit + 1)(member_id=member_id, at=at)
        return HeldPage(_held(rows[:limit], at), rows[limit - 1].pk if len(rows) > limit else None)
    mine = _mine(member_id, state, at)
    if state == "usable":
        # A last moment never changes, so the last row of a page says where the next begins.
        last = Coupon.objects.filter(pk=cursor).values_list("valid_until", flat=True).first()
        if last is not None:
            mine = mine.filter(Q(valid_until__gt=last) | Q(valid_until=last, pk__gt=cursor))
    else:
        mine = mine.filter(pk__lt=cursor)
    rows = list(mine[: limit + 1])
    following = rows[limit - 1].pk if len(rows) > limit else None
    return HeldPage(_held(rows[:limit], at), following)


def _mine(member_id: int | Given, state: str, at: dt.datetime | Given) -> CouponQuerySet:
    mine = Coupon.objects.filter(in_list(state, at), member_id=member_id)
    return mine.order_by("valid_until", "pk") if state == "usable" else mine.order_by("-pk")


@functools.lru_cache(maxsize=64)
def _first(state: str, limit: int) -> Compiled[Coupon]:
    def first(*, member_id: Given, at: Given) -> QuerySet[Coupon]:
        return _mine(member_id, state, at)[:limit]

    return compiled(first)


def count_held_coupons(member_id: int, *, at: dt.datetime | None = None) -> HeldCounts:
    """How many she has of each, in one query."""
    at = at or clock.now()
    soon = clock.day_bounds(clock.business_day(at) + dt.timedelta(days=EXPIRING_DAYS))[1]
    return HeldCounts(*(_counts.first(member_id=member_id, at=at, soon=soon) or (0, 0, 0, 0)))


@compiled
def _counts(*, member_id: Given, at: Given, soon: Given) -> QuerySet[Coupon, tuple[int, int, int, int]]:
    usable = in_list("usable", at)
    hers = Coupon.objects.filter(member_id=member_id).order_by().values("member_id")
    counted = hers.annotate(
        usable=Count("pk", filter=usable),
        expiring=Count("pk", filter=usable & Q(valid_until__lte=soon)),
        redeemed=Count("pk", filter=in_list(CouponState.REDEEMED, at)),
        over=Count("pk", filter=in_list("over", at)),
    )
    return counted.values_list("usable", "expiring", "redeemed", "over")


def get_held_coupon(coupon_id: int | None, *, member_id: int, at: dt.datetime | None = None) -> HeldCoupon:
    """One of hers. Raises NoSuchCoupon for another's, an unknown one, and for no id at all."""
    row = fetched().filter(pk=coupon_id, member_id=member_id).first() if coupon_id is not None else None
    if row is None:
        raise NoSuchCoupon
    return _held([row], at or clock.now())[0]


def list_coupon_steps(held: HeldCoupon) -> tuple[CouponStep, ...]:
    """What happened to it in her hands, the oldest first. Of a coupon that was handed to her nothing is told of the time
    before, and never why staff made one void."""
    card = held.card
    steps = [CouponStep(card.issued_at, _("得到这张券"), held.origin_words)]
    events = list(CouponEvent.objects.filter(coupon_id=card.id, what__in=list(_STEPS)).order_by("pk"))
    taken = CouponGift.objects.filter(
        coupon_id=card.id, to_member_id=card.member_id, state=GiftState.ACCEPTED
    )
    hers_since = taken.order_by("-ended_at").values_list("ended_at", flat=True).first()
    if hers_since is not None:
        steps = [CouponStep(hers_since, _("得到这张券"), held.origin_words)]
        events = [event for event in events if event.at > hers_since]
    uses = list(Redemption.objects.filter(coupon_id=card.id).select_related("store").order_by("pk"))
    return (*steps, *(_step(event, uses) for event in events))


def _step(event: CouponEvent, uses: list[Redemption]) -> CouponStep:
    words = ""
    if event.what == "redeemed":
        use = next((use for use in uses if use.recorded_at == event.at), None)
        if use is not None:
            words = _("%(store)s，优惠 %(off)s 元") % {
                "store": use.store.name,
                "off": yuan(use.discount_fen),
            }
    return CouponStep(event.at, str(_STEPS[event.what]), words)


_STEPS: Final[Mapping[str, str | Promise]] = {
    "redeemed": gettext_lazy("已使用"),
    "reversed": gettext_lazy("使用已撤销"),
    "offered": gettext_lazy("转赠给好友，等待领取"),
    "accepted": gettext_lazy("好友已领取"),
    "returned": gettext_lazy("转赠已退回"),
    "expired": gettext_lazy("已过期"),
    "voided": gettext_lazy("已作废"),
}


def _held(rows: Iterable[Coupon], at: dt.datetime) -> tuple[HeldCoupon, ...]:
    rows = list(rows)
    names = guide_selectors.list_guide_names(
        row.issued_by_guide_id for row in rows if row.issued_by_guide_id is not None
    )
    offered = [row.pk for row in rows if row.state == CouponState.GIFTING]
    gifts: dict[int, dt.datetime] = {}
    if offered:
        open_gifts = CouponGift.objects.filter(coupon__in=offered, state=GiftState.OPEN)
        gifts = dict(open_gifts.values_list("coupon_id", "expires_at"))
    cards = coupon_cards_of(rows, at)
    return tuple(
        HeldCoupon(card, origin_words(row, names), gifts.get(row.pk))
        for row, card in zip(rows, cards, strict=True)
    )


def origin_words(coupon: Coupon, guide_names: Mapping[int, str]) -> str:
    """Where it came from, as she would say it; `coupon` fetched with its batch."""
    if coupon.gifted_count and coupon.member_id != coupon.received_by:
        return _("好友赠送")
    by_guide: dict[str, Callable[[str], str]] = {
        Door.GUIDE: lambda name: _("导购%(name)s赠送") % {"name": name},
        Door.FACE_TO_FACE: lambda name: _("导购%(name)s当面赠送") % {"name": name},
    }
    if coupon.door in by_guide:
        return by_guide[coupon.door](guide_names.get(coupon.issued_by_guide_id or 0, ""))
    if coupon.door == Door.PARTNER and coupon.batch.partner_name:
        return _("%(partner)s赠送") % {"partner": coupon.batch.partner_name}
    return str(_ORIGINS[coupon.door])
