"""What a member is told in WeChat beyond her requests: a customer-service message, once for each reason, while WeChat
takes one. The reach layer of campaigns will have more channels; until then who cannot be written to finds it in the
mini-program."""

import datetime as dt
import itertools
from collections.abc import Sequence

from django.utils.translation import gettext as _

from core import clock
from guides.contracts import MemberText
from members import selectors as member_selectors
from wechat.errors import NoAccount
from wechat.services import accounts, followers, outbox


def tell_member(
    *,
    member_id: int,
    text: str,
    reason_key: str,
    acted_at: dt.datetime | None = None,
    is_open_only: bool = False,
    at: dt.datetime,
) -> bool:
    """The text waits in the outbox for her; False when this reason has its message, or nobody can write to her.

    `acted_at`: she did something in WeChat then, which opened a window of a minute. Where her window is known to be
    over, the message is dropped with that reason and WeChat is not asked; with `is_open_only` there is none.
    """
    try:
        account = accounts.get_default_official()
    except NoAccount:
        return False
    openid = member_selectors.find_openid(member_id, account.app_id)
    if openid is None:
        return False
    if acted_at is not None:
        window = followers.get_window_until(account_id=account.id, openid=openid, acted_at=acted_at)
    else:
        window = followers.find_window_until(account_id=account.id, openid=openid) or at
    if is_open_only and window <= at:
        return False
    return outbox.queue_text(
        account_id=account.id, openid=openid, text=text, reason_key=reason_key, window_until=window, at=at
    )


def tell_members(*, told: Sequence[MemberText], at: dt.datetime) -> int:
    """Each of these texts waits in the outbox for its member, once for its reason; how many are new.

    A few statements for all of them. Only who can be written to now, as far as we know, has a message: a window is open
    (who unfollowed has none) and she has not withdrawn her consent. Who was merged is told as who she lives on as.
    """
    try:
        account = accounts.get_default_official()
    except NoAccount:
        return 0
    living = member_selectors.list_merge_targets({one.member_id for one in told})
    openids = member_selectors.list_openids(set(living.values()), account.app_id)
    every = itertools.chain.from_iterable(openids.values())
    windows = followers.list_open_windows(account_id=account.id, openids=every, at=at)
    reached = {
        member_id: openid
        for member_id, hers in openids.items()
        if (openid := next((one for one in hers if one in windows), None)) is not None
    }
    silent = member_selectors.withdrawn_among(reached)
    queued = []
    for one in told:
        member_id = living.get(one.member_id, 0)
        openid = reached.get(member_id)
        if openid is not None and member_id not in silent:
            queued.append(outbox.Text(openid, one.text, one.reason_key, windows[openid]))
    return outbox.queue_texts(account_id=account.id, texts=queued, at=at)


def tell_of_expiring_points(
    *, member_id: int, expires_on: dt.date, points: int, at: dt.datetime | None = None
) -> bool:
    """She is told that so many points end with that day, once for the day."""
    text = _("您有 %(points)s 积分用到%(day)s为止，过期就没有了，可以到店里或小程序里用掉。") % {
        "points": points,
        "day": day_words(day=expires_on),
    }
    return _tell_open(member_id, text, f"points-expiring:{member_id}:{expires_on.isoformat()}", at)


def tell_of_tier_at_risk(
    *, member_id: int, tier_id: int, ends_on: dt.date, at: dt.datetime | None = None
) -> bool:
    """She is told on which day her tier ends unless she does something for it, once for the day."""
    text = _("您的%(tier)s资格保留到%(day)s前一天，还差多少可以在小程序的“会员等级”里看到。") % {
        "tier": member_selectors.get_tier_card(tier_id).name,
        "day": day_words(day=ends_on),
    }
    return _tell_open(member_id, text, f"tier-at-risk:{member_id}:{ends_on.isoformat()}", at)


def tell_of_upgrades(*, first_change_id: int, last_change_id: int, at: dt.datetime | None = None) -> int:
    """Of the members whose tier changed in this range of changes those who rose are told; how many. Who fell was
    warned before."""
    told = 0
    for change in member_selectors.list_tier_changes(first_change_id, last_change_id):
        if change.is_upgrade and change.to_tier:
            text = _("恭喜您升级为%(tier)s，新的权益现在就能用。") % {"tier": change.to_tier.name}
            told += _tell_open(change.member_id, text, f"tier-up:{change.id}", at)
    return told


def day_words(*, day: dt.date) -> str:
    """ "2026年3月8日"."""
    return _("%(year)s年%(month)s月%(day)s日") % {"year": day.year, "month": day.month, "day": day.day}


def _tell_open(member_id: int, text: str, reason_key: str, at: dt.datetime | None) -> bool:
    """Only where her window is known to be open: there may be a hundred thousand such members, and others leave no
    row in the outbox. Who does not want to hear is left alone."""
    if member_selectors.has_withdrawn(member_id):
        return False
    return tell_member(
        member_id=member_id, text=text, reason_key=reason_key, is_open_only=True, at=at or clock.now()
    )
