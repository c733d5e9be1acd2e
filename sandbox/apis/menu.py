"""Custom menus: official pages "create menu", "query menu", "delete menu". No conditional menus yet."""

from typing import Any

from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal

NEEDS = {
    "click": ("key",),
    "view": ("url",),
    "scancode_push": ("key",),
    "scancode_waitmsg": ("key",),
    "pic_sysphoto": ("key",),
    "pic_photo_or_album": ("key",),
    "pic_weixin": ("key",),
    "location_select": ("key",),
    "media_id": ("media_id",),
    "article_id": ("article_id",),
    "miniprogram": ("url", "appid", "pagepath"),
}
NAME_BYTES = (16, 60)


def _check(button: Any, *, is_top: bool) -> None:
    if not isinstance(button, dict):
        raise WeChatRefusal(47001)
    name = button.get("name")
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= NAME_BYTES[0 if is_top else 1]:
        raise WeChatRefusal(40018)
    below = button.get("sub_button")
    if is_top and below:
        if not isinstance(below, list) or len(below) > 5:
            raise WeChatRefusal(45010)
        for item in below:
            _check(item, is_top=False)
        return
    kind = button.get("type")
    if kind not in NEEDS:
        raise WeChatRefusal(40015)
    if any(not isinstance(button.get(need), str) or not button[need] for need in NEEDS[kind]):
        raise WeChatRefusal(40016, str(kind))


def create_menu(call: Call) -> Answer:
    """Replace the account's menu."""
    buttons = call.json().get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise WeChatRefusal(40016)
    for button in buttons:
        _check(button, is_top=True)
    call.account.menu = buttons
    call.world.hub.publish("accounts", {})
    return OK


def get_menu(call: Call) -> Answer:
    """The menu as it was created, 46003 when there is none."""
    if not call.account.menu:
        raise WeChatRefusal(46003)
    return {"menu": {"button": call.account.menu}}


def delete_menu(call: Call) -> Answer:
    """Remove the menu."""
    call.account.menu = []
    call.world.hub.publish("accounts", {})
    return OK


ENDPOINTS = [
    Endpoint("/cgi-bin/menu/create", create_menu, "POST", is_official_only=True),
    Endpoint("/cgi-bin/menu/get", get_menu, "GET", is_official_only=True),
    Endpoint("/cgi-bin/menu/delete", delete_menu, "GET", is_official_only=True),
]
