"""An OpenAPI document as a page for people that needs no script."""

import dataclasses
import json
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_CONTENT_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclasses.dataclass(frozen=True, slots=True)
class EndpointText:
    """One endpoint, ready to be printed."""

    anchor: str
    method: str
    path: str
    summary: str
    words: str
    is_open: bool
    inputs: tuple[tuple[str, str, str, str], ...]
    request: str
    answer: str
    refusals: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def show_reference(request: HttpRequest, template: str, document: dict[str, Any]) -> HttpResponse:
    """The page: `template` extends rest/reference.html and says what holds for all endpoints."""
    endpoints = [
        _text_of(document, path, method, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    response = render(request, template, {"endpoints": endpoints})
    response["Content-Security-Policy"] = _CONTENT_POLICY
    return response


def _text_of(document: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> EndpointText:
    answers = told["responses"]
    done = next(status for status in answers if status < "300")
    return EndpointText(
        anchor=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        words="" if told.get("description") == told.get("summary") else told.get("description", ""),
        is_open={} in told.get("security", [{}]),
        inputs=(*_parameters(told), *_fields(document, told)),
        request=_example(told.get("requestBody", {})),
        answer=_example(answers[done]) or next(iter(answers[done].get("content", {})), done),
        refusals=tuple(
            (status, tuple(_code_and_words(line) for line in answers[status]["description"].splitlines()))
            for status in answers
            if status >= "400"
        ),
    )


def _code_and_words(line: str) -> tuple[str, str]:
    """A line of a refusal's description, "- `code`: words"."""
    code, _colon, words = line.removeprefix("- ").partition(": ")
    return code.strip("`"), words


def _parameters(told: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (
            one["name"],
            str(one["schema"].get("type", "")),
            "必填" if one.get("required") else "",
            one.get("description", one["schema"].get("description", "")),
        )
        for one in told.get("parameters", [])
    ]


def _fields(document: dict[str, Any], told: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    component = document["components"]["schemas"].get(name, {})
    wanted = component.get("required", [])
    return [
        (field, str(kind.get("type", "")), "必填" if field in wanted else "", kind.get("description", ""))
        for field, kind in component.get("properties", {}).items()
    ]


def _example(part: dict[str, Any]) -> str:
    examples = part.get("content", {}).get("application/json", {}).get("examples", {})
    for one in examples.values():
        return json.dumps(one["value"], ensure_ascii=False, indent=2)
    return ""
