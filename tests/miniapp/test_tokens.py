"""Tokens and devices: short lives, one use of a refresh token, theft seen, everything revocable."""

import datetime as dt

import pytest
import time_machine
from django.db import transaction

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import services as member_services
from members.models import Member, MemberMerge
from miniapp import services
from miniapp.models import BearerToken, Device
from miniapp.services.holdings import DeviceHoldings
from tests.miniapp.kit import Mini, Phone, codes
from tests.threads import at_once

HOLDINGS = DeviceHoldings()


def used(phone: Phone, token: str) -> tuple[int, str | None]:
    answer = phone.ask("GET", "/profile", authorization=f"Bearer {token}")
    return answer.status_code, None if answer.status_code == 200 else answer.data["code"]


def test_a_token_opens_her_profile(phone: Phone) -> None:
    assert used(phone, phone.access) == (200, None)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "miniapp.token_missing"),
        ("Bearer", "miniapp.token_missing"),
        ("Bearer ", "miniapp.token_missing"),
        ("Basic dXNlcjpwYXNz", "miniapp.token_missing"),
        ("Bearer nonsense", "miniapp.token_unknown"),
        ("Bearer xma_" + "A" * 43, "miniapp.token_unknown"),
        ("Bearer " + "x" * 5000, "miniapp.token_unknown"),
        ("Bearer \x00", "miniapp.token_unknown"),
    ],
)
def test_without_a_token_of_ours_the_answer_is_401(phone: Phone, header: str, code: str) -> None:
    answer = phone.ask("GET", "/profile", authorization=header)
    assert codes(answer) == (401, code)
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_refresh_token_opens_nothing_and_an_access_token_refreshes_nothing(phone: Phone) -> None:
    assert used(phone, phone.refresh) == (401, "miniapp.token_unknown")
    assert codes(phone.post("/refresh", {"refresh_token": phone.access})) == (401, "miniapp.refresh_unknown")


def test_an_access_token_ends_after_half_an_hour_and_is_refreshed(phone: Phone) -> None:
    with time_machine.travel(clock.now() + dt.timedelta(seconds=1801), tick=True):
        assert used(phone, phone.access) == (401, "miniapp.token_expired")
        phone.keep(phone.post("/refresh", {"refresh_token": phone.refresh}))
        assert used(phone, phone.access) == (200, None)


def test_a_refresh_token_ends_after_thirty_days(phone: Phone) -> None:
    with time_machine.travel(clock.now() + dt.timedelta(days=30, seconds=1), tick=True):
        assert codes(phone.post("/refresh", {"refresh_token": phone.refresh})) == (
            401,
            "miniapp.refresh_expired",
        )


def test_a_refresh_token_used_twice_logs_the_whole_device_out(phone: Phone) -> None:
    stolen = phone.refresh
    phone.keep(phone.post("/refresh", {"refresh_token": stolen}))
    assert codes(phone.post("/refresh", {"refresh_token": stolen})) == (401, "miniapp.refresh_reused")
    assert used(phone, phone.access) == (401, "miniapp.device_revoked")
    assert codes(phone.post("/refresh", {"refresh_token": phone.refresh})) == (401, "miniapp.device_revoked")
    device = Device.objects.get()
    assert (device.revoke_reason, device.session_key) == ("stolen", "")
    entry = AuditEntry.objects.get(action="miniapp.device_revoked")
    assert (entry.subject_id, entry.details["reason"]) == (device.pk, "stolen")


def test_of_two_who_refresh_at_once_with_one_token_at_most_one_gets_tokens(phone: Phone) -> None:
    answers = at_once([lambda: services.refresh_tokens(refresh_token=phone.refresh)] * 4)
    fine = [answer for answer in answers if not isinstance(answer, Exception)]
    assert len(fine) == 1
    assert Device.objects.get().revoke_reason == "stolen"


def test_another_devices_theft_leaves_this_one_alone(mini: Mini, phone: Phone) -> None:
    other = Phone(mini, phone.person)
    other.log_in()
    for _ in range(2):
        other.post("/refresh", {"refresh_token": other.refresh})
    assert used(other, other.access) == (401, "miniapp.device_revoked")
    assert used(phone, phone.access) == (200, None)


@pytest.mark.parametrize("token", ["", "x", "有", "xmr_" + "A" * 43])
def test_a_made_up_refresh_token_is_refused(phone: Phone, token: str) -> None:
    expected = (400, "core.invalid_input") if not token else (401, "miniapp.refresh_unknown")
    assert codes(phone.post("/refresh", {"refresh_token": token})) == expected


# Devices ---------------------------------------------------------------------------------------------------


def test_logging_out_ends_this_device_only(mini: Mini, phone: Phone) -> None:
    other = Phone(mini, phone.person)
    other.log_in(device_name="iPad")
    assert phone.post("/logout").status_code == 204
    assert used(phone, phone.access) == (401, "miniapp.device_revoked")
    assert [line["name"] for line in other.get("/devices").data["devices"]] == ["iPad"]


