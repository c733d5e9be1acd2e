"""The nine numbers: who came and how she stood, by hand; and the fold is what the rows say, whatever happens in what order."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.clock import SHANGHAI
from coupons import services as coupon_services
from guides import services as guide_services
from members import services as member_services
from members.models import BehaviourPolicy, MemberMerge
from sales import selectors, services
from sales.contracts.nine import NineNumbers
from sales.models import MemberDay, MemberDayTouch, NineFold, NineTotal
from tests.cast import Cast
from tests.coupons.kit import claim, make_batch
from tests.coupons.kit import order as coupon_order
from tests.sales.kit import TILL, back, key_of, line, order, tell
from tests.sales.nine_kit import expected, fold, look, noon, numbers, scan, stored

TODAY = dt.date(2026, 11, 28)
NOBODY = NineNumbers()


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(noon(TODAY), tick=False):
        yield


def sell(number: str, member: Any, sold_at: dt.datetime, fen: int = 10_000, **other: Any) -> None:
    tell(order(number, line("A1", fen), member=key_of(member), sold_at=sold_at, serving_guide="", **other))


def ago(days: int) -> dt.datetime:
    return noon(TODAY - dt.timedelta(days=days))


@pytest.mark.django_db
def test_who_came_is_new_returning_or_dormant_by_her_last_purchase_before_the_period(cast: Cast) -> None:
    sell("O1", cast.xiaomei, ago(27), 30_000)  # 1 November
    sell("O2", cast.xiaomei, ago(0), 20_000)
    sell("O3", cast.xiaoli, ago(100), 50_000)
    scan(cast.xiaoli.id, cast.other_store.id, ago(1), "s1")
    fold()
    # 小美 had not bought when November began, and bought four weeks before the 28th.
    assert numbers(TODAY, "month") == {
        "new": NineNumbers(1, 1, 2, 50_000), "returning": NOBODY, "dormant": NineNumbers(1, 0, 0, 0),
    }  # fmt: skip
    assert numbers(TODAY) == {
        "new": NOBODY, "returning": NineNumbers(1, 1, 1, 20_000), "dormant": NOBODY,
    }  # fmt: skip
    assert numbers(TODAY, "month", "store", cast.other_store.id)["dormant"] == NineNumbers(1)
    assert numbers(TODAY, "month", "store", cast.other_store.id)["new"] == NOBODY
    assert numbers(TODAY, "month", "region", cast.south.id)["dormant"] == NineNumbers(1)
    assert numbers(TODAY, "month", "region", cast.root.id)["new"].buyer_count == 1
    # 小美 is 李娜's since an hour before now, so only today's visit is that of a member of hers.
    assert numbers(TODAY, "month", "guide", cast.lina.id)["new"] == NineNumbers(1, 1, 1, 20_000)


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "stood"), [(30, "returning"), (31, "dormant")])
def test_she_sleeps_from_the_day_after_the_last_active_one(cast: Cast, days: int, stood: str) -> None:
    sell("O1", cast.xiaomei, ago(days))
    sell("O2", cast.xiaomei, ago(0))
    fold()
    assert numbers(TODAY)[stood] == NineNumbers(1, 1, 1, 10_000)


@pytest.mark.django_db
def test_a_member_counts_once_in_a_period_and_in_each_place_where_she_came(cast: Cast) -> None:
    for number, (days, store) in enumerate([(0, "T01"), (0, "T02"), (1, "T01"), (2, "T01")]):
        sell(f"O{number}", cast.xiaoli, ago(days), store_code=store)
    fold()
    assert numbers(TODAY, "week")["new"] == NineNumbers(1, 1, 4, 40_000)
    assert numbers(TODAY, "week", "store", cast.store.id)["new"] == NineNumbers(1, 1, 3, 30_000)
    assert numbers(TODAY, "week", "store", cast.other_store.id)["new"] == NineNumbers(1, 1, 1, 10_000)
    assert numbers(TODAY, "week", "region", cast.root.id)["new"] == NineNumbers(1, 1, 4, 40_000)


@pytest.mark.django_db
def test_days_weeks_months_and_quarters_begin_at_midnight_in_shanghai(cast: Cast) -> None:
    # A Wednesday: a month and a quarter end, a week does not. The last minute of June, the first second of July.
    sell("O1", cast.xiaomei, dt.datetime(2026, 6, 30, 23, 59, tzinfo=SHANGHAI))
    sell("O2", cast.xiaoli, dt.datetime(2026, 7, 1, 0, 0, tzinfo=SHANGHAI))
    # Sunday night and Monday morning.
    scan(cast.xiaomei.id, cast.store.id, dt.datetime(2026, 7, 5, 23, 59, 59, tzinfo=SHANGHAI), "s1")
    scan(cast.xiaomei.id, cast.store.id, dt.datetime(2026, 7, 6, 0, 0, tzinfo=SHANGHAI), "s2")
    fold()
    june, july = dt.date(2026, 6, 30), dt.date(2026, 7, 1)
    assert [numbers(day, "month")["new"].buyer_count for day in (june, july)] == [1, 1]
    assert [numbers(day, "quarter")["new"].buyer_count for day in (june, july)] == [1, 1]
    assert numbers(july, "quarter")["returning"] == NineNumbers(1)
    assert numbers(july, "week")["new"] == NineNumbers(2, 2, 2, 20_000)
    assert numbers(dt.date(2026, 7, 6), "week")["returning"] == NineNumbers(1)
    assert numbers(dt.date(2026, 7, 5))["returning"] == NineNumbers(1)


@pytest.mark.django_db
def test_a_late_return_takes_the_purchase_back_on_its_own_day_and_in_how_she_stood_afterwards(
    cast: Cast,
) -> None:
    sell("O1", cast.xiaomei, ago(20))
    sell("O2", cast.xiaomei, ago(0))
    fold()
    assert numbers(TODAY)["returning"].buyer_count == 1
    tell(back("R1"))
    fold()
    # She came that day, and kept nothing.
    assert numbers(TODAY - dt.timedelta(days=20))["new"] == NineNumbers(1)
    assert numbers(TODAY)["returning"] == NOBODY
    assert numbers(TODAY)["new"] == NineNumbers(1, 1, 1, 10_000)
    assert stored() == expected()


@pytest.mark.django_db
def test_a_part_that_came_back_lowers_the_basket_and_takes_no_order(cast: Cast) -> None:
    tell(order("O1", line("A1", 10_000), line("A2", 5_000), member=key_of(cast.xiaomei), sold_at=ago(9)))
    fold()
    tell(back("R1"))
    fold()
    assert numbers(TODAY, "month")["new"] == NineNumbers(1, 1, 1, 5_000)
    assert numbers(TODAY, "month")["new"].basket_fen == 5_000


@pytest.mark.django_db
def test_a_redemption_and_its_reversal_are_seen(cast: Cast) -> None:
    coupon = claim(make_batch(), cast.xiaoli.id)
    coupon_services.redeem_coupon(
        code=coupon.code, order=coupon_order(cast.store.id), request_id="r1", actor=TILL
    )
    fold()
    assert numbers(TODAY, "day", "store", cast.store.id)["new"] == NineNumbers(1)
    coupon_services.reverse_redemption(request_id="r1", reversal_key="r2", reason="拿错了", actor=TILL)
    fold()
    assert numbers(TODAY, "day", "store", cast.store.id)["new"] == NOBODY
    assert not MemberDay.objects.exists()


@pytest.mark.django_db
def test_the_mini_program_counts_in_her_guides_store_and_goes_with_the_behaviours(cast: Cast) -> None:
    look(cast.xiaomei.id, ago(0), 1)
    look(cast.xiaoli.id, ago(0), 2)
    fold()
    assert numbers(TODAY)["new"] == NineNumbers(2)
    assert numbers(TODAY, "day", "store", cast.store.id)["new"] == NineNumbers(1)
    assert numbers(TODAY, "day", "guide", cast.lina.id)["new"] == NineNumbers(1)
    apps.get_model("members", "Behaviour").objects.filter(member=cast.xiaomei.id).delete()
    fold()
    assert numbers(TODAY)["new"] == NineNumbers(1)


@pytest.mark.django_db
def test_days_of_the_mini_program_are_kept_no_longer_than_behaviours_and_totals_stay(cast: Cast) -> None:
    day = TODAY - dt.timedelta(days=60)
    look(cast.xiaomei.id, noon(day))
    sell("O1", cast.xiaomei, noon(day + dt.timedelta(days=1)))
    fold()
    assert numbers(day)["new"] == NineNumbers(1)
    BehaviourPolicy.objects.create(pk=1, kept_months=1)
    sell("O2", cast.xiaomei, ago(0))
    fold()
    assert list(MemberDay.objects.order_by("day").values_list("day", flat=True)) == [
        day + dt.timedelta(days=1), TODAY,
    ]  # fmt: skip
    assert numbers(day)["new"] == NineNumbers(1)
    assert numbers(day, "month")["new"] == NineNumbers(1, 1, 1, 10_000)


@pytest.mark.django_db
def test_two_members_who_are_one_count_once_and_apart_again_twice(cast: Cast) -> None:
    sell("O1", cast.xiaomei, ago(0))
    sell("O2", cast.xiaoli, ago(0))
    fold()
    assert numbers(TODAY)["new"].came_count == 2
    member_services.merge_members(
        first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, reason="同一个人", actor=TILL
    )
    fold()
    assert numbers(TODAY)["new"] == NineNumbers(1, 1, 2, 20_000)
    assert stored() == expected()
    member_services.undo_merge(merge_id=MemberMerge.objects.live().get().pk, reason="不是", actor=TILL)
    fold()
    assert numbers(TODAY)["new"] == NineNumbers(2, 2, 2, 20_000)
    assert stored() == expected()


@pytest.mark.django_db
def test_of_an_erased_member_no_day_is_left_and_no_number(cast: Cast) -> None:
    sell("O1", cast.xiaoli, ago(3))
    fold()
    member_services.erase_member(member_id=cast.xiaoli.id, reason="own_wish", actor=TILL)
    assert not MemberDay.objects.exists()
    assert stored() == {}
    fold()
    assert stored() == {}


@pytest.mark.django_db
def test_other_days_in_the_rule_of_who_sleeps_count_everything_anew(cast: Cast) -> None:
    sell("O1", cast.xiaomei, ago(40))
    sell("O2", cast.xiaomei, ago(0))
    fold()
    assert numbers(TODAY)["dormant"].buyer_count == 1
    services.change_rfm_rules(
        rules=dataclasses.replace(selectors.get_rfm_rules(), stage_days=(45, 90, 180, 365)), actor=TILL
    )
    fold()
    assert numbers(TODAY)["returning"].buyer_count == 1
    assert stored() == expected(45)


@pytest.mark.django_db
def test_a_night_finds_what_is_wrong_and_says_so_once(cast: Cast) -> None:
    sell("O1", cast.xiaomei, ago(0))
    fold()
    NineTotal.objects.filter(scope="chain", period="month").update(came_count=7)
    NineTotal.objects.filter(scope="store", period="day").delete()
    assert fold() == 0
    assert numbers(TODAY, "month")["new"].came_count == 7
    fold(noon(TODAY + dt.timedelta(days=1)))
    assert stored() == expected()
    assert NineFold.objects.get().wrong_count == 2
    assert apps.get_model("core", "AuditEntry").objects.filter(action="sales.nine_mended").count() == 1


@pytest.mark.django_db
def test_a_store_that_moved_counts_in_its_new_region_from_the_next_night(cast: Cast) -> None:
    sell("O1", cast.xiaomei, ago(0))
    fold()
    apps.get_model("guides", "Store").objects.filter(pk=cast.store.id).update(region_id=cast.south.id)
    sell("O2", cast.xiaomei, ago(1))
    fold()
    assert numbers(TODAY, "month", "region", cast.east.id)["new"] == NineNumbers(1, 1, 2, 20_000)
    fold(noon(TODAY + dt.timedelta(days=1)))
    assert numbers(TODAY, "month", "region", cast.east.id)["new"] == NOBODY
    assert stored() == expected()


@pytest.mark.django_db
def test_members_behind_a_cell_are_as_many_as_the_cell_says(cast: Cast) -> None:
    sell("O1", cast.xiaomei, ago(100), 30_000)
    sell("O2", cast.xiaomei, ago(2), 20_000, store_code="T02")
    sell("O3", cast.xiaomei, ago(1), 7_000)
    scan(cast.xiaoli.id, cast.store.id, ago(1), "s1")
    fold()
    span = selectors.span_of("month", TODAY)

    def behind(**other: Any) -> list[int]:
        asked: dict[str, Any] = {"scope": "chain", "stood": None, "has_bought": False, "among": None} | other
        return [
            one.member_id
            for one in selectors.nine_members(list(selectors.list_nine_members(span=span, **asked)))
        ]

    assert behind() == [cast.xiaomei.id, cast.xiaoli.id]
    assert behind(stood="dormant") == [cast.xiaomei.id]
    assert behind(stood="new") == [cast.xiaoli.id]
    assert behind(stood="new", has_bought=True) == []
    # In T01 she bought on the 27th, and slept when the month began, whatever she bought elsewhere in between.
    assert behind(stood="dormant", scope="store", ref=cast.store.id) == [cast.xiaomei.id]
    assert behind(stood="returning", scope="store", ref=cast.store.id) == []
    assert behind(scope="region", ref=cast.south.id) == [cast.xiaomei.id]
    [one] = selectors.nine_members(
        list(
            selectors.list_nine_members(
                span=span, scope="store", ref=cast.store.id, stood="dormant", has_bought=True, among=None
            )
        )
    )
    assert (one.order_count, one.net_fen, one.day_count, one.last_on) == (
        1,
        7_000,
        1,
        TODAY - dt.timedelta(days=1),
    )
    assert one.stood_on == TODAY - dt.timedelta(days=100)
    members = apps.get_model("members", "Member").objects.filter(pk=cast.xiaoli.id).values("pk")
    assert behind(among=members) == [cast.xiaoli.id]


@pytest.mark.django_db
def test_the_first_pass_goes_on_where_it_was_killed(cast: Cast) -> None:
    sell("O1", cast.xiaomei, ago(0))
    MemberDayTouch.objects.all().delete()  # as if it had been sold before there was a fold
    board = selectors.get_nine(scope="chain", span=selectors.span_of("day", TODAY))
    assert board.folded_at is None
    NineFold.objects.create(pk=1, cursor=0)
    assert fold() == 1
    assert stored() == expected()
    board = selectors.get_nine(scope="chain", span=selectors.span_of("day", TODAY))
    assert board.folded_at is not None


ACTS = st.lists(
    st.fixed_dictionaries(
        {
            "what": st.sampled_from(("sale", "sale", "sale", "scan", "return", "correct", "visit", "bind", "fold", "merge")),
            "who": st.integers(0, 1),
            "days": st.sampled_from((0, 1, 5, 6, 27, 28, 30, 31, 58, 61, 89, 92, 150, 365)),
            "hour": st.sampled_from((0, 7, 8, 15, 16, 23)),
            "store": st.sampled_from(("T01", "T02")),
            "fen": st.integers(0, 90_000),
        }
    ),
    min_size=1,
    max_size=9,
)  # fmt: skip


@pytest.mark.django_db
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=ACTS)
def test_the_fold_is_what_the_rows_say(cast: Cast, acts: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        fold()
        for number, act in enumerate(acts):
            _do(cast, number, act)
        fold()
        assert stored() == expected()
        # And the same from nothing: moved totals are counted ones.
        moved = stored()
        NineTotal.objects.all().delete()
        services.prove_nine(actor=TILL)
        today = selectors.span_before(selectors.span_of("quarter", TODAY)).starts_on
        assert stored() == {key: value for key, value in moved.items() if key[3] >= today}
        transaction.set_rollback(True)


def _do(cast: Cast, number: int, act: dict[str, Any]) -> None:
    people = (cast.xiaomei, cast.xiaoli)
    member, at = people[act["who"]], min(ago(act["days"]).replace(hour=act["hour"]), clock.now())
    store = cast.store if act["store"] == "T01" else cast.other_store
    if act["what"] == "sale":
        sell(f"O{number}", member, at, act["fen"], store_code=act["store"])
    elif act["what"] == "correct":
        document = order(
            f"O{act['days'] % max(number, 1)}", line("A1", act["fen"]), member=key_of(member), sold_at=at,
            revision=number + 1, serving_guide="", store_code=act["store"],
        )  # fmt: skip
        tell(document)
    elif act["what"] == "return":
        for place in range(number):
            sale = apps.get_model("sales", "Sale").objects.current().filter(order_no=f"O{place}").first()
            if sale is not None and sale.returned_unit_count == 0:
                came_back = back(f"R{number}", order_no=f"O{place}", amount_fen=sale.amount_fen)
                lines = (dataclasses.replace(came_back.lines[0], amount_fen=sale.amount_fen),)
                tell(dataclasses.replace(came_back, lines=lines))
                break
    elif act["what"] == "scan":
        scan(member.id, store.id, at, f"s{number}")
    elif act["what"] == "visit":
        look(member.id, at, number)
    elif act["what"] == "bind":
        _bind(cast, member.id, act["store"])
    elif act["what"] == "fold":
        fold()
    elif not MemberMerge.objects.live().exists():
        member_services.merge_members(
            first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, reason="同一个人", actor=TILL
        )


def _bind(cast: Cast, member_id: int, store: str) -> None:
    """To the guide of that store, today; who was merged away is bound no more."""
    living = apps.get_model("members", "Member").objects.get(pk=member_id)
    guide = cast.wangfang if store == "T01" else cast.chenjing
    bindings = apps.get_model("guides", "Binding").objects
    held = bindings.filter(member_id=member_id, ended_at__isnull=True).first()
    if living.merged_into_id is None and (held is None or held.guide_id != guide.id):
        guide_services.rebind_member(
            member_id=member_id, guide_id=guide.id, source="manager", reason="换导购", actor=TILL
        )
