"""The demo chain's tags, so that a guide finds some to choose from and some already on her members."""

import datetime as dt
import random
from typing import Final

from django.apps import apps

from core.actor import Actor
from members import services as member_services

_DICE_SEED: Final = 7
# Group, whether one member has at most one of it, and tag → share of the members who have it.
_GROUPS: Final[tuple[tuple[str, bool, dict[str, float]], ...]] = (
    ("常穿尺码", True, {"S": 0.14, "M": 0.22, "L": 0.12, "XL": 0.04}),
    ("喜欢的面料", False, {"亚麻": 0.12, "真丝": 0.07, "羊绒": 0.05, "有机棉": 0.1}),
    ("穿着场合", False, {"通勤": 0.16, "周末休闲": 0.12, "旅行": 0.05, "宴会": 0.02}),
)


def seed_tags(*, at: dt.datetime, actor: Actor) -> bool:
    """Groups and tags exist and some members have them. Seeds once; whether this call wrote them."""
    if apps.get_model("members", "TagGroup").objects.exists():
        return False
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents tastes, keeps no secret)
    members = list(apps.get_model("members", "Member").objects.order_by("pk").values_list("pk", flat=True))
    for order, (name, is_exclusive, tags) in enumerate(_GROUPS):
        group = member_services.create_tag_group(
            name=name, is_exclusive=is_exclusive, order=order, actor=actor, at=at
        )
        left = dice.sample(members, len(members))
        for tag_name, share in tags.items():
            tag = member_services.create_tag(group_id=group.id, name=tag_name, actor=actor, at=at)
            chosen = left[: int(len(members) * share)]
            member_services.tag_members(member_ids=chosen, tag_id=tag.id, actor=actor, at=at)
            left = left[len(chosen) :] if is_exclusive else dice.sample(members, len(members))
    return True
