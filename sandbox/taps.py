"""Tapping the buttons of an account's menu, and what the account hears of it."""

import hashlib
from collections.abc import Callable
from typing import Any

from sandbox.errors import ScriptError
from sandbox.menus import find_button, menu_for
from sandbox.people import Act
from sandbox.windows import open_window

# Only these open a window for customer-service messages (official page "customer service messages").
OPENS_WINDOW = {"click", "scancode_push", "scancode_waitmsg"}
MOST_PICTURES = 9


def _text(body: dict[str, Any], name: str, default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not value:
        raise ScriptError("bad_field", f"{name} 要填文字")
    return value


def _scanned(body: dict[str, Any]) -> dict[str, Any]:
    result = _text(body, "scan_result", "https://example.com/scanned")
    return {"ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": result}}


def _pictures(body: dict[str, Any]) -> dict[str, Any]:
    count = body.get("picture_count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_PICTURES:
        raise ScriptError("bad_field", f"picture_count 要是 1–{MOST_PICTURES} 的整数")
    sums = [
        {"PicMd5Sum": hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest()} for n in range(count)
    ]
    return {"SendPicsInfo": {"Count": count, "PicList": {"item": sums}}}


def _place(body: dict[str, Any]) -> dict[str, Any]:
    label = _text(body, "place", "广州市海珠区")
    place = {"Location_X": "23.104", "Location_Y": "113.324", "Scale": "15", "Label": label, "Poiname": ""}
    return {"SendLocationInfo": place}


BRINGS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "scancode_push": _scanned,
    "scancode_waitmsg": _scanned,
    "pic_sysphoto": _pictures,
    "pic_photo_or_album": _pictures,
    "pic_weixin": _pictures,
    "location_select": _place,
}


async def tap_button(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """She taps the button at `path` (`[column]` or `[column, row]`) of the menu that she sees."""
    account = act.world.account(body.get("app_id"))
    if account.kind != "official":
        raise ScriptError("not_an_official_account", "只有公众号有自定义菜单")
    tie = act.tie(account)
    if not tie.is_following:
        return await act.finish("not_following")
    button = find_button(account, tie, body.get("path"))
    if button is None:
        return await act.finish("no_button")
    kind = str(button.get("type"))
    menu_id = menu_for(account, tie)["menuid"]
    event: dict[str, Any] = {"MsgType": "event", "Event": kind, "EventKey": button.get("key", "")}
    if kind in OPENS_WINDOW:
        open_window(tie, "menu", act.world.now())
    if kind == "view":
        act.extra["url"] = button["url"]
        act.push(account, {**event, "Event": "VIEW", "EventKey": button["url"], "MenuId": menu_id})
        return await act.finish("web_page")
    if kind == "miniprogram":
        act.extra |= {"mini_app_id": button["appid"], "page": button["pagepath"]}
        page = {"Event": "view_miniprogram", "EventKey": button["pagepath"], "MenuId": menu_id}
        act.push(account, {**event, **page})
        return await act.finish("mini_program")
    if kind == "click":
        act.push(account, {**event, "Event": "CLICK"})
    elif kind in BRINGS:
        act.push(account, {**event, **BRINGS[kind](body)})
    else:
        act.notice(account, f"（公众号素材：{button.get('media_id') or button.get('article_id')}）")
    return await act.finish("tapped")


async def wear_tags(act: Act, body: dict[str, Any]) -> dict[str, Any]:
    """The account's tags on her become these."""
    account = act.world.account(body.get("app_id"))
    tag_ids = body.get("tag_ids")
    if not isinstance(tag_ids, list) or not all(
        isinstance(one, int) and not isinstance(one, bool) for one in tag_ids
    ):
        raise ScriptError("bad_field", "tag_ids 要是标签编号的列表")
    act.tie(account).tag_ids = tag_ids
    act.world.publish_person(act.person)
    return await act.finish("tagged")


TAPS = {"tap-button": tap_button, "wear-tags": wear_tags}
