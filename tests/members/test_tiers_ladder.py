"""The ladder as data, tiers given by hand, and two rows that are one person."""

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.actor import Actor
from core.errors import Refusal
from members import selectors, services
from members.contracts import TierDecisions, TierTerms
from members.models import ActivityEntry, Member, MemberTier, Tier, TierChange, TierSettings
from members.services.holdings_tiers import TierHoldings
from tests.members.tiers_kit import (
    MARKETING,
    buy,
    check_rows,
    decide,
    make_ladder,
    make_member,
    make_staff,
    make_tier,
    night,
    noon,
    tier_name,
    until_of,
)
from tests.threads import at_once

DAY = "2026-03-05"


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name": " "}, "members.tier_unusable", "name"),
        ({"name": "很" * 21}, "members.tier_unusable", "name"),
        ({"rank": 0}, "members.tier_unusable", "rank"),
        ({"rank": 1000}, "members.tier_unusable", "rank"),
        ({"color": "gold"}, "members.tier_unusable", "color"),
        ({"color": "#12345"}, "members.tier_unusable", "color"),
        ({"mode": "some"}, "members.tier_unusable", "mode"),
        ({"multiplier_bp": 9_999}, "members.tier_unusable", "multiplier_bp"),
        ({"multiplier_bp": 100_001}, "members.tier_unusable", "multiplier_bp"),
        ({"spend_fen": 0}, "members.tier_unusable", "spend_fen"),
        ({"spend_fen": 10**13}, "members.tier_unusable", "spend_fen"),
        ({"order_count": -1}, "members.tier_unusable", "order_count"),
        ({"growth": 10**10}, "members.tier_unusable", "growth"),
        ({"benefits": "一\n" * 11}, "members.tier_unusable", "benefits"),
        ({"benefits": "长" * 41}, "members.tier_unusable", "benefits"),
        ({"birthday_gift": "蛋糕"}, "members.tier_unusable", "birthday_gift"),
        ({"upgrade_gift": "x" * 41}, "members.tier_unusable", "upgrade_gift"),
        ({"name": "银卡", "rank": 9}, "members.tier_name_taken", "name"),
        ({"rank": 2}, "members.tier_rank_taken", "rank"),
        ({"spend_fen": 500_000}, "members.tier_ladder_broken", "spend_fen"),
        ({"order_count": 3, "spend_fen": None}, "members.tier_ladder_broken", "order_count"),
        ({"spend_fen": None}, "members.tier_ladder_broken", None),
        ({"rank": 1, "name": "新"}, "members.tier_rank_taken", "rank"),
    ],
)
@pytest.mark.django_db
def test_a_rung_that_does_not_fit_is_refused(values: dict[str, Any], code: str, field: str | None) -> None:
    make_ladder()
    terms = TierTerms(**{"rank": 4, "name": "黑金卡", "spend_fen": 900_000, **values})
    with pytest.raises(Refusal) as refusal:
        services.create_tier(terms=terms, actor=MARKETING)
    assert (refusal.value.code, refusal.value.details.get("field")) == (code, field)
    assert Tier.objects.count() == 3


@pytest.mark.django_db
def test_a_rung_below_must_be_easier_too() -> None:
    make_tier(5, "金卡", spend_fen=100_000)
    with pytest.raises(Refusal) as refusal:
        make_tier(4, "银卡", spend_fen=100_000)
    assert refusal.value.code == "members.tier_ladder_broken"
    assert make_tier(4, "银卡", spend_fen=99_999, color="#c0c0c0").color == "#C0C0C0"


@pytest.mark.django_db
def test_changing_a_rung_is_checked_against_the_others_and_not_against_itself() -> None:
    _floor, silver, gold = make_ladder()
    terms = TierTerms(rank=2, name="银卡", spend_fen=200_000, benefits=" 生日礼 \n\n免邮 ")
    assert services.change_tier(tier_id=silver.id, terms=terms, actor=MARKETING).benefits == (
        "生日礼",
        "免邮",
    )
    for bad in ({"rank": 3}, {"rank": 4, "spend_fen": 400_000}, {"name": "金卡"}):
        changed = TierTerms(**{"rank": 2, "name": "银卡", "spend_fen": 200_000, **bad})  # type: ignore[arg-type]
        with pytest.raises(Refusal):
            services.change_tier(tier_id=silver.id, terms=changed, actor=MARKETING)
    with pytest.raises(Refusal) as refusal:
        services.change_tier(tier_id=gold.id + 99, terms=terms, actor=MARKETING)
    assert refusal.value.code == "members.no_such_tier"


