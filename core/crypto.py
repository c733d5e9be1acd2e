"""Secrets and phones at rest.

`seal` is AES-256-GCM with a random 96-bit nonce; the sealed text names the key it was made with, so keys can
be rotated: `settings.FIELD_KEYS` is a list of `id:base64` pairs, the first seals, all of them open. `context`
binds a sealed text to its place (table.column), so that a value copied into another column does not open.
`blind_index` is a keyed HMAC-SHA256: it finds an exact value without storing it. `settings.INDEX_KEYS` is a list as
well: the first key makes what is stored, and a look-up asks for the fingerprints of all (`blind_indexes`), so that
everybody is found while the stored ones are made anew. `blind_tokens` are short keyed
hashes of words, for searching text that is sealed; look-ups take `every_blind_token`.
"""

import base64
import functools
import hashlib
import hmac
import secrets
from binascii import b2a_base64
from collections.abc import Iterable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class CannotOpen(Exception):
    """The sealed text was made with a key we do not have, for another place, or was tampered with."""


@functools.lru_cache(maxsize=4)
def _keyring(configured: tuple[str, ...]) -> dict[str, bytes]:
    ring: dict[str, bytes] = {}
    for pair in configured:
        key_id, _, encoded = pair.partition(":")
        key = base64.b64decode(encoded, validate=True)
        if not key_id or len(key) != _KEY_BYTES:
            raise ValueError("FIELD_KEYS takes id:base64 pairs of 32-byte keys")
        ring[key_id] = key
    if not ring:
        raise ValueError("FIELD_KEYS is empty")
    return ring


@functools.lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def new_key() -> str:
    """A fresh 32-byte key in base64, for FIELD_KEYS or INDEX_KEY."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def seal(plain: str, *, context: str) -> str:
    """The sealed form, `key_id.base64(nonce + ciphertext)`."""
    key_id, key = next(iter(_keyring(tuple(settings.FIELD_KEYS)).items()))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = _cipher(key).encrypt(nonce, plain.encode(), context.encode())
    return f"{key_id}.{base64.b64encode(nonce + sealed).decode()}"


def seal_all(plains: Sequence[str], *, context: str) -> list[str]:
    """The sealed form of each, under a nonce of its own, in half the time; an empty text stays empty."""
    key_id, key = next(iter(_keyring(tuple(settings.FIELD_KEYS)).items()))
    encrypt, bound = _cipher(key).encrypt, context.encode()
    nonces = secrets.token_bytes(_NONCE_BYTES * len(plains))
    sealed = []
    for number, plain in enumerate(plains):
        if not plain:
            sealed.append("")
            continue
        nonce = nonces[number * _NONCE_BYTES : (number + 1) * _NONCE_BYTES]
        raw = nonce + encrypt(nonce, plain.encode(), bound)
        sealed.append(f"{key_id}.{b2a_base64(raw, newline=False).decode()}")
    return sealed


def unseal(sealed: str, *, context: str) -> str:
    """What was sealed. Raises CannotOpen."""
    key_id, _, encoded = sealed.partition(".")
    key = _keyring(tuple(settings.FIELD_KEYS)).get(key_id)
    if key is None:
        raise CannotOpen("sealed with an unknown key")
    try:
        raw = base64.b64decode(encoded, validate=True)
        return _cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("the sealed text does not open") from error


@functools.lru_cache(maxsize=4)
def _index_keys(configured: tuple[str, ...]) -> tuple[bytes, ...]:
    keys = tuple(base64.b64decode(encoded, validate=True) for encoded in configured)
    if not keys or any(len(key) != _KEY_BYTES for key in keys):
        raise ValueError("INDEX_KEY takes 32-byte keys in base64, the newest first")
    return keys


def blind_indexes(value: str, *, context: str) -> list[str]:
    """The fingerprints of the value under every index key, the one to store first; equal keys count once."""
    keys = _index_keys(tuple(settings.INDEX_KEYS))
    message = f"{context}\0{value}".encode()
    return list(dict.fromkeys(hmac.digest(key, message, "sha256").hex() for key in keys))


def blind_index(value: str, *, context: str) -> str:
    """The keyed fingerprint to store (64 hex digits): equal values have equal ones, nothing else shows."""
    key = _index_keys(tuple(settings.INDEX_KEYS))[0]
    return hmac.digest(key, f"{context}\0{value}".encode(), "sha256").hex()


def veil(number: int, *, context: str) -> str:
    """A row's number as an id for outside: 22 signs that tell neither the number nor how many there are.

    For tables whose bulk writes would pay for the index of a random id. It is one AES block, so the same number has the
    same id for as long as the first index key stays.
    """
    block = (
        _veil_of(_index_keys(tuple(settings.INDEX_KEYS))[0], context).encryptor().update(number.to_bytes(16))
    )
    return base64.urlsafe_b64encode(block).decode().rstrip("=")


def unveil(text: str, *, context: str) -> int | None:
    """The number behind an id, under any index key; None for a text that we did not make for this context.

    Half of the block is zeros, so an invented text opens once in 2**64.
    """
    try:
        block = base64.b64decode(f"{text}==", altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(block) != 16:
        return None
    for key in _index_keys(tuple(settings.INDEX_KEYS)):
        number = int.from_bytes(_veil_of(key, context).decryptor().update(block))
        if number < 2**63:
            return number
    return None


@functools.lru_cache(maxsize=16)
def _veil_of(index_key: bytes, context: str) -> Cipher[modes.ECB]:
    key = hmac.digest(index_key, f"veil\0{context}".encode(), "sha256")
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  (one block, no two to compare)


def sealing_key_id() -> str:
    """The name of the key that seals now: sealed texts that begin with another are under an older key."""
    return next(iter(_keyring(tuple(settings.FIELD_KEYS))))


def blind_tokens(words: Iterable[str], *, context: str) -> list[int]:
    """A keyed 64-bit hash (BLAKE2b) of every word under the first index key, sorted, each once, as PostgreSQL's
    bigint: what is stored.

    Two words share a hash once in 2**64: what is found by tokens is never taken for proof of being equal.
    """
    return _tokens(words, _index_keys(tuple(settings.INDEX_KEYS))[0], context)


def every_blind_token(word: str, *, context: str) -> list[int]:
    """The hashes of one word under all index keys: what a look-up asks for, any of them."""
    keys = _index_keys(tuple(settings.INDEX_KEYS))
    return sorted({token for key in keys for token in _tokens([word], key, context)})


def _tokens(words: Iterable[str], index_key: bytes, context: str) -> list[int]:
    key = _token_key(index_key, context)
    return sorted({_token(word, key) for word in words})


@functools.lru_cache(maxsize=65_536)
def _token(word: str, key: bytes) -> int:
    """Many names share their parts, so the hashes of words are kept."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8, key=key).digest(), signed=True)


@functools.lru_cache(maxsize=16)
def _token_key(index_key: bytes, context: str) -> bytes:
    return hmac.digest(index_key, f"tokens\0{context}".encode(), "sha256")


def digest(value: str) -> str:
    """Plain SHA-256 in hex, for one-time codes that are long and random already."""
    return hashlib.sha256(value.encode()).hexdigest()
