"""How coupons look in answers: shared by the modules that give some."""

from typing import Any, Final

from rest_framework import serializers

from core import crypto
from coupons.contracts import (
    ClaimableBatch,
    HeldCoupon,
    TemplateCard,
    UnlockOfferCard,
    UnlockShareCard,
    WhyNot,
)
from coupons.errors import NoSuchCoupon

STATES: Final = ("issued", "locked", "gifting", "redeemed", "expired", "voided")
KINDS: Final = ("cash_off", "percent", "exchange", "fixed_price", "gift")
KEY: Final = r"^[0-9A-Za-z_-]{8,64}$"
_CONTEXT: Final = "miniapp.coupons"

CARD: Final[dict[str, Any]] = {
    "title": "满 300 减 50",
    "kind": "cash_off",
    "value_words": "满 300 元 减 50 元",
    "validity_words": "领取后 7 天有效（含当天）",
    "usage_words": "每单限用一张。",
    "colour": "red",
}
BATCH: Final[dict[str, Any]] = {
    "id": "Q7M2KXH4TBNW9CAY",
    **CARD,
    "remaining_count": 812,
    "claimed_count": 0,
    "member_limit": 1,
    "opens_at": "2026-11-21T20:00:00+08:00",
    "closes_at": None,
    "is_claimable": True,
    "why_not": "",
    "why_not_words": "",
}
COUPON: Final[dict[str, Any]] = {
    "id": "Zk3v0c9XhT2rQm8LwYb4uA",
    **CARD,
    "state": "issued",
    "state_label": "可用",
    "valid_from": "2026-11-21T18:05:00+08:00",
    "valid_until": "2026-11-28T00:00:00+08:00",
    "issued_at": "2026-11-21T18:05:00+08:00",
    "origin_words": "导购李娜赠送",
    "code_tail": "7K2Q",
    "may_gift": True,
    "gift_until": None,
}
SHARE: Final[dict[str, Any]] = {
    "id": "H4TBNW9CAYQ7M2KX",
    "state": "collecting",
    "state_label": "助力中",
    "needed_count": 3,
    "helper_count": 1,
    "helped_at": ["2026-11-21T18:20:00+08:00"],
    "started_at": "2026-11-21T18:05:00+08:00",
    "expires_at": "2026-11-22T18:05:00+08:00",
    "coupon_id": None,
    "why_not": "",
    "why_not_words": "",
}
OFFER: Final[dict[str, Any]] = {
    "id": "W9CAYQ7M2KXH4TBN",
    "name": "邀三位好友，一起领券",
    "needed_count": 3,
    "lasts_hours": 24,
    "new_members_only": False,
    "closes_at": None,
    "gets": CARD,
    "friend_gets": CARD,
    "share": SHARE,
    "why_not": "",
    "why_not_words": "",
}


class CardOut(serializers.Serializer[Any]):
    """A coupon as it reads on a card."""

    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    value_words = serializers.CharField()
    validity_words = serializers.CharField()
    usage_words = serializers.CharField(allow_blank=True)
    colour = serializers.CharField(help_text="red, orange, gold, green, blue or purple")


class BatchOut(CardOut):
    """Coupons she may claim, or why not."""

    id = serializers.CharField()
    remaining_count = serializers.IntegerField()
    claimed_count = serializers.IntegerField(help_text="by her")
    member_limit = serializers.IntegerField(allow_null=True, help_text="null: no limit")
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    is_claimable = serializers.BooleanField()
    why_not = serializers.CharField(allow_blank=True, help_text="the code that claiming would answer")
    why_not_words = serializers.CharField(allow_blank=True)


