"""会员, narrowed to whom it is time to see again, and to whom she is about to lose."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.events import MemberBound
from guides.handlers import on_member_bound
from guides.models import Binding
from tests.sales.kit import key_of, order, tell

pytestmark = pytest.mark.django_db


def test_due_and_falling_members_are_her_own_only(cast: Any, log_in: Any) -> None:
    now = clock.now()
    for number, member in enumerate((cast.xiaomei, cast.xiaoli)):
        # Every twenty days, and 85 days ago for the last time: in a month R falls below 4.
        tell(
            *(
                order(f"O{number}.{n}", member=key_of(member), sold_at=now - dt.timedelta(days=n))
                for n in (5, 25, 45)
            )
        )
    client = log_in(cast.lina)
    for path in ("/a/members/?only=due", "/a/members/rows/?only=due"):
        page = client.get(path).content.decode()
        assert "小美" not in page  # due in fifteen days
    tell(
        *(
            order(f"P{n}", member=key_of(cast.xiaomei), sold_at=now - dt.timedelta(days=n))
            for n in (6, 7, 8, 9, 10)
        )
    )
    for path in ("/a/members/?only=due", "/a/members/rows/?only=due"):
        page = client.get(path).content.decode()
        assert "小美" in page
        assert "小丽" not in page
        assert "平时 1 天买一次，已 5 天没来" in page
    assert "现在没有这样的会员" in client.get("/a/members/?only=falling").content.decode()
    assert "小美" in client.get("/a/members/?only=%00x").content.decode()


def test_who_falls_in_a_month_is_listed(cast: Any, log_in: Any) -> None:
    now = clock.now()
    tell(*(order(f"O{n}", member=key_of(member), sold_at=now - dt.timedelta(days=80))
           for n, member in enumerate((cast.xiaomei, cast.xiaoli))))  # fmt: skip
    page = log_in(cast.lina).get("/a/members/?only=falling").content.decode()
    assert "小美" in page
    assert "已 80 天没来，30 天内不来会降到「一般挽留客户」" in page
    assert "小丽" not in page


def test_a_new_member_is_told_of_and_not_put_into_a_part_of_the_list(cast: Any, log_in: Any) -> None:
    client = log_in(cast.lina)
    guide_services.bind_member(
        member_id=cast.xiaoli.id, guide_id=cast.lina.id, source="scan", actor=Actor.wechat()
    )
    on_member_bound(MemberBound(Binding.objects.latest("pk").pk, cast.xiaoli.id, cast.lina.id))
    whole = client.get("/a/pulse/?view=members&since=0").content.decode()
    part = client.get("/a/pulse/?view=members&since=0&only=due").content.decode()
    assert "小丽 成为您的会员" in whole
    assert "小丽 成为您的会员" in part
    href = f"/a/members/{cast.xiaoli.public_id}/"
    assert whole.count(href) == part.count(href) + 1
