"""Returns of whole orders are booked together: what they ask the database does not grow with their number."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import ActivityEntry, EarningRule, PointsAccount, PointsLot
from sales.contracts import DocumentOutcome
from sales.models import Sale
from tests.cast import Cast, make_follower, openid_of
from tests.members.points_kit import check_sums, debit
from tests.sales.kit import assert_totals_agree, back, key_of, ledger, order, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought(cast: Cast) -> list[int]:
    """Sixteen members each bought something for ten points, B0 to B15."""
    EarningRule.objects.create(name="全部", fen_per_point=1_000)
    buyers = [make_follower("小美", openid_of(f"returns{place}")) for place in range(16)]
    told = tell(*[order(f"B{place}", member=key_of(one)) for place, one in enumerate(buyers)])
    assert {one.outcome for one in told} == {"booked"}
    return [one.id for one in buyers]


def bring_back(*places: int) -> tuple[list[DocumentOutcome], int]:
    """The answers, and how many statements it took."""
    with CaptureQueriesContext(connection) as seen:
        told = tell(*[back(f"R{place}", order_no=f"B{place}") for place in places])
    return told, len(seen)


def test_twelve_take_as_many_statements_as_two(bought: list[int]) -> None:
    few, asked_for_few = bring_back(0, 1)
    many, asked_for_many = bring_back(*range(2, 14))
    assert {one.outcome for one in (*few, *many)} == {"booked"}
    assert asked_for_many == asked_for_few

    assert not PointsAccount.objects.filter(member__in=bought[:14]).exclude(balance=0).exists()
    assert PointsLot.objects.filter(remaining=10).count() == 2
    for member_id in (bought[0], bought[13]):
        counted = ActivityEntry.objects.filter(member_id=member_id).order_by("pk")
        assert list(counted.values_list("spend_fen", "order_count")) == [(10_000, 1), (-10_000, -1)]
    sale = Sale.objects.get(order_no="B13")
    assert (sale.points_earned, sale.counted_fen, sale.counted_orders) == (0, 0, 0)
    check_sums(*bought)
    assert ledger()["sales_fen"] == 20_000
    assert_totals_agree()


def test_who_has_spent_the_points_is_told_apart(bought: list[int]) -> None:
    """Ten points of one were spent: nothing is there to be taken back, and the others lose theirs."""
    debit(bought[1], 10, "spent")
    told, _asked = bring_back(0, 1, 2)
    assert {one.outcome for one in told} == {"booked"}
    balances = PointsAccount.objects.filter(member__in=bought[:4]).order_by("member")
    assert list(balances.values_list("balance", flat=True)) == [0, 0, 0, 10]
    check_sums(*bought)
    assert_totals_agree()


def test_two_orders_of_one_member_come_back_together(cast: Cast, bought: list[int]) -> None:
    tell(order("B16", member=key_of(cast.xiaomei)), order("B17", member=key_of(cast.xiaomei)))
    told, _asked = bring_back(16, 3, 17)
    assert {one.outcome for one in told} == {"booked"}
    assert PointsAccount.objects.get(member=cast.xiaomei.id).balance == 0
    counted = ActivityEntry.objects.filter(member_id=cast.xiaomei.id)
    assert sum(counted.values_list("order_count", flat=True)) == 0
    check_sums(cast.xiaomei.id, *bought)
    assert_totals_agree()


def test_the_same_returns_again_change_nothing(bought: list[int]) -> None:
    given = [back(f"R{place}", order_no=f"B{place}") for place in range(3)]
    assert [one.outcome for one in tell(*given)] == ["booked"] * 3
    assert [one.outcome for one in tell(*given)] == ["repeated"] * 3
    assert ledger()["sales_fen"] == 130_000
    check_sums(*bought)
