"""What WeChat takes as a custom menu, said in a marketer's words. Official pages "create menu", "conditional menus"."""

import dataclasses
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MOST_COLUMNS: Final = 3
MOST_BELOW: Final = 5
TOP_NAME_BYTES: Final = 16
BELOW_NAME_BYTES: Final = 60
KEY_BYTES: Final = 128
URL_BYTES: Final = 1024
PAGE_BYTES: Final = 512
MEDIA_BYTES: Final = 128
# WeChat takes about 20. Publishing adds the new ones before it removes the old, so that nobody is without hers meanwhile.
MOST_CONDITIONALS: Final = 10
MOST_DOMAINS: Final = 3

# What each kind of button needs, in the order in which it is asked.
KINDS: Final[dict[str, tuple[Any, tuple[str, ...]]]] = {
    "view": (gettext_lazy("打开网页"), ("url",)),
    "click": (gettext_lazy("点击后自动回复"), ("key",)),
    "miniprogram": (gettext_lazy("打开小程序"), ("appid", "pagepath", "url")),
    "scancode_push": (gettext_lazy("扫码后打开结果"), ("key",)),
    "scancode_waitmsg": (gettext_lazy("扫码后等待回复"), ("key",)),
    "pic_sysphoto": (gettext_lazy("拍照发图"), ("key",)),
    "pic_photo_or_album": (gettext_lazy("拍照或从相册选图"), ("key",)),
    "pic_weixin": (gettext_lazy("从相册选图"), ("key",)),
    "location_select": (gettext_lazy("发送位置"), ("key",)),
    "media_id": (gettext_lazy("发送素材"), ("media_id",)),
    "article_id": (gettext_lazy("发送文章"), ("article_id",)),
    "article_view_limited": (gettext_lazy("打开文章"), ("article_id",)),
}
FIELDS: Final[dict[str, tuple[Any, int]]] = {
    "url": (gettext_lazy("网址"), URL_BYTES),
    "key": (gettext_lazy("菜单标识"), KEY_BYTES),
    "appid": (gettext_lazy("小程序 AppID"), 40),
    "pagepath": (gettext_lazy("小程序页面"), PAGE_BYTES),
    "media_id": (gettext_lazy("素材 ID"), MEDIA_BYTES),
    "article_id": (gettext_lazy("文章 ID"), MEDIA_BYTES),
}
_APP_ID: Final = re.compile(r"wx[0-9a-zA-Z]{6,38}")


@dataclasses.dataclass(frozen=True, slots=True)
class MenuProblem:
    """What is wrong where. `menu` is 0 for the default menu, else the conditional menu's number from 1; `path` leads to the
    button (`[column]`, `[column, row]`, `[]` for the menu itself); `code` is stable."""

    menu: int
    path: tuple[int, ...]
    field: str
    code: str
    message: str

    def as_details(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self) | {"path": list(self.path)}


Found = tuple[str, str, str]  # field, code, message


def clean_buttons(buttons: Any) -> list[dict[str, Any]]:
    """The buttons with nothing but what WeChat reads; whatever has no button's form becomes one without a kind."""
    return [_clean(button, is_top=True) for button in buttons] if isinstance(buttons, list) else []


def clean_conditionals(conditionals: Any) -> list[dict[str, Any]]:
    """The conditional menus with tag and buttons only."""
    if not isinstance(conditionals, list):
        return []
    return [
        {
            "tag_id": _text(one, "tag_id"),
            "tag_name": _text(one, "tag_name")[:30],
            "buttons": clean_buttons(one.get("buttons") if isinstance(one, dict) else None),
        }
        for one in conditionals
    ]


def _clean(button: Any, *, is_top: bool) -> dict[str, Any]:
    if not isinstance(button, dict):
        return {"type": "", "name": ""}
    made: dict[str, Any] = {"name": _text(button, "name")}
    below = button.get("sub_button")
    if is_top and isinstance(below, list) and below:
        return made | {"sub_button": [_clean(item, is_top=False) for item in below]}
    kind = _text(button, "type")
    needs = KINDS[kind][1] if kind in KINDS else ()
    return {"type": kind, **made, **{need: _text(button, need) for need in needs}}


