"""Asking WeChat who a follower is. Official page "get user basic information".

Nickname and avatar are not given since December 2021; what counts is the unionid, and that exists only when
the account is bound to an Open Platform account.
"""

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from core import clock, events
from wechat.client.errors import WeChatError
from wechat.client.gateway import GatewayClient
from wechat.contracts import FollowerInfo
from wechat.events import FollowersIdentified
from wechat.models import Account, Follower
from wechat.models.account import AccountKind
from wechat.services import taggings
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal

logger = logging.getLogger(__name__)

BATCH: Final = 100
URGENT_TIMEOUT_S: Final = 3
# Invalid openid (of another app, or made up); wrong number of openids.
_BAD_OPENID: Final = frozenset({40003, 40032})
_NOTE: Final = """
UPDATE wechat_follower follower SET identified_at = %(at)s,
    unionid = CASE WHEN told.unionid = '' THEN follower.unionid ELSE told.unionid END
FROM unnest(%(openids)s::text[], %(unionids)s::text[]) told (openid, unionid)
WHERE follower.account_id = %(account_id)s AND follower.openid = told.openid AND follower.identified_at IS NULL
"""


def fetch_follower(*, account_id: int, openid: str) -> FollowerInfo:
    """What WeChat says of one follower now. Raises WeChatAway, or WeChatRefused for a foreign openid.

    Somebody waits for it, so it gives up early; `identify_followers` has the patience.
    """
    timeout_s = min(settings.WECHAT_TIMEOUT_S, URGENT_TIMEOUT_S)
    try:
        client = client_for(account_id, timeout_s=timeout_s, busy_patience_s=0)
        return _read(client.user.get(openid), openid)
    except WeChatError as error:
        raise to_refusal(error) from error


def identify_followers(limit: int = 100) -> int:
    """Ask for the unionid of followers never asked about, oldest first, up to `limit` of each account.

    FollowersIdentified is delivered for those that have one; returns how many were answered. An account that
    WeChat does not answer for holds up no other; an openid that WeChat does not know is not asked about
    again.
    """
    waiting = Follower.objects.filter(
        identified_at=None, is_following=True, account__is_active=True, account__kind=AccountKind.OFFICIAL
    )
    count = 0
    for account_id in list(waiting.values_list("account_id", flat=True).order_by("account_id").distinct()):
        rows = waiting.filter(account_id=account_id).select_related("account").order_by("pk")
        followers = list(rows[:limit])
        for start in range(0, len(followers), BATCH):
            count += _identify(account_id, followers[start : start + BATCH])
    return count


def _identify(account_id: int, followers: Sequence[Follower]) -> int:
    """Ask in one call; when one bad openid spoils it, one by one. What was answered before WeChat fell silent counts."""
    infos: list[FollowerInfo] = []
    asked_at = clock.now()
    with contextlib.suppress(WeChatError):
        infos.extend(answers_for(client_for(account_id), followers))
    return keep_answers(account=followers[0].account, infos=infos, asked_at=asked_at) if infos else 0


def answers_for(client: GatewayClient, followers: Sequence[Follower]) -> Iterator[FollowerInfo]:
    """What WeChat says of each of up to a hundred, in one call; when one bad openid spoils it, one by one.

    Who has a bad openid follows no more; whom the answer leaves out is taken to follow on.
    Raises WeChatError, then after the answers that came before.
    """
    try:
        answers = client.user.get_batch([follower.openid for follower in followers])
        known = {str(answer.get("openid")): answer for answer in answers}
    except WeChatError as error:
        if error.errcode not in _BAD_OPENID:
            raise
        yield from (_ask_alone(client, follower.openid) for follower in followers)
    else:
        for follower in followers:
            yield _read(known.get(follower.openid, {"subscribe": 1}), follower.openid)


def _ask_alone(client: GatewayClient, openid: str) -> FollowerInfo:
    try:
        return _read(client.user.get(openid), openid)
    except WeChatError as error:
        if error.errcode in _BAD_OPENID:
            return FollowerInfo(openid, None, is_following=False)
        raise


def _read(answer: dict[str, Any], openid: str) -> FollowerInfo:
    return FollowerInfo(
        openid=openid,
        unionid=answer.get("unionid") or None,
        is_following=str(answer.get("subscribe", 0)) == "1",
        tag_ids=_tags(answer.get("tagid_list")),
    )


def _tags(listed: Any) -> tuple[int, ...] | None:
    is_list = isinstance(listed, list) and all(isinstance(one, int) for one in listed)
    return tuple(listed) if is_list else None


def keep_answers(*, account: Account, infos: Sequence[FollowerInfo], asked_at: dt.datetime) -> int:
    """Announce the answers, then note them: a follower counts as identified only when every handler returned; how many do.

    Handlers are idempotent, so a second worker at the same moment, or one that died in between, does no harm. When
    somebody among them is too much for a handler, each is announced alone.
    """
    named = {info.openid: info.unionid for info in infos if info.unionid}
    failed = (
        set()
        if not named or _announce(account, named)
        else {
            openid
            for openid, unionid in named.items()
            if len(named) == 1 or not _announce(account, {openid: unionid})
        }
    )
    heard = [info for info in infos if info.openid not in failed]
    tags = {info.openid: info.tag_ids for info in heard if info.is_following and info.tag_ids is not None}
    with transaction.atomic():
        taggings.keep_told(account_id=account.pk, told=tags, asked_at=asked_at)
        with connection.cursor() as cursor:
            values: dict[str, Any] = {
                "account_id": account.pk,
                "openids": [info.openid for info in heard],
                "unionids": [info.unionid or "" for info in heard],
                "at": clock.now(),
            }
            cursor.execute(_NOTE, values)
            return int(cursor.rowcount)


def _announce(account: Account, unionids: Mapping[str, str]) -> bool:
    people = "\n".join(f"{openid} {unionid}" for openid, unionid in unionids.items())
    try:
        events.deliver(FollowersIdentified(account_id=account.pk, app_id=account.app_id, people=people))
    except Exception:
        # Asked about again at the next round; the others must not wait for her.
        logger.exception(
            "wechat.followers_not_linked", extra={"account_id": account.pk, "count": len(unionids)}
        )
        return False
    return True
