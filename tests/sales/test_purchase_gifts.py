"""Coupons that a purchase brings: once for an order, gone with its goods, whatever comes first or twice or at once."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from core import clock
from core.errors import Refusal
from coupons import services as coupon_services
from coupons.contracts import StandingTerms
from coupons.models import Coupon, StandingIssue
from coupons.services import standing_issuing, standing_rounds
from coupons.services.bulk import run_issue_job
from sales import services
from sales.contracts import ReturnLine
from sales.models import Sale
from sales.selectors.earning import count_would_earn
from sales.services import bought as bought_module
from sales.services import care
from sales.services.bought import bought_facts
from tests.cast import Cast
from tests.coupons.kit import BOSS, check_counters, make_batch, make_members
from tests.sales.kit import TILL, back, key_of, line, order, tell
from tests.threads import at_once, wait_until_somebody_waits

HOUR = dt.timedelta(hours=1)
plain = pytest.mark.django_db
threads = pytest.mark.django_db(transaction=True)


def make_rule(**values: Any) -> int:
    """A rule for purchases, on since three days ago; its id."""
    long_ago = clock.now() - dt.timedelta(days=4)
    batch = values.pop("batch", 0) or make_batch(at=long_ago)
    terms: Any = {"name": "购后礼", "occasion": "purchase", "batch_id": batch} | values
    rule = coupon_services.create_standing_rule(terms=StandingTerms(**terms), actor=BOSS)
    coupon_services.switch_rule_on(rule_id=rule.id, actor=BOSS, at=long_ago + dt.timedelta(days=1))
    return rule.id


def work() -> int:
    return services.work_purchase_care(actor=TILL)


def log() -> list[tuple[str, str, str]]:
    rows = StandingIssue.objects.order_by("pk")
    return list(rows.values_list("state", "reason", "withdrawal"))


def states() -> list[str]:
    coupons = Coupon.objects.order_by("pk")
    for batch_id in set(coupons.values_list("batch_id", flat=True)):
        check_counters(batch_id)
    return list(coupons.values_list("state", flat=True))


def buy(cast: Cast, order_no: str = "O1", *lines: Any, **other: Any) -> None:
    [told] = tell(order(order_no, *lines, **{"member": key_of(cast.xiaomei)} | other))
    assert told.outcome in ("booked", "corrected")


def bring_back(return_no: str, fen: int, *, number: int = 1, order_no: str = "O1") -> Any:
    code = f"A{number}"
    one = ReturnLine(product_code=code, quantity=1, amount_fen=fen, line_number=number)
    return back(return_no, one, order_no=order_no)


@plain
def test_a_purchase_brings_its_coupon_once_and_its_return_takes_it(cast: Cast) -> None:
    make_rule()
    buy(cast)
    for _again in range(3):
        work()
        services.care_for_sales(sale_ids=[Sale.objects.get().pk], actor=TILL)
    assert (log(), states()) == ([("given", "", "")], ["issued"])
    assert Coupon.objects.get().member_id == cast.xiaomei.id
    for _again in range(2):
        tell(back("R1"))
    work()
    assert (log(), states()) == ([("given", "", "voided")], ["voided"])


@plain
def test_what_was_used_is_left_to_her_and_noted(cast: Cast) -> None:
    make_rule()
    buy(cast)
    work()
    coupon = Coupon.objects.get()
    use = coupon_services.Order(store_id=cast.store.id, order_no="O2", amount_fen=20_000, discount_fen=3_000)
    coupon_services.redeem_coupon(code=coupon.code, order=use, request_id="use", actor=TILL)
    tell(back("R1"))
    assert (log(), states()) == ([("given", "", "kept")], ["redeemed"])


@plain
def test_a_part_that_falls_below_the_least_takes_it_and_one_above_does_not(cast: Cast) -> None:
    make_rule(least_fen=20_000)
    buy(cast, "O1", line("A1", 10_000), line("A2", 10_000), line("A3", 10_000))
    buy(cast, "O2", line("A1", 19_999))
    work()
    assert states() == ["issued"]
    tell(bring_back("R1", 10_000))
    assert states() == ["issued"]
    tell(bring_back("R2", 10_000, number=2))
    assert (log(), states()) == ([("given", "", "voided")], ["voided"])
    tell(bring_back("R3", 10_000, number=3))
    assert states() == ["voided"]


@plain
def test_of_named_categories_only_their_goods_count(cast: Cast) -> None:
    make_rule(least_fen=10_000, category_codes=("shoes", " bags "))
    buy(cast, "O1", line("A1", 50_000), line("A2", 9_999, category_code="shoes"))
    buy(cast, "O2", line("A1", 50_000), line("A2", 10_000, category_code="bags"))
    work()
    assert states() == ["issued"]
    tell(bring_back("R1", 50_000, order_no="O2"))
    assert states() == ["issued"]
    tell(bring_back("R2", 10_000, number=2, order_no="O2"))
    assert states() == ["voided"]


@plain
def test_first_purchases_stores_and_regions_where_it_was_bought(cast: Cast) -> None:
    make_rule(is_first_only=True)
    make_rule(store_ids=(cast.other_store.id,))
    make_rule(region_ids=(cast.south.id,))
    make_rule(region_ids=(cast.root.id,))
    buy(cast, "O1", sold_at=clock.now() - HOUR)
    buy(cast, "O2")
    work()
    rows = StandingIssue.objects.order_by("rule_id", "pk").values_list("rule__is_first_only", flat=True)
    assert list(rows) == [True, False, False]
    buy(cast, "O3", store_code="T02", serving_guide="")
    work()
    assert StandingIssue.objects.count() == 6


@plain
@pytest.mark.parametrize("what", ["before the rule", "old", "nobody's", "all back"])
def test_what_earns_nothing(cast: Cast, what: str) -> None:
    rule = make_rule()
    if what == "before the rule":
        coupon_services.switch_rule_off(rule_id=rule, actor=BOSS)
        coupon_services.switch_rule_on(rule_id=rule, actor=BOSS, at=clock.now() - HOUR)
        buy(cast, sold_at=clock.now() - 2 * HOUR)
    elif what == "old":
        buy(cast, sold_at=clock.now() - dt.timedelta(hours=49))
    elif what == "nobody's":
        tell(order())
    else:
        tell(back("R1"))  # before its order
        buy(cast)
    work()
    assert log() == []


@plain
def test_goods_back_while_she_waits_for_a_paused_batch(cast: Cast) -> None:
    batch = make_batch(at=clock.now() - dt.timedelta(days=4))
    make_rule(batch=batch)
    coupon_services.pause_batch(batch_id=batch, actor=BOSS)
    buy(cast)
    work()
    assert [row[0] for row in log()] == ["waiting"]
    tell(back("R1"))
    coupon_services.open_batch(batch_id=batch, actor=BOSS)
    coupon_services.work_standing_rules(actor=BOSS)
    assert (log(), states()) == ([("refused", "coupons.purchase_returned", "")], [])


@plain
def test_a_correction_follows_what_it_leaves_and_whom_it_names(cast: Cast) -> None:
    make_rule(least_fen=8_000)
    buy(cast)
    work()
    buy(cast, "O1", line("A1", 9_000), revision=1)
    work()
    assert states() == ["issued"]
    buy(cast, "O1", line("A1", 9_000), revision=2, member=key_of(cast.xiaoli))
    work()
    assert (states(), [row[2] for row in log()]) == (["voided", "issued"], ["voided", ""])
    buy(cast, "O1", line("A1", 7_000), revision=3, member=key_of(cast.xiaoli))
    work()
    assert states() == ["voided", "voided"]


@plain
def test_many_go_in_a_round_and_a_return_meanwhile_is_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coupon of whoever brought her goods back while the round ran is issued by it, and void when it is over."""
    monkeypatch.setattr(standing_issuing, "FEW", 2)
    monkeypatch.setattr(care, "_FEW", 2)
    make_rule()
    members = make_members(6)
    for number, member_id in enumerate(members):
        tell(order(f"O{number}"))
        Sale.objects.filter(order_no=f"O{number}").update(member_id=member_id)
    whole_run = run_issue_job

    def run(**given: Any) -> Any:
        tell(back("R1", order_no="O1"))
        return whole_run(**given)

    monkeypatch.setattr(standing_rounds, "run_issue_job", run)
    work()
    assert sorted(row[0] for row in log()) == ["given"] * 5 + ["refused"]
    assert sorted(states()) == ["issued"] * 5 + ["voided"]
    assert Coupon.objects.get(state="voided").member_id == members[1]


