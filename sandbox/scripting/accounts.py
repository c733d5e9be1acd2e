"""Accounts: what an operator sets in the platform's own console."""

from dataclasses import asdict, fields
from typing import Any

from starlette.routing import Route

from sandbox import mass, rawpushes, regulars
from sandbox.crypto import CryptoError, decode_key
from sandbox.errors import ScriptError
from sandbox.models import Account
from sandbox.scripting.base import Answer, Ask, Desk
from sandbox.tokens import kill_tokens

CHOICES = {
    "kind": ("official", "mini_program"),
    "mode": ("plain", "compatible", "safe"),
    "format": ("xml", "json"),
}
TEXTS = ("name", "app_secret", "original_id", "token", "callback_url", "api_url")
NUMBERS = ("token_lifetime", "permanent_qr_limit")
OPTIONAL_NUMBERS = ("sends_per_minute", "crowd")
OPTIONAL_TEXTS = ("open_platform", "previous_aes_key")
LISTS = ("oauth_domains", "ip_whitelist", "pages", "crowd_gone", "goods")
SETTABLE = {
    *CHOICES,
    *TEXTS,
    *NUMBERS,
    *OPTIONAL_NUMBERS,
    *OPTIONAL_TEXTS,
    *LISTS,
    "aes_key",
    "quota",
    "menu",
    "console_menu",
}
# What replacing the configuration leaves alone unless it is given.
KEPT = {"menu", "console_menu"}
INTERNAL = {"tokens", "forced_refreshes", "hands_out_killed_token", "quota_used", "quota_day"}
INTERNAL |= {"quota_clears", "tickets", "picture_minute", "pictures_drawn"}
INTERNAL |= {"drafts", "masses", "mass_keys", "mass_month", "mass_made", "mass_speed"}
INTERNAL |= {"templates", "sends_minute", "sends_made", "sent_keys"}


def _check_key(value: object, name: str) -> None:
    try:
        decode_key(value if isinstance(value, str) else "")
    except CryptoError as error:
        raise ScriptError("bad_field", f"{name} 要是 43 位的 EncodingAESKey") from error


def _is_no_number(value: Any) -> bool:
    return isinstance(value, bool) or not isinstance(value, int) or value < 1


def _check_optional(name: str, value: Any) -> None:
    if name in OPTIONAL_NUMBERS and _is_no_number(value):
        raise ScriptError("bad_field", f"{name} 要是正整数或 null")
    if name in OPTIONAL_TEXTS and not isinstance(value, str):
        raise ScriptError("bad_field", f"{name} 要是文字或 null")
    if name in LISTS and not isinstance(value, list):
        raise ScriptError("bad_field", f"{name} 要是列表或 null")


def _check(name: str, value: Any) -> None:
    """Refuse what the platform's console would not let one save."""
    if name in CHOICES and value not in CHOICES[name]:
        raise ScriptError("bad_field", f"{name} 要是其中之一：{', '.join(CHOICES[name])}")
    if name in TEXTS and not isinstance(value, str):
        raise ScriptError("bad_field", f"{name} 要是文字")
    if name in NUMBERS and _is_no_number(value):
        raise ScriptError("bad_field", f"{name} 要是正整数")
    if value is not None:
        _check_optional(name, value)
    if name == "quota" and (
        not isinstance(value, dict) or not all(isinstance(limit, int) for limit in value.values())
    ):
        raise ScriptError("bad_field", "quota 要是 {路径: 每日次数}")
    if name == "aes_key" and value != "":
        _check_key(value, name)
    if name == "previous_aes_key" and value:
        _check_key(value, name)
    if name in ("menu", "console_menu") and not isinstance(value, list):
        raise ScriptError("bad_field", f"{name} 要是按钮的列表")


