"""Putting the stand-in together: one Starlette application, one process, all state in memory."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import apis, scripting
from sandbox.console import routes as console_routes
from sandbox.persistence import StateFile
from sandbox.pushes import Postman
from sandbox.state import World


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can be meant by the name."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class LoopbackOnly:
    """Answers only requests addressed to this machine, so that no web page can rebind a name to us."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a Host header that is not a loopback name."""
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            name = host if host.endswith("]") else host.rsplit(":", 1)[0]
            if not is_loopback(name.strip("[]")):
                await send({"type": "http.response.start", "status": 421, "headers": []})
                await send({"type": "http.response.body", "body": b"sandbox: not this machine's address\n"})
                return
        await self.app(scope, receive, send)


async def close(world: World, postman: Postman) -> None:
    """End streams, waits and pushes at once."""
    world.closing.set()
    world.hub.close()
    await postman.close()


def create_app(world: World, postman: Postman, *, state: Path | None, is_remote_allowed: bool) -> ASGIApp:
    """Return the ASGI application."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        keeper = None
        file = StateFile(world, state) if state else None
        if file is not None:
            file.load()
            keeper = asyncio.create_task(file.keep_saving())
        yield
        await close(world, postman)
        if keeper is not None:
            keeper.cancel()
        if file is not None:
            file.save()

    routes = [*apis.routes(world, postman), *scripting.routes(world, postman), *console_routes(world)]
    app = Starlette(routes=routes, lifespan=lifespan)
    return app if is_remote_allowed else LoopbackOnly(app)
