"""The tills' API's OpenAPI document (`rest.schema` makes it)."""

import functools
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from core.errors import Refusal
from openapi.api import API, IDEMPOTENCY_HEADER, KEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER, TIME_HEADER
from openapi.errors import (
    ClockSkewed,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InFlight,
    Replayed,
    ScopeMissing,
    SignatureMissing,
    SignatureWrong,
)
from rest.schema import ApiDocument

_DOCUMENT: Final = ApiDocument(
    api=API,
    urlconf="openapi.urls",
    title="Xiaoer open API / 收银与合作方接口",
    words=(
        "For tills, ERP and partners. docs/open-api.md says how to sign, how to repeat, and what to do offline. "
        "Money is in fen, times are ISO 8601 with their offset."
    ),
    server="/openapi/v1",
    of_callers=(SignatureMissing, SignatureWrong, ClockSkewed, Replayed, ScopeMissing),
)
documented = _DOCUMENT.documented
WRITES: Final = (
    OpenApiParameter(
        IDEMPOTENCY_HEADER,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        required=True,
        description="1 to 60 letters, digits, _ - . : ; the same for every repeat of one write / 重复请求用同一个",
    ),
)
ONCE: Final[tuple[type[Refusal], ...]] = (IdempotencyKeyMissing, IdempotencyKeyReused, InFlight)


class SignatureScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document names the signature: four headers that go together."""

    target_class = "openapi.api.SignatureAuthentication"
    name = ["key", "time", "nonce", "signature"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        told = (
            (KEY_HEADER, "key id / 密钥编号"),
            (TIME_HEADER, "Unix seconds, at most five minutes from ours"),
            (NONCE_HEADER, "16 to 64 letters, digits, _ -; new for every request"),
            (SIGNATURE_HEADER, "HMAC-SHA256 in hex over the canonical text, docs/open-api.md"),
        )
        return [
            {"type": "apiKey", "in": "header", "name": name, "description": words} for name, words in told
        ]

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        return {name: [] for name in self.name}


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the whole API; made once in each process."""
    return _DOCUMENT.build()
