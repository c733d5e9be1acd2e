"""Things that go wrong on demand, in calls to us and in pushes from us."""

import asyncio
import random
import secrets
from typing import Any

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.errors import ScriptError, WeChatRefusal
from sandbox.models import Fault
from sandbox.state import World

CALL_KINDS = {
    "slow",
    "http_500",
    "html",
    "busy",
    "token_dead",
    "quota",
    "too_often",
    "drop",
    "accept_then_drop",
    "undelivered",  # a message is taken, and later said not to have arrived
}
PUSH_KINDS = {"slow", "drop", "accept_then_drop", "duplicate", "hold", "same_second"}
ERRCODES = {"busy": -1, "token_dead": 40001, "quota": 45009, "too_often": 45011}
HTML_PAGE = (
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>系统繁忙，请稍后再试</body></html>"
)


def _number(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ScriptError("bad_field", f"{name} 要是不小于 0 的数")
    return float(value)


def read_fault(body: dict[str, Any]) -> Fault:
    """Build a fault from a request body, refusing what could never fire."""
    target, kind, times = body.get("target"), body.get("kind"), body.get("times")
    if target not in ("calls", "pushes"):
        raise ScriptError("bad_field", 'target 要是 "calls" 或 "pushes"')
    kinds = CALL_KINDS if target == "calls" else PUSH_KINDS
    if kind not in kinds:
        raise ScriptError("bad_field", f"kind 要是其中之一：{', '.join(sorted(kinds))}")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise ScriptError("bad_field", "times 要是正整数或 null")
    probability = _number(body, "probability", 1.0)
    if probability > 1:
        raise ScriptError("bad_field", "probability 要在 0 和 1 之间")
    return Fault(
        id=secrets.token_hex(4),
        target=str(target),
        kind=str(kind),
        path=str(body.get("path") or "*"),
        app_id=body.get("app_id"),
        delay_s=_number(body, "delay_s", 8.0 if kind == "slow" else 0.0),
        times=times,
        probability=probability,
    )


def draw_fault(world: World, target: str, path: str, app_id: str) -> Fault | None:
    """Return the first fault that strikes now and count it; exhausted faults disappear."""
    for fault in list(world.faults.values()):
        if fault.target != target or fault.path not in ("*", path):
            continue
        if fault.app_id is not None and fault.app_id != app_id:
            continue
        if fault.probability < 1 and random.random() >= fault.probability:
            continue
        fault.fired += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del world.faults[fault.id]
        publish_faults(world)
        return fault
    return None


def publish_faults(world: World) -> None:
    """Show the consoles which faults are set."""
    world.touch()
    world.hub.publish("faults", [vars(fault) for fault in world.faults.values()])


async def pause(world: World, seconds: float) -> None:
    """Wait in real time, but not beyond the end of the process."""
    try:
        await asyncio.wait_for(world.closing.wait(), seconds)
    except TimeoutError:
        return


class DroppedConnection(Response):
    """Closes the connection without an answer, as a broken network does."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Abort the transport under this request; where that is hidden, break off in mid-answer."""
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
            await receive()
            await asyncio.sleep(0.01)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})


def answer_of(fault: Fault) -> Response | None:
    """Return what is answered instead of doing the work; None when the work is done all the same."""
    if fault.kind == "http_500":
        return PlainTextResponse("Internal Server Error", 500)
    if fault.kind == "html":
        return HTMLResponse(HTML_PAGE)
    if fault.kind == "drop":
        return DroppedConnection()
    if fault.kind in ERRCODES:
        raise WeChatRefusal(ERRCODES[fault.kind])
    return None
