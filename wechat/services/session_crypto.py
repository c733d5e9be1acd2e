"""Data that a phone hands to its mini-program, sealed with the session key, on wechatpy's cipher.

The scheme is the official "verify and decrypt open data" page's: AES-128-CBC, PKCS#7 with blocks of 16, JSON
with a watermark. wechatpy 1.8.18 raises half a dozen exception types on a wrong key, takes any padding up to
32 unread, and does not look at the watermark's time.
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any, Final

from wechatpy.crypto import WeChatWxaCrypto

_BLOCK: Final = 16
LONGEST_DATA: Final = 64 * 1024


class DataUnreadable(Exception):
    """The key does not fit or the data is broken; nobody can tell which. Says nothing of its content."""


def decode_key(text: str) -> bytes:
    """The 16 bytes of a session key or IV. Raises DataUnreadable."""
    raw = _decode(text)
    if len(raw) != _BLOCK:
        raise DataUnreadable
    return raw


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise DataUnreadable  # out here, so that the text is not kept as its context


class SessionCipher(WeChatWxaCrypto):  # type: ignore[misc]  # wechatpy ships no types
    """wechatpy's cipher for one session key and IV; every malformed input is DataUnreadable."""

    def __init__(self, session_key: str, iv: str) -> None:
        decode_key(session_key)
        decode_key(iv)
        super().__init__(session_key, iv, "")

    def open(self, encrypted_data: str) -> dict[str, Any]:
        """The JSON object inside; its watermark is not looked at. Raises DataUnreadable."""
        if len(encrypted_data) > LONGEST_DATA:
            raise DataUnreadable
        raw = _decode(encrypted_data)
        if not raw or len(raw) % _BLOCK:
            raise DataUnreadable
        plain: bytes = self.cipher.decrypt(raw)
        pad = plain[-1]
        if not 1 <= pad <= _BLOCK or plain[-pad:] != bytes([pad]) * pad:
            raise DataUnreadable
        return _read_object(plain[:-pad])


def _read_object(plain: bytes) -> dict[str, Any]:
    try:
        result = json.loads(plain.decode("utf-8"))
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError hold the text
        result = None
    if not isinstance(result, dict):
        raise DataUnreadable
    return result


def raw_data_signature(raw_data: str, session_key: str) -> str:
    """SHA-1 over raw data and key joined, lower-case hex: the page's signature of `rawData`."""
    return hashlib.sha1(f"{raw_data}{session_key}".encode(), usedforsecurity=False).hexdigest()


def is_same(claimed: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(claimed.encode("utf-8", "replace"), expected.encode())
