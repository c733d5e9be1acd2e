"""The mini-program's own front end, as far as it goes: it logs in as wx.login allows, tells its server what a person does,
shows the page of a campaign's message, and her inbox. Which server, and which goods there are, stand in the account."""

import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from sandbox import mini
from sandbox.errors import ScriptError
from sandbox.models import Account, CampaignPage, Opening, Person
from sandbox.state import World

TIMEOUT_S = 10.0
CAMPAIGN_QUERY = "c"  # what the page of a campaign's message is opened with
COUPON_WORDS = ("title", "value_words", "state", "state_label", "valid_until")
LETTER_WORDS = ("id", "topic_label", "title", "text", "page", "sent_at")
LETTERS = 20
UNKNOWN_TOKEN = 401
SEARCHES = ("羊绒大衣", "围巾", "通勤衬衫")


async def browse(world: World, client: httpx.AsyncClient, person: Person, account: Account) -> dict[str, Any]:
    """She looks at some goods, searches and puts something into her cart; what the server said to that."""
    server = _server(world, client, person, account)
    now = datetime.fromtimestamp(world.now(), UTC).isoformat()
    body = {"sent_at": now, "events": [_event(now, kind, told) for kind, told in _walk(account)]}
    told = await server.fetch("POST", "/behaviours", body)
    return {"outcome": "browsed", "sent": len(body["events"]), "answer": told}


async def show_inbox(
    world: World,
    client: httpx.AsyncClient,
    person: Person,
    account: Account,
    *,
    read: str = "",
    read_mark: str = "",
) -> dict[str, Any]:
    """Her inbox at the server, after she read one message of it, or all up to a mark."""
    server = _server(world, client, person, account)
    if read:
        await server.fetch("POST", f"/inbox/{quote(read, safe='')}/read", {})
    if read_mark:
        await server.fetch("POST", "/inbox/read-all", {"read_mark": read_mark})
    told = await server.fetch("GET", f"/inbox?limit={LETTERS}")
    listed = told.get("messages")
    messages = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {
        "outcome": "inbox",
        "messages": [
            {name: str(one.get(name) or "") for name in LETTER_WORDS}
            | {"is_read": one.get("is_read") is True}
            for one in messages
        ],
        "unread_count": told.get("unread_count"),
        "read_mark": told.get("read_mark"),
    }


async def show_campaign(
    world: World, client: httpx.AsyncClient, person: Person, account: Account, opening: Opening
) -> None:
    """A page that was opened with a campaign's token asks the server for it and shows what comes back, or why nothing does. Where
    no server is known the page stays as it is."""
    token = opening.query.get(CAMPAIGN_QUERY)
    if not token or not account.api_url:
        return
    try:
        server = _server(world, client, person, account)
        status, told = await server.ask("POST", "/campaigns/open", {"token": token})
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


@dataclass
class _Server:
    """The mini-program's own server, as her phone asks it."""

    world: World
    client: httpx.AsyncClient
    person: Person
    account: Account

    async def fetch(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the server says. Raises ScriptError for anything but 200."""
        status, told = await self.ask(method, path, body)
        if status != 200:
            raise ScriptError("api_refused", _why(status, told), 502)
        return told

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer; who is not logged in, or no more, is first. Raises ScriptError where there is no answer."""
        hers = self.world.tie(self.person, self.account.app_id).mini
        if hers.server_token:
            status, told = await self._send(method, path, body, token=hers.server_token)
            if status != UNKNOWN_TOKEN:
                return status, told
        hers.server_token = await self._log_in()
        self.world.touch()
        return await self._send(method, path, body, token=hers.server_token)

    async def _log_in(self) -> str:
        code = mini.issue_login_code(self.world, self.account, self.person)
        status, session = await self._send("POST", "/login", {"code": code, "app_id": self.account.app_id})
        if status != 200:
            raise ScriptError("api_refused", _why(status, session), 502)
        token = session.get("access_token")
        if not isinstance(token, str):
            raise ScriptError("unfit_answer", "登录接口没有给出 access_token", 502)
        return token

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, *, token: str = ""
    ) -> tuple[int, dict[str, Any]]:
        # A phone that was put away holds no connection of the server's.
        headers = {"Connection": "close"} | ({"Authorization": f"Bearer {token}"} if token else {})
        url = f"{self.account.api_url}{path}"
        try:
            answer = await self.client.request(method, url, json=body, headers=headers, timeout=TIMEOUT_S)
            told = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
            raise ScriptError("api_away", f"连不上小程序后台：{type(failure).__name__}", 502) from failure
        except ValueError as failure:
            raise ScriptError("unfit_answer", "小程序后台的回答不是 JSON", 502) from failure
        if not isinstance(told, dict):
            raise ScriptError("unfit_answer", "小程序后台的回答不是 JSON 对象", 502)
        return answer.status_code, told


def _server(world: World, client: httpx.AsyncClient, person: Person, account: Account) -> _Server:
    if not account.api_url:
        raise ScriptError("no_api_url", "这个小程序没有填写后台接口地址 api_url", 409)
    return _Server(world, client, person, account)


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
