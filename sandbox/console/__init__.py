"""What a person sees: the console, and the authorization page of open.weixin.qq.com."""

from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.console import authorize
from sandbox.state import World

HERE = Path(__file__).parent


def routes(world: World) -> list[BaseRoute]:
    """Return the routes of all pages."""

    async def index(request: Request) -> Response:
        return FileResponse(HERE / "static" / "index.html", headers={"Cache-Control": "no-cache"})

    async def open_page(request: Request) -> Response:
        """Open a web page as one person: the authorization page will offer her first."""
        url = request.query_params.get("url", "")
        if urlsplit(url).scheme not in ("http", "https"):
            return PlainTextResponse("只能打开 http 或 https 网址", 400)
        response = RedirectResponse(url, 302)
        person = request.query_params.get("person", "")
        if person in world.people:
            authorize.remember(response, person)
        return response

    return [
        Route("/", index),
        Route("/open-page", open_page),
        *authorize.routes(world),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
