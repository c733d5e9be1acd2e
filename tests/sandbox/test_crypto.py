"""The stand-in's own cryptography against published vectors."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import crypto

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "wechat_vectors.json").read_text(encoding="utf-8")
)


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(vector, id=vector["id"]) for vector in VECTORS if vector["kind"] == kind]


@pytest.mark.parametrize("vector", of_kind("signature"))
def test_signature_covers_token_timestamp_and_nonce(vector: dict[str, str]) -> None:
    assert crypto.signature(vector["token"], vector["timestamp"], vector["nonce"]) == vector["signature"]


@pytest.mark.parametrize("vector", of_kind("sorted_sha1"))
def test_signature_sorts_its_parts(vector: dict[str, Any]) -> None:
    assert crypto.signature(*vector["items"]) == vector["signature"]


@pytest.mark.parametrize("vector", of_kind("decrypt"))
def test_published_ciphertext_is_read(vector: dict[str, Any]) -> None:
    parts = (vector["token"], vector["timestamp"], vector["nonce"], vector["encrypt"])
    assert crypto.signature(*parts) == vector["msg_signature"]
    message = crypto.decrypt(vector["encrypt"], vector["aes_key"], vector["app_id"])
    if "msg" in vector:
        assert message == vector["msg"]
    else:
        assert len(message.encode()) == vector["msg_len"]
        assert all(part in message for part in vector["msg_contains"])


@pytest.mark.parametrize("vector", of_kind("encrypt"))
def test_published_ciphertext_is_written_with_the_same_random_bytes(vector: dict[str, Any]) -> None:
    random = vector["random"].encode()
    made = crypto.encrypt(vector["msg"], vector["aes_key"], vector["app_id"], random=random)
    assert made == vector["encrypt"]


def test_padding_block_is_32_and_not_16() -> None:
    vector = next(vector for vector in VECTORS if vector["id"] == "push-safe")
    random = vector["random"].encode()
    made = crypto.encrypt(vector["msg"], vector["aes_key"], vector["app_id"], random=random)
    assert made == vector["encrypt"]
    assert len(base64.b64decode(made)) == 224


KEY = "A" * 43


def sealed(**changes: Any) -> str:
    parts: dict[str, Any] = {"message": "hi", "encoding_aes_key": KEY, "app_id": "wx", "random": b"r" * 16}
    return crypto.encrypt(**{**parts, **changes})


BROKEN = {
    "empty": "",
    "not base64": "!!!!",
    "15 bytes": base64.b64encode(b"x" * 15).decode(),
    "16 bytes": base64.b64encode(b"x" * 16).decode(),
    "31 bytes": base64.b64encode(b"x" * 31).decode(),
    "noise": base64.b64encode(b"x" * 64).decode(),
    "another appid": sealed(app_id="wx-other"),
    "another key": sealed(encoding_aes_key="B" * 43),
    "length beyond the end": sealed(length=2**31),
    "pad 0": sealed(pad=lambda data: crypto.pad_message(data)[:-1] + b"\x00"),
    "pad over 32": sealed(pad=lambda data: data + bytes([48 - len(data) % 16]) * (48 - len(data) % 16)),
}


@pytest.mark.parametrize("ciphertext", BROKEN.values(), ids=BROKEN.keys())
def test_broken_ciphertext_gives_one_kind_of_error(ciphertext: str) -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.decrypt(ciphertext, KEY, "wx")


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "!" * 43])
def test_malformed_keys_are_refused(key: str) -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.decode_key(key)