@pytest.mark.django_db
def test_a_new_name_needs_no_reassessment_and_a_new_threshold_does() -> None:
    _floor, silver, _gold = make_ladder()
    buy(make_member(), 10, DAY)
    TierSettings.objects.update(rules_changed_at=None)
    terms: dict[str, Any] = {"rank": 2, "spend_fen": 100_000, "order_count": 3}
    services.change_tier(tier_id=silver.id, terms=TierTerms(name="白银卡", **terms), actor=MARKETING)
    assert not selectors.needs_reassessment()
    terms["order_count"] = 4
    services.change_tier(tier_id=silver.id, terms=TierTerms(name="白银卡", **terms), actor=MARKETING)
    assert selectors.needs_reassessment()


@pytest.mark.django_db(transaction=True)
def test_two_people_cannot_put_two_tiers_on_one_rung() -> None:
    answers = at_once([partial(make_tier, 1, f"卡{number}", spend_fen=100) for number in range(4)])
    assert sum(isinstance(answer, Refusal) for answer in answers) == 3
    assert Tier.objects.count() == 1


@pytest.mark.django_db
def test_the_database_holds_the_rungs_apart_whatever_code_runs() -> None:
    make_tier(1, "银卡", spend_fen=100)
    with pytest.raises(IntegrityError, match="tier_one_per_active_rank"), transaction.atomic():
        Tier.objects.create(rank=1, name="金卡", spend_fen=200)
    with pytest.raises(IntegrityError, match="tier_thresholds_positive"), transaction.atomic():
        Tier.objects.create(rank=2, name="金卡", spend_fen=0)
    member = make_member()
    with pytest.raises(IntegrityError, match="membertier_is_earned_or_manual"), transaction.atomic():
        MemberTier.objects.create(member_id=member, tier=Tier.objects.get(), since=dt.date(2026, 1, 1))


@pytest.mark.django_db
def test_a_tier_that_members_have_is_not_retired() -> None:
    floor, silver, gold = make_ladder()
    member = make_member()
    buy(member, 1_000, DAY)
    retire = partial(services.retire_tier, actor=MARKETING)
    with pytest.raises(Refusal) as refusal:
        retire(tier_id=silver.id)
    assert refusal.value.code == "members.tier_in_use"
    assert not retire(tier_id=gold.id).is_active
    assert not retire(tier_id=gold.id).is_active
    services.register_member(name="王梅", phone="13912345678", source="pos", actor=MARKETING)
    with pytest.raises(Refusal):
        retire(tier_id=floor.id)
    assert [tier.name for tier in selectors.list_tiers()] == ["普通", "银卡"]


@pytest.mark.django_db
def test_a_gift_of_staff_keeps_its_tier_from_being_retired() -> None:
    gold = make_ladder()[2]
    services.grant_tier(
        member_id=make_member(), tier_id=gold.id, until=dt.date(2026, 9, 1), reason="答谢", actor=make_staff(),
        at=noon(DAY),
    )  # fmt: skip
    with pytest.raises(Refusal) as refusal:
        services.retire_tier(tier_id=gold.id, actor=MARKETING)
    assert refusal.value.code == "members.tier_in_use"


@pytest.mark.django_db
def test_a_retired_rung_comes_back_only_where_it_fits() -> None:
    _floor, _silver, gold = make_ladder()
    services.retire_tier(tier_id=gold.id, actor=MARKETING)
    blocker = make_tier(3, "铂金卡", spend_fen=800_000)
    with pytest.raises(Refusal) as refusal:
        services.restore_tier(tier_id=gold.id, actor=MARKETING)
    assert refusal.value.code == "members.tier_rank_taken"
    services.retire_tier(tier_id=blocker.id, actor=MARKETING)
    assert services.restore_tier(tier_id=gold.id, actor=MARKETING).is_active


