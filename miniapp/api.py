"""What every endpoint of the mini-program's API shares: tokens, limits, strict bodies, one shape of refusals.

`MiniView` is for anybody (login), `MemberView` for a logged-in member: it has `self.session`, `self.member_id` and
`self.actor`. A view reads its input with `self.read(...)`, calls one service or selector and answers.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

from django.conf import settings
from django.core import signing
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.actor import Actor
from core.errors import InvalidInput, NotFound, Refusal, Unavailable
from miniapp import services
from miniapp.contracts import DeviceSession
from miniapp.errors import (
    BodyTooLarge,
    Crashed,
    MethodNotAllowed,
    NotJson,
    NotLoggedIn,
    NotText,
    NumberTooLarge,
    TokenMissing,
    TooManyRequests,
    WrongContentType,
)
from miniapp.throttles import Limit, find_wait

logger = logging.getLogger(__name__)

Input = TypeVar("Input", bound=serializers.Serializer[Any])

LARGEST_BODY: Final = 64 * 1024
_LARGEST_NUMBER: Final = 2**53  # beyond it JavaScript itself rounds
_CURSOR_SALT: Final = "miniapp.cursor"


# Bodies ---------------------------------------------------------------------------------------------------


class StrictJsonParser(BaseParser):
    """One JSON object in UTF-8 of at most 64 KiB, of text and numbers that our fields can hold."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        raw = stream.read(LARGEST_BODY + 1)
        if len(raw) > LARGEST_BODY:
            raise BodyTooLarge
        try:
            body = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise NotJson from None
        if not isinstance(body, dict):
            raise NotJson
        _check_values(body)
        return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _check_values(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise NotText
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_values(name)
            _check_values(item)
    elif isinstance(value, list):
        for item in value:
            _check_values(item)
    elif isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:
        raise NumberTooLarge  # 1e400 is read as infinity


class StrictText(serializers.CharField):
    """Text that came as text: a number or a list is no name."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictInput(serializers.Serializer[Any]):
    """A body or query whose every field is known: a misspelt one is refused, not ignored."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(
                {name[:40]: [exceptions.ErrorDetail("unknown", code="unknown")] for name in unknown[:20]}
            )
        return super().to_internal_value(data)


class OnlyJson(BaseContentNegotiation):
    """Whatever is asked for, the answer is JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return parsers[0] if media_type == StrictJsonParser.media_type else None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer: BaseRenderer = renderers[0]
        return renderer, str(renderer.media_type)


# Who asks -------------------------------------------------------------------------------------------------


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`."""

    def authenticate(self, request: Request) -> tuple[None, DeviceSession]:
        kind, _blank, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise TokenMissing
        return None, services.find_session(access_token=token.strip())

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def address_of(request: Request) -> str:
    """Who calls, as the outermost of our own proxies saw it; what stands before it anybody can have made up."""
    if settings.PROXY_COUNT:
        seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(seen) >= settings.PROXY_COUNT and seen[-settings.PROXY_COUNT]:
            return str(seen[-settings.PROXY_COUNT])
    return str(request.META.get("REMOTE_ADDR", ""))


# Views ----------------------------------------------------------------------------------------------------


