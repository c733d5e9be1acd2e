"""Service requests at the staff's desk: filters, history, giving one to a guide; kinds; nobody sees another part."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core import clock
from guides import services
from guides.models import RequestKind
from tests.cast import DIRECTOR, Cast
from tests.guides.requests_kit import ask, brought_to, make_kinds, row

LIST = "admin:guides_servicerequest_changelist"
DETAIL = "admin:guides_servicerequest_change"
CONFIRMED = {"_confirmed": "1"}


@pytest.fixture(autouse=True)
def _kinds(db: None) -> None:
    make_kinds()


def listed(desk: Client, **asked: Any) -> set[int]:
    return {row.pk for row in desk.get(reverse(LIST), asked).context["cl"].result_list}


def test_the_list_is_narrowed_by_state_lateness_kind_store_and_words(desk: Client, cast: Cast) -> None:
    late = ask(cast.xiaomei, at=clock.now() - dt.timedelta(days=3))
    fresh = ask(cast.xiaoli, store_id=cast.other_store.id, kind="other")
    done = brought_to(cast, "done")
    assert listed(desk) == {late.id, fresh.id, done.id}
    assert listed(desk, state="done") == {done.id}
    assert listed(desk, overdue="yes") == {late.id}
    assert listed(desk, overdue="no") == {fresh.id, done.id}
    assert listed(desk, kind__id__exact=RequestKind.objects.get(code="other").pk) == {fresh.id}
    assert listed(desk, store__id__exact=cast.other_store.id) == {fresh.id}
    assert listed(desk, q="小丽") == {fresh.id}
    assert listed(desk, q="李娜") == {late.id, done.id}


def test_the_detail_page_tells_the_history_and_never_markup(desk: Client, cast: Cast) -> None:
    request = brought_to(cast, "refused")
    hostile = ask(cast.xiaomei, words="<script>alert(1)</script>")
    html = desk.get(reverse(DETAIL, args=[request.id])).content.decode()
    assert "这款已经停产" in html
    assert "裤脚开线了" in html
    assert "<script>alert(1)" not in desk.get(reverse(DETAIL, args=[hostile.id])).content.decode()
    assert (
        "售后维修"
        in desk.get(reverse("admin:members_member_change", args=[cast.xiaomei.id])).content.decode()
    )


def test_staff_gives_a_request_to_another_guide(desk: Client, cast: Cast) -> None:
    request = brought_to(cast, "accepted")
    url = reverse("admin:guides_servicerequest_reassign", args=[request.id])
    assert desk.get(url).status_code == 200
    answer = desk.post(url, {"guide": cast.chenjing.id, "note": "她搬家了", **CONFIRMED})
    assert answer.status_code == 302
    now = row(request)
    assert (now.guide_id, now.store_id, now.state) == (cast.chenjing.id, cast.other_store.id, "open")
    assert now.steps.get(act="handed_over").note == "她搬家了"
    assert now.steps.get(act="handed_over").done_by == f"后台 {cast.head_office}"


def test_what_is_over_has_no_button_and_refuses_a_hand_made_post(desk: Client, cast: Cast) -> None:
    request = brought_to(cast, "closed")
    url = reverse("admin:guides_servicerequest_reassign", args=[request.id])
    assert url not in desk.get(reverse(DETAIL, args=[request.id])).content.decode()
    answer = desk.post(url, {"guide": cast.chenjing.id, **CONFIRMED})
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors()
    assert row(request).state == "closed"


def test_another_part_of_the_chain_sees_and_gives_nothing(
    desk: Client, east_desk: Client, cast: Cast
) -> None:
    east = ask(cast.xiaomei)
    south = ask(cast.xiaoli, store_id=cast.other_store.id)
    assert listed(east_desk) == {east.id}

    def answer(pk: int) -> tuple[int, str, str]:
        got = east_desk.get(reverse(DETAIL, args=[pk]))
        *_before, told = [str(message) for message in get_messages(got.wsgi_request)]
        return got.status_code, got.headers.get("Location", ""), told.replace(f"“{pk}”", "“?”")

    assert answer(south.id) == answer(987_654_321)
    url = reverse("admin:guides_servicerequest_reassign", args=[south.id])
    assert east_desk.post(url, {"guide": cast.lina.id, **CONFIRMED}).status_code == 302
    assert row(south).guide_id is None
    url = reverse("admin:guides_servicerequest_reassign", args=[east.id])
    refused = east_desk.post(url, {"guide": cast.chenjing.id, **CONFIRMED})
    assert "guide" in refused.context["form"].errors
    assert row(east).guide_id == cast.lina.id


def test_kinds_are_made_changed_and_switched_off_by_head_office(
    desk: Client, east_desk: Client, cast: Cast
) -> None:
    fields = {
        "name": "洗护", "accept_within_hours": 4, "finish_within_hours": 48, "close_after_days": 3,
        "is_active": "on", "order": 9,
    }  # fmt: skip
    add = reverse("admin:guides_requestkind_add")
    assert desk.post(add, fields).status_code == 302
    kind = RequestKind.objects.get(name="洗护")
    assert desk.post(add, fields).context["adminform"].form.errors
    assert desk.post(add, {**fields, "name": "改衣", "close_after_days": 0}).context["adminform"].form.errors
    url = reverse("admin:guides_requestkind_change", args=[kind.pk])
    assert desk.post(url, {**fields, "is_active": "", "wants_time": "on"}).status_code == 302
    kind.refresh_from_db()
    assert (kind.is_active, kind.wants_time) == (False, True)
    assert east_desk.get(url).status_code == 200
    assert east_desk.post(url, fields).status_code == 403
    assert east_desk.post(add, fields).status_code == 403


def test_the_first_page_warns_of_late_requests(desk: Client, east_desk: Client, cast: Cast) -> None:
    ask(cast.xiaoli, store_id=cast.other_store.id, at=clock.now() - dt.timedelta(days=3))
    for client, number in ((desk, "1"), (east_desk, "0")):
        tiles = client.get(reverse("admin:index")).context["tiles"]
        tile = next(tile for tile in tiles if "overdue=yes" in tile.url)
        assert (tile.number, tile.is_alarm) == (number, number == "1")


def test_a_list_of_many_requests_costs_few_queries(
    desk: Client, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for _number in range(9):
        ask(cast.xiaomei)
        services.open_request(
            member_id=cast.xiaoli.id, kind="other", words="补礼盒", store_id=cast.store.id,
            request_key=f"q{_number}", actor=DIRECTOR,
        )  # fmt: skip
    desk.get(reverse(LIST))
    with django_assert_max_num_queries(15):
        desk.get(reverse(LIST))
