"""The scripting API under `/_`: what a test or the console does to the world. Not part of WeChat."""

from starlette.routing import Route

from sandbox.pushes import Postman
from sandbox.scripting import accounts, mini, people, platform, pushes, templates, texts
from sandbox.scripting.base import Desk
from sandbox.state import World


def routes(world: World, postman: Postman) -> list[Route]:
    """Return all routes of the scripting API."""
    desk = Desk(world, postman)
    return [
        *platform.routes(desk),
        *accounts.routes(desk),
        *people.routes(desk),
        *mini.routes(desk),
        *templates.routes(desk),
        *texts.routes(desk),
        *pushes.routes(desk),
    ]
