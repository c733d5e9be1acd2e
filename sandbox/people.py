"""What people do in WeChat and what it sets off: windows, follow state, bubbles, pushes."""

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.errors import ScriptError
from sandbox.identity import openid_of
from sandbox.mini import describe_opening, open_by_code
from sandbox.models import Account, Person, Push, QrCode, Tie
from sandbox.pushes import Postman
from sandbox.state import World
from sandbox.windows import close_windows, open_window


@dataclass
class Script:
    """How pushes of one act are bent: copies, repeats, a fixed second, held back."""

    copies: int = 1
    repeat_after_s: list[float] = field(default_factory=list)
    create_time: int | None = None
    is_held: bool = False


@dataclass
class Act:
    """One thing a person does, with everything needed to carry it out."""

    world: World
    postman: Postman
    person: Person
    script: Script
    waits: bool
    pushes: list[Push] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def tie(self, account: Account) -> Tie:
        """What is between her and the account."""
        return self.world.tie(self.person, account.app_id)

    def notice(self, account: Account, text: str) -> None:
        """A grey line in the chat."""
        self.world.add_bubble(
            self.person, account.app_id, side="system", via="notice", kind="text", text=text
        )

    def push(self, account: Account, fields: dict[str, Any]) -> None:
        """Queue what the platform tells the account about it."""
        openid = openid_of(self.person.key, account.app_id)
        self.pushes.append(
            self.postman.make(account, self.person, openid, fields, create_time=self.script.create_time)
        )

    async def finish(self, outcome: str) -> dict[str, Any]:
        """Send the pushes as scripted and report."""
        await send_scripted(self.world, self.postman, self.pushes, self.script, waits=self.waits)
        return {"outcome": outcome, **self.extra, "pushes": [asdict(push) for push in self.pushes]}


async def send_scripted(
    world: World, postman: Postman, pushes: list[Push], script: Script, *, waits: bool
) -> None:
    """Deliver pushes; copies go out together, repeats later, held ones not at all."""
    originals = list(pushes)
    for push in originals:
        pushes.extend(postman.copy(push) for _ in range(script.copies - 1))
    if script.is_held:
        for push in pushes:
            push.status = "held"
            world.publish_push(push)
        return
    tasks = postman.post(pushes, in_order=script.copies == 1)
    for delay in script.repeat_after_s:
        later = [postman.copy(push) for push in originals]
        pushes.extend(later)
        tasks += postman.post(later, in_order=False, after_s=delay)
    if waits and tasks:
        await asyncio.wait(tasks)


def _follow(act: Act, account: Account, code: QrCode | None) -> None:
    tie, now = act.tie(account), act.world.now()
    tie.is_following = True
    tie.is_blocked = False
    tie.followed_at = now
    tie.subscribe_scene = "ADD_SCENE_QR_CODE" if code else "ADD_SCENE_SEARCH"
    tie.qr_scene = int(code.scene) if code and code.is_number else 0
    tie.qr_scene_str = code.scene if code and not code.is_number else ""
    open_window(tie, "follow", now)
    fields: dict[str, Any] = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}
    if code is not None:
        fields |= {"EventKey": f"qrscene_{code.scene}", "Ticket": code.ticket}
    act.notice(account, f"你已关注「{account.name}」")
    act.push(account, fields)
    act.world.publish_person(act.person)


def _official(account: Account) -> Account:
    if account.kind != "official":
        raise ScriptError("not_an_official_account", "只有公众号才能关注")
    return account


