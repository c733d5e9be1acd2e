"""The OpenAPI document of an API: how endpoints describe themselves, and the document as a whole."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

from core.errors import InvalidInput, Refusal, Unavailable
from rest.errors import (
    BodyTooLarge,
    NotJson,
    NotText,
    NumberTooLarge,
    TooManyRequests,
    WrongContentType,
    code_of,
)

View = TypeVar("View", bound=Callable[..., Any])

# What any endpoint may answer.
_ALWAYS: Final = (TooManyRequests, Unavailable)
_WITH_BODY: Final = (InvalidInput, NotJson, NotText, NumberTooLarge, WrongContentType, BodyTooLarge)


class ErrorOut(serializers.Serializer[Any]):
    """Every refusal. Decide by `code`; `message` is for people."""

    code = serializers.CharField(help_text="stable, app.fact")
    message = serializers.CharField(help_text="Chinese, may be shown as it is / 可以直接显示")
    details = serializers.DictField(help_text="what the code is about, see there")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApiDocument:
    """What one API says of itself. `of_callers` are the refusals of every endpoint that is not open to anybody."""

    api: str
    urlconf: str
    title: str
    words: str
    server: str
    of_callers: tuple[type[Refusal], ...]

    def documented(
        self,
        *,
        summary: str,
        answer: Any,
        example: Any = None,
        words: str = "",
        body: Any = None,
        body_example: Mapping[str, Any] | None = None,
        query: Any = None,
        headers: tuple[Any, ...] = (),
        status: int = 200,
        refuses: Iterable[type[Refusal]] = (),
        is_open: bool = False,
        media_type: str = "application/json",
    ) -> Callable[[View], View]:
        """Describe one method of a view. `refuses` are the refusals of its own; those all share are added.

        `media_type` is that of the answer when it is a file; refusals are JSON all the same.
        """
        refusals = [*refuses, *_ALWAYS, *(() if is_open else self.of_callers)]
        if body is not None:
            refusals += _WITH_BODY
        elif query is not None:
            refusals += [InvalidInput]
        examples = []
        if example is not None:
            examples.append(
                OpenApiExample("answer", value=example, response_only=True, status_codes=[status])
            )
        if body_example is not None:
            examples.append(OpenApiExample("request", value=dict(body_example), request_only=True))
        where = status if answer is None else (status, media_type)
        responses: dict[Any, Any] = {where: OpenApiResponse(answer, description="done")}
        responses |= self._refused(refusals)
        return extend_schema(
            summary=summary,
            description=words or summary,  # an empty one would show the view's docstring
            request=body,
            parameters=[*([] if query is None else [query]), *headers],
            responses=responses,
            examples=examples,
        )

    def build(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document of the whole API."""
        generator = SchemaGenerator(urlconf=self.urlconf, api_version="1")  # type: ignore[no-untyped-call]
        found: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        found["info"] = {"title": self.title, "version": "1", "description": self.words}
        found["servers"] = [{"url": self.server}]
        return found

    def _refused(self, refusals: Iterable[type[Refusal]]) -> dict[int, OpenApiResponse]:
        """One answer for each status, with its codes in words and as examples."""
        by_status: dict[int, dict[str, type[Refusal]]] = defaultdict(dict)
        for refusal in refusals:
            by_status[refusal.http_status][code_of(refusal, api=self.api)] = refusal
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
