"""Access tokens: official pages "get access_token" and "get stable access_token"."""

from sandbox import quotas
from sandbox.apis.gate import Answer, Call, Endpoint
from sandbox.crypto import same
from sandbox.errors import WeChatRefusal
from sandbox.models import AccessToken, Account
from sandbox.tokens import issue_classic, issue_stable

PER_MINUTE = 10_000


def check_secret(call: Call, app_id: object, secret: object) -> Account:
    """Return the account of an appid and secret: 41002, 41004, 40013, 40125, 40164."""
    if not app_id:
        raise WeChatRefusal(41002)
    if not secret:
        raise WeChatRefusal(41004)
    account = call.world.accounts.get(app_id) if isinstance(app_id, str) else None
    if account is None:
        raise WeChatRefusal(40013)
    call.app_id = account.app_id
    if not isinstance(secret, str) or not same(secret, account.app_secret):
        raise WeChatRefusal(40125)
    return account


def _check_address(call: Call, account: Account) -> None:
    host = call.request.client.host if call.request.client else ""
    if account.ip_whitelist is not None and host not in account.ip_whitelist:
        raise WeChatRefusal(40164, f"invalid ip {host}")


def _body(call: Call, token: AccessToken) -> Answer:
    call.summary = token.family
    return {"access_token": token.value, "expires_in": int(token.expires_at - call.world.now() + 0.5)}


def get_token(call: Call) -> Answer:
    """Classic token: always a new one."""
    if call.query.get("grant_type") != "client_credential":
        raise WeChatRefusal(40002)
    account = check_secret(call, call.query.get("appid"), call.query.get("secret"))
    _check_address(call, account)
    quotas.spend(call.world, account, "/cgi-bin/token")
    return _body(call, issue_classic(call.world, account))


def get_stable_token(call: Call) -> Answer:
    """Stable token: the same until shortly before its end."""
    body = call.json()
    if body.get("grant_type") != "client_credential":
        raise WeChatRefusal(40002)
    account = check_secret(call, body.get("appid"), body.get("secret"))
    _check_address(call, account)
    minute = f"stable_token@{int(call.world.now() // 60)}"
    quotas.spend(call.world, account, "/cgi-bin/stable_token")
    account.quota_used = {k: v for k, v in account.quota_used.items() if "@" not in k or k == minute}
    if account.quota_used.get(minute, 0) >= PER_MINUTE:
        raise WeChatRefusal(45011)
    account.quota_used[minute] = account.quota_used.get(minute, 0) + 1
    return _body(call, issue_stable(call.world, account, is_forced=body.get("force_refresh") is True))


ENDPOINTS = [
    Endpoint("/cgi-bin/token", get_token, "GET", takes_token=False),
    Endpoint("/cgi-bin/stable_token", get_stable_token, "POST", takes_token=False),
]