async def follow(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """She finds the account by search and follows it."""
    account = _official(act.world.account(body.get("app_id")))
    if act.tie(account).is_following:
        return await act.finish("already_following")
    _follow(act, account, None)
    return await act.finish("followed")


async def unfollow(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """She stops following: no window stays open."""
    account = _official(act.world.account(body.get("app_id")))
    tie = act.tie(account)
    if not tie.is_following:
        return await act.finish("not_following")
    tie.is_following = False
    close_windows(tie)
    act.notice(account, f"你已取消关注「{account.name}」")
    act.push(account, {"MsgType": "event", "Event": "unsubscribe", "EventKey": ""})
    act.world.publish_person(act.person)
    return await act.finish("unfollowed")


def find_code(world: World, content: str) -> QrCode | None:
    """Find the code meant: by its URL, its ticket (quoted or not), or the address of its picture."""
    parts = urlsplit(content)
    if parts.path.endswith("/cgi-bin/showqrcode"):
        content = parse_qs(parts.query).get("ticket", [""])[0]
    return world.find_code(content) or world.find_code(unquote(content))


async def scan(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """She holds the camera over something."""
    content = body.get("content")
    if not isinstance(content, str) or not content.strip():
        raise ScriptError("bad_field", "content 要填扫到的内容")
    content = content.strip()
    code = find_code(act.world, content)
    if code is None:
        parts = urlsplit(content)
        if parts.scheme in ("http", "https") and parts.netloc and parts.netloc != "weixin.qq.com":
            act.extra["url"] = content
            return await act.finish("web_page")
        return await act.finish("not_a_code")
    now = act.world.now()
    account = act.world.account(code.app_id)
    act.extra["app_id"] = account.app_id
    if code.expires_at is not None and code.expires_at <= now:
        act.notice(account, "二维码已过期")
        return await act.finish("expired")
    code.scans += 1
    if code.page is not None:
        opening = open_by_code(act.world, act.person, account, code)
        act.extra |= describe_opening(opening)
        return await act.finish("opened")
    tie = act.tie(account)
    if not tie.is_following:
        _follow(act, account, code)
        return await act.finish("followed_by_scan")
    open_window(tie, "scan", now)
    act.notice(account, "你扫了一次二维码")
    act.push(account, {"MsgType": "event", "Event": "SCAN", "EventKey": code.scene, "Ticket": code.ticket})
    return await act.finish("scanned")


async def write(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """She writes a line, or taps a choice of a msgmenu (`menu_item`), which arrives as text too."""
    account = act.world.account(body.get("app_id"))
    text, item = body.get("text"), body.get("menu_item")
    if not isinstance(text, str) or not text:
        raise ScriptError("bad_field", "text 要填要说的话")
    tie = act.tie(account)
    if account.kind == "official" and not tie.is_following:
        return await act.finish("not_following")
    open_window(tie, "message" if item is None else "menu", act.world.now())
    act.world.add_bubble(act.person, account.app_id, side="member", via="user", kind="text", text=text)
    extra = {} if item is None else {"bizmsgmenuid": str(item)}
    act.push(account, {"MsgType": "text", "Content": text, **extra})
    return await act.finish("written")


async def tap_menu(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """She taps a menu button of type click."""
    account = _official(act.world.account(body.get("app_id")))
    key = body.get("key")
    if not isinstance(key, str) or not key:
        raise ScriptError("bad_field", "key 要填菜单的 key")
    tie = act.tie(account)
    if not tie.is_following:
        return await act.finish("not_following")
    open_window(tie, "menu", act.world.now())
    act.push(account, {"MsgType": "event", "Event": "CLICK", "EventKey": key})
    return await act.finish("tapped")


async def open_link(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """She opens a web page; from the menu (`from_menu`) the account hears of it as VIEW."""
    url = body.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise ScriptError("bad_field", "url 要填 http 或 https 网址")
    act.extra["url"] = url
    if body.get("from_menu") is True:
        account = act.world.account(body.get("app_id"))
        act.push(account, {"MsgType": "event", "Event": "VIEW", "EventKey": url})
    return await act.finish("web_page")


async def block(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """She switches the account's messages off (`on` true, the default) or on again."""
    account = _official(act.world.account(body.get("app_id")))
    act.tie(account).is_blocked = body.get("on", True) is True
    act.world.publish_person(act.person)
    return await act.finish("blocked" if act.tie(account).is_blocked else "unblocked")


ACTS = {
    "follow": follow,
    "unfollow": unfollow,
    "scan": scan,
    "write": write,
    "tap-menu": tap_menu,
    "open-link": open_link,
    "block": block,
}
