"""From the arguments of a wechatpy API method to the bytes of one HTTP request."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from urllib3.filepost import encode_multipart_formdata

from wechat.client import hosts

JSON_TYPE: Final = "application/json; charset=utf-8"

# These take no access_token: they carry the secret, a code, a ticket or a user's own token.
TOKENLESS: Final = frozenset(
    {
        "/cgi-bin/token",
        "/cgi-bin/stable_token",
        "/cgi-bin/clear_quota/v2",
        "/cgi-bin/showqrcode",
        "/sns/jscode2session",
        "/sns/oauth2/access_token",
        "/sns/oauth2/refresh_token",
        "/sns/userinfo",
        "/sns/auth",
    }
)
# These answer with a file when they succeed and with JSON when they fail.
BINARY: Final = frozenset(
    {
        "/cgi-bin/showqrcode",
        "/cgi-bin/media/get",
        "/cgi-bin/media/get/jssdk",
        "/cgi-bin/material/get_material",
        "/cgi-bin/wxaapp/createwxaqrcode",
        "/wxa/getwxacode",
        "/wxa/getwxacodeunlimit",
    }
)
# After "system busy" (−1) nobody knows whether it was done. Reading twice does no harm, so GETs are repeated
# except those that use something up; of the POSTs only those that read or set one value.
_REPEATABLE_POSTS: Final = frozenset(
    {
        "/cgi-bin/stable_token",
        "/cgi-bin/user/info/batchget",
        "/cgi-bin/user/info/updateremark",
        "/cgi-bin/user/tag/get",
        "/cgi-bin/tags/getidlist",
        "/cgi-bin/tags/members/batchtagging",
        "/cgi-bin/tags/members/batchuntagging",
        "/cgi-bin/openapi/quota/get",
        "/cgi-bin/openapi/rid/get",
        "/cgi-bin/callback/check",
        "/cgi-bin/menu/trymatch",
        "/cgi-bin/message/mass/get",
        "/cgi-bin/draft/batchget",
        "/wxa/getwxacodeunlimit",
        "/wxa/business/checkencryptedmsg",
    }
)
# A mass send whose `clientmsgid` is known is told so by a code, and by the id that the first one got: an answer.
KNOWN_CLIENT_MSG_ID: Final = 45065
_ANSWERING_CODES: Final[Mapping[str, frozenset[int]]] = {
    "/cgi-bin/message/mass/send": frozenset({KNOWN_CLIENT_MSG_ID}),
    "/cgi-bin/message/mass/sendall": frozenset({KNOWN_CLIENT_MSG_ID}),
}
_UNREPEATABLE_GETS: Final = frozenset(
    {"/device/getqrcode", "/cgi-bin/token", "/sns/oauth2/access_token", "/sns/jscode2session"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class BinaryAnswer:
    """A file that WeChat sent."""

    content: bytes = dataclasses.field(repr=False)
    content_type: str


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call, complete but for the token, and whole again on a repeat: its body is bytes, not a file."""

    method: str
    path: str
    base_url: str = dataclasses.field(repr=False)
    params: tuple[tuple[str, str], ...] = dataclasses.field(repr=False)
    body: bytes | None = dataclasses.field(repr=False)
    content_type: str | None
    is_repeatable: bool
    timeout_s: float

    @property
    def takes_token(self) -> bool:
        return self.path not in TOKENLESS

    @property
    def may_be_binary(self) -> bool:
        return self.path in BINARY

    @property
    def answering_codes(self) -> frozenset[int]:
        """Codes besides 0 with which WeChat answers this call instead of refusing it."""
        return _ANSWERING_CODES.get(self.path, frozenset())

    def url(self, token: str | None) -> str:
        params = [*self.params, ("access_token", token)] if token is not None else list(self.params)
        return f"{self.base_url}?{urlencode(params)}" if params else self.base_url

    def private_values(self) -> Iterable[str]:
        """What must not show in an error text: every parameter value."""
        return [value for _name, value in self.params]


def build(
    method: str,
    url: str,
    *,
    params: Any = None,
    data: Any = None,
    files: Mapping[str, Any] | None = None,
    is_repeatable: bool | None = None,
    timeout_s: float,
) -> Call:
    """The call for what a wechatpy API class passes to its client. Raises UnknownHost.

    A token that the caller put into the parameters is dropped where ours belongs: a repeat after 40001 must
    not carry the dead one again.
    """
    address = hosts.resolve(url)
    pairs = [*address.params, *_pairs(params)]
    if address.path not in TOKENLESS:
        pairs = [pair for pair in pairs if pair[0] != "access_token"]
    body, content_type = _body(data, files)
    verb = method.upper()
    if is_repeatable is None:
        is_repeatable = (
            address.path not in _UNREPEATABLE_GETS if verb == "GET" else address.path in _REPEATABLE_POSTS
        )
    return Call(verb, address.path, address.url, tuple(pairs), body, content_type, is_repeatable, timeout_s)


def _pairs(params: Any) -> list[tuple[str, str]]:
    """Query parameters from a mapping, a ready-made query string or pairs; None values are left out."""
    if not params:
        return []
    if isinstance(params, bytes):
        params = params.decode()
    if isinstance(params, str):
        return parse_qsl(params, keep_blank_values=True)
    items = params.items() if isinstance(params, Mapping) else params
    return [(str(name), _text(value)) for name, value in items if value is not None]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _body(data: Any, files: Mapping[str, Any] | None) -> tuple[bytes | None, str | None]:
    if files:
        fields: dict[str, Any] = {name: _part(part) for name, part in files.items()}
        if isinstance(data, Mapping):
            fields |= {str(name): _text(value) for name, value in data.items()}
        return encode_multipart_formdata(fields)
    if data is None:
        return None, None
    if isinstance(data, bytes):
        return data, JSON_TYPE
    if not isinstance(data, str):
        # Raw UTF-8: WeChat shows \u escapes literally or answers 40033 (official page "global return codes").
        data = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # A lone half of a surrogate pair has no UTF-8 form; the error would carry the whole text with it.
    return data.encode("utf-8", "replace"), JSON_TYPE


def _part(part: Any) -> tuple[str, bytes, str] | tuple[str, bytes]:
    """One file of an upload, read now, so that a repeat sends it whole and not from where the first read
    ended."""
    if isinstance(part, tuple):
        name, content, *rest = part
        return (str(name), _content(content), str(rest[0])) if rest else (str(name), _content(content))
    name = getattr(part, "name", None)
    return (PurePath(name).name if isinstance(name, str) and name else "file", _content(part))


def _content(source: Any) -> bytes:
    content = source.read() if hasattr(source, "read") else source
    return content.encode() if isinstance(content, str) else bytes(content)
