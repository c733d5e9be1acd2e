"""The demo chain's exchange codes and its offer of sharing to unlock."""

import datetime as dt
from typing import Any, Final

from django.apps import apps

from core.actor import Actor
from coupons import services
from coupons.contracts import ExchangeTerms, UnlockTerms

PHRASE: Final = "素衣你好"
# Printed on cards of the demo: known beforehand, so that anybody can type one.
PRINTED: Final = tuple(f"SUYI2026{number:04d}" for number in range(1, 21))


def seed_coupon_doors(
    batch_id: int,
    friend_batch_id: int,
    *,
    sharers: list[int],
    friends: list[int],
    actor: Actor,
    at: dt.datetime,
) -> None:
    """A phrase, a set of printed codes of which some were used, one still to be downloaded, and an offer under way: one
    sharer is through, one has a friend missing, one has just begun."""
    spring = services.create_exchange_set(
        batch_id=batch_id, terms=ExchangeTerms(name="门店欢迎卡", kind="imported"), actor=actor, at=at
    )
    services.import_exchange_codes(set_id=spring.id, lines=PRINTED, actor=actor, at=at)
    for terms in (
        ExchangeTerms(name="直播口令", kind="shared", phrase=PHRASE, use_limit=500),
        ExchangeTerms(name="快递随箱卡", kind="generated", code_count=200),
    ):
        services.create_exchange_set(batch_id=batch_id, terms=terms, actor=actor, at=at)
    for number, member_id in enumerate(friends[:4], start=15):
        services.exchange_code(
            code=PRINTED[number],
            member_id=member_id,
            request_key="demo",
            actor=Actor.member(member_id),
            at=at,
        )
    offer_id = services.create_unlock_offer(
        terms=UnlockTerms(
            name="邀两位好友，各得一张",
            batch_id=batch_id,
            friend_batch_id=friend_batch_id,
            needed_count=2,
            lasts_hours=72,
        ),
        actor=actor,
        at=at,
    )
    offer: Any = apps.get_model("coupons", "UnlockOffer").objects.get(pk=offer_id)
    waiting = list(friends)
    for sharer, helpers in zip(sharers, (2, 1, 0), strict=False):
        share = services.start_unlock(
            offer_public_id=offer.public_id, member_id=sharer, actor=Actor.member(sharer), at=at
        )
        for _ in range(helpers):
            friend = waiting.pop()
            services.help_unlock(share_public_id=share, member_id=friend, actor=Actor.member(friend), at=at)