def test_devices_are_listed_and_one_can_be_logged_out_from_another(mini: Mini, phone: Phone) -> None:
    other = Phone(mini, phone.person)
    other.log_in(device_name="iPad")
    lines = {line["id"]: line for line in phone.get("/devices").data["devices"]}
    assert {line["is_this"] for line in lines.values()} == {True, False}
    assert set(lines[other.device_id]) == {"id", "name", "opened_at", "last_used_at", "is_this"}
    assert phone.ask("DELETE", f"/devices/{other.device_id}").status_code == 204
    assert used(other, other.access) == (401, "miniapp.device_revoked")
    assert phone.ask("DELETE", f"/devices/{other.device_id}").status_code == 204  # again changes nothing


def test_another_members_device_looks_like_an_unknown_one(mini: Mini, phone: Phone) -> None:
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    theirs = phone.ask("DELETE", f"/devices/{stranger.device_id}")
    unknown = phone.ask("DELETE", "/devices/2222222222222222")
    assert theirs.status_code == unknown.status_code == 404
    assert theirs.data == unknown.data
    assert used(stranger, stranger.access) == (200, None)


def test_all_devices_can_be_logged_out_with_or_without_this_one(mini: Mini, phone: Phone) -> None:
    others = [Phone(mini, phone.person) for _ in range(2)]
    for other in others:
        other.log_in()
    assert phone.post("/devices/revoke").data == {"revoked_count": 2}
    assert used(phone, phone.access) == (200, None)
    assert phone.post("/devices/revoke", {"spare_this": False}).data == {"revoked_count": 1}
    assert used(phone, phone.access) == (401, "miniapp.device_revoked")


def test_the_same_install_logs_in_as_the_same_device(mini: Mini) -> None:
    phone = mini.phone_of()
    phone.log_in(install_key="install-1", device_name="iPhone")
    first, access = phone.device_id, phone.access
    phone.log_in(install_key="install-1", device_name="iPhone 15")
    assert phone.device_id == first
    assert used(phone, access) == (401, "miniapp.token_unknown")
    assert Device.objects.get().name == "iPhone 15"


def test_an_install_key_of_somebody_else_opens_nothing_of_hers(mini: Mini, phone: Phone) -> None:
    phone.log_in(install_key="shared")
    stranger = mini.phone_of("小丽")
    stranger.log_in(install_key="shared")
    assert stranger.device_id != phone.device_id
    assert used(phone, phone.access) == (200, None)


def test_of_more_than_twenty_devices_the_one_that_rested_longest_is_logged_out(mini: Mini) -> None:
    person = mini.person()
    phones = [Phone(mini, person) for _ in range(21)]
    for one in phones:
        one.log_in()
    assert used(phones[0], phones[0].access) == (401, "miniapp.device_revoked")
    assert Device.objects.live().count() == 20


def test_last_used_is_noted_every_few_minutes_only(phone: Phone) -> None:
    start = Device.objects.get().last_used_at
    phone.get("/profile")
    assert Device.objects.get().last_used_at == start
    later = start + dt.timedelta(minutes=6)
    with time_machine.travel(later, tick=False):
        phone.get("/profile")
    assert Device.objects.get().last_used_at == later


def test_what_is_over_is_forgotten(phone: Phone) -> None:
    services.prune_devices(at=clock.now() + dt.timedelta(days=31))
    assert (Device.objects.count(), BearerToken.objects.count()) == (1, 0)
    services.prune_devices(at=clock.now() + dt.timedelta(days=200))
    assert Device.objects.count() == 0


def test_erasing_her_devices_logs_her_out_everywhere(phone: Phone) -> None:
    member_id = Member.objects.get().pk
    exported = HOLDINGS.export(member_id)
    assert [len(lines) for lines in exported.values()] == [1]
    assert phone.access not in str(exported)
    with transaction.atomic():
        assert HOLDINGS.erase(member_id=member_id, actor=Actor.system("test"), at=clock.now()) == 1
    assert used(phone, phone.access) == (401, "miniapp.token_unknown")
    assert BearerToken.objects.count() == 0


def test_devices_move_with_a_merge_and_back(mini: Mini, phone: Phone) -> None:
    other = mini.phone_of("小丽")
    other.log_in()
    first, second = Member.objects.order_by("pk")
    member_services.merge_members(first_id=first.pk, second_id=second.pk, actor=Actor.system("test"))
    assert used(other, other.access) == (200, None)  # followed
    assert other.get("/profile").data["id"] == first.public_id
    assert len(phone.get("/devices").data["devices"]) == 2
    member_services.undo_merge(merge_id=MemberMerge.objects.get().pk, actor=Actor.system("test"))
    assert Device.objects.filter(member_id=second.pk).count() == 1
