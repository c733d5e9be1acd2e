"""Custom menus: official pages "create menu", "query menu", "delete menu", "conditional menus"."""

from sandbox import menus
from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal
from sandbox.models import Account

FIRST_MENU_ID = 400_000_000


def _new_id(call: Call) -> str:
    return str(FIRST_MENU_ID + call.world.serial("menu"))


def create_menu(call: Call) -> Answer:
    """Replace the account's default menu; the conditional ones stay."""
    buttons = menus.check_menu(call.json().get("button"))
    call.account.menu, call.account.menu_id = buttons, _new_id(call)
    call.world.hub.publish("accounts", {})
    return OK


def get_menu(call: Call) -> Answer:
    """The menu as it was created through the API, 46003 when there is none."""
    account = call.account
    if not account.menu:
        raise WeChatRefusal(46003)
    answer: dict[str, object] = {"menu": {"button": account.menu, "menuid": account.menu_id}}
    if account.conditional_menus:
        answer["conditionalmenu"] = list(reversed(account.conditional_menus))
    return answer


def get_current_menu(call: Call) -> Answer:
    """The menu that is shown, also one made in the platform's console; sub-buttons come wrapped in a list."""
    shown = [
        {"name": one["name"], "sub_button": {"list": one["sub_button"]}} if one.get("sub_button") else one
        for one in call.account.menu or call.account.console_menu
    ]
    return {"is_menu_open": 1 if shown else 0, "selfmenu_info": {"button": shown}}


def delete_menu(call: Call) -> Answer:
    """Remove the default menu and every conditional one."""
    call.account.menu, call.account.menu_id = [], ""
    call.account.conditional_menus = []
    call.world.hub.publish("accounts", {})
    return OK


def add_conditional(call: Call) -> Answer:
    """One more conditional menu; it is tried before those there are."""
    buttons, rule = menus.check_conditional(call.account, call.json())
    menu_id = _new_id(call)
    call.account.conditional_menus.append({"button": buttons, "matchrule": rule, "menuid": menu_id})
    call.world.hub.publish("accounts", {})
    return {"menuid": menu_id}


def delete_conditional(call: Call) -> Answer:
    """Remove one conditional menu."""
    menu_id = str(call.json().get("menuid") or "")
    kept = [menu for menu in call.account.conditional_menus if menu["menuid"] != menu_id]
    if len(kept) == len(call.account.conditional_menus):
        raise WeChatRefusal(65301)
    call.account.conditional_menus = kept
    call.world.hub.publish("accounts", {})
    return OK


def try_match(call: Call) -> Answer:
    """The menu a person sees."""
    account: Account = call.account
    if not account.menu:
        raise WeChatRefusal(65303)
    person = call.world.person_by_openid(account.app_id, call.json().get("user_id"))
    if person is None:
        raise WeChatRefusal(40003)
    return {"button": menus.menu_for(account, person.ties.get(account.app_id))["button"]}


ENDPOINTS = [
    Endpoint("/cgi-bin/menu/create", create_menu, "POST", is_official_only=True),
    Endpoint("/cgi-bin/menu/get", get_menu, "GET", is_official_only=True),
    Endpoint("/cgi-bin/get_current_selfmenu_info", get_current_menu, "GET", is_official_only=True),
    Endpoint("/cgi-bin/menu/delete", delete_menu, "GET", is_official_only=True),
    Endpoint("/cgi-bin/menu/addconditional", add_conditional, "POST", is_official_only=True),
    Endpoint("/cgi-bin/menu/delconditional", delete_conditional, "POST", is_official_only=True),
    Endpoint("/cgi-bin/menu/trymatch", try_match, "POST", is_official_only=True),
]
