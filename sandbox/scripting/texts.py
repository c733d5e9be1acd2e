"""The provider of text messages, from the outside: its keys, and what arrived on phones."""

from dataclasses import asdict
from typing import Any

from starlette.routing import Route

from sandbox.errors import ScriptError
from sandbox.models import SmsAccount
from sandbox.scripting.base import Answer, Ask, Desk
from sandbox.smsreports import report_reply


def _words(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ScriptError("bad_field", f"{name} 要是文字的列表")
    return value


def _numbered(value: object, name: str) -> dict[str, str]:
    is_table = isinstance(value, dict) and all(
        isinstance(text, str) and text and key.isdigit() for key, text in value.items()
    )
    if not is_table or not isinstance(value, dict):
        raise ScriptError("bad_field", f"{name} 要是 {{数字编号: 文字}}")
    return value


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ScriptError("bad_field", f"{name} 要是不小于 0 的整数")
    return value


def _account(key_id: str, body: dict[str, Any]) -> SmsAccount:
    secret, app_id = body.get("key_secret"), body.get("app_id")
    if not isinstance(secret, str) or not secret or not isinstance(app_id, str) or not app_id:
        raise ScriptError("bad_field", "key_secret 和 app_id 要填")
    return SmsAccount(
        key_id,
        secret,
        app_id,
        _numbered(body.get("signs"), "signs"),
        _numbered(body.get("templates"), "templates"),
        rejected=_words(body.get("rejected", []), "rejected"),
        param_limit=_count(body.get("param_limit", 20), "param_limit"),
        pace_s=_count(body.get("pace_s", 0), "pace_s"),
        balance=None if body.get("balance") is None else _count(body["balance"], "balance"),
        blacklist=_words(body.get("blacklist", []), "blacklist"),
        dead=_words(body.get("dead", []), "dead"),
        callback_url=str(body.get("callback_url", "")),
    )


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    world = desk.world

    async def put_key(ask: Ask) -> Answer:
        account = _account(ask.path("key_id"), ask.body)
        world.sms_keys[account.key_id] = account
        world.touch()
        return {"key_id": account.key_id, "signs": account.signs, "templates": account.templates}

    async def answer_text(ask: Ask) -> Answer:
        """She answers a text."""
        account = world.sms_keys.get(ask.path("key_id"))
        phone, text = ask.body.get("phone"), ask.body.get("text")
        if account is None:
            raise ScriptError("unknown_account", "没有这个短信账号", 404)
        if not isinstance(phone, str) or not isinstance(text, str):
            raise ScriptError("bad_field", "phone 和 text 要是文字")
        report_reply(world, desk.postman, account, phone, text)
        return {"outcome": "answered"}

    def newest(phone: str | None, limit: int) -> dict[str, Any]:
        rows = [text for text in reversed(world.texts.values()) if phone in (None, text.phone)]
        return {"texts": [asdict(text) for text in rows[:limit]]}

    async def list_texts(ask: Ask) -> Answer:
        """Newest first; `phone` narrows."""
        return newest(ask.request.query_params.get("phone"), ask.number("limit", 100))

    async def list_hers(ask: Ask) -> Answer:
        return newest(world.person(ask.path("person_id")).phone, ask.number("limit", 100))

    return [
        desk.route("PUT", "/sms/{key_id}", put_key),
        desk.route("POST", "/sms/{key_id}/reply", answer_text),
        desk.route("GET", "/texts", list_texts),
        desk.route("GET", "/people/{person_id}/texts", list_hers),
    ]
