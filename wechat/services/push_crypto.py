"""Signatures and encryption of pushes, on wechatpy's cipher with its gaps closed.

The scheme is the official "message push / encryption" page's: AES-256-CBC, IV = the key's first 16 bytes,
plaintext = 16 random bytes + length (4 bytes, big-endian) + message + appid, PKCS#7 padded to blocks of 32.
wechatpy 1.8.18 compares signatures in variable time, accepts an empty token, never checks the padding, raises
half a dozen exception types on malformed input, knows one key only and draws its prefix from `random`.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from typing import Final

from wechatpy.crypto import PrpCrypto

_BLOCK: Final = 32


class PushRefused(Exception):
    """The push cannot be trusted. `reason` goes to our log only; the caller gets one answer for all of them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def signature_of(*parts: str) -> str:
    """SHA-1 over the sorted, joined parts, lower-case hex: WeChat's signature for pushes."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def check_signature(claimed: str, token: str, *parts: str) -> None:
    """Raises PushRefused unless the signature fits. An empty token would make it a public constant."""
    if not token:
        raise PushRefused("empty_token")
    if not all(parts):
        raise PushRefused("missing_parameter")
    if not hmac.compare_digest(claimed.encode(), signature_of(token, *parts).encode()):
        raise PushRefused("bad_signature")


def decode_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes of a 43-character EncodingAESKey; non-canonical last characters exist and are valid.

    Raises ValueError.
    """
    if len(encoding_aes_key) != 43:
        raise ValueError("EncodingAESKey has 43 characters")
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except binascii.Error as error:
        raise ValueError("EncodingAESKey is not base64") from error
    if len(key) != 32:
        raise ValueError("EncodingAESKey does not hold 32 bytes")
    return key


class PushCipher(PrpCrypto):  # type: ignore[misc]
    """wechatpy's cipher for one key and one appid; every malformed input is PushRefused."""

    def __init__(self, encoding_aes_key: str, app_id: str) -> None:
        super().__init__(decode_key(encoding_aes_key))
        self.app_id = app_id

    def get_random_string(self) -> bytes:
        return secrets.token_bytes(16)

    def seal(self, text: str) -> str:
        return str(self.encrypt(text, self.app_id).decode())

    def open(self, encrypted: str) -> str:
        """The message inside. Raises PushRefused: not base64, wrong length, padding, length field or appid."""
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError) as error:
            raise PushRefused("not_base64") from error
        if not raw or len(raw) % 16:
            raise PushRefused("bad_length")
        plain = self.cipher.decrypt(raw)
        pad = plain[-1]
        if not 1 <= pad <= _BLOCK or plain[-pad:] != bytes([pad]) * pad:
            raise PushRefused("bad_padding")
        content = plain[16:-pad]
        if len(content) < 4:
            raise PushRefused("bad_length_field")
        (length,) = struct.unpack(">I", content[:4])
        if length > len(content) - 4:
            raise PushRefused("bad_length_field")
        if not hmac.compare_digest(content[4 + length :], self.app_id.encode()):
            raise PushRefused("wrong_app_id")
        try:
            return str(content[4 : 4 + length], "utf-8")
        except UnicodeDecodeError as error:
            raise PushRefused("not_utf8") from error


class Keyring:
    """The current and, while WeChat changes over, the previous key of one account."""

    def __init__(self, app_id: str, keys: tuple[str, ...]) -> None:
        self._ciphers = [PushCipher(key, app_id) for key in keys if key]

    def __bool__(self) -> bool:
        return bool(self._ciphers)

    def open(self, encrypted: str) -> tuple[str, PushCipher]:
        """The message and the cipher that opened it, with which the reply must be sealed. Raises PushRefused."""
        refusal = PushRefused("no_key")
        for cipher in self._ciphers:
            try:
                return cipher.open(encrypted), cipher
            except PushRefused as error:
                refusal = refusal if refusal.reason == "wrong_app_id" else error
        raise refusal
