"""Her address, a copy of her data, being erased, and what becomes of her devices."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.dispatch import to_worker
from config.event_routes import ROUTES
from core import clock, events
from core.actor import Actor
from guides import services as guide_services
from members import handlers as member_handlers
from members import services as member_services
from members.events import MemberErased
from members.models import DataRequest, Member, MemberAddress, MemberIdentity
from miniapp import handlers
from miniapp.models import BearerToken, Device
from tests.guides.requests_kit import make_kinds
from tests.members import privacy_kit
from tests.miniapp.kit import Mini, Phone, codes
from wechat import events as wechat_events

WRITE_BUDGET: Final = 12
# What opens and closes transactions is counted apart.
_BRACKETS: Final = re.compile(r"BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK")
UNKNOWN = "2222222222222222"
HOME = {"province": "上海市", "city": "上海市", "district": "静安区", "street": "南京西路 1038 号"}


def member_of(phone: Phone) -> Member:
    return Member.objects.get(public_id=phone.get("/profile").data["id"])


def ask(phone: Phone, kind: str = "export") -> Any:
    return phone.post("/data-requests", {"kind": kind})


def fetch(phone: Phone, request_id: str) -> Any:
    return phone.client.get(
        f"/api/mini/v1/data-requests/{request_id}/file", headers={"authorization": f"Bearer {phone.access}"}
    )


# Address ---------------------------------------------------------------------------------------------------


def test_she_tells_her_address_and_changes_it(phone: Phone) -> None:
    nowhere = phone.get("/profile/address").data
    assert nowhere == {**dict.fromkeys(HOME, ""), "changed_at": None}
    told = phone.ask("PUT", "/profile/address", HOME).data
    assert {key: told[key] for key in HOME} == HOME
    assert phone.get("/profile/address").data == told
    told = phone.ask("PUT", "/profile/address", {"province": "浙江", "city": "杭州"}).data
    assert (told["province"], told["city"], told["street"]) == ("浙江省", "杭州市", "")
    assert phone.ask("PUT", "/profile/address", {}).data == nowhere
    assert not MemberAddress.objects.exists()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"province": "东海省"}, "members.address_unusable"),
        ({"street": "路" * 121}, "members.address_unusable"),
        ({"street": "一楼\n"}, None),
        ({"street": "一\x07楼"}, "members.address_unusable"),
        ({"street": "路" * 201}, "core.invalid_input"),
        ({"street": "a\0b"}, "miniapp.not_text"),
        ({"street": 7}, "core.invalid_input"),
        ({"province": ["上海市"]}, "core.invalid_input"),
        ({"province": None}, "core.invalid_input"),
        ({"country": "中国"}, "core.invalid_input"),
    ],
)
def test_an_address_that_cannot_be_is_refused(phone: Phone, given: dict[str, Any], code: str | None) -> None:
    answer = phone.ask("PUT", "/profile/address", given)
    if code is None:  # blanks around it are no part of it
        assert answer.data["street"] == "一楼"
    else:
        assert codes(answer) == (400, code)
        assert not MemberAddress.objects.exists()


def test_an_address_is_no_part_of_a_complete_profile(phone: Phone) -> None:
    before = phone.get("/profile").data["missing"]
    phone.ask("PUT", "/profile/address", HOME)
    assert phone.get("/profile").data["missing"] == before


def test_anothers_address_is_not_hers(mini: Mini, phone: Phone) -> None:
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    stranger.ask("PUT", "/profile/address", HOME)
    assert phone.get("/profile/address").data["street"] == ""


# A copy ----------------------------------------------------------------------------------------------------


def test_she_fetches_a_copy_of_all_that_is_kept_about_her(phone: Phone) -> None:
    number = phone.prove_phone() and phone.person["phone"]
    phone.ask("PUT", "/profile/address", HOME)
    asked = ask(phone).data
    assert (asked["kind"], asked["state"], asked["free_until"]) == ("export", "open", None)
    answer = fetch(phone, asked["id"])
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = json.loads(archive.read("data.json"))
    assert HOME["street"] in json.dumps(told, ensure_ascii=False)
    assert number in json.dumps(told)  # to herself in full
    assert phone.get("/data-requests").data["requests"][0]["state"] == "done"
    assert fetch(phone, asked["id"]).status_code == 200  # again, as it is by then
    assert DataRequest.objects.count() == 1


def test_asking_again_while_one_is_open_is_the_same_request(phone: Phone) -> None:
    assert ask(phone).data == ask(phone).data
    assert ask(phone, "erase").data == ask(phone, "erase").data
    assert DataRequest.objects.count() == 2


def test_a_copy_that_was_withdrawn_and_one_of_an_erasure_cannot_be_fetched(phone: Phone) -> None:
    asked = ask(phone).data
    assert phone.post(f"/data-requests/{asked['id']}/withdraw").data["state"] == "withdrawn"
    answer = fetch(phone, asked["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "members.data_request_closed")
    answer = fetch(phone, ask(phone, "erase").data["id"])
    assert (answer.status_code, answer.json()["code"]) == (404, "members.no_such_data_request")


@pytest.mark.parametrize("body", [{}, {"kind": "other"}, {"kind": 1}, {"kind": "export", "member_id": 1}])
def test_what_cannot_be_asked_for_is_refused(phone: Phone, body: dict[str, Any]) -> None:
    assert codes(phone.post("/data-requests", body)) == (400, "core.invalid_input")


@pytest.mark.parametrize(("method", "act"), [("GET", "file"), ("POST", "withdraw")])
@pytest.mark.parametrize("kind", ["export", "erase"])
def test_anothers_request_looks_like_an_unknown_one(
    mini: Mini, phone: Phone, kind: str, method: str, act: str
) -> None:
    asked = ask(phone, kind).data
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    theirs, unknown = (stranger.ask(method, f"/data-requests/{one}/{act}") for one in (asked["id"], UNKNOWN))
    assert codes(theirs) == (404, "members.no_such_data_request")
    assert theirs.data == unknown.data
    assert phone.get("/data-requests").data["requests"] == [asked]
    assert stranger.get("/data-requests").data["requests"] == []


# Erasing ---------------------------------------------------------------------------------------------------


def test_an_erasure_waits_and_may_be_taken_back(phone: Phone) -> None:
    asked = ask(phone, "erase").data
    assert asked["free_until"] > asked["asked_at"]
    assert phone.get("/profile").status_code == 200
    for _ in range(2):
        assert phone.post(f"/data-requests/{asked['id']}/withdraw").data["state"] == "withdrawn"
    with time_machine.travel(asked["free_until"], tick=True):
        assert member_services.erase_ripe_members(actor=Actor.system("test")) == 0


def test_when_the_days_are_over_she_is_erased_and_logged_out_and_may_come_again(
    mini: Mini, phone: Phone
) -> None:
    asked = ask(phone, "erase").data
    member = member_of(phone)
    with time_machine.travel(asked["free_until"], tick=True):
        phone.log_in()
        assert member_services.erase_ripe_members(actor=Actor.system("test")) == 1
        assert codes(phone.get("/profile")) == (401, "miniapp.token_unknown")
        assert codes(phone.post("/refresh", {"refresh_token": phone.refresh})) == (
            401,
            "miniapp.refresh_unknown",
        )
        assert not Device.objects.filter(member=member).exists()
        phone.access = ""
        assert phone.log_in().data["is_new"]
        assert member_of(phone).pk != member.pk
        assert phone.get("/data-requests").data["requests"] == []


def test_a_done_request_cannot_be_taken_back(phone: Phone) -> None:
    asked = ask(phone).data
    fetch(phone, asked["id"])
    assert codes(phone.post(f"/data-requests/{asked['id']}/withdraw")) == (409, "members.data_request_closed")


def test_erasing_reaches_the_devices_of_rows_that_were_merged_into_hers(mini: Mini, phone: Phone) -> None:
    other = mini.phone_of("小丽")
    other.log_in()
    first, second = member_of(phone).pk, member_of(other).pk
    living = member_services.merge_members(first_id=first, second_id=second, actor=Actor.system("test")).id
    emptied = first if living == second else second
    # One that a login left on the emptied row at the very moment of the merge.
    Device.objects.filter(pk=Device.objects.order_by("pk").values("pk")[:1]).update(member_id=emptied)
    member_services.erase_member(member_id=living, reason="own_wish", actor=Actor.system("test"))
    assert not Device.objects.exists()
    assert not BearerToken.objects.exists()
    assert codes(phone.get("/profile")) == codes(other.get("/profile")) == (401, "miniapp.token_unknown")


def test_the_handler_of_an_erasure_takes_what_came_in_between_and_nobody_elses(
    mini: Mini, phone: Phone
) -> None:
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    event = MemberErased(member_of(stranger).pk)
    for _ in range(2):
        handlers.on_member_erased(event)
    assert codes(stranger.get("/profile")) == (401, "miniapp.token_unknown")
    assert phone.get("/profile").status_code == 200


# Withdrawn inside WeChat -----------------------------------------------------------------------------------


@pytest.fixture
def handled_at_once() -> Iterator[None]:
    """What the API does about an event happens when the event is published, as if a worker had nothing else to do."""

    def run(path: str, event: events.Event) -> None:
        if path.startswith("miniapp."):
            events.run_handler(path, event)

    events.install(ROUTES, run)
    yield
    events.install(ROUTES, to_worker)


def revoke(openid: str, app_id: str, revoke_info: str = "", *, is_cancellation: bool = False) -> None:
    """WeChat's push, as the inbox hands it on."""
    member_handlers.on_authorization_revoked(
        wechat_events.AuthorizationRevoked(
            account_id=1,
            app_id=app_id,
            openid=openid,
            unionid=None,
            revoke_info=revoke_info,
            is_cancellation=is_cancellation,
            inbound_id=1,
            at=int(clock.now().timestamp()),
        )
    )


