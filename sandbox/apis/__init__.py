"""The platform's server APIs, one module per chapter of its documentation."""

from collections.abc import Sequence

from starlette.routing import Route

from sandbox.apis import (
    customservice,
    jsapi,
    mass,
    media,
    menu,
    mini,
    minicode,
    oauth,
    platform,
    qrcode,
    sms,
    tags,
    templates,
    token,
    users,
)
from sandbox.apis.gate import UNKNOWN, Endpoint, route_of
from sandbox.pushes import Postman
from sandbox.state import World

# Path prefix per real host: api.weixin.qq.com and mp.weixin.qq.com. The pages of open.weixin.qq.com
# are not API calls; the console package serves them.
HOSTS: dict[str, Sequence[Endpoint]] = {
    "/api": [
        *token.ENDPOINTS,
        *platform.ENDPOINTS,
        *qrcode.ENDPOINTS,
        *customservice.ENDPOINTS,
        *templates.ENDPOINTS,
        *mass.ENDPOINTS,
        *users.ENDPOINTS,
        *tags.ENDPOINTS,
        *media.ENDPOINTS,
        *menu.ENDPOINTS,
        *jsapi.ENDPOINTS,
        *oauth.ENDPOINTS,
        *mini.ENDPOINTS,
        *minicode.ENDPOINTS,
        UNKNOWN,
    ],
    "/mp": qrcode.PICTURES,
}


def routes(world: World, postman: Postman) -> list[Route]:
    """Return the routes of every host."""
    return [
        sms.route(world, postman),
        *(
            route_of(world, postman, prefix, endpoint)
            for prefix, endpoints in HOSTS.items()
            for endpoint in endpoints
        ),
    ]