@threads
def test_a_return_and_the_gift_at_the_same_moment_leave_no_coupon(cast: Cast) -> None:
    make_rule()
    for number in range(8):
        buy(cast, f"O{number}")
        sale_id = Sale.objects.get(order_no=f"O{number}").pk
        answers = at_once(
            [
                partial(services.care_for_sales, sale_ids=[sale_id], actor=TILL),
                partial(tell, back(f"R{number}", order_no=f"O{number}")),
                work,
            ]
        )
        assert not [one for one in answers if isinstance(one, Exception)]
    work()
    coupon_services.work_standing_rules(actor=BOSS)
    assert set(states()) <= {"voided"}


def note_between(cast: Cast, *, is_held: bool) -> list[str]:
    """Somebody looks at the order, its goods come back, and the gift is noted for what was seen."""
    make_rule()
    buy(cast)
    sale_id = Sale.objects.get().pk
    looked, returned = threading.Event(), threading.Event()

    def careful_or_not() -> None:
        with transaction.atomic():
            rows = Sale.objects.filter(pk=sale_id)
            facts = bought_facts(rows.lock_rows() if is_held else rows)
            looked.set()
            wait_until_somebody_waits() if is_held else returned.wait(timeout=30)
            coupon_services.note_purchases(bought=facts)

    def bring() -> None:
        assert looked.wait(timeout=30)
        tell(back("R1"))
        returned.set()

    assert at_once([careful_or_not, bring]) == [None, None]
    coupon_services.work_standing_rules(actor=BOSS)
    return states()