@pytest.mark.usefixtures("handled_at_once")
def test_who_withdraws_everything_is_logged_out_of_that_mini_program_and_may_log_in_again(
    mini: Mini, phone: Phone
) -> None:
    revoke(phone.openid, mini.app_id)
    assert codes(phone.get("/profile")) == (401, "miniapp.device_revoked")
    device = Device.objects.get()
    assert (device.revoke_reason, device.session_key) == ("forgotten", "")
    revoke(phone.openid, mini.app_id)  # WeChat says so again
    phone.access = ""
    assert not phone.log_in().data["is_new"]
    assert phone.get("/profile").status_code == 200


@pytest.mark.usefixtures("handled_at_once")
def test_who_withdraws_her_phone_only_stays_logged_in(mini: Mini, phone: Phone) -> None:
    phone.prove_phone()
    revoke(phone.openid, mini.app_id, "8")
    assert phone.get("/profile").data["masked_phone"] == ""


@pytest.mark.usefixtures("handled_at_once")
def test_what_she_withdraws_in_another_app_leaves_her_devices_alone(mini: Mini, phone: Phone) -> None:
    MemberIdentity.objects.create(
        member=member_of(phone),
        kind="openid",
        app_id=mini.official_id,
        value="o-official",
        linked_at=clock.now(),
    )
    revoke("o-official", mini.official_id)
    assert phone.get("/profile").status_code == 200


