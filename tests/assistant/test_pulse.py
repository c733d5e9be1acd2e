"""What an open page learns without a reload."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from core import clock
from core.actor import Actor
from guides import services as guide_services
from tests.cast import Cast, make_follower, openid_of
from tests.sales.kit import back, line, order, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def join(cast: Cast, guide: Any, name: str = "新人", at: dt.datetime | None = None) -> Any:
    """A new member of the guide, of whom she has been told."""
    member = make_follower(name, openid_of(name.encode().hex()), at=at)
    binding = guide_services.bind_member(
        member_id=member.id, guide_id=guide.id, source="scan", actor=Actor.wechat(), at=at
    )
    assert guide_services.tell_of_new_member(binding_id=binding.id)
    return member


def beat(client: Client, since: int | str, view: str = "today", **more: str) -> Any:
    return client.get("/a/pulse/", {"since": since, "view": view, **more}, headers={"HX-Request": "true"})


def since_of(client: Client, path: str = "/a/") -> int:
    return int(client.get(path).context["page"].shell.since)


def test_nothing_new_is_an_empty_answer_and_three_queries(cast, log_in, django_assert_max_num_queries):
    client = log_in(cast.lina)
    since = since_of(client)

    with django_assert_max_num_queries(3):
        answer = beat(client, since)

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_new_member_comes_with_a_toast_and_the_new_home_and_only_once(
    cast, log_in, django_assert_max_num_queries
):
    client = log_in(cast.lina)
    since = since_of(client)
    member = join(cast, cast.lina, "沈知夏")

    with django_assert_max_num_queries(12):
        answer = beat(client, since)

    page = answer.context["page"]
    assert [toast.public_id for toast in page.toasts] == [member.public_id]
    assert "沈知夏" in page.toasts[0].text
    assert page.home.cards[0].public_id == member.public_id
    text = answer.content.decode()
    assert text.count('hx-swap-oob="true"') == 2  # the mark and the home part
    assert beat(client, page.since).status_code == 204


def test_the_list_gets_the_row_on_top(cast, log_in):
    client = log_in(cast.lina)
    since = since_of(client, "/a/members/")
    member = join(cast, cast.lina)

    page = beat(client, since, "members").context["page"]

    assert [row.public_id for row in page.new_rows] == [member.public_id]
    assert page.live_members == "2"


def test_a_searched_list_is_left_alone(cast, log_in):
    client = log_in(cast.lina)
    since = since_of(client, "/a/members/")
    join(cast, cast.lina)

    page = beat(client, since, "members", q="xm").context["page"]

    assert page.new_rows == ()
    assert len(page.toasts) == 1


def test_a_member_who_chose_another_guide_leaves_the_list(cast, log_in):
    client = log_in(cast.lina)
    since = since_of(client, "/a/members/")
    ended = guide_services.unbind_member(
        member_id=cast.xiaomei.id, reason="会员自选", actor=Actor.member(cast.xiaomei.id)
    )
    assert guide_services.tell_of_lost_member(binding_id=ended.id)

    answer = beat(client, since, "members")

    assert answer.context["page"].gone_ids == (cast.xiaomei.public_id,)
    assert not answer.context["page"].toasts[0].is_arrival
    assert f'id="m-{cast.xiaomei.public_id}" hx-swap-oob="delete"' in answer.content.decode()


def test_the_code_page_gets_its_counts(cast, log_in):
    client = log_in(cast.lina)
    since = since_of(client, "/a/my-code/")
    join(cast, cast.lina)

    assert beat(client, since, "code").context["page"].counts is not None


def test_other_pages_get_the_toast_and_the_dot(cast, log_in):
    client = log_in(cast.lina)
    since = since_of(client, "/a/me/")
    join(cast, cast.lina)

    text = " ".join(beat(client, since, "whatever").content.decode().split())

    assert 'id="today-badge" class="weui-badge' in text
    assert 'id="home"' not in text


def test_many_at_once_are_told_in_three_toasts(cast, log_in):
    client = log_in(cast.lina)
    since = since_of(client)
    for number in range(6):
        join(cast, cast.lina, f"第{number}位", at=clock.now())

    page = beat(client, since).context["page"]

    assert len(page.toasts) == 3
    assert page.home.new_today >= "6"


def test_a_guide_hears_nothing_of_another_guides_members(cast, log_in):
    client = log_in(cast.wangfang)
    since = since_of(client)
    join(cast, cast.lina)

    assert beat(client, since).status_code == 204


@pytest.mark.parametrize("since", ["x", "-1", "1.5", "٣", "9" * 40])
def test_a_made_up_mark_is_refused_as_a_toast(cast, log_in, since):
    answer = beat(log_in(cast.lina), since)

    assert (answer.status_code, answer.content) == (400, b"")
    assert '"code": "core.invalid_input"' in answer["HX-Trigger"]


def test_a_mark_from_the_future_is_quiet(cast, log_in):
    assert beat(log_in(cast.lina), 10**17).status_code == 204


def sell(cast: Cast, *numbers: str, fen: int = 128_000, **other: Any) -> None:
    values: dict[str, Any] = {"sold_at": clock.now() - dt.timedelta(minutes=1)} | other
    tell(*[order(number, line("A1", fen), **values) for number in numbers])


def deals_of(answer: Any) -> Any:
    return answer.context["page"].deals


def test_what_was_just_sold_is_said_once_on_any_page(cast, log_in, django_assert_max_num_queries):
    client = log_in(cast.lina)
    since = since_of(client)
    mark = deals_of(beat(client, since, deals="")).mark  # learns how things stand, and says nothing
    with django_assert_max_num_queries(4):
        assert beat(client, since, "members", deals=mark).status_code == 204
    sell(cast, "O1")
    answer = beat(client, since, "other", deals=mark)
    told = deals_of(answer)
    assert told.text == "刚刚成交 ¥1,280"
    assert client.get(told.url).context["page"].order_no == "O1"
    assert 'id="today-badge"' not in answer.content.decode()  # no notice waits for her
    assert beat(client, since, deals=told.mark).status_code == 204
    assert "O1" not in deals_of(beat(log_in(cast.wangfang), 0, deals="")).text


def test_many_are_one_sentence_and_old_ones_and_returns_none(cast, log_in):
    client = log_in(cast.lina)
    mark = deals_of(beat(client, 0, deals="")).mark
    sell(cast, *[f"O{number}" for number in range(40)], fen=10_000)
    told = deals_of(beat(client, 0, deals=mark))
    assert told.text == "新成交 40 单，共 ¥4,000"
    sell(cast, "OLD", sold_at=clock.now() - dt.timedelta(days=2))
    tell(back("R1", order_no="O3"))
    sell(cast, "O77", serving_guide="T002")
    assert beat(client, 0, deals=told.mark).status_code == 204


@pytest.mark.parametrize(
    "mark", ["", "x", ".1.1", "2026-01-01.1.1", "a.b.c.d", "9" * 200, "\0.1.2", "１.２.３"]
)
def test_a_mark_that_means_nothing_learns_silently(cast, log_in, mark):
    client = log_in(cast.lina)
    sell(cast, "O1")
    told = deals_of(beat(client, 0, deals=mark))
    assert (told.text, told.url) == ("", "")
    assert beat(client, 0, deals=told.mark).status_code == 204


def test_another_guides_mark_says_nothing(cast, log_in):
    mark = deals_of(beat(log_in(cast.wangfang), 0, deals="")).mark
    sell(cast, "O1")
    assert deals_of(beat(log_in(cast.lina), 0, deals=mark)).text == ""
