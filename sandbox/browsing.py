"""The mini-program's own front end, as far as it goes: it logs in as wx.login allows, tells its server what a person does, and
shows the page of a campaign's message. Which server, and which goods there are, stand in the account."""

import random
import secrets
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox import mini
from sandbox.errors import ScriptError
from sandbox.models import Account, CampaignPage, Opening, Person
from sandbox.state import World

TIMEOUT_S = 10.0
CAMPAIGN_QUERY = "c"  # what the page of a campaign's message is opened with
COUPON_WORDS = ("title", "value_words", "state", "state_label", "valid_until")
SEARCHES = ("羊绒大衣", "围巾", "通勤衬衫")


async def browse(world: World, client: httpx.AsyncClient, person: Person, account: Account) -> dict[str, Any]:
    """She looks at some goods, searches and puts something into her cart; what the server said to that."""
    if not account.api_url:
        raise ScriptError("no_api_url", "这个小程序没有填写后台接口地址 api_url", 409)
    token = await _log_in(world, client, person, account)
    now = datetime.fromtimestamp(world.now(), UTC).isoformat()
    body = {"sent_at": now, "events": [_event(now, kind, told) for kind, told in _walk(account)]}
    told = await _post(client, f"{account.api_url}/behaviours", body, token=token)
    return {"outcome": "browsed", "sent": len(body["events"]), "answer": told}


async def show_campaign(
    world: World, client: httpx.AsyncClient, person: Person, account: Account, opening: Opening
) -> None:
    """A page that was opened with a campaign's token asks the server for it and shows what comes back, or why nothing does. Where
    no server is known the page stays as it is."""
    token = opening.query.get(CAMPAIGN_QUERY)
    if not token or not account.api_url:
        return
    try:
        session = await _log_in(world, client, person, account)
        status, told = await _ask(
            client, f"{account.api_url}/campaigns/open", {"token": token}, token=session
        )
        opening.campaign = _page(told) if status == 200 else CampaignPage(refused=_why(status, told))
    except ScriptError as failure:
        opening.campaign = CampaignPage(refused=failure.message)
    mini.publish_mini(world, person, account)


def _page(told: dict[str, Any]) -> CampaignPage:
    coupon = told.get("coupon")
    return CampaignPage(
        **{name: str(told.get(name) or "") for name in ("name", "title", "text", "ends_at")},
        coupon={name: str(coupon.get(name) or "") for name in COUPON_WORDS}
        if isinstance(coupon, dict)
        else None,
    )


def _why(status: int, told: dict[str, Any]) -> str:
    """The sentence of the server's refusal."""
    return str(told.get("message") or f"小程序后台回答 HTTP {status}")


async def _log_in(world: World, client: httpx.AsyncClient, person: Person, account: Account) -> str:
    code = mini.issue_login_code(world, account, person)
    session = await _post(client, f"{account.api_url}/login", {"code": code, "app_id": account.app_id})
    token = session.get("access_token")
    if not isinstance(token, str):
        raise ScriptError("unfit_answer", "登录接口没有给出 access_token", 502)
    return token


def _walk(account: Account) -> list[tuple[str, dict[str, Any]]]:
    goods = random.sample(account.goods or ["C2041"], min(2, len(account.goods or ["C2041"])))
    viewed = [("product_viewed", {"product": one, "stay_s": random.randint(5, 90)}) for one in goods]
    return [
        ("page_viewed", {"page": mini.home_of(account)}),
        ("searched", {"words": random.choice(SEARCHES)}),
        *viewed,
        ("cart_added", {"product": goods[0], "quantity": 1}),
    ]


def _event(at: str, kind: str, told: dict[str, Any]) -> dict[str, Any]:
    return {"key": secrets.token_hex(8), "kind": kind, "at": at, "with": told}


async def _post(
    client: httpx.AsyncClient, url: str, body: dict[str, Any], *, token: str = ""
) -> dict[str, Any]:
    status, told = await _ask(client, url, body, token=token)
    if status != 200:
        raise ScriptError("api_refused", f"小程序后台回答 HTTP {status}", 502)
    return told


async def _ask(
    client: httpx.AsyncClient, url: str, body: dict[str, Any], *, token: str = ""
) -> tuple[int, dict[str, Any]]:
    # A phone that was put away holds no connection of the server's.
    headers = {"Connection": "close"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        answer = await client.post(url, json=body, headers=headers, timeout=TIMEOUT_S)
        told = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
        raise ScriptError("api_away", f"连不上小程序后台：{type(failure).__name__}", 502) from failure
    except ValueError as failure:
        raise ScriptError("unfit_answer", "小程序后台的回答不是 JSON", 502) from failure
    if not isinstance(told, dict):
        raise ScriptError("unfit_answer", "小程序后台的回答不是 JSON 对象", 502)
    return answer.status_code, told
