"""Tiers at the staff's desks: the ladder, the settings, a member's tier, and reassessing everybody."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core import clock
from core.admin.questions import CONFIRMED
from members import selectors, services
from members.models import MemberTier, Tier, TierChange, TierReassessment, TierSettings
from tests.cast import DIRECTOR, Cast, make_follower, openid_of
from tests.members.tiers_kit import make_ladder

TERMS = {
    "rank": "4",
    "name": "黑金卡",
    "color": "#2b2b2b",
    "mode": "any",
    "spend_fen": "20000.5",
    "order_count": "",
    "growth": "",
    "multiplier_bp": "1.5",
    "benefits": "专属搭配师\n上门取送",
    "birthday_gift": "",
    "upgrade_gift": "black",
}
LIST = "admin:members_tier_changelist"


def _buy(member_id: int, yuan: int, key: str = "s") -> None:
    services.record_activity(
        member_id=member_id, day=clock.today(), spend_fen=yuan * 100, order_count=1, growth=0, source_key=key,
        actor=DIRECTOR,
    )  # fmt: skip


def _grant(client: Client, member_id: int, tier_id: int, **values: str) -> Any:
    url = reverse("admin:members_member_grant_tier", args=[member_id])
    until = (clock.today() + dt.timedelta(days=90)).isoformat()
    return client.post(url, {CONFIRMED: "1", "tier": tier_id, "until": until, "reason": "周年答谢", **values})


def test_a_tier_is_typed_in_yuan_and_times(desk: Client, cast: Cast) -> None:
    make_ladder()
    assert desk.post(reverse("admin:members_tier_add"), TERMS).status_code == 302
    tier = Tier.objects.get(name="黑金卡")
    assert (tier.spend_fen, tier.multiplier_bp, tier.color) == (2_000_050, 15_000, "#2B2B2B")
    page = desk.get(reverse("admin:members_tier_change", args=[tier.pk]))
    assert page.context["adminform"].form.initial["multiplier_bp"] == "1.5"
    changed = {**TERMS, "spend_fen": "30000", "multiplier_bp": "2"}
    assert desk.post(reverse("admin:members_tier_change", args=[tier.pk]), changed).status_code == 302
    tier.refresh_from_db()
    assert (tier.spend_fen, tier.multiplier_bp) == (3_000_000, 20_000)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"spend_fen": "4000"}, "spend_fen"),
        ({"spend_fen": "0"}, "spend_fen"),
        ({"multiplier_bp": "0.5"}, "multiplier_bp"),
        ({"color": "red"}, "color"),
        ({"rank": "3"}, "rank"),
        ({"name": "金卡"}, "name"),
        ({"benefits": "长" * 41}, "benefits"),
        ({"upgrade_gift": "蛋糕"}, "upgrade_gift"),
    ],
)
def test_a_tier_that_does_not_fit_is_said_at_its_field_and_keeps_what_was_typed(
    desk: Client, cast: Cast, values: dict[str, str], field: str
) -> None:
    make_ladder()
    answer = desk.post(reverse("admin:members_tier_add"), {**TERMS, **values})
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    assert field in form.errors or (field == "rank" and form.non_field_errors())
    assert form["benefits"].value() == {**TERMS, **values}["benefits"]
    assert Tier.objects.count() == 3


def test_the_list_goes_from_the_lowest_to_the_highest_with_counts(desk: Client, cast: Cast) -> None:
    make_ladder()
    _buy(cast.xiaomei.id, 1_000)
    rows = desk.get(reverse(LIST)).context["cl"].result_list
    assert [(row.name, row.member_total) for row in rows] == [("普通", 0), ("银卡", 1), ("金卡", 0)]


def test_a_tier_in_use_is_not_retired_and_another_is_and_comes_back(desk: Client, cast: Cast) -> None:
    _floor, silver, gold = make_ladder()
    _buy(cast.xiaomei.id, 1_000)
    retire = "admin:members_tier_retire"
    assert desk.get(reverse(retire, args=[gold.id])).status_code == 200
    assert desk.post(reverse(retire, args=[silver.id]), {CONFIRMED: "1"}).status_code == 200
    assert desk.post(reverse(retire, args=[gold.id]), {CONFIRMED: "1"}).status_code == 302
    assert list(Tier.objects.filter(is_active=False)) == [Tier.objects.get(pk=gold.id)]
    assert (
        desk.post(reverse("admin:members_tier_restore", args=[gold.id]), {CONFIRMED: "1"}).status_code == 302
    )
    assert Tier.objects.filter(is_active=True).count() == 3


def test_the_settings_are_one_row(desk: Client, cast: Cast) -> None:
    values = {
        "period": "year", "period_months": "12", "keeping": "next_period", "grace_days": "15",
        "descent": "one_step", "notice_days": "30",
    }  # fmt: skip
    add = reverse("admin:members_tiersettings_add")
    assert desk.post(add, {**values, "grace_days": "181"}).status_code == 200
    assert not TierSettings.objects.exists()
    assert desk.post(add, values).status_code == 302
    assert desk.post(add, values).status_code == 403
    change = reverse("admin:members_tiersettings_change", args=[1])
    assert desk.post(change, {**values, "period_months": "0"}).status_code == 200
    assert selectors.get_tier_decisions().descent == "one_step"


def test_a_changed_ladder_asks_for_a_reassessment_whose_page_tells_the_numbers(
    desk: Client, cast: Cast
) -> None:
    _buy(cast.xiaomei.id, 1_000)
    make_ladder()
    url = reverse("admin:members_tier_reassess")
    assert url in desk.get(reverse(LIST)).content.decode()
    assert "升级" in desk.get(url).content.decode()
    assert not TierReassessment.objects.exists()
    assert desk.post(url, {CONFIRMED: "1", "may_fall": "on"}).status_code == 302
    assert TierReassessment.objects.get().may_fall
    assert desk.post(url, {CONFIRMED: "1"}).status_code == 200
    services.run_reassessments(actor=DIRECTOR)
    assert MemberTier.objects.get(member_id=cast.xiaomei.id).tier is not None
    assert not selectors.needs_reassessment()
    assert desk.get(reverse(LIST)).status_code == 200


def test_staff_give_a_tier_and_take_it_back(desk: Client, cast: Cast) -> None:
    gold = make_ladder()[2]
    member = cast.xiaomei.id
    page = reverse("admin:members_member_change", args=[member])
    withdraw = reverse("admin:members_member_withdraw_tier", args=[member])
    assert withdraw not in desk.get(page).content.decode()
    assert desk.get(reverse("admin:members_member_grant_tier", args=[member])).status_code == 200
    assert _grant(desk, member, gold.id, until="2020-01-01").status_code == 200
    assert _grant(desk, member, gold.id, reason="").status_code == 200
    assert _grant(desk, member, gold.id).status_code == 302
    html = desk.get(page).content.decode()
    assert "周年答谢" in html
    assert withdraw in html
    assert desk.get(withdraw).status_code == 200
    assert desk.post(withdraw, {CONFIRMED: "1", "reason": "录入有误"}).status_code == 302
    assert selectors.get_tier_standing(member).tier is None
    assert TierChange.objects.count() == 2


def test_the_member_list_has_tiers_and_filters_by_them(desk: Client, cast: Cast) -> None:
    floor, silver, _gold = make_ladder()
    _buy(cast.xiaomei.id, 1_000)
    joined = services.register_member(name="王梅", phone="13912345678", source="pos", actor=DIRECTOR)
    url = reverse("admin:members_member_changelist")

    def found(value: int | str) -> set[int]:
        return {row.pk for row in desk.get(url, {"tier": value}).context["cl"].result_list}

    assert found(silver.id) == {cast.xiaomei.id}
    assert found(floor.id) == {joined.id}
    assert found("none") == {cast.xiaoli.id}
    assert "银卡" in desk.get(url).content.decode()


def test_a_region_sees_and_changes_its_own_members_only(east_desk: Client, cast: Cast) -> None:
    """小美 is the eastern region's, 小兰 nobody's; the ladder is head office's."""
    _floor, silver, gold = make_ladder()
    xiaolan = make_follower("小兰", openid_of("xiaolan"))
    _buy(cast.xiaomei.id, 1_000)
    _buy(xiaolan.id, 1_000)
    rows = east_desk.get(reverse("admin:members_tierchange_changelist")).context["cl"].result_list
    assert {row.member_id for row in rows} == {cast.xiaomei.id}
    tiers = east_desk.get(reverse(LIST)).context["cl"].result_list
    assert {row.pk: row.member_total for row in tiers}[silver.id] == 1
    foreign, unknown = _grant(east_desk, xiaolan.id, gold.id), _grant(east_desk, 987_654, gold.id)
    assert (foreign.status_code, foreign.url) == (unknown.status_code, unknown.url)
    assert selectors.get_tier_standing(xiaolan.id).tier == silver
    assert _grant(east_desk, cast.xiaomei.id, gold.id).status_code == 302
    assert east_desk.post(reverse("admin:members_tier_add"), TERMS).status_code == 403
    assert east_desk.post(reverse("admin:members_tier_reassess"), {CONFIRMED: "1"}).status_code == 403
    retire = reverse("admin:members_tier_retire", args=[gold.id])
    assert east_desk.post(retire, {CONFIRMED: "1"}).status_code == 403
    assert Tier.objects.count() == 3
    assert not TierReassessment.objects.exists()


def test_looking_is_not_giving(cast: Cast) -> None:
    gold = make_ladder()[2]
    names = ["view_member", "view_tierchange", "view_tier"]
    cast.regional.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(cast.regional)
    assert _grant(client, cast.xiaomei.id, gold.id).status_code == 403
    assert not TierChange.objects.exists()


def test_changes_are_found_by_direction_cause_and_member(desk: Client, cast: Cast) -> None:
    make_ladder()
    _buy(cast.xiaomei.id, 1_000)
    _buy(cast.xiaoli.id, 5_000)
    change = TierChange.objects.get(member_id=cast.xiaomei.id)
    url = reverse("admin:members_tierchange_changelist")
    for query, count in (({"direction": "up"}, 2), ({"direction": "down"}, 0), ({"cause": "granted"}, 0)):
        assert len(desk.get(url, query).context["cl"].result_list) == count
    assert len(desk.get(url, {"q": cast.xiaomei.code}).context["cl"].result_list) == 1
    detail = desk.get(reverse("admin:members_tierchange_change", args=[change.pk])).content.decode()
    assert "1,000" in detail
