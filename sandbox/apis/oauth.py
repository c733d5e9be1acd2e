"""Web authorization, the server's half: official page "web authorization" (code, token, user info)."""

from typing import Any

from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.apis.token import check_secret
from sandbox.errors import WeChatRefusal
from sandbox.models import Account, OAuthGrant
from sandbox.oauth import find_grant, redeem_code, renew_grant


def _describe(call: Call, account: Account, grant: OAuthGrant) -> dict[str, Any]:
    person = call.world.people.get(grant.person_id)
    if person is None:
        raise WeChatRefusal(40003)
    call.summary = f"{grant.scope} {person.name}"
    answer: dict[str, Any] = {
        "access_token": grant.access_token,
        "expires_in": int(grant.expires_at - call.world.now() + 0.5),
        "refresh_token": grant.refresh_token,
        "openid": grant.openid,
        "scope": grant.scope,
    }
    if grant.is_snapshot:
        return {**answer, "is_snapshotuser": 1}
    unionid = call.world.unionid(person, account)
    if unionid and grant.scope == "snsapi_userinfo":
        answer["unionid"] = unionid
    return answer


def exchange_code(call: Call) -> Answer:
    """Code for token and openid. No errcode on success."""
    account = check_secret(call, call.query.get("appid"), call.query.get("secret"))
    if call.query.get("grant_type") != "authorization_code":
        raise WeChatRefusal(40002)
    code = call.query.get("code")
    if not code:
        raise WeChatRefusal(41008)
    return _describe(call, account, redeem_code(call.world, account, code))


def refresh(call: Call) -> Answer:
    """A fresh token for a refresh token; needs no secret."""
    app_id = call.query.get("appid")
    if not app_id:
        raise WeChatRefusal(41002)
    account = call.world.accounts.get(app_id)
    if account is None:
        raise WeChatRefusal(40013)
    if call.query.get("grant_type") != "refresh_token":
        raise WeChatRefusal(40002)
    token = call.query.get("refresh_token")
    if not token:
        raise WeChatRefusal(41003)
    return _describe(call, account, renew_grant(call.world, account, token))


def get_user_info(call: Call) -> Answer:
    """Nickname and picture, only with snsapi_userinfo. Sex and place are empty nowadays."""
    grant = find_grant(call.world, call.query.get("access_token"), call.query.get("openid"))
    call.app_id = grant.app_id
    if grant.scope != "snsapi_userinfo":
        raise WeChatRefusal(48001)
    person = call.world.people.get(grant.person_id)
    if person is None:
        raise WeChatRefusal(40003)
    call.summary = person.name
    picture = f"{call.request.base_url}_/people/{person.id}/avatar.svg"
    answer: dict[str, Any] = {
        "openid": grant.openid,
        "nickname": "微信用户" if grant.is_snapshot else person.name,
        "sex": 0,
        "province": "",
        "city": "",
        "country": "",
        "headimgurl": "" if grant.is_snapshot else picture,
        "privilege": [],
    }
    unionid = call.world.unionid(person, call.world.accounts[grant.app_id])
    if unionid and not grant.is_snapshot:
        answer["unionid"] = unionid
    return answer


def check(call: Call) -> Answer:
    """Is this user token good for that openid?"""
    grant = find_grant(call.world, call.query.get("access_token"), call.query.get("openid"))
    call.app_id = grant.app_id
    return OK


ENDPOINTS = [
    Endpoint("/sns/oauth2/access_token", exchange_code, takes_token=False),
    Endpoint("/sns/oauth2/refresh_token", refresh, takes_token=False),
    Endpoint("/sns/userinfo", get_user_info, takes_token=False),
    Endpoint("/sns/auth", check, takes_token=False),
]
