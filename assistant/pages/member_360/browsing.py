"""最近在看: what she looked at in the mini-program, for whoever is about to talk to her."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from assistant import phrases
from members import selectors as member_selectors
from members.contracts.behaviours import PRODUCT_KINDS, BehaviourInterest
from sales.selectors.goods import list_product_names

_WORDS: Final[dict[str, str | Promise]] = {
    "product_viewed": _("看过 %(count)s 次 %(name)s"),
    "cart_added": _("加购 %(count)s 次 %(name)s"),
    "searched": _("搜过 %(count)s 次“%(name)s”"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Browsing:
    """Lines of words and when she did it last."""

    last_text: str  # 今天 14:05 来过小程序
    lines: tuple[tuple[str, str], ...]


def build_browsing(member_id: int, *, now: dt.datetime) -> Browsing | None:
    """None when she was not in the mini-program within thirty days."""
    found = member_selectors.find_interests(member_id, at=now)
    if found is None:
        return None
    codes = {one.subject for one in found.interests if one.kind in PRODUCT_KINDS}
    names = list_product_names(codes) if codes else {}
    return Browsing(
        last_text=_now("%(time)s 来过小程序") % {"time": phrases.say_time(found.last_at, now=now)},
        lines=tuple((_say(one, names), phrases.say_time(one.last_at, now=now)) for one in found.interests),
    )


def _say(one: BehaviourInterest, names: dict[str, str]) -> str:
    name = names.get(one.subject, one.subject)
    return str(_WORDS[one.kind]) % {"count": phrases.say_count(one.count), "name": name}
