"""Who follows, until when she may be written to, and which person she is across the chain's apps."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Greatest

from core.compiled import Given, compiled, texts_of
from wechat.contracts import FollowerStanding
from wechat.models import Follower
from wechat.services.follower_lookup import fetch_follower, identify_followers
from wechat.services.forgotten import end_forgetting
from wechat.services.taggings import drop_taggings

__all__ = [
    "count_following",
    "fetch_follower",
    "find_window_until",
    "get_window_until",
    "has_open_window",
    "identify_followers",
    "list_open_windows",
    "list_standings",
    "note_follow",
    "note_unfollow",
    "open_window",
]

# Official page "customer service messages": how long after which act of hers the account may write.
WINDOW_AFTER_MESSAGE: Final = dt.timedelta(hours=48)
WINDOW_AFTER_ACT: Final = dt.timedelta(minutes=1)


def note_follow(*, account_id: int, openid: str, scene: str, at: dt.datetime) -> None:
    """She follows since `at`. A follow that is older than what we know (pushes overtake) changes nothing."""
    with transaction.atomic():
        end_forgetting(account_id=account_id, openid=openid)
        follower, is_new = Follower.objects.get_or_create(
            account_id=account_id,
            openid=openid,
            defaults={"is_following": True, "followed_at": at, "first_scene": scene[:64]},
        )
        if is_new:
            return
        follower = Follower.objects.lock(follower.pk)
        if follower.unfollowed_at is not None and follower.unfollowed_at > at:
            return
        if follower.followed_at is None or follower.followed_at < at:
            follower.followed_at = at
        follower.is_following = True
        follower.save(update_fields=["followed_at", "is_following"])


def note_unfollow(*, account_id: int, openid: str, at: dt.datetime) -> None:
    """She unfollowed at `at`; older news than her last follow changes nothing. Her window closes, and WeChat takes her tags
    off. Who had been erased before stays unknown."""
    with transaction.atomic():
        if end_forgetting(account_id=account_id, openid=openid):
            return
        follower, _is_new = Follower.objects.get_or_create(
            account_id=account_id, openid=openid, defaults={"is_following": False, "unfollowed_at": at}
        )
        follower = Follower.objects.lock(follower.pk)
        if follower.followed_at is not None and follower.followed_at > at:
            return
        follower.is_following = False
        follower.unfollowed_at = at
        follower.window_until = None
        follower.save(update_fields=["is_following", "unfollowed_at", "window_until"])
        drop_taggings(account_id=account_id, openid=openid)


def open_window(*, account_id: int, openid: str, at: dt.datetime, span: dt.timedelta) -> None:
    """She acted at `at`, so the account may write until `at + span`; a longer window stays."""
    until = at + span
    changed = Follower.objects.filter(account_id=account_id, openid=openid).update(
        # GREATEST ignores NULL on PostgreSQL
        window_until=Greatest("window_until", until),
        acted_at=Greatest("acted_at", at),
    )
    if not changed:
        end_forgetting(account_id=account_id, openid=openid)
        Follower.objects.get_or_create(
            account_id=account_id,
            openid=openid,
            defaults={"is_following": True, "followed_at": at, "window_until": until, "acted_at": at},
        )


def get_window_until(*, account_id: int, openid: str, acted_at: dt.datetime) -> dt.datetime:
    """Until when she may be written to after an act of hers at `acted_at`; a longer open window counts.

    For old news (a push worked off late) this is in the past, and the message is dropped with that reason.
    """
    known = find_window_until(account_id=account_id, openid=openid)
    after_act = acted_at + WINDOW_AFTER_ACT
    return after_act if known is None else max(known, after_act)


def find_window_until(*, account_id: int, openid: str) -> dt.datetime | None:
    """Until when, as far as we know, she may be written to; None when she never could."""
    follower = Follower.objects.filter(account_id=account_id, openid=openid)
    return follower.values_list("window_until", flat=True).first()


def list_open_windows(*, account_id: int, openids: Iterable[str], at: dt.datetime) -> dict[str, dt.datetime]:
    """Those of these who may be written to at that instant, as far as we know, and until when."""
    rows = Follower.objects.filter(account_id=account_id, openid__in=list(openids), window_until__gt=at)
    return {openid: until for openid, until in rows.values_list("openid", "window_until") if until}


def count_following(*, account_id: int) -> int:
    """How many follow the account, as far as we know."""
    return Follower.objects.filter(account_id=account_id, is_following=True).count()


def following_openids(*, account_id: int) -> QuerySet[Follower, str]:
    """The openids of all who follow the account, as far as we know; unevaluated, for composition."""
    return Follower.objects.filter(account_id=account_id, is_following=True).values_list("openid", flat=True)


def open_window_openids(*, account_id: int, at: dt.datetime) -> QuerySet[Follower, str]:
    """The openids of all who may be written to at that instant, as far as we know; unevaluated, for composition."""
    rows = Follower.objects.filter(account_id=account_id, window_until__gt=at)
    return rows.values_list("openid", flat=True)


def list_standings(*, account_id: int, openids: Iterable[str]) -> dict[str, FollowerStanding]:
    """How each of these stands to the account; who never had to do with it is missing."""
    return {
        openid: FollowerStanding(*standing)
        for openid, *standing in _standings(account_id=account_id, openids=list(openids))
    }


@compiled
def _standings(*, account_id: Given, openids: Given) -> QuerySet[Follower, tuple[Any, ...]]:
    rows = Follower.objects.filter(account_id=account_id, openid__in=texts_of(openids))
    return rows.values_list("openid", "is_following", "followed_at", "window_until", "acted_at")


def has_open_window(*, account_id: int, openid: str, at: dt.datetime) -> bool:
    """Whether, as far as we know, she may be written to at that instant."""
    return Follower.objects.filter(account_id=account_id, openid=openid, window_until__gt=at).exists()
