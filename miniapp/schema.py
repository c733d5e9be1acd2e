"""The OpenAPI document: how endpoints describe themselves, and the document as a whole."""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

from core.errors import InvalidInput, Refusal, Unavailable
from miniapp.errors import (
    BodyTooLarge,
    DeviceRevoked,
    NotJson,
    NotText,
    NumberTooLarge,
    TokenExpired,
    TokenMissing,
    TokenUnknown,
    TooManyRequests,
    WrongContentType,
)

View = TypeVar("View", bound=Callable[..., Any])

# What any endpoint may answer, and any endpoint for members.
_ALWAYS: Final = (TooManyRequests, Unavailable)
_WITH_BODY: Final = (InvalidInput, NotJson, NotText, NumberTooLarge, WrongContentType, BodyTooLarge)
_MEMBERS: Final = (TokenMissing, TokenUnknown, TokenExpired, DeviceRevoked)


class ErrorOut(serializers.Serializer[Any]):
    """Every refusal. Decide by `code`; `message` is for people."""

    code = serializers.CharField(help_text="stable, app.fact")
    message = serializers.CharField(help_text="Chinese, may be shown as it is / 可以直接显示")
    details = serializers.DictField(help_text="what the code is about, see there")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document names our tokens."""

    target_class = "miniapp.api.BearerAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "access_token of login or refresh"}


def documented(
    *,
    summary: str,
    answer: Any,
    example: Any = None,
    words: str = "",
    body: Any = None,
    body_example: Mapping[str, Any] | None = None,
    query: Any = None,
    status: int = 200,
    refuses: Iterable[type[Refusal]] = (),
    is_open: bool = False,
    media_type: str = "application/json",
) -> Callable[[View], View]:
    """Describe one method of a view. `refuses` are the refusals of its own; those all share are added.

    `media_type` is that of the answer when it is a file; refusals are JSON all the same.
    """
    refusals = [*refuses, *_ALWAYS, *(() if is_open else _MEMBERS)]
    if body is not None:
        refusals += _WITH_BODY
    elif query is not None:
        refusals += [InvalidInput]
    examples = []
    if example is not None:
        examples.append(OpenApiExample("answer", value=example, response_only=True, status_codes=[status]))
    if body_example is not None:
        examples.append(OpenApiExample("request", value=dict(body_example), request_only=True))
    where = status if answer is None else (status, media_type)
    responses: dict[Any, Any] = {where: OpenApiResponse(answer, description="done")}
    responses |= _refused(refusals)
    return extend_schema(
        summary=summary,
        description=words or summary,  # an empty one would show the view's docstring
        request=body,
        parameters=[] if query is None else [query],
        responses=responses,
        examples=examples,
    )


def _refused(refusals: Iterable[type[Refusal]]) -> dict[int, OpenApiResponse]:
    """One answer for each status, with its codes in words and as examples."""
    by_status: dict[int, dict[str, type[Refusal]]] = defaultdict(dict)
    for refusal in refusals:
        by_status[refusal.http_status][refusal.code] = refusal
    return {
        status: OpenApiResponse(
            ErrorOut,
            description="\n".join(f"- `{code}`: {kinds[code].sentence}" for code in sorted(kinds)),
            examples=[
                OpenApiExample(
                    code, value={"code": code, "message": str(kinds[code].sentence), "details": {}}
                )
                for code in sorted(kinds)
            ],
        )
        for status, kinds in sorted(by_status.items())
    }


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the whole API; made once in each process."""
    generator = SchemaGenerator(urlconf="miniapp.urls", api_version="1")  # type: ignore[no-untyped-call]
    found: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found
