"""Signatures and encryption: the published vectors, and every malformed input."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import check_signature as wechatpy_check_signature

from tests.wechat import push_kit
from wechat.services.push_crypto import (
    Keyring,
    PushCipher,
    PushRefused,
    check_signature,
    decode_key,
    signature_of,
)

VECTORS: dict[str, dict[str, Any]] = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parents[1] / "fixtures" / "wechat_vectors.json").read_text())
}


def of_kind(*kinds: str) -> list[Any]:
    return [pytest.param(v, id=v["id"]) for v in VECTORS.values() if v["kind"] in kinds]


@pytest.mark.parametrize("vector", of_kind("signature"))
def test_published_push_signatures_are_accepted(vector: dict[str, Any]) -> None:
    check_signature(vector["signature"], vector["token"], vector["timestamp"], vector["nonce"])


@pytest.mark.parametrize("vector", of_kind("sorted_sha1"))
def test_published_sorted_digests_agree(vector: dict[str, Any]) -> None:
    assert signature_of(*vector["items"]) == vector["signature"]


@pytest.mark.parametrize("vector", of_kind("decrypt"))
def test_published_ciphertexts_open(vector: dict[str, Any]) -> None:
    check_signature(
        vector["msg_signature"], vector["token"], vector["timestamp"], vector["nonce"], vector["encrypt"]
    )
    text = PushCipher(vector["aes_key"], vector["app_id"]).open(vector["encrypt"])
    if "msg" in vector:
        assert text == vector["msg"]
    else:
        assert len(text.encode()) == vector["msg_len"]
        assert all(part in text for part in vector["msg_contains"])


@pytest.mark.parametrize("vector", of_kind("encrypt"))
def test_published_plaintexts_seal_to_the_published_ciphertext(vector: dict[str, Any]) -> None:
    class FixedPrefix(PushCipher):
        def get_random_string(self) -> bytes:
            return str(vector["random"]).encode()

    cipher = FixedPrefix(vector["aes_key"], vector["app_id"])
    assert cipher.seal(vector["msg"]) == vector["encrypt"]
    assert cipher.open(vector["encrypt"]) == vector["msg"]
    if "msg_signature" in vector:
        assert (
            signature_of(vector["token"], vector["timestamp"], vector["nonce"], vector["encrypt"])
            == vector["msg_signature"]
        )


def test_padding_fills_blocks_of_32_not_16() -> None:
    assert len(base64.b64decode(VECTORS["push-safe"]["encrypt"])) == 224
    assert len(base64.b64decode(PushCipher(push_kit.AES_KEY, "wx1").seal("x" * 25))) % 32 == 0


@pytest.mark.parametrize("key", [push_kit.AES_KEY, "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"])
def test_non_canonical_keys_are_valid(key: str) -> None:
    assert len(decode_key(key)) == 32


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "!" * 43])
def test_keys_of_other_shapes_are_refused_with_one_exception(key: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        decode_key(key)


# Defects of wechatpy 1.8.18 that could reach us: each shown on plain wechatpy, then on our seam. ------------


def test_an_empty_token_signs_nothing() -> None:
    blank = push_kit.sign("", "", "")
    wechatpy_check_signature("", blank, "", "")  # wechatpy accepts it
    with pytest.raises(PushRefused) as refusal:
        check_signature(blank, "", "", "")
    assert refusal.value.reason == "empty_token"


def test_blank_parameters_are_refused_even_when_the_signature_fits() -> None:
    with pytest.raises(PushRefused) as refusal:
        check_signature(push_kit.sign("T", "", ""), "T", "", "")
    assert refusal.value.reason == "missing_parameter"


MALFORMED = [
    ("%%%", "not_base64"),
    ("", "bad_length"),
    (base64.b64encode(b"x" * 15).decode(), "bad_length"),
    (base64.b64encode(b"x" * 16).decode(), "bad_padding"),
    (base64.b64encode(b"x" * 31).decode(), "bad_length"),
    (push_kit.encrypt("hi", pad=0), "bad_padding"),
    (push_kit.encrypt("hi", pad=33), "bad_padding"),
    (push_kit.encrypt("hi", app_id="wxother"), "wrong_app_id"),
    (push_kit.encrypt("hi", key=push_kit.OLD_AES_KEY), "bad_padding"),
]


@pytest.mark.parametrize(
    ("encrypted", "reason"), MALFORMED, ids=[f"{n}-{reason}" for n, (_text, reason) in enumerate(MALFORMED)]
)
def test_every_malformed_ciphertext_is_one_kind_of_refusal(encrypted: str, reason: str) -> None:
    with pytest.raises(PushRefused) as refusal:
        PushCipher(push_kit.AES_KEY, push_kit.APP_ID).open(encrypted)
    assert refusal.value.reason == reason


def test_plain_wechatpy_raises_a_zoo_and_ignores_padding() -> None:
    crypto = PrpCrypto(decode_key(push_kit.AES_KEY))
    with pytest.raises(Exception) as short:  # noqa: PT011
        crypto.decrypt("", push_kit.APP_ID)
    assert not isinstance(short.value, PushRefused)
    tampered = push_kit.encrypt("hi" * 8)
    plain = crypto.cipher.decrypt(base64.b64decode(tampered))
    wrong_pad = bytearray(plain)
    wrong_pad[-2] ^= 1  # a padding byte that is not the pad value
    resealed = base64.b64encode(crypto.cipher.encrypt(bytes(wrong_pad))).decode()
    assert crypto.decrypt(resealed, push_kit.APP_ID) == "hi" * 8  # wechatpy does not look
    with pytest.raises(PushRefused) as refusal:
        PushCipher(push_kit.AES_KEY, push_kit.APP_ID).open(resealed)
    assert refusal.value.reason == "bad_padding"


def test_plain_wechatpy_fails_on_a_malformed_envelope_with_its_own_errors() -> None:
    crypto = WeChatCrypto(push_kit.TOKEN, push_kit.AES_KEY, push_kit.APP_ID)
    with pytest.raises(KeyError):
        crypto.decrypt_message("<xml><A>1</A></xml>", "s", "t", "n")


def test_a_length_field_beyond_the_buffer_is_refused() -> None:
    cipher = PushCipher(push_kit.AES_KEY, push_kit.APP_ID)
    plain = b"r" * 16 + (999).to_bytes(4, "big") + b"hi" + push_kit.APP_ID.encode()
    count = 32 - len(plain) % 32
    encrypted = base64.b64encode(cipher.cipher.encrypt(plain + bytes([count]) * count)).decode()
    with pytest.raises(PushRefused) as refusal:
        cipher.open(encrypted)
    assert refusal.value.reason == "bad_length_field"


def test_the_prefix_is_not_a_sample_without_repetition() -> None:
    """wechatpy draws 16 different characters of an alphabet; 16 random bytes repeat now and then."""
    wechatpy_prefixes = [PrpCrypto(decode_key(push_kit.AES_KEY)).get_random_string() for _ in range(50)]
    assert all(len(set(prefix)) == 16 for prefix in wechatpy_prefixes)
    ours = [PushCipher(push_kit.AES_KEY, "wx1").get_random_string() for _ in range(200)]
    assert any(len(set(prefix)) < 16 for prefix in ours)


def test_the_previous_key_still_opens_and_says_so() -> None:
    ring = Keyring(push_kit.APP_ID, (push_kit.AES_KEY, push_kit.OLD_AES_KEY))
    text, cipher = ring.open(push_kit.encrypt("alt", key=push_kit.OLD_AES_KEY))
    assert text == "alt"
    assert push_kit.decrypt(cipher.seal("antwort"), key=push_kit.OLD_AES_KEY) == ("antwort", push_kit.APP_ID)


def test_an_account_without_keys_opens_nothing() -> None:
    with pytest.raises(PushRefused) as refusal:
        Keyring(push_kit.APP_ID, ("", "")).open(push_kit.encrypt("x"))
    assert refusal.value.reason == "no_key"
