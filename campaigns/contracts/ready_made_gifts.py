"""Gifts of ready-made journeys: points, which every chain has, or a coupon of a batch that the marketer picks. What is said to
the member follows the gift."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from campaigns.contracts.ready_made import READY_MADE

Draft = dict[str, Any]
GIFT_KINDS: Final = ("points", "coupon")


@dataclasses.dataclass(frozen=True, slots=True)
class Gift:
    """`step` gives it; `says`: what other steps say when it is a coupon, by step and parameter."""

    step: str
    says: Mapping[str, Mapping[str, str]]


GIFTS: Final[Mapping[str, Gift]] = {
    "join_gift": Gift(
        "gift",
        {
            "tell": {
                "title": "入会礼券已到账",
                "text": "{member}，欢迎加入。一张优惠券已经放进卡包，到店或小程序都能用。您的等级是{tier}，生日和升级还有礼。",
                "page": "pages/coupons",
            },
            "guide": {
                "script": "您好{member}，我是您的专属导购。刚入会有一张优惠券可以用，想看看哪类款式？我帮您留意。"
            },
        },
    ),
    "second_purchase": Gift(
        "gift",
        {
            "tell": {
                "title": "一张回店券给您",
                "text": "{member}，上次的衣服穿着可好？新到的款式和它很搭，一张优惠券已到账，欢迎回来看看。",
                "page": "pages/coupons",
            }
        },
    ),
    "birthday": Gift(
        "gift",
        {
            "tell": {
                "title": "生日礼券已到账",
                "text": "{member}，{day}是您的生日，先把礼物送到：一张生日券已经放进您的卡包。",
                "page": "pages/coupons",
            }
        },
    ),
    "asleep_1": Gift(
        "gift",
        {
            "tell": {
                "title": "一点心意，给您",
                "text": "{member}，一张优惠券已经放进您的卡包，到店或小程序都能用，等您来坐坐。",
                "page": "pages/coupons",
            }
        },
    ),
    "asleep_6": Gift(
        "gift",
        {
            "hello": {
                "title": "一张优惠券，等您回来",
                "text": "{member}，半年没见，我们为您留了一张优惠券。到店或小程序都能用，也想听听您的近况。",
                "page": "pages/coupons",
            }
        },
    ),
    "win_back": Gift(
        "gift",
        {
            "tell": {
                "title": "一张优惠券，送给老朋友",
                "text": "{member}，您离开一年了。一张优惠券已经放进您的卡包，随时欢迎回来。",
                "page": "pages/coupons",
            }
        },
    ),
}
# Nobody enters these before a coupon has been given to somebody.
NEEDS_COUPONS: Final = frozenset({"coupon_expiring"})
_MADE: Final = {one.code: one for one in READY_MADE}


def points_of(code: str) -> int:
    """How many points the ready-made journey gives."""
    return int(_MADE[code].definition["steps"][GIFTS[code].step]["with"]["points"])


def gift_in(code: str, draft: Mapping[str, Any]) -> str | None:
    """The batch whose coupon a draft gives now; empty for points; None when somebody took the gift out."""
    step = _steps(draft).get(GIFTS[code].step) if code in GIFTS else None
    if step is None or step.get("kind") not in GIFT_KINDS:
        return None
    values = step.get("with")
    return str(values.get("batch", "")) if step["kind"] == "coupon" and isinstance(values, dict) else ""


def with_gift(code: str, draft: Mapping[str, Any], batch: str) -> tuple[Draft, tuple[str, ...]]:
    """The draft with a coupon of this batch for its gift, or points where it is empty; and the steps whose words somebody wrote
    herself, which are left as they are."""
    gift, first = GIFTS[code], _steps(_MADE[code].definition)
    steps = {name: dict(step) for name, step in _steps(draft).items()}
    given = first[gift.step]
    told = (
        {"kind": "coupon", "with": {"batch": batch}} if batch else {"kind": "points", "with": given["with"]}
    )
    steps[gift.step] = {**steps[gift.step], **told}
    left = []
    for name, words in gift.says.items():
        if name not in steps:
            continue
        plain = {key: first[name]["with"][key] for key in words}
        values = dict(steps[name].get("with") or {})
        if {key: values.get(key) for key in words} not in (plain, dict(words)):
            left.append(name)
            continue
        steps[name]["with"] = {**values, **(words if batch else plain)}
    return {**draft, "steps": steps}, tuple(left)


def _steps(draft: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    steps = draft.get("steps")
    found = steps.items() if isinstance(steps, dict) else ()
    return {name: step for name, step in found if isinstance(step, dict)}
