"""Platform helpers: server addresses, callback check, quotas. Official pages "openApi management" and
"get callback IP", "network check"."""

from typing import Any

from sandbox import quotas
from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.apis.token import check_secret
from sandbox.errors import WeChatRefusal

OPERATORS = {"CHINANET", "UNICOM", "CAP", "DEFAULT"}


def list_addresses(call: Call) -> Answer:
    """The addresses pushes come from and calls go to: here, this machine."""
    return {"ip_list": ["127.0.0.1", "::1"]}


def check_callback(call: Call) -> Answer:
    """Report on DNS and ping of the callback, which on one machine are always well."""
    body = call.json()
    action = body.get("action")
    if action not in ("dns", "ping", "all") or body.get("check_operator", "DEFAULT") not in OPERATORS:
        raise WeChatRefusal(40097)
    answer: dict[str, Any] = {}
    if action != "ping":
        answer["dns"] = [{"ip": "127.0.0.1", "real_operator": "DEFAULT"}]
    if action != "dns":
        line = {"ip": "127.0.0.1", "from_operator": "DEFAULT", "package_loss": "0%", "time": "0.100ms"}
        answer["ping"] = [line]
    return answer


def clear_quota(call: Call) -> Answer:
    """Set all daily counters of the token's account back; 40013 when the appid is another's."""
    if call.json().get("appid") != call.account.app_id:
        raise WeChatRefusal(40013)
    quotas.clear(call.world, call.account)
    return OK


def clear_quota_by_secret(call: Call) -> Answer:
    """The same without a token, for an account whose token quota itself is used up."""
    source = call.query if "appid" in call.query else call.json()
    account = check_secret(call, source.get("appid"), source.get("appsecret"))
    quotas.clear(call.world, account)
    return OK


def get_quota(call: Call) -> Answer:
    """Tell limit, use and rest of one path for today."""
    path = call.json().get("cgi_path")
    if not isinstance(path, str) or not path.startswith("/"):
        raise WeChatRefusal(40097)
    limit, used = quotas.limit_of(call.account, path), quotas.used_of(call.world, call.account, path)
    return {**OK, "quota": {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}}


ENDPOINTS = [
    Endpoint("/cgi-bin/getcallbackip", list_addresses, "GET"),
    Endpoint("/cgi-bin/get_api_domain_ip", list_addresses, "GET"),
    Endpoint("/cgi-bin/callback/check", check_callback, "POST"),
    Endpoint("/cgi-bin/clear_quota", clear_quota, "POST"),
    Endpoint("/cgi-bin/clear_quota/v2", clear_quota_by_secret, "POST", takes_token=False),
    Endpoint("/cgi-bin/openapi/quota/get", get_quota, "POST"),
]