class MiniView(APIView):
    """An endpoint for anybody. `limits` are per method, in lower case."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = ()
    metadata_class: Any = None
    renderer_classes: Any = (JSONRenderer,)
    parser_classes: Any = (StrictJsonParser,)
    content_negotiation_class = OnlyJson
    limits: ClassVar[Mapping[str, tuple[Limit, ...]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.count(request, (request.method or "").lower())

    def count(self, request: Request, name: str, phone: str = "") -> None:
        """Count this request against the limits of that name. Raises TooManyRequests."""
        wanted = [
            (limit, self._whom(request, limit, phone))
            for limit in self.limits.get(name, ())
            if bool(phone) == (limit.by == "phone")
        ]
        wait = find_wait(f"{type(self).__name__}.{name}", wanted) if wanted else None
        if wait is not None:
            raise TooManyRequests(retry_after_s=wait)

    def _whom(self, request: Request, limit: Limit, phone: str) -> str:
        if limit.by == "member":
            session: Any = request.auth
            return str(session.member_id)
        return phone if limit.by == "phone" else address_of(request)

    def read(self, kind: type[Input], data: Any = None) -> dict[str, Any]:
        """The request's body (or the given mapping) as that input; InvalidInput names each bad field."""
        form = kind(data=self.request.data if data is None else data)
        if not form.is_valid():
            raise InvalidInput(fields=_codes_of(form.errors))
        found: dict[str, Any] = form.validated_data
        return found

    def read_query(self, kind: type[Input]) -> dict[str, Any]:
        """The query as that input; a name given twice counts once, the last."""
        query = self.request.query_params.dict()
        _check_values(query)
        return self.read(kind, query)

    def handle_exception(self, exc: Exception) -> Response:
        """Every refusal and every mistake has the one shape."""
        refusal = _refusal_of(exc)
        if isinstance(refusal, Crashed):
            logger.error("miniapp.crashed", exc_info=exc)
        headers: dict[str, str] = {}
        if isinstance(refusal, NotLoggedIn):
            headers["WWW-Authenticate"] = "Bearer"
        if "retry_after_s" in refusal.details:
            headers["Retry-After"] = str(refusal.details["retry_after_s"])
        if isinstance(refusal, MethodNotAllowed):
            headers["Allow"] = ", ".join(self.allowed_methods)
        body = {"code": refusal.code, "message": refusal.message, "details": refusal.details}
        response = Response(body, refusal.http_status, headers=headers)
        response.exception = True
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class MemberView(MiniView):
    """An endpoint for a logged-in member."""

    authentication_classes = (BearerAuthentication,)
    every_request: ClassVar[Limit] = Limit("member", 300, 60)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        wait = find_wait("any", [(self.every_request, str(self.member_id))])
        if wait is not None:
            raise TooManyRequests(retry_after_s=wait)

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


# Refusals -------------------------------------------------------------------------------------------------


def _refusal_of(exc: Exception) -> Refusal:
    if isinstance(exc, Refusal):
        return exc
    if isinstance(exc, exceptions.MethodNotAllowed):
        return MethodNotAllowed()
    if isinstance(exc, exceptions.UnsupportedMediaType):
        return WrongContentType()
    if isinstance(exc, exceptions.ParseError):
        return NotJson()
    if isinstance(exc, exceptions.ValidationError):
        return InvalidInput(fields=_codes_of(exc.detail))
    if isinstance(exc, Http404 | exceptions.NotFound):
        return NotFound()
    if isinstance(exc, OperationalError | InterfaceError):
        logger.warning("miniapp.database_away", exc_info=exc)
        return Unavailable()
    return Crashed()


def _codes_of(errors: Any) -> dict[str, list[str]]:
    """Field → what is wrong with it, as codes: nothing that was typed comes back."""
    return {
        str(name): [getattr(detail, "code", "invalid") for detail in details]
        if isinstance(details, list)
        else ["invalid"]
        for name, details in dict(errors).items()
    }


# Pages ----------------------------------------------------------------------------------------------------


class PageQuery(StrictInput):
    """Which page of a list."""

    cursor = serializers.CharField(
        required=False, max_length=200, help_text="`next_cursor` of the page before / 上一页给的 next_cursor"
    )
    limit = serializers.IntegerField(required=False, default=20, min_value=1, max_value=100)


def seal_cursor(place: int | None, *, owner: int) -> str | None:
    """An opaque cursor that is good for this member only."""
    return None if place is None else signing.dumps([owner, place], salt=_CURSOR_SALT)


def open_cursor(cursor: str | None, *, owner: int) -> int | None:
    """The place a cursor stands for. Raises InvalidInput for one that we did not give to this member."""
    if cursor is None:
        return None
    try:
        whose, place = signing.loads(cursor, salt=_CURSOR_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidInput(fields={"cursor": ["invalid"]}) from None
    if whose != owner or not isinstance(place, int):
        raise InvalidInput(fields={"cursor": ["invalid"]})
    return place
