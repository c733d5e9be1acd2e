"""服务请求 in the assistant: lists, one request, what its buttons do, for whom, at what cost; and what comes by itself."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.models import ServiceRequest, ServiceRequestStep
from tests.assistant.test_pulse import beat, since_of
from tests.cast import DIRECTOR
from tests.guides.requests_kit import ask, brought_to, make_kinds, row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

HTMX = {"HX-Request": "true"}
UNKNOWN = "2222222222222222"


@pytest.fixture(autouse=True)
def _kinds(noon: None, db: None) -> None:
    make_kinds()


def post(client: Client, request: Any, act: str, **fields: Any) -> Any:
    return client.post(f"/a/requests/{request.public_id}/{act}/", fields, headers=HTMX)


def tell_all() -> None:
    for step in ServiceRequestStep.objects.order_by("pk"):
        guide_services.tell_of_request_step(step_id=step.pk)


def test_the_tabs_hold_what_waits_what_is_done_and_what_is_over(cast, log_in, django_assert_max_num_queries):
    waiting, doing, done = ask(cast.xiaomei), brought_to(cast, "in_progress"), brought_to(cast, "done")
    client = log_in(cast.lina)
    for tab, request in (("open", waiting), ("doing", doing), ("finished", done), ("made-up", waiting)):
        with django_assert_max_num_queries(12):
            answer = client.get("/a/requests/", {"tab": tab})
        page = answer.context["page"]
        assert [line.public_id for line in page.list.rows] == [request.public_id]
        assert [(each.tab, each.waiting_count) for each in page.tabs] == [
            ("open", 1),
            ("doing", 1),
            ("finished", 0),
        ]
        assert not re.search(r' style="| on[a-z]+="|<script>', answer.content.decode())


def test_a_manager_sees_the_store_with_the_names_of_her_guides(cast, log_in):
    request = ask(cast.xiaomei)
    queued = ask(cast.xiaoli, store_id=cast.store.id)
    page = log_in(cast.zhaoqiang).get("/a/requests/").context["page"]
    assert {line.public_id: line.guide_text for line in page.list.rows} == {
        request.public_id: "李娜",
        queued.public_id: page.list.rows[1].guide_text,
    }
    assert page.title != log_in(cast.lina).get("/a/requests/").context["page"].title


def test_a_long_list_goes_on_and_an_empty_one_says_so(cast, log_in):
    client = log_in(cast.lina)
    assert client.get("/a/requests/").context["page"].list.is_empty
    now = clock.now()
    for number in range(9):
        ask(cast.xiaomei, at=now - dt.timedelta(minutes=number))
    ServiceRequest.objects.update(request_key=None)
    old = list(ServiceRequest.objects.all())
    for one in old * 3:
        one.pk, one.public_id = None, f"Q{ServiceRequest.objects.count():015d}"
        one.save(force_insert=True)
    first = client.get("/a/requests/").context["page"].list
    rest = client.get(first.next_url, headers=HTMX).context["page"]
    ids = [line.public_id for line in (*first.rows, *rest.rows)]
    assert (len(ids), len(set(ids)), rest.next_url) == (36, 36, "")


def test_what_is_late_is_marked_everywhere(cast, log_in):
    ask(cast.xiaomei, at=clock.now() - dt.timedelta(days=2))
    client = log_in(cast.lina)
    assert client.get("/a/requests/").context["page"].list.rows[0].late_text
    tile = client.get("/a/").context["page"].requests
    assert tile.late_text
    assert client.get("/a/me/").context["page"].waiting_requests == 1


def test_today_says_nothing_when_nothing_waits(cast, log_in):
    brought_to(cast, "done")
    assert log_in(cast.lina).get("/a/").context["page"].requests is None


def test_a_request_is_brought_to_its_end_by_its_buttons(cast, log_in, django_assert_max_num_queries):
    request = ask(cast.xiaomei)
    client = log_in(cast.lina)
    with django_assert_max_num_queries(12):
        page = client.get(f"/a/requests/{request.public_id}/").context["page"]
    assert [button.act for button in page.buttons] == ["accept", "words", "hand-over", "refuse"]
    assert page.member_id == cast.xiaomei.public_id

    assert post(client, request, "accept").status_code == 200
    when = clock.now().astimezone(clock.SHANGHAI) + dt.timedelta(days=1)
    assert post(client, request, "time", time=f"{when:%Y-%m-%dT%H:%M}").status_code == 200
    assert post(client, request, "start").status_code == 200
    key = client.get(f"/a/requests/{request.public_id}/words/", headers=HTMX).context["page"].request_key
    for _tap in range(2):
        assert post(client, request, "words", words="料子到了", request_key=key).status_code == 200
    answer = post(client, request, "finish", words="修好了")
    page = answer.context["page"].page
    assert [step.words for step in page.steps][:2] == ["修好了", "料子到了"]
    assert [button.act for button in page.buttons] == ["words"]
    assert row(request).state == "done"
    assert row(request).steps.count() == 6
    assert 'id="sheet" hx-swap-oob="true"' in answer.content.decode()


def test_a_request_given_to_a_colleague_whose_member_she_is_not_leads_back_to_the_list(cast, log_in):
    request = ask(cast.xiaoli, store_id=cast.store.id)
    client = log_in(cast.lina)
    post(client, request, "accept")
    sheet = client.get(f"/a/requests/{request.public_id}/hand-over/", headers=HTMX).context["page"]
    assert [choice.label for choice in sheet.choices][:2] == ["赵强", "王芳"]
    answer = post(client, request, "hand-over", to=cast.wangfang.public_id, words="她要试色")
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/a/requests/")
    assert row(request).guide_id == cast.wangfang.id
    note = log_in(cast.wangfang).get(f"/a/requests/{request.public_id}/").context["page"].steps[0].note
    assert note == "她要试色"


@pytest.mark.parametrize(
    ("act", "fields", "status", "code"),
    [
        ("time", {}, 400, "core.invalid_input"),
        ("time", {"time": "2026-13-45T99:99"}, 400, "core.invalid_input"),
        ("time", {"time": "0001-01-01T00:00"}, 400, "core.invalid_input"),
        ("time", {"time": "2020-01-01T10:00"}, 400, "guides.request_time_unusable"),
        ("words", {"words": ""}, 400, "guides.request_words_unusable"),
        ("words", {"words": "\x00\x1b"}, 400, "guides.request_words_unusable"),
        ("words", {"words": "长" * 301}, 400, "guides.request_words_unusable"),
        ("refuse", {}, 400, "guides.request_words_unusable"),
        ("hand-over", {}, 400, "core.invalid_input"),
        ("hand-over", {"to": UNKNOWN}, 400, "core.invalid_input"),
        ("explode", {}, 404, "core.not_found"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(cast, log_in, act, fields, status, code):
    request = brought_to(cast, "accepted")
    answer = post(log_in(cast.lina), request, act, **fields)
    assert (answer.status_code, answer["X-Refusal"]) == (status, code)
    assert row(request).steps.count() == 2


def test_another_guides_request_looks_like_an_unknown_one(cast, log_in):
    request = ask(cast.xiaomei)
    for guide in (cast.wangfang, cast.chenjing):
        client = log_in(guide)
        for path in ("", "words/", "hand-over/"):
            foreign = client.get(f"/a/requests/{request.public_id}/{path}")
            unknown = client.get(f"/a/requests/{UNKNOWN}/{path}")
            assert (foreign.status_code, foreign["X-Refusal"]) == (404, "guides.no_such_request")
            assert foreign.content == unknown.content
        for act in ("accept", "start", "finish"):
            assert post(client, request, act).status_code == 404
    assert row(request).state == "open"


def test_a_colleague_who_was_slower_is_told_so(cast, log_in):
    request = ask(cast.xiaoli, store_id=cast.store.id)
    post(log_in(cast.wangfang), request, "accept")
    answer = post(log_in(cast.lina), request, "accept")
    assert (answer.status_code, answer["X-Refusal"]) == (409, "guides.request_taken")


def test_a_tap_on_an_old_page_changes_nothing_and_shows_the_new_one(cast, log_in):
    request = brought_to(cast, "cancelled")
    answer = post(log_in(cast.lina), request, "accept")
    assert (answer.status_code, answer.context["page"].page.buttons) == (200, ())
    assert row(request).state == "cancelled"
    assert row(request).steps.count() == 2


def test_the_time_field_offers_what_she_wished_and_else_tomorrow_at_ten(cast, log_in):
    client, wish = log_in(cast.lina), clock.now() + dt.timedelta(hours=5)
    for wanted_at, offered in ((wish, "2026-03-11T17:00"), (None, "2026-03-12T10:00")):
        request = ask(cast.xiaomei, wanted_at=wanted_at)
        sheet = client.get(f"/a/requests/{request.public_id}/time/", headers=HTMX).context["page"]
        assert sheet.value == offered


def test_the_member_page_shows_what_she_asked_for(cast, log_in, django_assert_max_num_queries):
    request = ask(cast.xiaomei)
    client = log_in(cast.lina)
    with django_assert_max_num_queries(12):
        page = client.get(f"/a/members/{cast.xiaomei.public_id}/?tab=dealings").context["page"]
    assert [line.public_id for line in page.opened.part.requests] == [request.public_id]


def test_words_from_outside_are_text_and_never_markup(cast, log_in):
    request = ask(cast.xiaomei, words="<img src=x onerror=alert(1)>")
    client = log_in(cast.lina)
    for path in ("/a/requests/", f"/a/requests/{request.public_id}/"):
        assert "<img" not in client.get(path).content.decode()


def test_a_new_request_comes_by_itself_with_a_toast(cast, log_in, django_assert_max_num_queries):
    client = log_in(cast.lina)
    since = since_of(client, "/a/requests/")
    request = ask(cast.xiaomei)
    tell_all()
    with django_assert_max_num_queries(14):
        answer = beat(client, since, "requests", tab="open", rows="0")
    page = answer.context["page"]
    assert [line.public_id for line in page.requests.list.rows] == [request.public_id]
    assert page.toasts[0].url == f"/a/requests/{request.public_id}/"
    assert 'id="requests" hx-swap-oob="true"' in answer.content.decode()
    assert beat(client, page.since, "requests").status_code == 204
    assert beat(client, since, "today").context["page"].home.requests is not None


def test_an_open_request_is_drawn_anew_when_the_member_takes_it_back(cast, log_in):
    request, other = ask(cast.xiaomei), ask(cast.xiaomei)
    tell_all()
    client = log_in(cast.lina)
    since = since_of(client, f"/a/requests/{request.public_id}/")
    guide_services.cancel_request(
        member_id=cast.xiaomei.id, public_id=request.public_id, actor=Actor.member(cast.xiaomei.id)
    )
    tell_all()
    page = beat(client, since, "request", request=request.public_id).context["page"]
    assert page.request.buttons == ()
    assert beat(client, since, "request", request=other.public_id).context["page"].request is None
    assert beat(client, since, "request", request=UNKNOWN).context["page"].request is None


def test_a_request_taken_away_is_told_and_the_page_left_alone(cast, log_in):
    request = ask(cast.xiaoli, store_id=cast.store.id)
    client = log_in(cast.lina)
    post(client, request, "accept")
    since = since_of(client, f"/a/requests/{request.public_id}/")
    guide_services.reassign_request(request_id=request.id, to_guide_id=cast.chenjing.id, actor=DIRECTOR)
    tell_all()
    page = beat(client, since, "request", request=request.public_id).context["page"]
    assert (page.request, len(page.toasts)) == (None, 1)


def test_a_number_typed_into_words_is_not_shown_whole(cast, log_in):
    request = ask(cast.xiaomei, words="请打 13912345678，或 139 8765 4321 找我")
    client = log_in(cast.lina)
    post(client, request, "words", words="我记下了 13912345678", request_key="k" * 32)
    for address in ("/a/requests/", f"/a/requests/{request.public_id}/"):
        text = client.get(address).content.decode()
        assert "139 **** 5678" in text
        assert "139 **** 4321" in text
        assert not re.search(r"13912345678|139 8765 4321", text)