@pytest.mark.parametrize(
    "values",
    [
        {"period": "week"}, {"keeping": "ever"}, {"descent": "up"}, {"period_months": 0}, {"period_months": 37},
        {"grace_days": -1}, {"grace_days": 181}, {"notice_days": -1}, {"notice_days": 181},
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_unusable_decisions_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        services.change_tier_settings(decisions=TierDecisions(**values), actor=MARKETING)
    assert refusal.value.code == "members.tier_settings_unusable"
    assert selectors.get_tier_decisions() == TierDecisions()


def _grant(member: int, tier_id: int, until: str, day: str = DAY, **values: Any) -> Any:
    asked = {"reason": "周年答谢", "actor": Actor.staff(1, "staff"), **values}
    return services.grant_tier(
        member_id=member, tier_id=tier_id, until=dt.date.fromisoformat(until), at=noon(day), **asked
    )


@pytest.mark.django_db
def test_a_tier_given_by_hand_holds_to_its_end_and_then_she_has_what_she_earned() -> None:
    _floor, silver, gold = make_ladder()
    member = make_member()
    buy(member, 1_000, "2026-03-01")
    standing = _grant(member, gold.id, "2026-06-01")
    assert (standing.tier, standing.is_manual, standing.until) == (gold, True, dt.date(2026, 6, 1))
    assert selectors.tier_multiplier_bp(member, noon("2026-05-31")) == 15_000
    # Before the job has come by, reads know that it is over.
    assert (tier_name(member, "2026-06-01"), until_of(member, "2026-06-01")) == ("银卡", "2027-03-01")
    assert selectors.tier_multiplier_bp(member, noon("2026-06-01")) == 12_000
    assert night("2026-05-31").ended_count == 0
    run = night("2026-06-01")
    assert (run.ended_count, run.fallen_count) == (1, 0)
    standing = selectors.get_tier_standing(member, noon("2026-06-01"))
    assert (standing.tier, standing.since, standing.is_manual) == (silver, dt.date(2026, 6, 1), False)
    assert [line.cause for line in selectors.list_tier_history(member)] == [
        "grant_ended",
        "granted",
        "reached",
    ]
    assert selectors.list_tier_history(member)[1].note == "周年答谢"
    check_rows()


@pytest.mark.django_db
def test_what_she_earns_under_a_gift_counts_and_more_than_the_gift_is_hers() -> None:
    _floor, silver, gold = make_ladder()
    member = make_member()
    _grant(member, silver.id, "2026-06-01")
    assert not buy(member, 1_000, "2026-03-10").is_upgraded
    standing = selectors.get_tier_standing(member, noon("2026-03-10"))
    assert (standing.is_manual, standing.until) == (False, dt.date(2027, 3, 10))
    assert buy(member, 4_000, "2026-03-11").is_upgraded
    night("2026-06-01")
    assert tier_name(member, "2026-06-01") == gold.name
    check_rows()


@pytest.mark.django_db
def test_an_earned_tier_that_ends_under_a_gift_changes_nothing_she_sees() -> None:
    gold = make_ladder()[2]
    member = make_member()
    buy(member, 1_000, "2025-03-05")
    _grant(member, gold.id, "2026-06-01", day="2026-03-01")
    night("2026-03-05")
    assert tier_name(member, "2026-03-05") == "金卡"
    assert TierChange.objects.count() == 2
    night("2026-06-01")
    assert tier_name(member, "2026-06-01") == ""
    check_rows()


@pytest.mark.django_db
def test_a_gift_that_outlasts_the_end_means_no_warning() -> None:
    gold = make_ladder()[2]
    member = make_member()
    buy(member, 1_000, "2025-03-05")
    _grant(member, gold.id, "2026-06-01", day="2026-02-20")
    assert services.announce_tiers_at_risk(actor=MARKETING, at=noon("2026-02-25")) == 0


@pytest.mark.django_db
def test_a_second_gift_takes_the_place_of_the_first_and_can_be_taken_back() -> None:
    _floor, silver, gold = make_ladder()
    member = make_member()
    _grant(member, gold.id, "2026-06-01")
    assert _grant(member, silver.id, "2026-09-01").tier == silver
    withdraw = partial(services.withdraw_tier_grant, member_id=member, actor=make_staff(), at=noon(DAY))
    assert withdraw(reason="录入有误").tier is None
    with pytest.raises(Refusal) as refusal:
        withdraw(reason="录入有误")
    assert refusal.value.code == "members.no_manual_tier"
    check_rows()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"actor": MARKETING}, "members.staff_only"),
        ({"reason": "  "}, "members.reason_missing"),
        ({"reason": "长" * 121}, "members.reason_missing"),
        ({"until": DAY}, "members.tier_grant_unusable"),
        ({"until": "2036-03-06"}, "members.tier_grant_unusable"),
        ({"tier_id": 987_654}, "members.no_such_tier"),
        ({"member": 987_654}, "members.no_such_member"),
    ],
)
@pytest.mark.django_db
def test_an_unusable_gift_is_refused(values: dict[str, Any], code: str) -> None:
    gold = make_ladder()[2]
    with pytest.raises(Refusal) as refusal:
        _grant(**{"member": make_member(), "tier_id": gold.id, "until": "2026-09-01", **values})
    assert refusal.value.code == code
    assert not TierChange.objects.exists()


