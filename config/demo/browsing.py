"""What members of the demo chain did in its mini-program in the last weeks: goods looked at, searches, carts, shares."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from config.demo import accounts
from config.demo.goods import GOODS
from core.actor import Actor
from members import selectors as member_selectors
from members import services as member_services

_DICE_SEED: Final = 97
_GUIDES: Final = ("G001", "G002", "G003", "G006")
_OF_GUIDE: Final = 30
_REGULARS: Final = 160
_SEARCHES: Final = ("羊绒大衣", "通勤衬衫", "小个子连衣裙", "围巾", "真皮包")
_KINDS: Final = (
    ("product_viewed", 60),
    ("page_viewed", 20),
    ("searched", 8),
    ("cart_added", 8),
    ("shared", 4),
)
_CONSENT: Final = "recommendation"


def seed_browsing(*, at: dt.datetime, actor: Actor) -> None:
    """The newest members of some guides agree to it and browse. Once."""
    member_services.keep_partitions(at=at)  # the hourly job's first turn is an hour away
    if apps.get_model("members", "Behaviour").objects.exists():
        return
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents visits, keeps no secret)
    for number in _GUIDES:
        live = apps.get_model("guides", "Binding").objects.filter(guide__number=number, ended_at=None)
        members = live.filter(member__stage="member").order_by("-bound_at", "pk")
        for member_id in list(members.values_list("member_id", flat=True)[:_OF_GUIDE]):
            _browse(dice, member_id, at)
    for member_id in dice.sample(_regulars(), _REGULARS):
        _browse(dice, member_id, at)
    member_services.sum_behaviour_days(at=at)


def _regulars() -> list[int]:
    """Who bought before this month: some look again, and not all of them buy."""
    buyers = apps.get_model("sales", "MemberMetrics").objects.buyers()
    return list(
        buyers.filter(member__stage="member").order_by("member_id").values_list("member_id", flat=True)
    )


def _browse(dice: random.Random, member_id: int, at: dt.datetime) -> None:
    if member_selectors.list_last_words([member_id], _CONSENT).get(member_id) is None:
        member_services.agree_consent(
            member_id=member_id, kind=_CONSENT, version=1, door="mini_program", actor=Actor.member(member_id), at=at
        )  # fmt: skip
    favourites = dice.sample(GOODS, 3)
    for visit in range(dice.randint(1, 4)):
        then = at - dt.timedelta(days=dice.expovariate(0.2) % 20, minutes=dice.randint(5, 600))
        told = [
            {
                "key": f"demo-{member_id}-{visit}-{step}",
                "kind": kind,
                "at": (then - dt.timedelta(seconds=40 * step)).isoformat(),
                "with": _fields(dice, kind, dice.choice(favourites).code),
            }
            for step, kind in enumerate(
                dice.choices([kind for kind, _n in _KINDS], [n for _kind, n in _KINDS], k=dice.randint(3, 9))
            )
        ]
        member_services.record_member_behaviours(
            member_id=member_id, app_id=accounts.MINI_APP_ID, openid=f"demo-{member_id}", told=told, sent_at=then, at=then
        )  # fmt: skip


def _fields(dice: random.Random, kind: str, product: str) -> dict[str, Any]:
    if kind == "page_viewed":
        return {"page": dice.choice(["pages/index/index", "pages/member/coupons", "pages/goods/list"])}
    if kind == "searched":
        return {"words": dice.choice(_SEARCHES), "result_count": dice.randint(0, 40)}
    if kind == "shared":
        return {"page": "pages/goods/detail", "product": product, "to": dice.choice(["friend", "group"])}
    more = {"quantity": 1} if kind == "cart_added" else {"stay_s": dice.randint(3, 180)}
    return {"product": product, **more}
