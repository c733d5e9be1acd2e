"""Shared by the scripting API: reading bodies, refusing politely, guarding against other web pages."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.errors import ScriptError
from sandbox.people import Script
from sandbox.pushes import Postman
from sandbox.state import World


@dataclass
class Ask:
    """One request to the scripting API."""

    request: Request
    body: dict[str, Any] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def number(self, name: str, default: int) -> int:
        """Return a number from the query."""
        value = self.request.query_params.get(name, "")
        return int(value) if value.isdigit() else default


Answer = dict[str, Any] | list[Any] | Response


def _same_origin(request: Request) -> bool:
    """Tell whether a browser sent this from our own console; programs send no Origin."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _read(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ScriptError("bad_json", "请求体不是 JSON") from error
    if not isinstance(body, dict):
        raise ScriptError("bad_json", "请求体要是 JSON 对象")
    return body


class Desk:
    """Binds handlers to paths."""

    def __init__(self, world: World, postman: Postman) -> None:
        self.world = world
        self.postman = postman

    def route(self, method: str, path: str, handler: Callable[[Ask], Awaitable[Answer]]) -> Route:
        """Return a route that answers in JSON and turns ScriptError into a 4xx."""

        async def view(request: Request) -> Response:
            try:
                if not _same_origin(request):
                    raise ScriptError("foreign_page", "这个请求来自别的网页", 403)
                answer = await handler(Ask(request, await _read(request)))
            except ScriptError as error:
                return JSONResponse({"error": error.code, "message": error.message}, error.status)
            if method != "GET":
                self.world.touch()
            return answer if isinstance(answer, Response) else JSONResponse(answer)

        return Route("/_" + path, view, methods=[method])


def read_script(body: dict[str, Any]) -> Script:
    """Read the `script` option of an act."""
    raw = body.get("script") or {}
    if not isinstance(raw, dict):
        raise ScriptError("bad_field", "script 要是 JSON 对象")
    copies, repeats, moment = raw.get("copies", 1), raw.get("repeat_after_s", []), raw.get("create_time")
    if isinstance(copies, bool) or not isinstance(copies, int) or not 1 <= copies <= 1000:
        raise ScriptError("bad_field", "copies 要在 1 和 1000 之间")
    if not isinstance(repeats, list) or not all(
        isinstance(item, int | float) and item >= 0 for item in repeats
    ):
        raise ScriptError("bad_field", "repeat_after_s 要是秒数的列表")
    if moment is not None and (isinstance(moment, bool) or not isinstance(moment, int)):
        raise ScriptError("bad_field", "create_time 要是整数秒")
    return Script(copies, [float(item) for item in repeats], moment, raw.get("hold") is True)