@pytest.mark.django_db
def test_a_gift_must_be_a_rung_of_today_above_what_she_earned() -> None:
    floor, silver, gold = make_ladder()
    member = make_member()
    buy(member, 1_000, DAY)
    services.retire_tier(tier_id=gold.id, actor=MARKETING)
    codes = []
    for tier in (floor, silver, gold):
        with pytest.raises(Refusal) as refusal:
            _grant(member, tier.id, "2026-09-01")
        codes.append(refusal.value.code)
    assert codes == ["members.tier_not_higher", "members.tier_not_higher", "members.tier_retired"]


def _merge(survivor: int, emptier: int, day: str) -> dict[str, Any]:
    """What merging does with tiers: the rows are locked, the emptier one leads to the survivor."""
    with transaction.atomic():
        Member.objects.lock_all([survivor, emptier])
        Member.objects.filter(pk=emptier).update(merged_into=survivor)
        return TierHoldings().move(emptier_id=emptier, survivor_id=survivor, actor=MARKETING, at=noon(day))


def _part(survivor: int, emptier: int, snapshot: dict[str, Any], day: str) -> None:
    with transaction.atomic():
        Member.objects.lock_all([survivor, emptier])
        Member.objects.filter(pk=emptier).update(merged_into=None)
        TierHoldings().restore(
            emptier_id=emptier, survivor_id=survivor, snapshot=snapshot, actor=MARKETING, at=noon(day)
        )


@pytest.mark.django_db
def test_two_rows_together_may_reach_what_neither_did_and_parting_gives_both_back() -> None:
    make_ladder()
    one, other = make_member("one"), make_member("other")
    buy(one, 600, "2026-03-01", "s")
    buy(other, 400, "2026-03-02", "s")
    snapshot = _merge(one, other, DAY)
    assert (tier_name(one, DAY), tier_name(other, DAY)) == ("银卡", "银卡")
    assert not MemberTier.objects.filter(member_id=other).exists()
    check_rows()
    buy(other, 5_000, "2026-03-06", "after")
    assert tier_name(one, "2026-03-06") == "金卡"
    _part(one, other, snapshot, "2026-03-07")
    assert (tier_name(one, "2026-03-07"), tier_name(other, "2026-03-07")) == ("金卡", "")
    assert sorted(ActivityEntry.objects.filter(member_id=other).values_list("spend_fen", flat=True)) == [
        40_000
    ]
    check_rows()


@pytest.mark.django_db
def test_the_survivor_has_the_better_of_both_and_parting_restores_both() -> None:
    _floor, silver, gold = make_ladder()
    one, other = make_member("one"), make_member("other")
    buy(one, 1_000, "2026-01-05")
    buy(other, 5_000, "2026-02-05")
    _grant(one, gold.id, "2026-05-01")
    snapshot = _merge(one, other, DAY)
    standing = selectors.get_tier_standing(one, noon(DAY))
    assert (standing.tier, standing.until) == (gold, dt.date(2027, 2, 5))
    assert {line.member_id for line in selectors.list_tier_history(one)} == {one}
    assert len(selectors.list_tier_history(one)) == 3
    _part(one, other, snapshot, "2026-03-10")
    for member, until in ((one, "2026-05-01"), (other, "2027-02-05")):
        assert (tier_name(member, "2026-03-10"), until_of(member, "2026-03-10")) == ("金卡", until)
    night("2026-05-01")
    assert tier_name(one, "2026-05-01") == silver.name
    assert len(selectors.list_tier_history(other)) == 1
    check_rows()


