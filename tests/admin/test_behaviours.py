"""What staff see of behaviours: the list by kind, day and member, the sums above it, a member's panel, the setting."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from core import clock
from members import services
from members.models import BehaviourPolicy
from tests.cast import Cast
from tests.members.behaviours_kit import deed, tell

LIST = "/admin/members/behaviour/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """What is of today does not depend on when the tests run."""
    with time_machine.travel(dt.datetime(2026, 11, 28, 12, tzinfo=clock.SHANGHAI)):
        yield


@pytest.fixture
def browsed(cast: Cast) -> dt.datetime:
    """小美 looked at a coat twice and searched; 小丽, of nobody's part, looked at it once. When."""
    at = clock.now()
    coat = [deed(at=at - dt.timedelta(seconds=second)) for second in (1, 2)]
    tell(cast.xiaomei.id, *coat, deed("searched", at=at, words="羊毛大衣"), at=at)
    tell(cast.xiaoli.id, deed(at=at), at=at)
    return at


def rows(client: Client, query: str = "") -> list[tuple[str, str]]:
    found: Any = client.get(f"{LIST}{query}")
    assert found.status_code == 200
    return sorted((row.card.display_name, row.kind) for row in found.context["cl"].result_list)


def test_the_list_is_narrowed_by_kind_door_day_and_words(
    cast: Cast, browsed: dt.datetime, client: Client
) -> None:
    client.force_login(cast.head_office)
    assert len(rows(client)) == 4
    assert rows(client, "?kind=searched") == [("小美", "searched")]
    assert rows(client, "?door=api") == []
    assert len(rows(client, "?q=C2041")) == 3
    assert rows(client, "?q=%00") == rows(client)
    assert rows(client, f"?q={cast.xiaoli.code}") == [("小丽", "product_viewed")]
    day = clock.business_day(browsed)
    assert len(rows(client, f"?happened_at_from={day - dt.timedelta(days=1)}&happened_at_to={day}")) == 4
    assert rows(client, f"?happened_at_to={day - dt.timedelta(days=3)}") == []


def test_head_office_sees_sums_and_a_region_its_own_rows(
    cast: Cast, browsed: dt.datetime, client: Client
) -> None:
    services.sum_behaviour_days()
    client.force_login(cast.head_office)
    assert "3 次 / 2 人" in client.get(LIST).content.decode()
    cast.regional.user_permissions.add(Permission.objects.get(codename="view_behaviour"))
    client.force_login(cast.regional)
    text = client.get(LIST).content.decode()
    assert "次 /" not in text
    assert {name for name, _kind in rows(client)} == {"小美"}


def test_her_page_shows_what_she_did_last(cast: Cast, browsed: dt.datetime, client: Client) -> None:
    client.force_login(cast.head_office)
    text = client.get(f"/admin/members/member/{cast.xiaomei.id}/change/").content.decode()
    assert "羊毛大衣" in text
    assert f"{LIST}?q={cast.xiaomei.code}" in text


def test_the_first_page_says_when_the_next_month_was_not_made(cast: Cast, client: Client) -> None:
    client.force_login(cast.head_office)
    assert "下个月的分区还没有建" not in client.get("/admin/").content.decode()  # it has just been installed
    services.keep_partitions(at=clock.now() - dt.timedelta(days=30))
    services.keep_partitions()
    assert "下个月的分区还没有建" not in client.get("/admin/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE members_behaviour_y2026m12")
    assert "下个月的分区还没有建" in client.get("/admin/").content.decode()
    client.force_login(cast.regional)
    assert "下个月的分区还没有建" not in client.get("/admin/").content.decode()
    services.keep_partitions()
    client.force_login(cast.head_office)
    assert "下个月的分区还没有建" not in client.get("/admin/").content.decode()


def test_how_long_is_kept_is_set_once_for_the_chain(cast: Cast, client: Client) -> None:
    client.force_login(cast.head_office)
    page = "/admin/members/behaviourpolicy/add/"
    assert client.post(page, {"is_on": "on", "kept_months": "61"}).status_code == 200
    assert not BehaviourPolicy.objects.exists()
    assert client.post(page, {"is_on": "on", "kept_months": "6"}).status_code == 302
    assert BehaviourPolicy.objects.get().kept_months == 6
