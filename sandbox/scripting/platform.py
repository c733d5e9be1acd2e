"""The world itself: health, reset, clock, faults, settings, codes, media, the live stream."""

import base64
import re
from dataclasses import asdict
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.errors import ScriptError
from sandbox.faults import CALL_KINDS, PUSH_KINDS, publish_faults, read_fault
from sandbox.models import QrCode
from sandbox.scripting.base import Answer, Ask, Desk

VERDICT = re.compile(r"send success|send fail|err\(\d+\)")
HEALTH: dict[str, Any] = {"ok": True, "stand_in_for": "wechat"}


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScriptError("bad_field", f"{name} 要是数")
    return float(value)


def _clock_routes(desk: Desk) -> list[Route]:
    world = desk.world

    def tell() -> dict[str, Any]:
        return {"now": world.now(), "offset": world.clock.offset}

    async def get_clock(ask: Ask) -> Answer:
        return tell()

    async def move_clock(ask: Ask) -> Answer:
        if ask.body.get("reset") is True:
            world.clock.reset()
        elif "set" in ask.body:
            world.clock.set(_number(ask.body["set"], "set"))
        elif "advance" in ask.body:
            world.clock.advance(_number(ask.body["advance"], "advance"))
        else:
            raise ScriptError("bad_field", "要填 advance、set 或 reset")
        world.hub.publish("clock", tell())
        return tell()

    return [desk.route("GET", "/clock", get_clock), desk.route("POST", "/clock", move_clock)]


def _fault_routes(desk: Desk) -> list[Route]:
    world = desk.world

    async def list_faults(ask: Ask) -> Answer:
        kinds = {"calls": sorted(CALL_KINDS), "pushes": sorted(PUSH_KINDS)}
        return {"faults": [asdict(fault) for fault in world.faults.values()], "kinds": kinds}

    async def add_fault(ask: Ask) -> Answer:
        fault = read_fault(ask.body)
        world.faults[fault.id] = fault
        publish_faults(world)
        return asdict(fault)

    async def remove_faults(ask: Ask) -> Answer:
        world.faults.clear()
        publish_faults(world)
        return {"ok": True}

    async def remove_fault(ask: Ask) -> Answer:
        if world.faults.pop(ask.path("fault_id"), None) is None:
            raise ScriptError("unknown_fault", "没有这个故障", 404)
        publish_faults(world)
        return {"ok": True}

    return [
        desk.route("GET", "/faults", list_faults),
        desk.route("POST", "/faults", add_fault),
        desk.route("DELETE", "/faults", remove_faults),
        desk.route("DELETE", "/faults/{fault_id}", remove_fault),
    ]


def _settings_routes(desk: Desk) -> list[Route]:
    world = desk.world

    async def get_settings(ask: Ask) -> Answer:
        return asdict(world.settings)

    async def change_settings(ask: Ask) -> Answer:
        unknown = ask.body.keys() - vars(world.settings).keys()
        if unknown:
            raise ScriptError("bad_field", f"不认识的设置：{', '.join(sorted(unknown))}")
        delays = ask.body.get("push_retry_delays", world.settings.push_retry_delays)
        if not isinstance(delays, list):
            raise ScriptError("bad_field", "push_retry_delays 要是秒数的列表")
        checked = [_number(delay, "push_retry_delays") for delay in delays]
        timeout = _number(ask.body.get("push_timeout_s", world.settings.push_timeout_s), "push_timeout_s")
        page = ask.body.get("followers_page_size", world.settings.followers_page_size)
        if timeout <= 0 or not isinstance(page, int) or page < 1:
            raise ScriptError("bad_field", "push_timeout_s 和 followers_page_size 要大于 0")
        country_code = ask.body.get("country_code", world.settings.country_code)
        if country_code not in ("text", "number"):
            raise ScriptError("bad_field", 'country_code 要是 "text" 或 "number"')
        repeat = ask.body.get("template_repeat", world.settings.template_repeat)
        if repeat not in ("same", "refused"):
            raise ScriptError("bad_field", 'template_repeat 要是 "same" 或 "refused"')
        verdict = ask.body.get("mass_verdict", world.settings.mass_verdict)
        retry = ask.body.get("mass_retry", world.settings.mass_retry)
        if not isinstance(verdict, str) or not VERDICT.fullmatch(verdict) or retry not in ("known", "slow"):
            raise ScriptError(
                "bad_field",
                'mass_verdict 要是 "send success"、"send fail" 或 "err(数字)"，mass_retry 要是 "known" 或 "slow"',
            )
        world.settings.mass_verdict, world.settings.mass_retry = verdict, retry
        delay = _number(ask.body.get("delivery_delay_s", world.settings.delivery_delay_s), "delivery_delay_s")
        world.settings.template_repeat, world.settings.delivery_delay_s = repeat, delay
        world.settings.country_code = country_code
        world.settings.push_retry_delays = checked
        world.settings.push_timeout_s = timeout
        world.settings.followers_page_size = page
        return asdict(world.settings)

    return [desk.route("GET", "/settings", get_settings), desk.route("PATCH", "/settings", change_settings)]


def _code_routes(desk: Desk) -> list[Route]:
    world = desk.world

    def show(code: QrCode) -> dict[str, Any]:
        is_expired = code.expires_at is not None and code.expires_at <= world.now()
        return {**asdict(code), "is_expired": is_expired}

    async def list_codes(ask: Ask) -> Answer:
        """Newest first; `q` looks into the scene, `limit` cuts."""
        query = ask.request.query_params
        rows = [code for code in world.codes.values() if query.get("app_id") in (None, code.app_id)]
        rows = [code for code in reversed(rows) if query.get("q", "") in code.scene]
        return {"total": len(rows), "codes": [show(code) for code in rows[: ask.number("limit", 60)]]}

    async def show_media(ask: Ask) -> Answer:
        media = world.media.get(ask.path("media_id"))
        if media is None:
            raise ScriptError("unknown_media", "没有这个素材", 404)
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return Response(base64.b64decode(media.data_base64), media_type=media.content_type, headers=headers)

    return [desk.route("GET", "/codes", list_codes), desk.route("GET", "/media/{media_id}", show_media)]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    world = desk.world

    async def health(ask: Ask) -> Answer:
        return HEALTH

    async def reset(ask: Ask) -> Answer:
        await desk.postman.stop()
        settings = world.settings
        world.wipe()
        if ask.body.get("keep_settings") is True:
            world.settings = settings
        world.hub.publish("reload", {})
        return {"ok": True}

    async def stream(ask: Ask) -> Answer:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(world.hub.listen(), media_type="text/event-stream", headers=headers)

    return [
        desk.route("GET", "/health", health),
        desk.route("POST", "/reset", reset),
        desk.route("GET", "/stream", stream),
        *_clock_routes(desk),
        *_fault_routes(desk),
        *_settings_routes(desk),
        *_code_routes(desk),
    ]