def _text(source: Any, name: str) -> str:
    """NUL and halves of surrogate pairs go: the database has no place for them, and WeChat no picture."""
    value = source.get(name) if isinstance(source, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return "".join(sign for sign in value if unicodedata.category(sign) not in ("Cc", "Cs")).strip()


def find_problems(
    buttons: Sequence[dict[str, Any]], conditionals: Sequence[dict[str, Any]]
) -> list[MenuProblem]:
    """Everything WeChat would refuse in cleaned menus, in the order in which they are seen."""
    found = list(_of_menu(0, buttons))
    if len(conditionals) > MOST_CONDITIONALS:
        words = _("个性化菜单最多 %(most)s 个，现在有 %(count)s 个")
        count = {"most": MOST_CONDITIONALS, "count": len(conditionals)}
        found.append(MenuProblem(0, (), "conditionals", "too_many_conditionals", words % count))
    seen: set[str] = set()
    for number, one in enumerate(conditionals, 1):
        found += [MenuProblem(number, (), *problem) for problem in _of_tag(one["tag_id"], seen)]
        seen.add(one["tag_id"])
        found += _of_menu(number, one["buttons"])
        hosts = {urlsplit_host(leaf["url"]) for leaf in leaves(one["buttons"]) if leaf.get("url")}
        if len(hosts) > MOST_DOMAINS:
            words = _("一个个性化菜单里的网址最多用 %(most)s 个域名，现在有 %(count)s 个")
            count = {"most": MOST_DOMAINS, "count": len(hosts)}
            found.append(MenuProblem(number, (), "buttons", "too_many_domains", words % count))
    return found


def leaves(buttons: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The buttons that do something when tapped."""
    for button in buttons:
        yield from button.get("sub_button") or [button]


def urlsplit_host(url: str) -> str:
    """The host of an address, empty for one that is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _of_tag(tag_id: str, seen: set[str]) -> Iterator[Found]:
    if not tag_id.isascii() or not tag_id.isdecimal() or len(tag_id) > 10:
        yield "tag_id", "tag_missing", _("请填写微信粉丝标签的编号（数字）")
    elif tag_id in seen:
        yield "tag_id", "tag_twice", _("这个标签前面已经有一个菜单了，后面的不会有人看到")


def _of_menu(number: int, buttons: Sequence[dict[str, Any]]) -> Iterator[MenuProblem]:
    if not buttons:
        yield MenuProblem(number, (), "buttons", "no_buttons", _("至少要有一个菜单"))
    if len(buttons) > MOST_COLUMNS:
        words = _("一级菜单最多 %(most)s 个，现在有 %(count)s 个") % {
            "most": MOST_COLUMNS,
            "count": len(buttons),
        }
        yield MenuProblem(number, (), "buttons", "too_many_buttons", words)
    for column, button in enumerate(buttons):
        below = button.get("sub_button")
        problems = _of_name(button["name"], TOP_NAME_BYTES, 5)
        yield from (MenuProblem(number, (column,), *problem) for problem in problems)
        if below is None:
            yield from (MenuProblem(number, (column,), *problem) for problem in _of_deed(button))
            continue
        if len(below) > MOST_BELOW:
            words = _("子菜单最多 %(most)s 个，现在有 %(count)s 个") % {
                "most": MOST_BELOW,
                "count": len(below),
            }
            yield MenuProblem(number, (column,), "sub_button", "too_many_below", words)
        for row, item in enumerate(below):
            for problem in (*_of_name(item["name"], BELOW_NAME_BYTES, 20), *_of_deed(item)):
                yield MenuProblem(number, (column, row), *problem)


def _of_name(name: str, most_bytes: int, most_signs: int) -> Iterator[Found]:
    length = len(name.encode())
    if not name:
        yield "name", "name_missing", _("请填写菜单名称")
    elif length > most_bytes:
        words = _("名称最多 %(signs)s 个汉字（%(most)s 字节），现在是 %(length)s 字节")
        yield "name", "name_too_long", words % {"signs": most_signs, "most": most_bytes, "length": length}


def _of_deed(button: dict[str, Any]) -> Iterator[Found]:
    if button["type"] not in KINDS:
        yield "type", "kind_missing", _("请选择点了以后做什么")
        return
    for field in KINDS[button["type"]][1]:
        label, most = FIELDS[field]
        value = button[field]
        length = len(value.encode())
        if not value:
            yield field, f"{field}_missing", _("请填写%(label)s") % {"label": label}
        elif length > most:
            words = _("%(label)s最多 %(most)s 字节，现在是 %(length)s 字节")
            yield field, f"{field}_too_long", words % {"label": label, "most": most, "length": length}
        elif field == "url" and not (value.startswith(("https://", "http://")) and urlsplit_host(value)):
            yield field, "url_unfit", _("网址要以 https:// 或 http:// 开头，后面是域名")
        elif field == "appid" and not _APP_ID.fullmatch(value):
            yield field, "appid_unfit", _("小程序 AppID 以 wx 开头，可在小程序后台「开发设置」里复制")
