"""What WeChat shows beside what we published. Official pages "query menu" and "get the current menu configuration"."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, Literal

from django.utils.translation import gettext as _

from wechat.client.errors import ApiError, UnreadableAnswer, WeChatError
from wechat.client.gateway import GatewayClient
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal
from wechat.services.menu_rules import FIELDS, KINDS, clean_buttons
from wechat.services.menus import find_newest_in_use

NO_MENU: Final = 46003


@dataclasses.dataclass(frozen=True, slots=True)
class MenuDifference:
    """One place where the two are not the same, in words; empty where one of them has nothing."""

    where: str
    ours: str
    theirs: str


@dataclasses.dataclass(frozen=True, slots=True)
class MenuComparison:
    """`same`, `differs` (where: `differences`), `absent` (WeChat has no menu), `console` (the menu was made in WeChat's
    console), or `unpublished` (we have published none). `is_open` is false when menus are switched off. `theirs` are WeChat's
    buttons, `version_number` is ours."""

    state: Literal["same", "differs", "absent", "console", "unpublished"]
    is_open: bool
    theirs: Sequence[dict[str, Any]]
    version_number: int | None = None
    differences: Sequence[MenuDifference] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class _Theirs:
    buttons: list[dict[str, Any]]
    by_tag: dict[str, list[dict[str, Any]]]
    is_from_console: bool
    is_open: bool


def compare_menu(*, account_id: int) -> MenuComparison:
    """Ask WeChat now. Raises NotFound for no active account; WeChatAway or WeChatRefused. Not inside a transaction."""
    try:
        theirs = _read(client_for(account_id))
    except WeChatError as error:
        raise to_refusal(error) from error
    ours = find_newest_in_use(account_id)
    number = ours.number if ours else None
    if theirs.is_from_console and theirs.buttons:
        return MenuComparison("console", theirs.is_open, theirs.buttons, number)
    if not theirs.buttons:
        return MenuComparison("absent" if ours else "unpublished", theirs.is_open, (), number)
    if ours is None:
        return MenuComparison("unpublished", theirs.is_open, theirs.buttons)
    found = _differences(_("默认菜单"), ours.buttons, theirs.buttons)
    wanted = {one["tag_id"]: one for one in ours.conditionals}
    for tag_id in [*wanted, *(tag_id for tag_id in theirs.by_tag if tag_id not in wanted)]:
        mine = wanted.get(tag_id)
        name = (mine["tag_name"] if mine else "") or tag_id
        where = _("个性化菜单「%(name)s」") % {"name": name}
        found += _differences(where, mine["buttons"] if mine else [], theirs.by_tag.get(tag_id, []))
    state: Literal["same", "differs"] = "differs" if found else "same"
    return MenuComparison(state, theirs.is_open, theirs.buttons, number, found)


def _read(client: GatewayClient) -> _Theirs:
    current = client.menu.get_menu_info()
    shown = current.get("selfmenu_info")
    is_open = current.get("is_menu_open") == 1
    try:
        made = client.menu.get()
    except ApiError as error:
        if error.errcode != NO_MENU:
            raise
        buttons = shown.get("button") if isinstance(shown, dict) else None
        return _Theirs(_plain(buttons), {}, is_from_console=True, is_open=is_open)
    menu = made.get("menu")
    if not isinstance(menu, dict) or not isinstance(menu.get("button"), list):
        raise UnreadableAnswer("/cgi-bin/menu/get", errmsg="no menu")
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for one in made.get("conditionalmenu") or []:
        rule = one.get("matchrule") if isinstance(one, dict) else None
        if not isinstance(rule, dict):
            raise UnreadableAnswer("/cgi-bin/menu/get", errmsg="a conditional menu without a rule")
        by_tag.setdefault(str(rule.get("tag_id") or rule.get("group_id") or ""), _plain(one.get("button")))
    return _Theirs(_plain(menu["button"]), by_tag, is_from_console=False, is_open=is_open)


def _plain(buttons: Any) -> list[dict[str, Any]]:
    """One interface wraps what stands below a button in a list of its own."""
    unwrapped = []
    for button in buttons if isinstance(buttons, list) else []:
        below = button.get("sub_button") if isinstance(button, dict) else None
        if isinstance(below, dict):
            button = {**button, "sub_button": below.get("list")}
        unwrapped.append(button)
    return clean_buttons(unwrapped)


def _differences(
    where: str, ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]
) -> list[MenuDifference]:
    mine, others = _places(ours), _places(theirs)
    places = sorted({*mine, *others})
    return [
        MenuDifference(f"{where} · {_place_words(place)}", mine.get(place, ""), others.get(place, ""))
        for place in places
        if mine.get(place) != others.get(place)
    ]


def _places(buttons: Sequence[dict[str, Any]]) -> dict[tuple[int, int], str]:
    """What stands where: (column, 0) is the button at the bottom, (column, n) the n-th above it."""
    found: dict[tuple[int, int], str] = {}
    for column, button in enumerate(buttons, 1):
        found[column, 0] = button_words(button)
        for row, item in enumerate(button.get("sub_button", ()), 1):
            found[column, row] = button_words(item)
    return found


def _place_words(place: tuple[int, int]) -> str:
    column, row = place
    if row == 0:
        return _("第 %(column)s 列") % {"column": column}
    return _("第 %(column)s 列第 %(row)s 项") % {"column": column, "row": row}


def button_words(button: dict[str, Any]) -> str:
    """A button in one line: its name, what it does, with what."""
    if "sub_button" in button:
        return _("%(name)s（子菜单）") % {"name": button["name"]}
    kind = button["type"]
    words = [button["name"], str(KINDS[kind][0]) if kind in KINDS else kind]
    return " · ".join([*words, *(button[field] for field in FIELDS if button.get(field))])
