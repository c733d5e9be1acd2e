"""People decide: whose a sale is, and that a month is over."""

import datetime as dt
import functools
from typing import Any

import pytest
from django.apps import apps

from core import clock
from core.actor import Actor
from core.errors import Refusal
from core.shares import split
from guides import selectors as guide_selectors
from guides import services as guide_services
from members import services as member_services
from sales import selectors, services
from sales.contracts import Share
from sales.errors import AttributionChanged
from sales.models import Attribution, AttributionRule, AttributionShare, PerformanceEntry, Sale
from sales.services.attributing import split_among_rests
from tests.cast import Cast, make_store
from tests.sales.kit import TILL, assert_totals_agree, back, key_of, ledger, line, order, tell
from tests.threads import while_held

BOSS = Actor.staff(1, "总部")


def rule(position: int = 1, **terms: Any) -> AttributionRule:
    return AttributionRule.objects.create(position=position, name=terms.pop("name", "线上订单"), **terms)


def whole(guide_id: int | None, store_id: int) -> tuple[Share, ...]:
    return (Share("store" if guide_id is None else "serving", guide_id, store_id, 10_000),)


def reattribute(
    sale_id: int,
    shares: tuple[Share, ...],
    key: str = "k1",
    reason: str = "补登",
    replaces: int | None = None,
) -> Any:
    return services.reattribute_sale(
        sale_id=sale_id, shares=shares, reason=reason, request_key=key, actor=BOSS, replaces=replaces
    )


def test_the_first_rule_that_fits_decides_and_is_explained(cast: Cast) -> None:
    rule(1, name="南区", region_ids=[cast.south.id], store_bp=10_000)
    rule(2, name="分享", sharing_bp=10_000)
    rule(3, channels=["mini"], exclusive_bp=7_000, store_bp=3_000)
    rule(4, name="停用", serving_bp=10_000, is_active=False)
    tell(order("O1", line(amount_fen=101), channel="mini", member=key_of(cast.xiaomei), serving_guide="T002"))
    card = selectors.get_attribution(Sale.objects.get().pk)
    assert card is not None
    assert card.words == "规则 3 线上订单：专属导购李娜 70%，门店南京东路店 30%"
    assert [share.amount_fen for share in card.shares] == [71, 30]
    assert ledger(metric="sales_fen", guide_id=cast.lina.id) == {"sales_fen": 71}
    assert ledger(metric="sales_fen", guide_id=None) == {"sales_fen": 30}
    assert ledger(metric="order_count", guide_id=cast.lina.id) == {"order_count": 1}
    tell(order("O2", serving_guide="", channel="store"))
    assert ledger(sale_ref=Sale.objects.get(order_no="O2").pk, guide_id=None)["sales_fen"] == 10_000


def test_who_shared_counts_in_the_store_she_worked_in_when_it_was_sold(cast: Cast) -> None:
    """王芳 moved since: an order that comes late is her former store's, one from now the new one's."""
    rule(1, name="分享", sharing_bp=10_000, crosses_owners=True)
    new_store = make_store("T03", "静安店", cast.east.id)
    former = guide_selectors.list_guide_places([cast.wangfang.id])[cast.wangfang.id].store_id
    guide_services.move_guide(guide_id=cast.wangfang.id, store_id=new_store.id, role="guide", actor=BOSS)
    late = clock.now() - dt.timedelta(minutes=10)
    tell(
        order("O1", sharing_guide="T002", sold_at=late),
        order("O2", sharing_guide="T002", sold_at=clock.now()),
    )
    shares = AttributionShare.objects.order_by("attribution__sale__order_no")
    assert list(shares.values_list("guide_id", "store_id")) == [
        (cast.wangfang.id, former),
        (cast.wangfang.id, new_store.id),
    ]


def test_one_guide_in_two_roles_has_one_part(cast: Cast) -> None:
    rule(1, serving_bp=5_000, exclusive_bp=5_000)
    tell(order(member=key_of(cast.xiaomei), serving_guide="T001"))
    card = selectors.get_attribution(Sale.objects.get().pk)
    assert card is not None
    assert [(share.role, share.share_bp) for share in card.shares] == [("serving", 10_000)]


