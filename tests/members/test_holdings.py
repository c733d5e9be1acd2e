"""What `members` keeps about somebody: told to her on request, and gone when she is erased."""

import json
from typing import Any

import pytest

from core import clock
from members import services
from members.models import MemberAddress, MemberIdentity, MemberTag, PointsAccount, PointsEntry
from members.services.holdings import all_holdings
from tests.cast import openid_of
from tests.members.merge_kit import DESK, customer, follower, merge
from tests.members.points_kit import check_sums, credit, make_staff

pytestmark = pytest.mark.django_db


def _everything() -> int:
    """A member with something in every part; her row id."""
    till, fan = customer("13912345678"), follower("fan")
    group = services.create_tag_group(name="肤质", actor=DESK)
    tag = services.create_tag(group_id=group.id, name="干性", actor=DESK)
    services.tag_members(member_ids=[till.id], tag_id=tag.id, actor=DESK)
    MemberAddress.objects.create(
        member_id=till.id, province="上海市", city="上海市", street="南京路 1 号", changed_at=clock.now()
    )
    credit(till.id, 30, "sale:1")
    services.adjust_points(
        member_id=till.id, delta=5, reason="王女士来电", request_key="r", actor=make_staff("a")
    )
    merge(till.id, fan.id)
    return till.id


def _export(member_id: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for part in all_holdings():
        told |= part.export(member_id)
    return told


def test_she_is_told_all_of_it() -> None:
    told = _export(_everything())
    assert {"合并记录", "地址", "身份标识", "标签", "积分流水"} <= set(told)
    words = json.dumps(told, ensure_ascii=False)  # plain JSON
    for word in ("南京路 1 号", "肤质 · 干性", openid_of("fan")):
        assert word in words


def test_a_stranger_has_nothing_to_be_told() -> None:
    assert {title for title, rows in _export(follower("alone").id).items() if rows} == {
        "基本资料",
        "身份标识",
    }


def test_nothing_personal_stays_the_points_are_forfeited_and_the_books_still_add_up() -> None:
    member_id = _everything()
    for part in all_holdings():
        part.erase(member_id=member_id, actor=DESK, at=clock.now())
    assert not MemberIdentity.objects.exists()
    assert not MemberTag.objects.exists()
    assert not MemberAddress.objects.exists()
    assert PointsAccount.objects.get(member_id=member_id).balance == 0
    assert set(PointsEntry.objects.values_list("reason", flat=True)) == {""}
    check_sums()
    for part in all_holdings():
        assert part.erase(member_id=member_id, actor=DESK, at=clock.now()) >= 0


def test_of_two_moves_the_first_says_how_things_were_and_the_second_adds_what_came_late() -> None:
    part = all_holdings()[0]
    first = {"ids": [1, 2], "keys": {"1": "a"}, "before": None, "debt": 3}
    second = {"ids": [2, 5], "keys": {"1": "b", "5": "c"}, "before": {"tier": 1}, "debt": 0, "new": [7]}
    assert part.join(first, second) == {
        "ids": [1, 2, 5],
        "keys": {"1": "a", "5": "c"},
        "before": None,
        "debt": 3,
        "new": [7],
    }
    assert part.join({}, second) == second
    assert part.join(first, {}) == first