class CouponOut(CardOut):
    """A coupon of hers. The code for the till is coupons/{id}/code, new every minute."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    state_label = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(help_text="from this moment on it is over")
    issued_at = serializers.DateTimeField()
    origin_words = serializers.CharField(help_text="where it came from / 来源")
    code_tail = serializers.CharField(help_text="the last signs of its number, to talk about it")
    may_gift = serializers.BooleanField()
    gift_until = serializers.DateTimeField(allow_null=True, help_text="until when her gift link is open")


class ClaimedOut(serializers.Serializer[Any]):
    """What a claim gave her."""

    is_new = serializers.BooleanField(help_text="false: this request was answered before")
    coupon = CouponOut(allow_null=True, help_text="null: it was hers and she has handed it on since")


class ShareOut(serializers.Serializer[Any]):
    """One link of an offer."""

    id = serializers.CharField(help_text="goes into the link that is shared")
    state = serializers.ChoiceField(choices=("collecting", "unlocked", "expired"))
    state_label = serializers.CharField()
    needed_count = serializers.IntegerField()
    helper_count = serializers.IntegerField()
    helped_at = serializers.ListField(child=serializers.DateTimeField(), help_text="when each friend came")
    started_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    coupon_id = serializers.CharField(allow_null=True, help_text="the sharer's coupon, told to her alone")
    why_not = serializers.CharField(
        allow_blank=True, help_text="unlocked, and the coupon could not be issued yet"
    )
    why_not_words = serializers.CharField(allow_blank=True)


class OfferOut(serializers.Serializer[Any]):
    """An offer: who brings enough friends in time gets a coupon."""

    id = serializers.CharField()
    name = serializers.CharField()
    needed_count = serializers.IntegerField()
    lasts_hours = serializers.IntegerField()
    new_members_only = serializers.BooleanField(help_text="only friends who came after the link count")
    closes_at = serializers.DateTimeField(allow_null=True)
    gets = CardOut(help_text="what the sharer gets")
    friend_gets = CardOut(help_text="what each friend gets")
    share = ShareOut(allow_null=True, help_text="her newest link, or the one looked at")
    why_not = serializers.CharField(allow_blank=True, help_text="why nobody begins now")
    why_not_words = serializers.CharField(allow_blank=True)


def seal_coupon_id(coupon_id: int) -> str:
    """The id of a coupon as it is seen outside."""
    return crypto.veil(coupon_id, context=_CONTEXT)


def open_coupon_id(text: str) -> int:
    """The coupon of such an id, whoever has it. Raises NoSuchCoupon for a text that is none of ours."""
    found = crypto.unveil(text, context=_CONTEXT)
    if found is None:
        raise NoSuchCoupon
    return found


def show_template(template: TemplateCard) -> dict[str, Any]:
    """The answer's form of a card."""
    return {
        "title": template.terms.title,
        "kind": template.terms.kind,
        "value_words": template.value_words,
        "validity_words": template.validity_words,
        "usage_words": template.terms.usage_words,
        "colour": template.terms.colour,
    }


def show_batch(line: ClaimableBatch) -> dict[str, Any]:
    """The answer's form of a batch; quota and money are the chain's own affair."""
    return {
        "id": line.batch.public_id,
        **show_template(line.template),
        "remaining_count": max(0, line.remaining_count),
        "claimed_count": line.claimed_count,
        "member_limit": line.batch.terms.member_limit,
        "opens_at": line.batch.terms.opens_at,
        "closes_at": line.batch.terms.closes_at,
        "is_claimable": not line.why_not,
        "why_not": line.why_not,
        "why_not_words": line.why_not_words,
    }


def show_coupon(held: HeldCoupon) -> dict[str, Any]:
    """The answer's form of a coupon of hers; who has its whole code has the coupon, so that stays here."""
    card = held.card
    return {
        "id": seal_coupon_id(card.id),
        **show_template(card.template),
        "state": card.state,
        "state_label": card.state_label,
        "valid_from": card.valid_from,
        "valid_until": card.valid_until,
        "issued_at": card.issued_at,
        "origin_words": held.origin_words,
        "code_tail": card.code[-4:],
        "may_gift": card.may_gift,
        "gift_until": held.gift_until if card.state == "gifting" else None,
    }


def show_why_not(why_not: WhyNot | None) -> dict[str, str]:
    """A reason against something, or two empty texts."""
    return {
        "why_not": "" if why_not is None else why_not.code,
        "why_not_words": "" if why_not is None else why_not.words,
    }


def show_share(share: UnlockShareCard) -> dict[str, Any]:
    """The answer's form of a link."""
    return {
        "id": share.public_id,
        "state": share.state,
        "state_label": share.state_label,
        "needed_count": share.needed_count,
        "helper_count": share.helper_count,
        "helped_at": share.helped_at,
        "started_at": share.started_at,
        "expires_at": share.expires_at,
        "coupon_id": None if share.coupon_id is None else seal_coupon_id(share.coupon_id),
        **show_why_not(share.why_not),
    }


def show_offer(offer: UnlockOfferCard) -> dict[str, Any]:
    """The answer's form of an offer."""
    return {
        "id": offer.public_id,
        "name": offer.name,
        "needed_count": offer.needed_count,
        "lasts_hours": offer.lasts_hours,
        "new_members_only": offer.new_members_only,
        "closes_at": offer.closes_at,
        "gets": show_template(offer.template),
        "friend_gets": show_template(offer.friend_template),
        "share": None if offer.share is None else show_share(offer.share),
        **show_why_not(offer.why_not),
    }