def change_account(account: Account, changes: dict[str, Any]) -> None:
    """Check all changes, then apply them. Unknown names are refused: a typing slip should not pass."""
    unknown = changes.keys() - SETTABLE - {"app_id"}
    if unknown:
        raise ScriptError("bad_field", f"不认识的字段：{', '.join(sorted(unknown))}")
    for name, value in changes.items():
        if name != "app_id":
            _check(name, value)
    merged = {**{name: getattr(account, name) for name in SETTABLE}, **changes}
    if merged["mode"] != "plain" and not merged["aes_key"]:
        raise ScriptError("bad_field", "兼容模式和安全模式要填 aes_key")
    for name, value in changes.items():
        if name != "app_id":
            setattr(account, name, value)


def describe(account: Account) -> dict[str, Any]:
    """Return the account as configured. Secrets included: the sandbox's own operator sets them."""
    return {name: value for name, value in asdict(account).items() if name not in INTERNAL}


ONE = "/accounts/{app_id}"


def _settings_routes(desk: Desk) -> list[Route]:
    world = desk.world

    async def list_accounts(ask: Ask) -> Answer:
        return {"accounts": [describe(account) for account in world.accounts.values()]}

    async def get_account(ask: Ask) -> Answer:
        return describe(world.account(ask.path("app_id")))

    async def put_account(ask: Ask) -> Answer:
        app_id = ask.path("app_id")
        known = world.accounts.get(app_id)
        fresh = Account(app_id, app_id)
        change_account(fresh, ask.body)
        if known is None:
            world.add_account(fresh)
            known = fresh
        else:
            for item in fields(fresh):
                if item.name in SETTABLE and (item.name in ask.body or item.name not in KEPT):
                    setattr(known, item.name, getattr(fresh, item.name))
        world.hub.publish("accounts", {})
        return describe(known)

    async def patch_account(ask: Ask) -> Answer:
        account = world.account(ask.path("app_id"))
        change_account(account, ask.body)
        world.hub.publish("accounts", {})
        return describe(account)

    return [
        desk.route("GET", "/accounts", list_accounts),
        desk.route("GET", ONE, get_account),
        desk.route("PUT", ONE, put_account),
        desk.route("PATCH", ONE, patch_account),
    ]


def _deed_routes(desk: Desk) -> list[Route]:
    world = desk.world

    async def verify(ask: Ask) -> Answer:
        return await rawpushes.verify_url(world, desk.postman, world.account(ask.path("app_id")))

    async def rotate(ask: Ask) -> Answer:
        account = world.account(ask.path("app_id"))
        _check_key(ask.body.get("aes_key"), "aes_key")
        grace = ask.body.get("grace_pushes")
        if grace is not None and (isinstance(grace, bool) or not isinstance(grace, int) or grace < 0):
            raise ScriptError("bad_field", "grace_pushes 要是不小于 0 的整数，或不填")
        account.previous_aes_key, account.aes_key = account.aes_key, ask.body["aes_key"]
        account.old_key_pushes = grace
        world.hub.publish("accounts", {})
        return describe(account)

    async def finish_rotation(ask: Ask) -> Answer:
        account = world.account(ask.path("app_id"))
        account.old_key_pushes = 0
        world.hub.publish("accounts", {})
        return describe(account)

    async def put_drafts(ask: Ask) -> Answer:
        account = world.account(ask.path("app_id"))
        account.drafts = mass.read_drafts(ask.body.get("drafts"))
        return {"drafts": account.drafts}

    async def put_followers(ask: Ask) -> Answer:
        account = world.account(ask.path("app_id"))
        added = regulars.add_regulars(world, account, ask.body.get("tags"), ask.body.get("followers"))
        return {"added": added, **regulars.describe_rows(world, account)}

    async def kill(ask: Ask) -> Answer:
        account = world.account(ask.path("app_id"))
        return {"killed": kill_tokens(world, account, is_sticky=ask.body.get("sticky") is True)}

    return [
        desk.route("POST", ONE + "/verify-url", verify),
        desk.route("POST", ONE + "/rotate-key", rotate),
        desk.route("POST", ONE + "/rotate-key/finish", finish_rotation),
        desk.route("POST", ONE + "/kill-tokens", kill),
        desk.route("PUT", ONE + "/drafts", put_drafts),
        desk.route("PUT", ONE + "/followers", put_followers),
    ]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    return [*_settings_routes(desk), *_deed_routes(desk)]
