"""Her phone tells what she did: with her session, each once, and not too often."""

from typing import Any

import pytest

from core import clock
from members.models import Behaviour, Member
from tests.members.behaviours_kit import now_deed
from tests.miniapp.kit import Mini, Phone, codes


def send(phone: Phone, *events: Any, **other: Any) -> Any:
    return phone.post("/behaviours", {"sent_at": clock.now().isoformat(), "events": list(events), **other})


def test_a_batch_is_kept_once_and_what_is_wrong_is_named(phone: Phone) -> None:
    batch = [now_deed(), now_deed(kind="searched", words="找 13800138000"), {"kind": "x"}]
    told = send(phone, *batch)
    assert told.status_code == 200
    assert (told.data["kept_count"], told.data["repeated_count"], told.data["declined_count"]) == (2, 0, 0)
    [refused] = told.data["refused"]
    assert (refused["index"], refused["code"], refused["field"]) == (2, "missing_field", "key")
    assert refused["message"]
    assert send(phone, *batch).data["repeated_count"] == 2
    member = Member.objects.get(public_id=phone.get("/profile").data["id"])
    rows = Behaviour.objects.order_by("pk").values_list("member_id", "kind", "subject", "door")
    assert list(rows) == [
        (member.pk, "product_viewed", "C2041", "mini"), (member.pk, "searched", "找 ***", "mini"),
    ]  # fmt: skip


def test_another_login_of_hers_repeats_and_anothers_does_not(mini: Mini, phone: Phone) -> None:
    one = now_deed()
    assert send(phone, one).data["kept_count"] == 1
    phone.log_in()
    assert send(phone, one).data["repeated_count"] == 1
    other = mini.phone_of("小丽")
    other.log_in()
    assert send(other, one).data["kept_count"] == 1
    assert Behaviour.objects.values("member_id").distinct().count() == 2


@pytest.mark.parametrize(
    ("token", "code"), [("", "miniapp.token_missing"), ("forged-" * 6, "miniapp.token_unknown")]
)
def test_without_her_session_nothing_is_kept(phone: Phone, token: str, code: str) -> None:
    phone.access = token
    assert codes(send(phone, now_deed())) == (401, code)
    assert not Behaviour.objects.exists()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"events": [{}]}, {"sent_at": ["required"]}),
        ({"sent_at": "2026-11-28T12:00:00+08:00", "events": []}, {"events": ["min_length"]}),
        ({"sent_at": "2026-11-28T12:00:00+08:00", "events": [{}] * 51}, {"events": ["max_length"]}),
        ({"sent_at": "yesterday", "events": [{}]}, {"sent_at": ["invalid"]}),
        ({"sent_at": "2026-11-28T12:00:00+08:00", "events": [{}], "member": 1}, {"member": ["unknown"]}),
    ],
)
def test_what_is_no_batch_is_refused_whole(phone: Phone, body: Any, fields: Any) -> None:
    answer = phone.post("/behaviours", body)
    assert codes(answer) == (400, "core.invalid_input")
    assert answer.data["details"]["fields"] == fields


def test_more_than_64_kib_is_not_read(phone: Phone) -> None:
    assert codes(send(phone, now_deed(product="x" * 70_000))) == (400, "miniapp.body_too_large")


def test_a_phone_that_never_stops_is_held_back_and_others_are_not(mini: Mini, phone: Phone) -> None:
    *answers, last = [send(phone, {}) for _ in range(61)]
    assert 429 not in {answer.status_code for answer in answers}
    assert codes(last) == (429, "miniapp.too_many_requests")
    other = mini.phone_of("小丽")
    other.log_in()
    assert send(other, now_deed()).data["kept_count"] == 1
