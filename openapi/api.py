"""What every endpoint of the tills' API shares beyond `rest`: signed requests, scopes, writes that happen once.

`OpenView` is for anybody (the clock), `KeyView` for a signed request: it has `self.client` and `self.actor`. A view
that writes hands its work to `self.once`, which answers a repeat as the first time.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.actor import Actor
from core.errors import Refusal
from openapi import services
from openapi.contracts import Answer, Caller, SignedRequest
from openapi.errors import NotSigned, ScopeMissing
from rest.bodies import StrictInput, StrictJsonParser, StrictText
from rest.errors import BodyTooLarge, TooManyRequests
from rest.pages import Cursors, PageQuery
from rest.throttles import Limit
from rest.views import RestView, address_of, body_of

__all__ = [
    "API",
    "KeyView",
    "Limit",
    "OpenView",
    "PageQuery",
    "SignatureAuthentication",
    "StrictInput",
    "StrictText",
    "open_cursor",
    "seal_cursor",
]

API: Final = "openapi"
_CURSORS: Final = Cursors("openapi.cursor")
seal_cursor, open_cursor = _CURSORS.seal, _CURSORS.open
# Who sends nonsense is not answered for long; a till that is set up wrong still sees why.
_UNSIGNED: Final = Limit("ip", 120, 60)
KEY_HEADER: Final = "X-Xiaoer-Key"
TIME_HEADER: Final = "X-Xiaoer-Time"
NONCE_HEADER: Final = "X-Xiaoer-Nonce"
SIGNATURE_HEADER: Final = "X-Xiaoer-Signature"
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"


class TillJsonParser(StrictJsonParser):
    """A basket of 200 lines, or a queue of 100 redemptions."""

    largest = 256 * 1024


class SignatureAuthentication(BaseAuthentication):
    """The four `X-Xiaoer-…` headers."""

    def authenticate(self, request: Request) -> tuple[None, Caller]:
        return None, services.find_caller(request=_signed(request))

    def authenticate_header(self, request: Request) -> str:
        return "Xiaoer"


def _signed(request: Request) -> SignedRequest:
    """The request as it came: the path as the server was asked for it, the body before anybody reads it."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    largest = max(getattr(parser, "largest", 0) for parser in request.parsers or ())
    if not length.isdecimal() or int(length) > largest:
        raise BodyTooLarge
    query = request.META.get("QUERY_STRING", "")
    return SignedRequest(
        key_id=request.headers.get(KEY_HEADER, ""),
        timestamp=request.headers.get(TIME_HEADER, ""),
        nonce=request.headers.get(NONCE_HEADER, ""),
        signature=request.headers.get(SIGNATURE_HEADER, ""),
        method=request.method or "",
        path=f"{request.path}?{query}" if query else request.path,
        body=request._request.body,
    )


class OpenView(RestView):
    """An endpoint for anybody."""

    api = API
    parser_classes = (TillJsonParser,)

    def refusal_headers(self, refusal: Refusal) -> dict[str, str]:
        headers = super().refusal_headers(refusal)
        return headers | {"WWW-Authenticate": "Xiaoer"} if isinstance(refusal, NotSigned) else headers


class KeyView(OpenView):
    """An endpoint for signed requests of clients that have its scope."""

    authentication_classes = (SignatureAuthentication,)
    scope: ClassVar[str] = ""
    _began: float = 0.0
    _caller: Caller | None = None
    _code: str = ""
    _is_replay: bool = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self._began = time.perf_counter()
        super().initial(request, *args, **kwargs)
        self._caller = request.auth  # type: ignore[assignment]
        caller = self.client
        self.hold("any", [(Limit("caller", caller.per_minute, 60), caller.key_id)])
        scope = self.scope_of(request)
        if scope and scope not in caller.scopes:
            raise ScopeMissing(scope=scope)

    def scope_of(self, request: Request) -> str:
        """What the key needs for this request."""
        return self.scope

    @property
    def client(self) -> Caller:
        """Whose request this is."""
        if self._caller is None:
            raise RuntimeError("asked before the signature was checked")
        return self._caller

    @property
    def actor(self) -> Actor:
        return self.client.actor

    def caller(self, request: Request) -> str:
        return self.client.key_id

    def once(
        self,
        run: Callable[[str], dict[str, Any]],
        *,
        key: str | None = None,
        content: bytes = b"",
        waits: bool = False,
    ) -> Answer:
        """The answer of `run`, or the stored one of the same request. `run` gets the name under which the domain
        knows the request. Key and content are the request's own, but for one of many in a body."""
        if key is None:
            key, content = self.request.headers.get(IDEMPOTENCY_HEADER, ""), self.request._request.body
        place = f"{self.request.method}\n{self.request.path}\n".encode()
        name = f"api:{self.client.client_id}:{key}"
        return services.answer_once(
            client_id=self.client.client_id,
            key=key,
            fingerprint=hashlib.sha256(place + content).hexdigest(),
            run=lambda: run(name),
            body_of=lambda refusal: body_of(refusal, api=self.api),
            waits=waits,
        )

    def write(self, run: Callable[[str], dict[str, Any]], *, waits: bool = False) -> Response:
        """Answer this request with `once`."""
        answer = self.once(run, waits=waits)
        self._is_replay = answer.is_replay
        headers = {"Idempotent-Replayed": "true"} if answer.is_replay else {}
        if answer.status >= 400:
            self._code = str(answer.body.get("code", ""))
        return Response(answer.body, answer.status, headers=headers)

    def store_id(self, given: dict[str, Any]) -> int:
        """The store that the input names, or the key's own."""
        return services.resolve_store(caller=self.client, code=given.get("store", ""))

    def member_id(self, given: dict[str, Any]) -> int | None:
        """The member whose code was read, where the input names the visit."""
        visit = given.get("visit", "")
        return services.open_visit(caller=self.client, visit=visit) if visit else None

    def refusal_of(self, exc: Exception) -> Refusal:
        refusal = super().refusal_of(exc)
        self._code = body_of(refusal, api=self.api)["code"]
        if not isinstance(refusal, NotSigned):
            return refusal
        try:
            self.hold("unsigned", [(_UNSIGNED, address_of(self.request))])
        except TooManyRequests as too_many:
            return too_many
        return refusal

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._caller is not None:
            services.note_request(
                client_id=self._caller.client_id,
                method=request.method or "",
                endpoint=_endpoint_of(request),
                status=response.status_code,
                code=self._code,
                took_ms=int((time.perf_counter() - self._began) * 1000),
                is_replay=self._is_replay,
                at=clock.now(),
            )
        return response


def _endpoint_of(request: Request) -> str:
    """The address below `/openapi/v1`: none of ours holds anything of anybody."""
    match = request._request.resolver_match
    return "/" + match.route.removeprefix("openapi/v1/") if match else ""
