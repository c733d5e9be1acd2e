"""Service requests from the mini-program: asked, followed, taken back, confirmed, read."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from guides import services as guide_services
from guides.models import ServiceRequest
from members.models import Member
from tests.guides.requests_kit import make_kinds
from tests.miniapp.kit import Mini, Phone, codes

UNKNOWN = "2222222222222222"


@pytest.fixture(autouse=True)
def _kinds(transactional_db: None) -> None:
    make_kinds()


@pytest.fixture
def her(phone: Phone, cast: Any) -> Phone:
    """小美's phone; 李娜 is her guide."""
    member = Member.objects.get(public_id=phone.get("/profile").data["id"])
    guide_services.bind_member(
        member_id=member.pk, guide_id=cast.lina.id, source="scan", actor=Actor.system("test")
    )
    return phone


def ask(phone: Phone, key: str = "request-1", **more: Any) -> Any:
    return phone.post("/requests", {"kind": "repair", "words": "裤脚开线了", "request_key": key, **more})


def by_lina(cast: Any, request_id: str, act: str, **more: Any) -> None:
    service = getattr(guide_services, f"{act}_request")
    service(guide_id=cast.lina.id, public_id=request_id, actor=Actor.guide(cast.lina.id, "李娜"), **more)


def test_she_sees_what_she_may_ask_for(phone: Phone) -> None:
    kinds = phone.get("/requests/kinds").data["kinds"]
    assert [kind["code"] for kind in kinds] == ["visit", "home_service", "repair", "styling", "other"]
    assert kinds[0]["wants_time"]


def test_her_guide_gets_what_she_asks_for_once(her: Phone) -> None:
    told = ask(her).data
    assert (told["state"], told["guide_name"], told["store_name"]) == ("open", "李娜", "南京东路店")
    assert (told["may_cancel"], told["may_confirm"]) == (True, False)
    assert ask(her).data == told
    assert ServiceRequest.objects.count() == 1
    assert codes(ask(her, kind="styling")) == (409, "guides.request_key_reused")


def test_without_a_guide_she_chooses_the_store(phone: Phone, cast: Any) -> None:
    assert codes(ask(phone)) == (400, "guides.request_store_missing")
    told = ask(phone, store_id=cast.other_store.public_id).data
    assert (told["store_name"], told["guide_name"]) == ("天河路店", "")


def test_a_time_without_an_offset_is_shanghai_time(her: Phone) -> None:
    day = clock.business_day(clock.now()) + dt.timedelta(days=2)
    told = ask(her, kind="visit", words="", wanted_at=f"{day}T15:00:00").data
    assert told["wanted_at"] == f"{day}T15:00:00+08:00"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kind": "flying"}, (422, "guides.request_kind_closed")),
        ({"kind": "k" * 21}, (400, "core.invalid_input")),
        ({"kind": 7}, (400, "core.invalid_input")),
        ({"words": ""}, (400, "guides.request_words_unusable")),
        ({"words": "长" * 301}, (400, "guides.request_words_unusable")),
        ({"words": "a\0b"}, (400, "miniapp.not_text")),
        ({"kind": "visit"}, (400, "guides.request_time_unusable")),
        ({"wanted_at": "2020-01-01T10:00:00+08:00"}, (400, "guides.request_time_unusable")),
        ({"wanted_at": "9999-12-31T23:59:59+08:00"}, (400, "guides.request_time_unusable")),
        ({"wanted_at": "0001-01-01T00:00:00+14:00"}, (400, None)),
        ({"wanted_at": "soon"}, (400, "core.invalid_input")),
        ({"wanted_at": 1}, (400, "core.invalid_input")),
        ({"store_id": UNKNOWN}, (400, "guides.request_store_missing")),
        ({"store_id": "x" * 17}, (400, "core.invalid_input")),
        ({"request_key": "short"}, (400, "core.invalid_input")),
        ({"member_id": 1}, (400, "core.invalid_input")),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    her: Phone, given: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    answer = her.post("/requests", {"kind": "repair", "words": "开线", "request_key": "request-1", **given})
    status, code = expected
    assert (answer.status_code, answer.data["code"]) == (status, code or answer.data["code"])
    assert not ServiceRequest.objects.exists()


def test_of_eleven_unfinished_requests_one_is_too_many(her: Phone) -> None:
    for n in range(10):
        assert ask(her, f"request-{n}").status_code == 200
    assert codes(ask(her, "request-10")) == (429, "guides.too_many_requests")
    assert ask(her, "request-3").status_code == 200  # known already


def test_requests_come_in_pages_newest_first(her: Phone, mini: Mini) -> None:
    for n in range(5):
        ask(her, f"request-{n}", words=f"第 {n} 件")
    seen, query = [], "?limit=2"
    for _ in range(3):
        page = her.get(f"/requests{query}").data
        seen += [line["words"] for line in page["requests"]]
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert (seen, page["next_cursor"]) == ([f"第 {n} 件" for n in (4, 3, 2, 1, 0)], None)
    cursor = her.get("/requests?limit=1").data["next_cursor"]
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    theirs, made_up = (stranger.get(f"/requests?cursor={one}") for one in (cursor, "nonsense"))
    assert codes(theirs) == (400, "core.invalid_input")
    assert theirs.data == made_up.data


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=%00", "page=2"])
def test_a_bad_page_is_refused(phone: Phone, query: str) -> None:
    assert phone.get(f"/requests?{query}").status_code == 400


