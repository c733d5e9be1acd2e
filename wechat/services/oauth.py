"""Logging a person in inside WeChat. Official page "web authorization"."""

from typing import Final

from core.errors import InvalidInput
from wechat.client.errors import WeChatError
from wechat.contracts import OAuthIdentity
from wechat.errors import LoginCodeUnusable, SnapshotUser, WeChatAway
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal

SCOPES: Final = frozenset({"snsapi_base", "snsapi_userinfo"})
LONGEST_STATE: Final = 128
# Wrong, foreign or expired code; used; expired; missing.
_CODE_TROUBLE: Final = frozenset({40029, 40163, 42003, 41008})


def authorize_url(*, account_id: int, redirect_uri: str, state: str, scope: str = "snsapi_base") -> str:
    """Where to send the browser so that it comes back to `redirect_uri` with a code and the same `state`.

    Refuses an unknown scope and a state over 128 characters (InvalidInput). The host of `redirect_uri` must
    be registered in WeChat's console.
    """
    if scope not in SCOPES:
        raise InvalidInput(field="scope")
    if len(state) > LONGEST_STATE:
        raise InvalidInput(field="state")
    url: str = client_for(account_id).oauth.authorize_url(redirect_uri, state, scope)
    return url


def exchange_code(*, account_id: int, code: str) -> OAuthIdentity:
    """Who she is, for the code her browser brought. The user's own tokens are not kept.

    Raises SnapshotUser for WeChat's preview page, whose openid is made up; LoginCodeUnusable for a wrong,
    used or old code (ask WeChat for a new one); WeChatAway or WeChatRefused.
    """
    if not code:
        raise LoginCodeUnusable
    client = client_for(account_id)
    try:
        answer = client.oauth.exchange_code(code)
    except WeChatError as error:
        if error.errcode in _CODE_TROUBLE:
            raise LoginCodeUnusable from error
        raise to_refusal(error) from error
    if str(answer.get("is_snapshotuser", 0)) == "1":
        raise SnapshotUser
    openid = answer.get("openid")
    if not isinstance(openid, str) or not openid:
        raise WeChatAway
    return OAuthIdentity(app_id=client.appid, openid=openid, unionid=answer.get("unionid") or None)
