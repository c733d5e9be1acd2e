"""Sealed names and what finds them."""

import pytest
from django.db import connection

from core.actor import Actor
from members import selectors, services
from members.selectors import name_tokens

STAFF = Actor.staff(1, "admin")


def _register(name: str, phone: str = "13800138000") -> int:
    card = services.register_member(name=name, phone=phone, source="pos", actor=STAFF)
    return card.id


@pytest.mark.django_db
def test_neither_the_name_nor_its_pinyin_stands_in_the_table() -> None:
    _register("王小美")
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(m)::text FROM members_member m")
        (row,) = cursor.fetchone()
    assert not any(trace in row for trace in ("王", "小美", "xiaomei", "wxm", "13800138000"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    ["王", "王小", "王小美", "小美", "美", "wang", "wangxiaomei", "XiaoMei", "mei", "wxm", "xm", "小 美"],
)
def test_a_sealed_name_is_found_by_either_end_in_letters_pinyin_and_initials(query: str) -> None:
    wanted = _register("王小美")
    _register("李娜", "13900139000")
    assert list(selectors.search_member_ids(query)) == [wanted]


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["李", "xiaoli", "ang", "w", "王美"])
def test_what_is_not_her_name_does_not_find_her(query: str) -> None:
    _register("王小美")
    assert list(selectors.search_member_ids(query)) == []


def test_names_in_other_letters_are_found_by_word() -> None:
    tokens = set(name_tokens("Anna Müller"))
    for query in ("anna", "müller", "annamüller", "am"):
        assert set(selectors.typed_tokens(query)) <= tokens
    assert not set(selectors.typed_tokens("nna")) & tokens


def test_the_tokens_of_a_very_long_name_are_bounded() -> None:
    assert len(name_tokens("阿" * 60)) < 100


def test_another_key_makes_other_tokens(settings: object) -> None:
    before = selectors.typed_tokens("王小美")
    settings.INDEX_KEY = "YW5vdGhlci1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3Q="  # type: ignore[attr-defined]
    assert selectors.typed_tokens("王小美") != before
