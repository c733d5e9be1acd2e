"""Strict bodies: one JSON object whose every field is known, of text and numbers that our columns can hold."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from rest.errors import BodyTooLarge, NotJson, NotText, NumberTooLarge

_LARGEST_NUMBER: Final = 2**53  # beyond it JavaScript itself rounds


class StrictJsonParser(BaseParser):
    """One JSON object in UTF-8 of at most `largest` bytes, of text and numbers that our fields can hold."""

    media_type = "application/json"
    largest: ClassVar[int] = 64 * 1024

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        raw = stream.read(self.largest + 1)
        if len(raw) > self.largest:
            raise BodyTooLarge
        try:
            body = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise NotJson from None
        if not isinstance(body, dict):
            raise NotJson
        check_values(body)
        return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def check_values(value: Any) -> None:
    """Refuse what PostgreSQL or JavaScript could not keep. Raises NotText, NumberTooLarge."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise NotText
    elif isinstance(value, dict):
        for name, item in value.items():
            check_values(name)
            check_values(item)
    elif isinstance(value, list):
        for item in value:
            check_values(item)
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
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError(
                {name[:40]: [exceptions.ErrorDetail("unknown", code="unknown")] for name in unknown[:20]}
            )
        return super().to_internal_value(data)


class RefusedOut(serializers.Serializer[Any]):
    """One of a batch that was refused by itself. It is not to be sent again."""

    index = serializers.IntegerField(help_text="its place in the batch, from 0")
    key = serializers.CharField(allow_blank=True, help_text="its own key, where that can be read")
    code = serializers.CharField()
    field = serializers.CharField(allow_blank=True)
    message = serializers.CharField()


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
