"""What a member is told. How it reaches her is decided higher up: `settings.MEMBER_TELLER` names who takes it, in the
transaction of the reason. Only what answers an act of hers this moment goes straight to the gateway."""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from core import clock
from guides.contracts import MemberText
from members import selectors as member_selectors
from wechat.errors import NoAccount
from wechat.services import accounts, followers, outbox


def answer_act(*, member_id: int, text: str, reason_key: str, acted_at: dt.datetime, at: dt.datetime) -> bool:
    """A customer-service message answers what she did in WeChat at `acted_at`, which opened a window of a minute; False
    when this reason has its message, or nobody can write to her. Past the window it is dropped with that reason."""
    try:
        account = accounts.get_default_official()
    except NoAccount:
        return False
    openid = member_selectors.find_openid(member_id, account.app_id)
    if openid is None:
        return False
    window = followers.get_window_until(account_id=account.id, openid=openid, acted_at=acted_at)
    return outbox.queue_text(
        account_id=account.id, openid=openid, text=text, reason_key=reason_key, window_until=window, at=at
    )


def tell_members(*, told: Sequence[MemberText], at: dt.datetime) -> int:
    """Each of these is told to its member once for its reason; how many are new. A few statements for all of them, in
    the caller's transaction: what told them and the message commit together."""
    return _service(settings.MEMBER_TELLER)(told=told, at=at) if told else 0


def take_back_news(*, reason_keys: Sequence[str], at: dt.datetime) -> int:
    """What was to be told for these reasons is told no more, unless it went out; how many."""
    return _service(settings.MEMBER_SILENCER)(reason_keys=reason_keys, at=at) if reason_keys else 0


@functools.cache
def _service(path: str) -> Callable[..., int]:
    service: Any = import_string(path)
    return service  # type: ignore[no-any-return]


def tell_of_expiring_points(
    *, member_id: int, expires_on: dt.date, points: int, at: dt.datetime | None = None
) -> bool:
    """She is told that so many points end with that day, once for the day."""
    text = _("您有 %(points)s 积分用到%(day)s为止，过期就没有了，可以到店里或小程序里用掉。") % {
        "points": points,
        "day": day_words(day=expires_on),
    }
    news = MemberText(
        member_id=member_id,
        topic="points_expiring",
        reason_key=f"points-expiring:{member_id}:{expires_on.isoformat()}",
        title=_("积分快到期了"),
        text=text,
        values={"points": str(points), "day": expires_on.isoformat()},
    )
    return tell_members(told=[news], at=at or clock.now()) == 1


def tell_of_points(*, entry_id: int, at: dt.datetime | None = None) -> bool:
    """She is told what an entry of her ledger brought or took, why, and what she has now; once for the entry."""
    member_id, line = member_selectors.get_points_entry(entry_id)
    change = _("增加了") if line.delta > 0 else _("减少了")
    text = _("您的积分%(change)s %(points)s 分（%(reason)s），现在有 %(balance)s 分。") % {
        "change": change,
        "points": f"{abs(line.delta):,}",
        "reason": line.reason,
        "balance": f"{line.balance_after:,}",
    }
    news = MemberText(
        member_id=member_id,
        topic="points_changed",
        reason_key=f"points:{line.id}",
        title=_("积分变动"),
        text=text,
        values={
            "points": f"{line.delta:+d}",
            "balance": str(line.balance_after),
            "reason": line.reason,
            "time": minute_words(at=line.at),
        },
    )
    return tell_members(told=[news], at=at or clock.now()) == 1


def tell_of_tier_at_risk(
    *, member_id: int, tier_id: int, ends_on: dt.date, at: dt.datetime | None = None
) -> bool:
    """She is told on which day her tier ends unless she does something for it, once for the day."""
    tier = member_selectors.get_tier_card(tier_id).name
    text = _("您的%(tier)s资格保留到%(day)s前一天，还差多少可以在小程序的“会员等级”里看到。") % {
        "tier": tier,
        "day": day_words(day=ends_on),
    }
    news = MemberText(
        member_id=member_id,
        topic="tier_at_risk",
        reason_key=f"tier-at-risk:{member_id}:{ends_on.isoformat()}",
        title=_("会员等级快到期了"),
        text=text,
        values={"tier": tier, "day": ends_on.isoformat()},
    )
    return tell_members(told=[news], at=at or clock.now()) == 1


def tell_of_upgrades(*, first_change_id: int, last_change_id: int, at: dt.datetime | None = None) -> int:
    """Of the members whose tier changed in this range of changes those who rose are told; how many. Who fell was
    warned before."""
    told = [
        MemberText(
            member_id=change.member_id,
            topic="tier_up",
            reason_key=f"tier-up:{change.id}",
            title=_("升级了"),
            text=_("恭喜您升级为%(tier)s，新的权益现在就能用。") % {"tier": change.to_tier.name},
            values={"tier": change.to_tier.name},
        )
        for change in member_selectors.list_tier_changes(first_change_id, last_change_id)
        if change.is_upgrade and change.to_tier
    ]
    return tell_members(told=told, at=at or clock.now())


def minute_words(*, at: dt.datetime) -> str:
    """ "2026-03-08 15:20" in Shanghai, as templates take it."""
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def day_words(*, day: dt.date) -> str:
    """ "2026年3月8日"."""
    return _("%(year)s年%(month)s月%(day)s日") % {"year": day.year, "month": day.month, "day": day.day}
