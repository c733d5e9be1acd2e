"""Acts: what campaigns and journeys do for a member, and what becomes of it."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ActKindName = Literal["reach", "coupon", "points", "tag", "follow_up", "webhook"]
OutcomeState = Literal["done", "refused", "later"]
# Keys are asked for in several tables, some of which put a word of their own before them.
KEY_LENGTH: Final = 60
MOST_TARGETS: Final = 1_000

# What a title or a text may say of her: `{member}`. The second is said where nobody knows better.
PLACEHOLDERS: Final[Mapping[str, tuple[str | Promise, str | Promise]]] = {
    "member": (_("会员称呼"), _("会员")),
    "points": (_("现有积分"), "0"),
    "tier": (_("会员等级"), _("会员")),
    "coupon": (_("券名称"), _("优惠券")),
    "store": (_("门店"), _("门店")),
    "guide": (_("专属导购"), _("您的导购")),
    "day": (_("日期"), _("近日")),
    "amount": (_("金额"), ""),
    "campaign": (_("活动"), _("活动")),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Act:
    """One thing to do, as `read_act` read it."""

    kind: ActKindName
    values: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class ActTarget:
    """For whom, once for the key (1–60 letters, digits and _.:/-); `values` are for the placeholders. `page`: where a message
    leads her, if not where the act says. `held_hundredths`: what is put by for its text (`ReachOrder`)."""

    member_id: int
    key: str
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    page: str = ""
    held_hundredths: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ActOutcome:
    """done: `ref` says what came of it ("coupon:31"). refused: never for this key, unless something changes, and why.
    later: not now, trying again is right."""

    state: OutcomeState
    code: str = ""
    ref: str = ""
