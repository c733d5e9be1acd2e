"""Her tier and the way to the next."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from members.models import Member
from tests.members import tiers_kit
from tests.miniapp.kit import Mini, Phone


def buy(phone: Phone, yuan: int) -> None:
    member_id = Member.objects.get(public_id=phone.get("/profile").data["id"]).pk
    tiers_kit.buy(member_id, yuan, clock.business_day(clock.now()).isoformat(), key=f"sale:{yuan}")


def test_without_a_ladder_there_is_no_tier(phone: Phone) -> None:
    told = phone.get("/tier").data
    assert (told["tier"], told["next"], told["benefits"], told["since"]) == (None, None, [], None)
    assert phone.get("/tier/history").data == {"changes": []}


def test_she_sees_what_the_next_tier_needs(phone: Phone) -> None:
    tiers_kit.make_ladder()
    buy(phone, 400)
    told = phone.get("/tier").data
    assert (told["tier"], told["is_manual"]) == (None, False)  # 普通 is for members who left a phone
    assert (told["next"]["name"], told["next"]["needs"]) == ("银卡", "any")
    assert [
        (goal["measure"], goal["have"], goal["need"], goal["missing"]) for goal in told["next"]["goals"]
    ] == [
        ("spend", 40_000, 100_000, 60_000),
        ("orders", 1, 3, 2),
    ]


def test_a_tier_she_reached_has_its_days_and_its_history(phone: Phone) -> None:
    tiers_kit.make_ladder()
    buy(phone, 1_200)
    told = phone.get("/tier").data
    today = clock.business_day(clock.now())
    assert (told["tier"]["name"], told["since"]) == ("银卡", today.isoformat())
    assert dt.date.fromisoformat(told["until"]) > today
    (goal,) = told["next"]["goals"]
    assert (told["next"]["name"], goal["have"], goal["missing"]) == ("金卡", 120_000, 380_000)
    (change,) = phone.get("/tier/history").data["changes"]
    assert (change["from_tier"], change["to_tier"]["name"], change["cause"]) == (None, "银卡", "reached")
    assert "note" not in change
    buy(phone, 5_000)
    assert phone.get("/tier").data["next"] is None
    assert [line["to_tier"]["name"] for line in phone.get("/tier/history").data["changes"]] == [
        "金卡",
        "银卡",
    ]


def test_the_history_is_short(phone: Phone) -> None:
    from members.models import TierChange

    (tier, *_) = tiers_kit.make_ladder()
    member = Member.objects.get(public_id=phone.get("/profile").data["id"])
    for _ in range(25):
        TierChange.objects.create(
            member=member,
            to_tier_id=tier.id,
            is_upgrade=True,
            cause="rules",
            at=clock.now(),
            actor="system test",
        )
    assert len(phone.get("/tier/history").data["changes"]) == 20


def test_anothers_purchases_are_not_hers(mini: Mini, phone: Phone) -> None:
    tiers_kit.make_ladder()
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    buy(stranger, 1_200)
    assert phone.get("/tier").data["tier"] is None
    assert phone.get("/tier").data["next"]["goals"][0]["have"] == 0
    assert phone.get("/tier/history").data == {"changes": []}


@pytest.mark.parametrize("address", ["/tier", "/tier/history"])
def test_it_costs_few_queries(phone: Phone, address: str, django_assert_max_num_queries: Any) -> None:
    tiers_kit.make_ladder()
    buy(phone, 1_200)
    with django_assert_max_num_queries(12):
        assert phone.get(address).status_code == 200
