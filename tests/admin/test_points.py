"""Points at the staff's desks: seen on the member's page, adjusted with a reason, approved by somebody else."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core.admin.questions import CONFIRMED
from core.models import StaffAccount
from members.models import EarningRule, PointsAccount, PointsAdjustment, PointsEntry, PointsSettings
from tests.cast import Cast, make_follower, openid_of


def _adjust(client: Client, member_id: int, delta: str, key: str = "k1") -> Any:
    url = reverse("admin:members_member_adjust", args=[member_id])
    return client.post(url, {CONFIRMED: "1", "delta": delta, "reason": "补登积分", "request_key": key})


def _decide(client: Client, name: str, adjustment_id: int, note: str = "核对过") -> Any:
    url = reverse(f"admin:members_pointsadjustment_{name}", args=[adjustment_id])
    return client.post(url, {CONFIRMED: "1", "note": note})


def test_the_members_page_shows_balance_and_entries(desk: Client, full_chain: Cast) -> None:
    html = desk.get(reverse("admin:members_member_change", args=[full_chain.xiaomei.id])).content.decode()
    account = PointsAccount.objects.get(member_id=full_chain.xiaomei.id)
    assert f"积分 {account.balance}" in html
    assert "+120" in html


def test_a_small_adjustment_is_in_effect_and_the_page_sent_twice_is_one(desk: Client, cast: Cast) -> None:
    url = reverse("admin:members_member_adjust", args=[cast.xiaomei.id])
    assert desk.get(url).status_code == 200
    for _time in range(2):
        assert _adjust(desk, cast.xiaomei.id, "50").status_code == 302
    assert (PointsAccount.objects.get().balance, PointsEntry.objects.count()) == (50, 1)


def test_taking_more_than_she_has_is_said_on_the_page(desk: Client, cast: Cast) -> None:
    assert _adjust(desk, cast.xiaomei.id, "-50").status_code == 200
    assert not PointsAdjustment.objects.exists()


def test_who_asked_has_no_buttons_and_cannot_decide_by_hand(desk: Client, cast: Cast) -> None:
    _adjust(desk, cast.xiaomei.id, "5000")
    row = PointsAdjustment.objects.get()
    page = desk.get(reverse("admin:members_pointsadjustment_change", args=[row.pk])).content.decode()
    approve = reverse("admin:members_pointsadjustment_approve", args=[row.pk])
    assert approve not in page
    assert _decide(desk, "approve", row.pk).status_code == 200
    row.refresh_from_db()
    assert (row.state, row.decided_by_id) == ("requested", None)
    other = Client()
    other.force_login(StaffAccount.objects.create_superuser("second"))
    assert (
        approve in other.get(reverse("admin:members_pointsadjustment_change", args=[row.pk])).content.decode()
    )
    assert _decide(other, "approve", row.pk).status_code == 302
    assert PointsAccount.objects.get().balance == 5000


def test_a_rejection_says_why(desk: Client, full_chain: Cast) -> None:
    row = PointsAdjustment.objects.get()
    assert _decide(desk, "reject", row.pk, note="").status_code == 200
    assert _decide(desk, "reject", row.pk, note="没有依据").status_code == 302
    row.refresh_from_db()
    assert (row.state, row.decision_note) == ("rejected", "没有依据")


def test_a_region_sees_and_adjusts_its_own_members_only(east_desk: Client, full_chain: Cast) -> None:
    """小美 is the eastern region's, 小兰 nobody's."""
    xiaolan = make_follower("小兰", openid_of("xiaolan"))
    entry = PointsEntry.objects.get(delta=120)
    before = PointsEntry.objects.count()
    assert east_desk.get(reverse("admin:members_pointsentry_change", args=[entry.pk])).status_code == 200
    foreign = _adjust(east_desk, xiaolan.id, "50")
    unknown = _adjust(east_desk, 987_654, "50")
    assert (foreign.status_code, foreign.url) == (unknown.status_code, unknown.url)
    assert _adjust(east_desk, full_chain.xiaomei.id, "5000").status_code == 302
    assert PointsAdjustment.objects.filter(requested_by=full_chain.regional).count() == 2
    assert PointsEntry.objects.count() == before


def test_looking_is_not_adjusting(cast: Cast) -> None:
    names = ["view_member", "view_pointsentry", "view_pointsadjustment"]
    cast.regional.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(cast.regional)
    assert _adjust(client, cast.xiaomei.id, "50").status_code == 403
    assert not PointsAdjustment.objects.exists()


@pytest.mark.parametrize("fen", ["0", "-1"])
def test_a_rule_that_divides_by_nothing_is_refused(desk: Client, cast: Cast, fen: str) -> None:
    values = {"name": "规则", "fen_per_point": fen, "multiplier_bp": "10000", "priority": "0"}
    assert desk.post(reverse("admin:members_earningrule_add"), values).status_code == 200
    assert not EarningRule.objects.exists()


def test_the_chain_has_one_row_of_settings(desk: Client, cast: Cast) -> None:
    values = {
        "expiry_months": "6",
        "shortage_policy": "debt",
        "notice_days": "7",
        "approval_limit": "100",
        "profile_reward": "0",
    }
    url = reverse("admin:members_pointssettings_add")
    assert desk.post(url, values).status_code == 302
    assert desk.post(url, values).status_code == 403
    assert PointsSettings.objects.get().pk == 1
