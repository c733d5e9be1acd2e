"""A guide sees what her member looked at in the mini-program."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps

from core import clock
from tests.cast import Cast
from tests.members.behaviours_kit import deed, tell

pytestmark = pytest.mark.django_db


def test_she_sees_goods_by_name_carts_and_searches_the_last_first(
    cast: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    at = clock.now()
    apps.get_model("sales", "Product").objects.create(code="C2041", name="羊毛大衣", created_at=at)

    def ago(**span: float) -> dt.datetime:
        return at - dt.timedelta(**span)

    tell(
        cast.xiaomei.id,
        *(deed(at=ago(minutes=minutes)) for minutes in (10, 20, 30)),
        deed("cart_added", at=ago(minutes=5), product="X1", quantity=1),
        deed("searched", at=ago(minutes=40), words="围巾"),
        deed("page_viewed", at=ago(minutes=1), page="pages/index"),
        at=at,
    )
    client = log_in(cast.lina)
    with django_assert_max_num_queries(12):
        text = client.get(f"/a/members/{cast.xiaomei.public_id}/").content.decode()
    places = [
        text.index(words) for words in ("来过小程序", "加购 1 次 X1", "看过 3 次 羊毛大衣", "搜过 1 次“围巾”")
    ]
    assert places == sorted(places)


def test_before_she_was_there_nothing_is_said(cast: Cast, log_in: Any) -> None:
    tell(
        cast.xiaomei.id, deed(at=clock.now() - dt.timedelta(days=31)), at=clock.now() - dt.timedelta(days=31)
    )
    assert "最近在看" not in log_in(cast.lina).get(f"/a/members/{cast.xiaomei.public_id}/").content.decode()