@pytest.mark.django_db
def test_of_two_gifts_the_higher_is_kept_and_a_later_one_stays_with_the_survivor() -> None:
    _floor, silver, gold = make_ladder()
    one, other = make_member("one"), make_member("other")
    _grant(one, silver.id, "2026-12-01")
    _grant(other, gold.id, "2026-06-01")
    snapshot = _merge(one, other, DAY)
    assert (tier_name(one, DAY), until_of(one, DAY)) == ("金卡", "2026-06-01")
    _grant(one, gold.id, "2026-08-01", day="2026-03-06")
    _part(one, other, snapshot, "2026-03-07")
    assert (tier_name(one, "2026-03-07"), until_of(one, "2026-03-07")) == ("金卡", "2026-08-01")
    assert (tier_name(other, "2026-03-07"), until_of(other, "2026-03-07")) == ("金卡", "2026-06-01")
    check_rows()


@pytest.mark.django_db
def test_merging_rows_without_tiers_makes_none_and_moving_again_moves_latecomers() -> None:
    make_ladder()
    one, other = make_member("one"), make_member("other")
    snapshot = _merge(one, other, DAY)
    assert not MemberTier.objects.exists()
    ActivityEntry.objects.create(
        member_id=other, origin_id=other, day=dt.date(2026, 3, 1), spend_fen=100_000, source_key="late",
        recorded_at=noon(DAY),
    )  # fmt: skip
    again = _merge(one, other, DAY)
    assert tier_name(one, DAY) == "银卡"
    _part(one, other, again, "2026-03-07")
    _part(one, other, snapshot, "2026-03-07")
    assert tier_name(other, "2026-03-07") == "银卡"


@pytest.mark.django_db
def test_one_key_in_both_rows_stays_two_entries() -> None:
    make_ladder()
    one, other = make_member("one"), make_member("other")
    buy(one, 10, DAY, "s")
    buy(other, 20, DAY, "s")
    _merge(one, other, DAY)
    assert ActivityEntry.objects.filter(member_id=one).count() == 2
    buy(other, 10, DAY, "s")
    assert ActivityEntry.objects.count() == 2


@pytest.mark.django_db
def test_a_tier_retired_after_the_merge_does_not_come_back_by_parting() -> None:
    gold = make_ladder()[2]
    one, other = make_member("one"), make_member("other")
    _grant(other, gold.id, "2026-06-01")
    snapshot = _merge(one, other, DAY)
    services.withdraw_tier_grant(member_id=one, reason="取消", actor=make_staff(), at=noon(DAY))
    services.retire_tier(tier_id=gold.id, actor=MARKETING)
    _part(one, other, snapshot, "2026-03-07")
    assert tier_name(other, "2026-03-07") == ""
    check_rows()


@pytest.mark.django_db
def test_preview_export_and_erase() -> None:
    gold = make_ladder()[2]
    one, other = make_member("one"), make_member("other")
    holdings = TierHoldings()
    assert holdings.preview(survivor_id=one, emptier_id=other) == []
    buy(other, 1_000, DAY)
    _grant(other, gold.id, "2066-01-01", day="2060-01-01")
    lines = holdings.preview(survivor_id=one, emptier_id=other)
    assert [(line.survivor != line.emptier, line.outcome) for line in lines] == [(True, "金卡")]
    told = holdings.export(other)
    assert [len(rows) for rows in told.values()] == [1, 2, 1]
    assert all(len(rows) == 0 for rows in holdings.export(one).values())
    with transaction.atomic():
        Member.objects.lock(other)
        assert holdings.erase(member_id=other, actor=MARKETING, at=noon(DAY)) == 2
    assert not TierChange.objects.exclude(note="").exists()
    assert tier_name(other, DAY) == ""


@pytest.mark.django_db
def test_deciding_what_is_decided_already_leaves_no_trace() -> None:
    decide(grace_days=5)
    changed_at = TierSettings.objects.get().rules_changed_at
    decide(grace_days=5)
    assert TierSettings.objects.get().rules_changed_at == changed_at
