"""Pushes by hand: arbitrary events, bad ones, release of held ones, and the two logs."""

import asyncio
from dataclasses import asdict
from typing import Any

from starlette.routing import Route

from sandbox.errors import ScriptError
from sandbox.people import send_scripted
from sandbox.rawpushes import Mutator, send_raw
from sandbox.scripting.base import Answer, Ask, Desk, read_script

SAMPLE = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}
LONGEST_PAGE = 1000


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    fields = body.get("fields", body.get("body", SAMPLE))
    if not isinstance(fields, dict):
        raise ScriptError("bad_field", "fields 要是 JSON 对象")
    return dict(fields)


def _openid(body: dict[str, Any]) -> str:
    openid = body.get("openid", "")
    if not isinstance(openid, str):
        raise ScriptError("bad_field", "openid 要是文字")
    return openid


def _log_routes(desk: Desk) -> list[Route]:
    world = desk.world

    async def list_pushes(ask: Ask) -> Answer:
        after, limit = ask.number("after", 0), min(ask.number("limit", 200), LONGEST_PAGE)
        rows = [push for push in world.pushes if push.id > after]
        rows = rows[:limit] if after else rows[-limit:]
        return {"pushes": [asdict(push) for push in rows]}

    async def list_calls(ask: Ask) -> Answer:
        after, limit = ask.number("after", 0), min(ask.number("limit", 200), LONGEST_PAGE)
        rows = [call for call in world.calls if call.id > after]
        rows = rows[:limit] if after else rows[-limit:]
        return {"calls": [asdict(call) for call in rows]}

    return [desk.route("GET", "/pushes", list_pushes), desk.route("GET", "/calls", list_calls)]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    world, postman = desk.world, desk.postman

    async def push(ask: Ask) -> Answer:
        account = world.account(ask.body.get("app_id"))
        openid, script = _openid(ask.body), read_script(ask.body)
        person = world.person_by_openid(account.app_id, openid)
        fields = _fields(ask.body)
        made = [postman.make(account, person, openid, fields, create_time=script.create_time)]
        waits = ask.body.get("wait", True) is not False
        await send_scripted(world, postman, made, script, waits=waits)
        return {"outcome": "pushed", "pushes": [asdict(item) for item in made]}

    async def push_raw(ask: Ask) -> Answer:
        account = world.account(ask.body.get("app_id"))
        openid = _openid(ask.body) or "oSandboxStranger000000000000"
        head = {
            "ToUserName": account.original_id,
            "FromUserName": openid,
            "CreateTime": int(world.now()),
        }
        mutator = Mutator(world, account, {**head, **_fields(ask.body)}, openid)
        return await send_raw(postman, mutator, str(ask.body.get("mutate")))

    async def release(ask: Ask) -> Answer:
        order = ask.body.get("order", "forward")
        if order not in ("forward", "reverse"):
            raise ScriptError("bad_field", 'order 要是 "forward" 或 "reverse"')
        held = [item for item in world.pushes if item.status == "held"]
        if order == "reverse":
            held.reverse()
        for item in held:
            item.status = "pending"
            world.publish_push(item)

        async def one_by_one() -> None:
            for item in held:
                await asyncio.wait(postman.post([item]))

        waiting = asyncio.create_task(one_by_one())
        if ask.body.get("wait", True) is not False:
            await waiting
        return {"pushes": [asdict(item) for item in held]}

    return [
        desk.route("POST", "/push", push),
        desk.route("POST", "/push-raw", push_raw),
        desk.route("POST", "/pushes/release", release),
        *_log_routes(desk),
    ]