@threads
def test_who_holds_the_order_while_she_notes_is_found_by_the_return(cast: Cast) -> None:
    assert note_between(cast, is_held=True) in ([], ["voided"])


@threads
def test_without_the_lock_a_coupon_outlives_its_purchase(cast: Cast) -> None:
    assert note_between(cast, is_held=False) == ["issued"]


@threads
def test_the_same_event_twice_at_once_gives_one(cast: Cast) -> None:
    make_rule()
    buy(cast)
    sale_id = Sale.objects.get().pk
    at_once([lambda: services.care_for_sales(sale_ids=[sale_id], actor=TILL)] * 6)
    coupon_services.work_standing_rules(actor=BOSS)
    assert (log(), states()) == ([("given", "", "")], ["issued"])


@threads
def test_an_order_that_somebody_holds_is_cared_for_by_the_next_run(cast: Cast) -> None:
    make_rule()
    buy(cast)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Sale.objects.lock(Sale.objects.get().pk)
            held.set()
            done.wait(timeout=30)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(timeout=30)
    assert work() == 0
    done.set()
    holder.join()
    assert (work(), work()) == (1, 0)
    assert states() == ["issued"]


@plain
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"least_fen": -1}, "least_fen"),
        ({"least_fen": 10**10}, "least_fen"),
        ({"category_codes": ("x" * 41,)}, "category_codes"),
        ({"category_codes": ("a\0b",)}, "category_codes"),
        ({"occasion": "joined", "least_fen": 100}, "least_fen"),
        ({"occasion": "bound", "is_first_only": True}, "least_fen"),
        ({"tier_id": 1}, "tier_id"),
        ({"days_before": 3}, "days_before"),
    ],
)
def test_terms_that_make_no_sense_name_their_field(cast: Cast, values: Any, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        make_rule(**values)
    assert (refused.value.code, refused.value.details["field"]) == ("coupons.rule_unusable", field)


@plain
def test_nothing_is_counted_for_orders_that_brought_nothing(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    """A return without gifts asks one question more."""
    buy(cast)
    sale = Sale.objects.get()
    with django_assert_max_num_queries(1):
        assert bought_module.withdraw_gifts([sale], actor=TILL, at=clock.now()) == 0


@plain
@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"least_fen": 10_000},
        {"least_fen": 6_000, "category_codes": ("tops",)},
        {"is_first_only": True},
        {"category_codes": ("bags",)},
    ],
)
def test_what_a_rule_would_have_given_is_what_it_gave(cast: Cast, terms: dict[str, Any]) -> None:
    rule_id = make_rule(**terms)
    hers = key_of(cast.xiaomei)
    tell(
        order("P1", line("A1", 9_000), line("B1", 3_000, category_code="bags"), member=hers),
        order("P2", line("A1", 5_000), member=hers),
        order("P3", line("A1", 20_000), member=key_of(cast.xiaoli), store_code="T02", serving_guide="T004"),
        order("P4", line("A1", 50_000)),
        order("P5", line("A1", 12_000), member=hers),
    )
    tell(back("RP5", ReturnLine(product_code="A1", quantity=1, amount_fen=12_000), order_no="P5"))
    tell(order("OLD", line("A1", 30_000), member=hers, sold_at=clock.now() - dt.timedelta(days=31)))
    work()
    given = StandingIssue.objects.filter(rule_id=rule_id)
    found = count_would_earn(rule_id)
    assert found == (given.count(), given.values("member_id").distinct().count())
    here = given.filter(member_id=cast.xiaomei.id).count()
    assert count_would_earn(rule_id, store_ids=[cast.store.id]).order_count == here
