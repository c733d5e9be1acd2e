"""Secrets at rest."""

import base64
import re
import secrets
from typing import Any

import pytest
from django.db import connection

from core import crypto
from tests.wechat.conftest import make_account
from wechat.models import Account


def new_key(name: str) -> str:
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def test_what_is_sealed_opens_again_and_never_looks_the_same() -> None:
    first, second = (crypto.seal("13800138000", context="a.b") for _ in range(2))
    assert first != second
    assert "13800138000" not in first
    assert crypto.unseal(first, context="a.b") == "13800138000"


def test_many_are_sealed_each_by_itself() -> None:
    sealed = crypto.seal_all(["13800138000", "", "小美", "13800138000"], context="a.b")
    assert [text and crypto.unseal(text, context="a.b") for text in sealed] == [
        "13800138000", "", "小美", "13800138000",
    ]  # fmt: skip
    assert len({base64.b64decode(text.partition(".")[2])[:12] for text in sealed if text}) == 3


def test_a_sealed_text_opens_only_in_its_own_place() -> None:
    sealed = crypto.seal("x", context="members_member.phone")
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(sealed, context="members_member.name")


@pytest.mark.parametrize("broken", ["", "nokey", "dev.", "dev.%%%", "dev.AAAA"])
def test_broken_texts_are_one_kind_of_refusal(broken: str) -> None:
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(broken, context="a.b")


def test_old_keys_open_after_a_rotation_and_new_ones_seal(settings: object) -> None:
    old, new = new_key("k1"), new_key("k2")
    settings.FIELD_KEYS = [old]  # type: ignore[attr-defined]
    sealed = crypto.seal("x", context="a.b")
    settings.FIELD_KEYS = [new, old]  # type: ignore[attr-defined]
    assert crypto.unseal(sealed, context="a.b") == "x"
    assert crypto.seal("x", context="a.b").startswith("k2.")
    settings.FIELD_KEYS = [new]  # type: ignore[attr-defined]
    with pytest.raises(crypto.CannotOpen, match="unknown key"):
        crypto.unseal(sealed, context="a.b")


@pytest.mark.parametrize("keys", [[], ["k1:short"], [":aaaa"]])
def test_unusable_keys_stop_at_once(keys: list[str], settings: object) -> None:
    settings.FIELD_KEYS = keys  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"FIELD_KEYS|base64"):
        crypto.seal("x", context="a.b")


def test_the_blind_index_finds_equals_and_depends_on_its_place() -> None:
    assert crypto.blind_index("1", context="a") == crypto.blind_index("1", context="a")
    assert crypto.blind_index("1", context="a") != crypto.blind_index("1", context="b")


@pytest.mark.django_db
def test_a_sealed_column_holds_no_plain_text() -> None:
    account = make_account()
    with connection.cursor() as cursor:
        cursor.execute("SELECT app_secret, push_token, aes_key FROM wechat_account")
        stored = cursor.fetchone()
    assert all(plain not in text for plain in ("planted-app-secret", account.push_token) for text in stored)
    assert Account.objects.get().app_secret == "planted-app-secret"


@pytest.mark.django_db
def test_a_sealed_column_cannot_be_filtered_on() -> None:
    with pytest.raises(Exception, match="lookup"):
        list(Account.objects.filter(app_secret__contains="p"))


def test_a_veiled_number_tells_nothing_and_opens_in_its_context_only(settings: Any) -> None:
    ids = [crypto.veil(number, context="here") for number in range(200)]
    assert len(set(ids)) == 200
    assert all(re.fullmatch(r"[0-9A-Za-z_-]{22}", text) for text in ids)
    assert len({text[:4] for text in ids}) > 190
    assert [crypto.unveil(text, context="here") for text in ids] == list(range(200))
    assert crypto.unveil(ids[7], context="there") is None
    assert crypto.unveil(crypto.veil(2**63 - 1, context="here"), context="here") == 2**63 - 1
    settings.INDEX_KEYS = [crypto.new_key(), *settings.INDEX_KEYS]
    assert crypto.unveil(ids[7], context="here") == 7
    assert crypto.veil(7, context="here") != ids[7]


@pytest.mark.parametrize("text", ["", "A" * 22, "A" * 21, "A" * 23, "=" * 22, "é" * 22, "a b", "A" * 500])
def test_an_invented_id_opens_nothing(text: str) -> None:
    assert crypto.unveil(text, context="here") is None
