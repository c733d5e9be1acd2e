"""From the bytes of an HTTP answer to what an API method returns."""

import json
from collections.abc import Collection, Iterable
from typing import Any, Final

from wechat.client.calls import BinaryAnswer
from wechat.client.errors import ApiError, TransportError, UnreadableAnswer
from wechat.client.transport import Answer

_MAGIC: Final = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF8",
    b"BM",
    b"#!AMR",
    b"ID3",  # MP3 with tags
    b"\xff\xfb",  # MP3 without
)
_OK: Final = 200


def read(
    answer: Answer,
    path: str,
    *,
    may_be_binary: bool,
    private: Iterable[str],
    answering_codes: Collection[int] = (),
) -> Any:
    """The JSON object, or BinaryAnswer where the call may answer with a file.

    A file is told from an error by trying JSON only when the body starts with a brace, then by its first
    bytes. Raises TransportError, UnreadableAnswer or ApiError.
    """
    if answer.status != _OK:
        raise TransportError.of_status(path, answer.status)
    if may_be_binary and is_known_file(answer.body):
        return BinaryAnswer(answer.body, answer.content_type)
    result = _read_object(answer.body, path)
    errcode = _errcode(result, path)
    if errcode and errcode not in answering_codes:
        raise ApiError.of_answer(path, errcode, str(result.get("errmsg", "")), private)
    return result


def is_known_file(content: bytes) -> bool:
    """Does it start like a picture, a voice or a video?"""
    return content.startswith(_MAGIC) or content[4:8] == b"ftyp" or content[8:12] == b"WEBP"


def _read_object(body: bytes, path: str) -> dict[str, Any]:
    text = body.lstrip()
    if not text.startswith(b"{"):
        raise UnreadableAnswer(path, errmsg="not JSON" if text else "an empty answer")
    try:
        # strict=False: error texts of WeChat have been seen with bare control characters.
        result = json.loads(text.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise UnreadableAnswer(path, errmsg="broken JSON")
    inner = result.pop("base_resp", None)  # the device API wraps its code
    if isinstance(inner, dict):
        result |= inner
    return result


def _errcode(result: dict[str, Any], path: str) -> int:
    """The code as a number, and so in the result: a few old calls give it as a string. Absent means
    success."""
    code = result.get("errcode", 0)
    if isinstance(code, str):
        code = int(code) if code.strip().lstrip("-").isdecimal() else None
    if not isinstance(code, int):
        raise UnreadableAnswer(path, errmsg="errcode is not a number")
    if "errcode" in result:
        result["errcode"] = code
    return code
