"""A part of a reply rule that gives a coupon: who sends the word has one of the batch, within all its limits."""

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actor import Actor
from core.errors import Refusal
from coupons.models import BatchState, Coupon, CouponBatch, Door, TemplateState
from coupons.selectors.coupons import coupon_card_of
from coupons.selectors.templates import template_card_of
from coupons.services.issuing import issue_coupon
from coupons.services.telling import coupon_reason, coupon_words
from guides.services import find_talker
from members import selectors as member_selectors
from wechat.services.reply_kinds import Asked, ReplyKind, Said

logger = logging.getLogger(__name__)

_MOST: Final = 100  # in the editor's list, the newest first


class GiveCoupon(ReplyKind):
    """`target` is the public id of the batch. It is issued through the system's door, which the batch must have: a
    reply that must not become a way past the claim centre's limits is one more way through the same ones."""

    key = "coupon"
    title = _("优惠券")
    target_title = _("券批次")

    def choices(self) -> Sequence[tuple[str, str]]:
        """Batches that the system may issue from now or later."""
        rows = CouponBatch.objects.select_related("template").filter(
            doors__contains=[Door.SYSTEM],
            state__in=[BatchState.OPEN, BatchState.PAUSED],
            template__state=TemplateState.ACTIVE,
        )
        return [(row.public_id, _words(row)) for row in rows.order_by("-pk")[:_MOST]]

    def fault(self, target: str) -> str:
        """An unknown batch, one that is over, or one without the system's door."""
        if not target:
            return _now("请选择要发的券")
        row = _find(target)
        if row is None:
            return _now("没有这个券批次")
        if Door.SYSTEM not in row.doors:
            return _now("这个批次没有开放“系统发放”，请先在批次里打开")
        if row.state not in (BatchState.OPEN, BatchState.PAUSED):
            return _now("这个批次没有开放，发不出去")
        return ""

    def preview(self, target: str) -> str:
        """The coupon's words as they would be now."""
        row = _find(target)
        if row is None:
            return _now("（没有这个券批次）")
        card = template_card_of(row.template)
        return _now("「%(title)s」已经放进您的券包。\n%(value)s") % {
            "title": card.terms.title,
            "value": card.value_words,
        }

    def answer(self, asked: Asked) -> Said | None:
        """She has one coupon, or hears why not. The word again, in another message, meets the batch's own limits."""
        actor = Actor.system("reply_rule")
        row = _find(asked.target)
        if row is None:
            return Said(_now("这个活动已经结束了。"))
        member_id = find_talker(
            account_id=asked.account_id, app_id=asked.app_id, openid=asked.openid, actor=actor, at=asked.at
        )
        if member_id is None:
            return Said(_now("请先在小程序里登录，再来领券。"))
        try:
            issued = issue_coupon(
                batch_id=row.pk,
                member_id=member_id,
                request_key=asked.request_key,
                tier_id=_tier_of(member_id, asked.at) if row.template.tier_ids else None,
                actor=actor,
                at=asked.at,
            )
        except Refusal as refusal:
            logger.info("coupons.reply_refused", extra={"refusal": refusal.code})
            return Said(refusal.message)
        coupon = Coupon.objects.select_related("batch__template").get(pk=issued.id)
        # Whoever hears of the coupon first tells her, under one reason.
        return Said(coupon_words(card=coupon_card_of(coupon, asked.at)), coupon_reason(coupon_id=issued.id))


def _tier_of(member_id: int, at: dt.datetime) -> int | None:
    tier = member_selectors.get_tier_standing(member_id, at).tier
    return None if tier is None else tier.id


def _find(public_id: str) -> CouponBatch | None:
    return CouponBatch.objects.select_related("template").filter(public_id=public_id[:16]).first()


def _words(row: CouponBatch) -> str:
    closes = "" if row.closes_at is None else f"（{clock.business_day(row.closes_at):%m-%d}）"
    return f"{row.name}{closes}"