def test_she_follows_what_happens_and_reading_is_told_by_a_mark(her: Phone, cast: Any) -> None:
    request_id = ask(her).data["id"]
    by_lina(cast, request_id, "accept")
    assert her.get("/requests").data["unread_count"] == 1
    first = her.get(f"/requests/{request_id}").data
    assert [(step["act"], step["is_own"], step["is_unread"]) for step in first["steps"]] == [
        ("opened", True, False),
        ("accepted", False, True),
    ]
    by_lina(cast, request_id, "start")
    told = her.post(f"/requests/{request_id}/read", {"read_mark": first["read_mark"]}).data
    assert [step["is_unread"] for step in told["steps"]] == [False, False, True]
    assert (told["unread_count"], her.get("/requests").data["unread_count"]) == (1, 1)
    told = her.post(f"/requests/{request_id}/read", {"read_mark": told["read_mark"]}).data
    assert (told["unread_count"], her.get("/requests").data["unread_count"]) == (0, 0)


def test_what_colleagues_note_stays_with_them(her: Phone, cast: Any) -> None:
    request_id = ask(her).data["id"]
    by_lina(cast, request_id, "accept")
    text = str(her.get(f"/requests/{request_id}").data)
    assert "note" not in text
    assert "T001" not in text


def test_she_takes_a_request_back_and_twice_is_once(her: Phone) -> None:
    request_id = ask(her).data["id"]
    for _ in range(2):
        told = her.post(f"/requests/{request_id}/cancel").data
        assert (told["state"], told["may_cancel"]) == ("cancelled", False)
    assert len(her.get(f"/requests/{request_id}").data["steps"]) == 2
    assert codes(her.post(f"/requests/{request_id}/confirm")) == (409, "guides.request_moved_on")


def test_she_confirms_what_is_done_and_nothing_before(her: Phone, cast: Any) -> None:
    request_id = ask(her).data["id"]
    by_lina(cast, request_id, "accept")
    assert codes(her.post(f"/requests/{request_id}/confirm")) == (409, "guides.request_moved_on")
    by_lina(cast, request_id, "finish")
    assert her.get(f"/requests/{request_id}").data["may_confirm"]
    assert codes(her.post(f"/requests/{request_id}/cancel")) == (409, "guides.request_moved_on")
    for _ in range(2):
        assert her.post(f"/requests/{request_id}/confirm").data["state"] == "closed"


@pytest.mark.parametrize("act", ["", "/cancel", "/confirm", "/read"])
def test_anothers_request_looks_like_an_unknown_one(her: Phone, mini: Mini, act: str, cast: Any) -> None:
    request_id = ask(her).data["id"]
    by_lina(cast, request_id, "accept")
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    own = ask(stranger, store_id=cast.store.public_id).data["id"]
    mark = stranger.get(f"/requests/{own}").data["read_mark"]
    body = {"read_mark": mark} if act == "/read" else {}
    method = "POST" if act else "GET"
    theirs, unknown = (stranger.ask(method, f"/requests/{one}{act}", body) for one in (request_id, UNKNOWN))
    assert codes(theirs) == (404, "guides.no_such_request")
    assert theirs.data == unknown.data
    assert her.get(f"/requests/{request_id}").data["state"] == "accepted"
    assert her.get("/requests").data["unread_count"] == 1


def test_a_made_up_mark_and_anothers_are_refused_alike(her: Phone, mini: Mini, cast: Any) -> None:
    request_id = ask(her).data["id"]
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    own = ask(stranger, store_id=cast.store.public_id).data["id"]
    mark = her.get(f"/requests/{request_id}").data["read_mark"]
    theirs, made_up = (
        stranger.post(f"/requests/{own}/read", {"read_mark": one}) for one in (mark, "nonsense")
    )
    assert codes(theirs) == (400, "core.invalid_input")
    assert theirs.data == made_up.data
    assert codes(stranger.post(f"/requests/{own}/read")) == (400, "core.invalid_input")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/requests"),
        ("POST", "/requests"),
        ("GET", "/requests/kinds"),
        ("GET", f"/requests/{UNKNOWN}"),
        ("POST", f"/requests/{UNKNOWN}/cancel"),
        ("POST", f"/requests/{UNKNOWN}/confirm"),
        ("POST", f"/requests/{UNKNOWN}/read"),
        ("GET", "/tier"),
        ("GET", "/tier/history"),
        ("GET", "/profile/address"),
        ("PUT", "/profile/address"),
        ("GET", "/data-requests"),
        ("POST", "/data-requests"),
        ("GET", f"/data-requests/{UNKNOWN}/file"),
        ("POST", f"/data-requests/{UNKNOWN}/withdraw"),
    ],
)
def test_nobody_gets_in_without_a_token(mini: Mini, method: str, path: str) -> None:
    nobody = mini.phone_of()
    assert codes(nobody.ask(method, path)) == (401, "miniapp.token_missing")


def test_requests_cost_few_queries_and_none_per_row(
    her: Phone, cast: Any, django_assert_max_num_queries: Any
) -> None:
    for n in range(6):
        request_id = ask(her, f"request-{n}").data["id"]
        by_lina(cast, request_id, "accept")
    for path in ("/requests", "/requests/kinds", f"/requests/{request_id}"):
        with django_assert_max_num_queries(8):
            assert her.get(path).status_code == 200