@pytest.mark.usefixtures("handled_at_once")
def test_a_cancelled_account_is_logged_out_whatever_codes_come_with_it(mini: Mini, phone: Phone) -> None:
    Member.objects.filter(pk=member_of(phone).pk).update(source="pos")  # her data is the shop's, she stays
    revoke(phone.openid, mini.app_id, "8", is_cancellation=True)
    assert codes(phone.get("/profile")) == (401, "miniapp.device_revoked")


@pytest.mark.usefixtures("handled_at_once")
def test_a_cancelled_account_of_who_came_through_the_mini_program_is_gone(mini: Mini, phone: Phone) -> None:
    revoke(phone.openid, mini.app_id, is_cancellation=True)
    assert codes(phone.get("/profile")) == (401, "miniapp.token_unknown")
    phone.access = ""
    assert phone.log_in().data["is_new"]


@pytest.mark.usefixtures("handled_at_once")
def test_a_withdrawal_reaches_a_device_left_on_a_merged_row(mini: Mini, phone: Phone) -> None:
    other = mini.phone_of("小丽")
    other.log_in()
    first, second = member_of(phone).pk, member_of(other).pk
    living = member_services.merge_members(first_id=first, second_id=second, actor=Actor.system("test")).id
    Device.objects.update(member_id=first if living == second else second)
    revoke(phone.openid, mini.app_id)
    assert not Device.objects.live().exists()


# Cost ------------------------------------------------------------------------------------------------------


def test_reading_costs_few_queries(phone: Phone, django_assert_max_num_queries: Any) -> None:
    phone.ask("PUT", "/profile/address", HOME)
    ask(phone)
    for path in ("/profile/address", "/data-requests"):
        with django_assert_max_num_queries(6):
            assert phone.get(path).status_code == 200


def test_writing_costs_few_statements(phone: Phone, cast: Any) -> None:
    privacy_kit.consent_texts()
    make_kinds()
    asked = {"kind": "repair", "words": "开线", "request_key": "request-0", "store_id": cast.store.public_id}
    request_id = phone.post("/requests", asked).data["id"]
    guide_services.bind_member(
        member_id=member_of(phone).pk, guide_id=cast.lina.id, source="scan", actor=Actor.system("test")
    )
    writes: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", "/profile/address", HOME),
        ("POST", "/consents/agree", {"kind": "privacy", "version": 1}),
        ("POST", "/consents/withdraw", {"kind": "privacy"}),
        ("POST", "/requests", {**asked, "request_key": "request-1", "store_id": ""}),
        ("POST", f"/requests/{request_id}/cancel", {}),
        ("POST", "/data-requests", {"kind": "erase"}),
    ]
    costs = []
    for method, path, body in writes:
        with CaptureQueriesContext(connection) as ran:
            assert phone.ask(method, path, body).status_code == 200
        costs.append((path, sum(not _BRACKETS.match(one["sql"]) for one in ran.captured_queries)))
    assert [cost for cost in costs if cost[1] > WRITE_BUDGET] == []