def test_a_decision_by_hand_moves_the_sale_and_keeps_the_earlier_one(cast: Cast) -> None:
    tell(order())
    sale = Sale.objects.get()
    half = (
        Share("serving", cast.wangfang.id, cast.store.id, 5_000),
        Share("store", None, cast.store.id, 5_000),
    )
    first = reattribute(sale.pk, half)
    assert reattribute(sale.pk, half) == first
    with pytest.raises(Refusal) as caught:
        reattribute(sale.pk, whole(None, cast.store.id))
    assert caught.value.code == "sales.request_reused"
    assert ledger(guide_id=cast.lina.id) == {}
    assert ledger(guide_id=cast.wangfang.id) == {"sales_fen": 5_000, "order_count": 1, "unit_count": 1}
    assert [card.is_manual for card in selectors.list_attributions(sale.pk)] == [True, False]
    tell(back())
    assert ledger(metric="sales_fen") == {}
    assert_totals_agree()


@pytest.mark.parametrize(
    "shares",
    [
        (),
        (("serving", 0, 0, 9_999),),
        (("serving", 0, 0, 5_000), ("exclusive", 0, 0, 5_000)),
        (("serving", None, 0, 10_000),),
        (("store", 0, 0, 10_000),),
        (("serving", 10**9, 0, 10_000),),
        (("store", None, 10**9, 10_000),),
        (("serving", 0, 0, 20_000), ("store", None, 0, -10_000)),
    ],
)
def test_parts_that_are_no_whole_are_refused(cast: Cast, shares: tuple[Any, ...]) -> None:
    tell(order())
    real = tuple(
        Share(role, cast.lina.id if guide == 0 else guide, cast.store.id if store == 0 else store, part)
        for role, guide, store, part in shares
    )
    with pytest.raises(Refusal) as caught:
        reattribute(Sale.objects.get().pk, real)
    assert caught.value.code == "sales.shares_unusable"
    with pytest.raises(Refusal) as caught:
        reattribute(10**9, whole(None, cast.store.id))
    assert caught.value.code == "sales.no_such_sale"
    with pytest.raises(Refusal) as caught:
        reattribute(Sale.objects.get().pk, whole(None, cast.store.id), reason=" ")
    assert caught.value.code == "sales.reason_missing"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("names_what_it_replaces", [False, True])
def test_two_managers_at_once_leave_one_decision_and_true_books(names_what_it_replaces: bool) -> None:
    """Both stand before the order's row. The later one holds, or is refused when she said what she looked at."""
    from tests.cast import make_cast

    cast = make_cast()
    tell(order())
    sale_id = Sale.objects.get().pk
    looked_at = Attribution.objects.live().get().pk
    guides = [cast.wangfang.id, cast.zhaoqiang.id]
    told = while_held(
        lambda: Sale.objects.lock(sale_id),
        [
            functools.partial(
                reattribute,
                sale_id,
                whole(guide, cast.store.id),
                key=f"k{guide}",
                replaces=looked_at if names_what_it_replaces else None,
            )
            for guide in guides
        ],
    )
    refused = [one for one in told if isinstance(one, Exception)]
    assert [type(one) for one in refused] == [AttributionChanged] * names_what_it_replaces
    [live] = Attribution.objects.live()
    assert Attribution.objects.count() == 3 - len(refused)
    holder = AttributionShare.objects.get(attribution=live).guide_id
    assert holder in guides
    assert ledger(metric="sales_fen") == ledger(metric="sales_fen", guide_id=holder) == {"sales_fen": 10_000}
    assert_totals_agree()


