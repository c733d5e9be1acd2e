"""The mini-program API's OpenAPI document (`rest.schema` makes it)."""

import functools
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from miniapp.api import API
from miniapp.errors import DeviceRevoked, TokenExpired, TokenMissing, TokenUnknown
from rest.schema import ApiDocument

_DOCUMENT: Final = ApiDocument(
    api=API,
    urlconf="miniapp.urls",
    title="Xiaoer mini-program API / 小程序接口",
    words="Members' mini-program: docs/mini-program.md says how the parts go together.",
    server="/api/mini/v1",
    of_callers=(TokenMissing, TokenUnknown, TokenExpired, DeviceRevoked),
)
documented = _DOCUMENT.documented


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document names our tokens."""

    target_class = "miniapp.api.BearerAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "access_token of login or refresh"}


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the whole API; made once in each process."""
    return _DOCUMENT.build()
