"""What every endpoint of the mini-program's API shares beyond `rest`: whose request it is.

`MiniView` is for anybody (login), `MemberView` for a logged-in member: it has `self.session`, `self.member_id` and
`self.actor`. A view reads its input with `self.read(...)`, calls one service or selector and answers.
"""

from typing import Any, ClassVar, Final

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from core.actor import Actor
from core.errors import Refusal
from miniapp import services
from miniapp.contracts import DeviceSession
from miniapp.errors import NotLoggedIn, TokenMissing
from rest.pages import Cursors
from rest.throttles import Limit
from rest.views import RestView

API: Final = "miniapp"
_CURSORS: Final = Cursors("miniapp.cursor")
seal_cursor, open_cursor = _CURSORS.seal, _CURSORS.open


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`."""

    def authenticate(self, request: Request) -> tuple[None, DeviceSession]:
        kind, _blank, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise TokenMissing
        return None, services.find_session(access_token=token.strip())

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MiniView(RestView):
    """An endpoint for anybody."""

    api = API

    def refusal_headers(self, refusal: Refusal) -> dict[str, str]:
        headers = super().refusal_headers(refusal)
        return headers | {"WWW-Authenticate": "Bearer"} if isinstance(refusal, NotLoggedIn) else headers


class MemberView(MiniView):
    """An endpoint for a logged-in member."""

    authentication_classes = (BearerAuthentication,)
    every_request: ClassVar[Limit] = Limit("member", 300, 60)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.hold("any", [(self.every_request, self.caller(request))])

    def caller(self, request: Request) -> str:
        session: Any = request.auth
        return str(session.member_id)

    @property
    def session(self) -> DeviceSession:
        """Whose request this is."""
        auth: Any = self.request.auth
        session: DeviceSession = auth
        return session

    @property
    def member_id(self) -> int:
        return self.session.member_id

    @property
    def actor(self) -> Actor:
        return self.session.actor
