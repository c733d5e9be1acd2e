"""Message encryption of the push channel, written from the official page "message push / encryption".

Plaintext = 16 random bytes + 4-byte big-endian length + message + appid, padded to a multiple of 32 bytes,
AES-256-CBC, IV = first 16 bytes of the key. EncodingAESKey is base64 of the key without its last "=".
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAD_BLOCK = 32


class CryptoError(Exception):
    """The ciphertext is not ours: wrong key, wrong appid, or malformed."""


def decode_key(encoding_aes_key: str) -> bytes:
    """Turn the 43-character EncodingAESKey into 32 bytes. Non-canonical last characters are valid keys."""
    if len(encoding_aes_key) != 43:
        raise CryptoError("EncodingAESKey must have 43 characters")
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except binascii.Error as error:
        raise CryptoError("EncodingAESKey is not base64") from error
    return key


def signature(*parts: str) -> str:
    """Return sha1 over the sorted parts joined without separator, lower-case hex."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def pad_message(data: bytes) -> bytes:
    """Append PKCS#7 padding with block 32: the pad value is 1 to 32."""
    size = PAD_BLOCK - len(data) % PAD_BLOCK
    return data + bytes([size]) * size


def _unpad(data: bytes) -> bytes:
    size = data[-1]
    if not 1 <= size <= PAD_BLOCK or len(data) < size or data[-size:] != bytes([size]) * size:
        raise CryptoError("bad padding")
    return data[:-size]


def encrypt(
    message: str,
    encoding_aes_key: str,
    app_id: str,
    *,
    random: bytes | None = None,
    pad: Callable[[bytes], bytes] = pad_message,
    length: int | None = None,
) -> str:
    """Encrypt a message; `random`, `pad` and `length` exist so that vectors and broken pushes can be made."""
    key = decode_key(encoding_aes_key)
    body = message.encode()
    head = random if random is not None else secrets.token_bytes(16)
    plain = head + (len(body) if length is None else length).to_bytes(4, "big") + body + app_id.encode()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(pad(plain)) + encryptor.finalize()).decode()


def decrypt(ciphertext: str, encoding_aes_key: str, app_id: str) -> str:
    """Return the message inside, or raise CryptoError whatever is wrong with it."""
    key = decode_key(encoding_aes_key)
    try:
        raw = base64.b64decode(ciphertext, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CryptoError("not base64") from error
    if len(raw) < 32 or len(raw) % 16:
        raise CryptoError("bad length")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = _unpad(decryptor.update(raw) + decryptor.finalize())
    end = 20 + int.from_bytes(plain[16:20], "big")
    if len(plain) < 20 or end > len(plain):
        raise CryptoError("bad length field")
    if plain[end:] != app_id.encode():
        raise CryptoError("wrong appid")
    try:
        return plain[20:end].decode()
    except UnicodeDecodeError as error:
        raise CryptoError("not UTF-8") from error