def test_what_comes_after_the_close_counts_in_the_next_month(cast: Cast) -> None:
    at = dt.datetime(2026, 10, 31, 15, 59, tzinfo=dt.UTC)  # 23:59 in Shanghai
    tell(order("O1", sold_at=at))
    services.close_month(month_on=dt.date(2026, 10, 5), actor=BOSS)
    with pytest.raises(Refusal) as caught:
        services.close_month(month_on=dt.date(2026, 10, 1), actor=BOSS)
    assert caught.value.code == "sales.month_closed"
    tell(back("R1", returned_at=at + dt.timedelta(seconds=30)), order("O2", sold_at=at))
    assert ledger(booked_on=dt.date(2026, 10, 31), metric="sales_fen") == {"sales_fen": 10_000}
    assert ledger(booked_on=dt.date(2026, 11, 1), metric="return_fen") == {"return_fen": 10_000}
    late = PerformanceEntry.objects.filter(booked_on=dt.date(2026, 11, 1))
    assert set(late.values_list("due_on", flat=True)) == {dt.date(2026, 10, 31)}
    # A decision about a sale of the closed month is undone and made in the open one.
    reattribute(Sale.objects.get(order_no="O2").pk, whole(cast.wangfang.id, cast.store.id))
    assert ledger(booked_on=dt.date(2026, 10, 31), metric="sales_fen") == {"sales_fen": 10_000}
    services.reopen_month(month_on=dt.date(2026, 10, 1), reason="漏传订单", actor=BOSS)
    tell(order("O3", sold_at=at))
    assert ledger(booked_on=dt.date(2026, 10, 31), metric="order_count") == {"order_count": 2}
    with pytest.raises(Refusal) as caught:
        services.reopen_month(month_on=dt.date(2026, 10, 1), reason="再开", actor=BOSS)
    assert caught.value.code == "sales.month_not_closed"
    with pytest.raises(Refusal) as caught:
        services.close_month(month_on=clock.today(), actor=BOSS)
    assert caught.value.code == "sales.month_not_over"
    assert_totals_agree()


def test_a_merge_leaves_one_first_purchase_and_undoing_it_two(cast: Cast) -> None:
    now = clock.now()
    tell(
        order("O1", member=key_of(cast.xiaomei), sold_at=now - dt.timedelta(days=2)),
        order("O2", member=key_of(cast.xiaoli), sold_at=now - dt.timedelta(days=1)),
    )
    assert ledger(metric="first_purchase_count") == {"first_purchase_count": 2}
    member_services.merge_members(
        first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, survivor_id=cast.xiaomei.id, actor=BOSS
    )
    assert ledger(metric="first_purchase_count") == {"first_purchase_count": 1}
    assert ledger(metric="repurchase_fen") == {"repurchase_fen": 10_000}
    assert_totals_agree()
    # A till that still names the merged row books for the one she lives on in.
    tell(order("O3", member=key_of(cast.xiaoli)))
    assert Sale.objects.get(order_no="O3").member_id == cast.xiaomei.id
    merge_id = apps.get_model("members", "MemberMerge").objects.get().pk
    member_services.undo_merge(merge_id=merge_id, reason="不是同一个人", actor=BOSS)
    assert Sale.objects.get(order_no="O2").member_id == cast.xiaoli.id
    assert ledger(metric="first_purchase_count") == {"first_purchase_count": 2}
    assert_totals_agree()


def test_planted_damage_is_found_told_and_mended(cast: Cast) -> None:
    from sales.models import GuideTotal

    tell(order())
    today = clock.today()
    GuideTotal.objects.filter(period="day", metric="sales_fen").update(value=1)
    GuideTotal.objects.filter(period="month", metric="order_count").delete()
    told = services.prove_totals(since=today, until=today + dt.timedelta(days=1), actor=TILL)
    assert {(one.period, one.metric, one.said) for one in told} >= {
        ("day", "sales_fen", 10_000),
        ("month", "order_count", 1),
    }
    assert_totals_agree()


def test_fen_are_dealt_to_the_last_and_nobody_gives_back_more_than_she_has() -> None:
    assert split(amount=100, weights=[3_333, 3_333, 3_334]) == [33, 33, 34]
    assert split(amount=1, weights=[5_000, 5_000]) == [1, 0]
    assert split_among_rests(amount=99, rests=[33, 33, 33]) == [33, 33, 33]
    assert split_among_rests(amount=0, rests=[0, 0]) == [0, 0]
    for amount in range(101):
        parts = split_among_rests(amount=amount, rests=[71, 0, 29])
        assert sum(parts) == amount
        assert all(0 <= part <= rest for part, rest in zip(parts, [71, 0, 29], strict=True))
