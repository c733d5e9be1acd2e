"""Custom menus: what the platform takes and refuses, and which menu a person sees."""

from typing import Any
from urllib.parse import urlsplit

from sandbox.errors import WeChatRefusal
from sandbox.models import Account, Tie

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
    "view_limited": ("media_id",),
    "article_id": ("article_id",),
    "article_view_limited": ("article_id",),
    "miniprogram": ("url", "appid", "pagepath"),
}
NAME_BYTES = (16, 60)
NAME_REFUSALS = (40018, 40025)
MOST_BUTTONS = 3
MOST_BELOW = 5
# By field: bytes, and the refusals of a button at the top and of one below.
LIMITS = {"key": (128, 40019, 40026), "url": (1024, 40020, 40027)}
# The page names no number; twenty is what accounts report.
MOST_CONDITIONAL = 20
MOST_DOMAINS = 3
# Conditions that the platform took away for privacy's sake.
PRIVATE_RULES = {"sex", "country", "province", "city", "language"}


def check_menu(buttons: Any) -> list[dict[str, Any]]:
    """The buttons, or the refusal the platform gives them."""
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= MOST_BUTTONS:
        raise WeChatRefusal(40016)
    for button in buttons:
        _check_button(button, is_top=True)
    return buttons


def _check_button(button: Any, *, is_top: bool) -> None:
    if not isinstance(button, dict):
        raise WeChatRefusal(47001)
    name = button.get("name")
    at = 0 if is_top else 1
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= NAME_BYTES[at]:
        raise WeChatRefusal(NAME_REFUSALS[at])
    below = button.get("sub_button")
    if below:
        if not is_top:
            raise WeChatRefusal(40022)
        if not isinstance(below, list) or len(below) > MOST_BELOW:
            raise WeChatRefusal(45010)
        for item in below:
            _check_button(item, is_top=False)
        return
    kind = button.get("type")
    if kind not in NEEDS:
        raise WeChatRefusal(40015 if is_top else 40024)
    for need in NEEDS[kind]:
        _check_value(need, button.get(need), at)


def _check_value(need: str, value: Any, at: int) -> None:
    longest, *refusals = LIMITS.get(need, (None, 40016, 40016))
    if not isinstance(value, str) or not value:
        raise WeChatRefusal(refusals[at])
    if longest is not None and len(value.encode()) > longest:
        raise WeChatRefusal(refusals[at])
    if need == "url" and urlsplit(value).scheme not in ("http", "https"):
        raise WeChatRefusal(40055)


def check_conditional(account: Account, body: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The buttons and the rule of a conditional menu, or the refusal the platform gives it."""
    if not account.menu:
        raise WeChatRefusal(65303)
    rule = body.get("matchrule")
    if not isinstance(rule, dict) or not any(rule.values()):
        raise WeChatRefusal(65304)
    if PRIVATE_RULES & {name for name, value in rule.items() if value}:
        raise WeChatRefusal(65320)
    if not str(rule.get("tag_id") or "").isdecimal():
        raise WeChatRefusal(65304)
    buttons = check_menu(body.get("button"))
    if len(account.conditional_menus) >= MOST_CONDITIONAL:
        raise WeChatRefusal(65305)
    hosts = {urlsplit(one["url"]).hostname for one in _leaves(buttons) if "url" in one}
    if len(hosts) > MOST_DOMAINS:
        raise WeChatRefusal(65316)
    return buttons, {"tag_id": str(rule["tag_id"])}


def _leaves(buttons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [leaf for one in buttons for leaf in (one.get("sub_button") or [one])]


def menu_for(account: Account, tie: Tie | None) -> dict[str, Any]:
    """The menu she sees below her chat: the newest conditional one that fits her, else the default one."""
    worn = {str(tag_id) for tag_id in tie.tag_ids} if tie is not None else set()
    for menu in reversed(account.conditional_menus):
        if menu["matchrule"]["tag_id"] in worn:
            return {"button": menu["button"], "menuid": menu["menuid"]}
    return {"button": account.menu, "menuid": account.menu_id}


def find_button(account: Account, tie: Tie, path: object) -> dict[str, Any] | None:
    """The button at `[column]` or `[column, row]` of her menu that does something when tapped."""
    here: Any = menu_for(account, tie)["button"]
    found: Any = None
    if not isinstance(path, list) or not path:
        return None
    for number in path:
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(here):
            return None
        found = here[number]
        here = found.get("sub_button") or []
    return None if here else found
