"""The provider of text messages, from the outside: its keys, and what arrived on phones."""

from dataclasses import asdict
from typing import Any

from starlette.routing import Route

from sandbox.errors import ScriptError
from sandbox.models import SmsAccount
from sandbox.scripting.base import Answer, Ask, Desk


def _words(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ScriptError("bad_field", f"{name} 要是文字的列表")
    return value


def _templates(value: object) -> dict[str, str]:
    is_table = isinstance(value, dict) and all(isinstance(text, str) and text for text in value.values())
    if not is_table or not isinstance(value, dict):
        raise ScriptError("bad_field", "templates 要是 {模板号: 文字}")
    return value


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    world = desk.world

    async def put_key(ask: Ask) -> Answer:
        secret = ask.body.get("key_secret")
        if not isinstance(secret, str) or not secret:
            raise ScriptError("bad_field", "key_secret 要填")
        account = SmsAccount(
            ask.path("key_id"),
            secret,
            _words(ask.body.get("signs"), "signs"),
            _templates(ask.body.get("templates")),
        )
        world.sms_accounts[account.key_id] = account
        return {"key_id": account.key_id, "signs": account.signs, "templates": account.templates}

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
        desk.route("GET", "/texts", list_texts),
        desk.route("GET", "/people/{person_id}/texts", list_hers),
    ]
