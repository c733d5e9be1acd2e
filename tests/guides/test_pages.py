"""What the assistant reads: members page by page, access, summaries; few queries however many members."""

import datetime as dt
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from config.demo.seed import seed_chain
from core import clock
from core.actor import Actor
from core.errors import InvalidInput, NotFound
from guides import selectors, services
from guides.contracts import BoundMemberPage
from guides.models import Binding, Guide
from members import services as member_services
from tests.cast import Cast, make_follower, make_guide, openid_of

STAFF = Actor.staff(1, "总部")

pytestmark = pytest.mark.django_db


def _bind_many(cast: Cast, count: int, *, second_apart: bool = True) -> list[int]:
    start = clock.now() - dt.timedelta(minutes=30)
    members = []
    for number in range(count):
        member = make_follower(f"会员{number}", openid_of(f"m{number}"), at=start)
        at = start + dt.timedelta(seconds=number if second_apart else 0)
        services.bind_member(
            member_id=member.id, guide_id=cast.wangfang.id, source="scan", actor=STAFF, at=at
        )
        members.append(member.id)
    return members


def _page(cast: Cast, **more: Any) -> BoundMemberPage:
    return selectors.list_bound_members(**{"guide_id": cast.wangfang.id} | more)


@pytest.mark.parametrize("second_apart", [True, False])
def test_pages_hold_every_member_once_newest_first(cast: Cast, second_apart: bool) -> None:
    members = _bind_many(cast, 7, second_apart=second_apart)
    seen, cursor = [], None
    while True:
        page = _page(cast, cursor=cursor, limit=3)
        seen += [line.member.id for line in page.lines]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == members[::-1]


def test_a_member_who_joins_between_two_pages_shifts_nothing(cast: Cast) -> None:
    members = _bind_many(cast, 4)
    first = _page(cast, limit=2)
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.wangfang.id, source="scan", actor=STAFF)
    second = _page(cast, limit=2, cursor=first.next_cursor)
    assert [line.member.id for line in (*first.lines, *second.lines)] == members[::-1]
    assert _page(cast, limit=1).lines[0].member.id == cast.xiaoli.id


def test_a_cursor_of_another_guide_or_changed_by_hand_is_refused(cast: Cast) -> None:
    _bind_many(cast, 3)
    cursor = _page(cast, limit=1).next_cursor
    assert cursor is not None
    for bad in (cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), "x", "1:2:3", "\0", "W10:1:2"):
        with pytest.raises(InvalidInput) as refusal:
            _page(cast, cursor=bad)
        assert refusal.value.details["field"] == "cursor"
    with pytest.raises(InvalidInput):
        selectors.list_bound_members(guide_id=cast.lina.id, cursor=cursor)


def test_search_finds_only_her_own_members(cast: Cast) -> None:
    _bind_many(cast, 3)
    assert [line.member.display_name for line in _page(cast, query="会员1").lines] == ["会员1"]
    assert [line.member.display_name for line in _page(cast, query="hy2").lines] == ["会员2"]
    assert _page(cast, query="小美").lines == ()


def test_a_page_and_a_search_take_one_query_a_summary_three(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _bind_many(cast, 5)
    cursor = _page(cast, limit=2).next_cursor
    with django_assert_num_queries(1):
        _page(cast, limit=5)
    with django_assert_num_queries(1):
        _page(cast, limit=2, cursor=cursor, query="会员")
    with django_assert_num_queries(1):
        selectors.list_newest_members(cast.wangfang.id, 5)
    with django_assert_num_queries(3):
        selectors.summarize_guide(cast.wangfang.id)
    with django_assert_num_queries(1):
        selectors.list_binding_history(cast.xiaomei.id)
    with django_assert_num_queries(1):
        selectors.get_guide_card(cast.lina.id)
    with django_assert_num_queries(1):
        selectors.access_member(guide_id=cast.lina.id, public_id=cast.xiaomei.public_id)


def test_a_member_opens_for_her_guide_and_her_guides_manager_only(cast: Cast) -> None:
    for guide in (cast.lina, cast.zhaoqiang):
        assert selectors.access_member(guide_id=guide.id, public_id=cast.xiaomei.public_id) == cast.xiaomei
    other_manager = make_guide("T009", "周敏", cast.other_store.id, role="manager")
    for guide_id in (cast.wangfang.id, cast.chenjing.id, other_manager.id, 0):
        with pytest.raises(NotFound):
            selectors.access_member(guide_id=guide_id, public_id=cast.xiaomei.public_id)
    for public_id in ("", "nobody", cast.xiaoli.public_id, str(cast.xiaomei.id)):
        with pytest.raises(NotFound):
            selectors.access_member(guide_id=cast.lina.id, public_id=public_id)
    services.leave_guide(guide_id=cast.lina.id, actor=STAFF)
    with pytest.raises(NotFound):
        selectors.access_member(guide_id=cast.lina.id, public_id=cast.xiaomei.public_id)


def test_the_link_of_a_merged_row_still_opens_her(cast: Cast) -> None:
    twin = make_follower("小美二", openid_of("twin"))
    member_services.merge_members(first_id=cast.xiaomei.id, second_id=twin.id, actor=STAFF)
    assert selectors.access_member(guide_id=cast.lina.id, public_id=twin.public_id).id == cast.xiaomei.id


def test_the_summary_counts_shanghai_days(cast: Cast) -> None:
    # 00:30 on 1 December in Shanghai is 16:30 UTC of the day before.
    at = dt.datetime(2027, 11, 30, 16, 30, tzinfo=dt.UTC)
    offsets = {"今天": -10, "昨天": -31, "上月初": -60 * 24 * 3}
    for number, minutes in enumerate(offsets.values()):
        member = make_follower(f"会员{number}", openid_of(f"m{number}"))
        when = at + dt.timedelta(minutes=minutes)
        services.bind_member(
            member_id=member.id, guide_id=cast.wangfang.id, source="scan", actor=STAFF, at=when
        )
    code = selectors.get_guide_code(cast.wangfang.id).code
    services.resolve_scan(
        member_id=cast.xiaomei.id, scene=code, is_new_follower=False, request_key="k", actor=STAFF, at=at
    )
    summary = selectors.summarize_guide(cast.wangfang.id, at=at)
    assert (summary.live_members, summary.new_today, summary.new_yesterday) == (3, 1, 1)
    assert (summary.new_this_month, summary.scans_today, summary.latest_notice_id) == (1, 1, 0)


def test_search_among_five_thousand_members_finds_in_two_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    seed_chain(at=dt.datetime(2026, 11, 20, 13, 30, tzinfo=dt.UTC), actor=Actor.system("demo"))
    lina = Guide.objects.get(number="G001")
    name = (
        Binding.objects.live()
        .filter(guide=lina)
        .values_list("member__name", flat=True)
        .exclude(member__name_tokens=[])[0]
    )
    for query in (name, "wang", "zj", "1234", "13812345678"):
        with django_assert_max_num_queries(2):
            selectors.list_bound_members(guide_id=lina.pk, query=query)
    assert selectors.list_bound_members(guide_id=lina.pk, query=name).lines
