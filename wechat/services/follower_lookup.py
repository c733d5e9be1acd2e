"""Asking WeChat who a follower is. Official page "get user basic information".

Nickname and avatar are not given since December 2021; what counts is the unionid, and that exists only when
the account is bound to an Open Platform account.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.conf import settings

from core import clock, events
from wechat.client.errors import WeChatError
from wechat.client.gateway import GatewayClient
from wechat.contracts import FollowerInfo
from wechat.events import FollowerIdentified
from wechat.models import Follower
from wechat.models.account import AccountKind
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal

logger = logging.getLogger(__name__)

BATCH: Final = 100
URGENT_TIMEOUT_S: Final = 3
# Invalid openid (of another app, or made up); wrong number of openids.
_BAD_OPENID: Final = frozenset({40003, 40032})


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

    FollowerIdentified is delivered for each that has one; returns how many were answered. An account that
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
    """Ask in one call; when one bad openid spoils it, one by one."""
    known, count = {follower.openid: follower for follower in followers}, 0
    try:
        for info in answers_for(client_for(account_id), followers):
            count += keep_answer(known[info.openid], info)
    except WeChatError:
        return count
    return count


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
    )


def keep_answer(follower: Follower, info: FollowerInfo) -> int:
    """Announce the answer, then note it: a follower counts as identified only when every handler returned.

    Handlers are idempotent, so a second worker at the same moment, or one that died in between, does no harm.
    """
    if info.unionid:
        try:
            events.deliver(
                FollowerIdentified(
                    account_id=follower.account_id,
                    app_id=follower.account.app_id,
                    openid=follower.openid,
                    unionid=info.unionid,
                )
            )
        except Exception:
            # Asked about again at the next round; the others of this batch must not wait for her.
            logger.exception("wechat.follower_not_linked", extra={"follower_id": follower.pk})
            return 0
    waiting = Follower.objects.filter(pk=follower.pk, identified_at=None)
    return waiting.update(identified_at=clock.now(), unionid=info.unionid or follower.unionid)
