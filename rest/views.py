"""The base of every endpoint: strict input, limits, and one shape of refusals."""

import itertools
import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from core.databases import is_away
from core.errors import InvalidInput, NotFound, Refusal, Unavailable
from rest.bodies import OnlyJson, StrictJsonParser, check_values
from rest.errors import (
    BodyTooLarge,
    Crashed,
    MethodNotAllowed,
    NoSuchPath,
    NotJson,
    TooManyRequests,
    WrongContentType,
    code_of,
)
from rest.throttles import Limit, find_wait

Input = TypeVar("Input", bound=serializers.Serializer[Any])
# Wrong fields that one refusal names.
_MOST_FIELDS: Final = 50


def address_of(request: Request) -> str:
    """Who calls, as the outermost of our own proxies saw it; what stands before it anybody can have made up."""
    if settings.PROXY_COUNT:
        seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(seen) >= settings.PROXY_COUNT and seen[-settings.PROXY_COUNT]:
            return str(seen[-settings.PROXY_COUNT])
    return str(request.META.get("REMOTE_ADDR", ""))


class RestView(APIView):
    """An endpoint for anybody. `api` is the API's name, in which shared refusals and logs speak; `limits` are per
    method, in lower case."""

    api: ClassVar[str]
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
        if wanted:
            self.hold(f"{type(self).__name__}.{name}", wanted)

    def hold(self, scope: str, limits: list[tuple[Limit, str]]) -> None:
        """Count one request of this scope. Raises TooManyRequests."""
        wait = find_wait(f"{self.api}.{scope}", limits)
        if wait is not None:
            raise TooManyRequests(retry_after_s=wait)

    def caller(self, request: Request) -> str:
        """Whom limits by caller count; an API that knows its callers says it here."""
        return address_of(request)

    def _whom(self, request: Request, limit: Limit, phone: str) -> str:
        if limit.by == "phone":
            return phone
        return address_of(request) if limit.by == "ip" else self.caller(request)

    def read(self, kind: type[Input], data: Any = None) -> dict[str, Any]:
        """The request's body (or the given mapping) as that input; InvalidInput names each bad field."""
        form = kind(data=self.request.data if data is None else data)
        if not form.is_valid():
            raise InvalidInput(fields=codes_of(form.errors))
        found: dict[str, Any] = form.validated_data
        return found

    def read_query(self, kind: type[Input]) -> dict[str, Any]:
        """The query as that input; a name given twice counts once, the last."""
        query = self.request.query_params.dict()
        check_values(query)
        return self.read(kind, query)

    def handle_exception(self, exc: Exception) -> Response:
        """Every refusal and every mistake has the one shape."""
        refusal = self.refusal_of(exc)
        headers = self.refusal_headers(refusal)
        response = Response(body_of(refusal, api=self.api), refusal.http_status, headers=headers)
        response.exception = True
        return response

    def refusal_of(self, exc: Exception) -> Refusal:
        """The refusal that an exception stands for; a mistake of ours is logged."""
        logger = logging.getLogger(f"{self.api}.api")
        if is_away(exc):
            logger.warning(f"{self.api}.database_away", exc_info=exc)
        refusal = _refusal_of(exc)
        if isinstance(refusal, Crashed):
            logger.error(f"{self.api}.crashed", exc_info=exc)
        return refusal

    def refusal_headers(self, refusal: Refusal) -> dict[str, str]:
        """What HTTP wants to be told besides the body."""
        headers: dict[str, str] = {}
        if "retry_after_s" in refusal.details:
            headers["Retry-After"] = str(refusal.details["retry_after_s"])
        if isinstance(refusal, MethodNotAllowed):
            headers["Allow"] = ", ".join(self.allowed_methods)
        return headers

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class NothingHere(RestView):
    """Every other address, whatever the method."""

    schema = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete", "options"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NoSuchPath

    def get(self, request: Request) -> Response:
        raise NoSuchPath

    head = post = put = patch = delete = get


# Refusals -------------------------------------------------------------------------------------------------


def body_of(refusal: Refusal, *, api: str) -> dict[str, Any]:
    """What a caller reads of a refusal."""
    return {"code": code_of(refusal, api=api), "message": refusal.message, "details": refusal.details}


def codes_of(errors: Any) -> dict[str, list[str]]:
    """Field → what is wrong with it, as codes: nothing that was typed comes back. A field within others is named by its way,
    `lines.3.quantity`, places counted from 0; of very many the first are told."""
    return dict(itertools.islice(_codes_below("", errors), _MOST_FIELDS))


def _codes_below(way: str, errors: Any) -> Iterator[tuple[str, list[str]]]:
    if isinstance(errors, Mapping):
        for name, below in errors.items():
            own = way and name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _codes_below(way if own else f"{way}.{name}" if way else str(name), below)
    elif isinstance(errors, list) and any(isinstance(one, (Mapping, list)) for one in errors):
        for place, below in enumerate(errors):
            yield from _codes_below(f"{way}.{place}", below)
    elif isinstance(errors, list):
        yield way, [getattr(detail, "code", "invalid") for detail in errors]
    else:
        yield way, [getattr(errors, "code", "invalid")]


def _refusal_of(exc: Exception) -> Refusal:
    if isinstance(exc, Refusal):
        return exc
    if isinstance(exc, exceptions.ValidationError):
        return InvalidInput(fields=codes_of(exc.detail))
    if is_away(exc):
        return Unavailable()
    for kinds, refusal in _STAND_FOR:
        if isinstance(exc, kinds):
            return refusal()
    return Crashed()


_STAND_FOR: tuple[tuple[tuple[type[Exception], ...], type[Refusal]], ...] = (
    ((exceptions.MethodNotAllowed,), MethodNotAllowed),
    ((exceptions.UnsupportedMediaType,), WrongContentType),
    ((exceptions.ParseError,), NotJson),
    ((Http404, exceptions.NotFound), NotFound),
    ((RequestDataTooBig,), BodyTooLarge),
)
