"""Rules: written and put in order by people, tried on the past, and dealers keep their stores' sales."""

import dataclasses
import datetime as dt
import functools
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.errors import Refusal
from guides import services as guide_services
from sales import selectors, services
from sales.contracts import ProductEntry, RuleDraft, Share
from sales.models import AttributionRule, DeskJob, PerformanceEntry, Sale
from tests.cast import Cast, make_cast, make_guide, make_store
from tests.sales.kit import back, key_of, ledger, line, order, tell
from tests.threads import at_once

BOSS = Actor.staff(1, "总部")
SPAN = (clock.today() - dt.timedelta(days=3), clock.today() + dt.timedelta(days=1))


def made(name: str = "专属优先", **terms: Any) -> AttributionRule:
    terms = terms or {"exclusive_bp": 7_000, "store_bp": 3_000}
    return services.create_rule(draft=RuleDraft(name=name, **terms), actor=BOSS)


def switched_on(name: str = "专属优先", **terms: Any) -> AttributionRule:
    rule = made(name, **terms)
    services.switch_rule(rule_id=rule.pk, is_active=True, actor=BOSS)
    return rule


def tried(cast: Cast, switched_id: int | None = None) -> dict[str, Any]:
    job = services.start_trial(
        staff_id=cast.head_office.pk, since=SPAN[0], until=SPAN[1], switched_id=switched_id, actor=BOSS
    )
    assert services.work_desk_job(job_id=job.pk, actor=BOSS)
    result: dict[str, Any] = DeskJob.objects.get(pk=job.pk).result
    return result


def test_rules_stand_behind_each_other_switched_off_and_change_places(cast: Cast) -> None:
    one, two, three = made("一"), made("二"), made("三")
    assert not AttributionRule.objects.active().exists()
    services.move_rule(rule_id=three.pk, is_up=True, actor=BOSS)
    services.move_rule(rule_id=one.pk, is_up=True, actor=BOSS)  # already first
    services.move_rule(rule_id=two.pk, is_up=False, actor=BOSS)  # already last
    order_of = list(AttributionRule.objects.order_by("position").values_list("name", "position"))
    assert order_of == [("一", 1), ("三", 2), ("二", 3)]
    with pytest.raises(Refusal):
        services.move_rule(rule_id=10**9, is_up=True, actor=BOSS)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"serving_bp": 5_000}, "store_bp"),
        ({"serving_bp": 12_000, "store_bp": -2_000}, "store_bp"),
        ({"store_bp": 10_000, "name": " "}, "name"),
        ({"store_bp": 10_000, "name": "长" * 41}, "name"),
        ({"store_bp": 10_000, "region_ids": (10**9,)}, "region_ids"),
        ({"store_bp": 10_000, "dealer_ids": (10**9,)}, "dealer_ids"),
        ({"store_bp": 10_000, "channels": ("x" * 17,)}, "channels"),
        ({"store_bp": 10_000, "brands": ("长" * 41,)}, "brands"),
        ({"store_bp": 10_000, "starts_on": SPAN[1], "ends_on": SPAN[0]}, "ends_on"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_at_its_field(cast: Cast, terms: dict[str, Any], field: str) -> None:
    draft = RuleDraft(**{"name": "规则"} | terms)
    with pytest.raises(Refusal) as caught:
        services.create_rule(draft=draft, actor=BOSS)
    assert (caught.value.code, caught.value.details["field"]) == ("sales.rule_unusable", field)


@pytest.mark.django_db(transaction=True)
def test_rules_moved_at_once_keep_places_of_their_own() -> None:
    make_cast()
    rules = [made(str(n)) for n in range(4)]
    moves = [
        functools.partial(services.move_rule, rule_id=rule.pk, is_up=bool(n % 2), actor=BOSS)
        for n, rule in enumerate(rules)
    ]
    assert at_once(moves) == [None] * 4
    assert sorted(AttributionRule.objects.values_list("position", flat=True)) == [1, 2, 3, 4]


def test_dealers_keep_the_sales_of_their_stores(cast: Cast) -> None:
    """小美 belongs to 李娜 of the chain's own store and buys at a dealer's."""
    dealer = guide_services.open_dealer(code="D9", name="锦绣商贸", actor=BOSS)
    shop = make_store("T09", "锦绣一店", cast.east.id, dealer_id=dealer.id)
    make_guide("T090", "钱芳", shop.id)
    switched_on()
    tell(order("O1", member=key_of(cast.xiaomei), store_code="T09", serving_guide="T090"))
    tell(order("O2", member=key_of(cast.xiaomei), store_code="T09", serving_guide=""))
    assert ledger(guide_id=cast.lina.id) == {}
    card = selectors.get_attribution(Sale.objects.get(order_no="O1").pk)
    assert card is not None
    assert [(share.role, share.guide_name) for share in card.shares] == [("serving", "钱芳")]
    assert ledger(metric="sales_fen", store_id=shop.id, guide_id=None) == {"sales_fen": 10_000}
    crossing = switched_on("跨店分成", exclusive_bp=4_000, store_bp=6_000, crosses_owners=True)
    services.move_rule(rule_id=crossing.pk, is_up=True, actor=BOSS)
    tell(order("O3", member=key_of(cast.xiaomei), store_code="T09"))
    assert ledger(metric="sales_fen", guide_id=cast.lina.id) == {"sales_fen": 4_000}
    # Within one owner nothing changes.
    services.switch_rule(rule_id=crossing.pk, is_active=False, actor=BOSS)
    tell(order("O4", member=key_of(cast.xiaomei), serving_guide="T002"))
    assert ledger(metric="sales_fen", guide_id=cast.lina.id) == {"sales_fen": 11_000}


def test_a_rule_of_brands_holds_for_orders_all_of_whose_goods_are_of_them(cast: Cast) -> None:
    services.upsert_products(
        entries=[ProductEntry("A1", "针织衫", brand="甲"), ProductEntry("B1", "长裤", brand="乙")],
        actor=BOSS,
    )
    rule = switched_on("甲乙", brands=(" 甲 ", "乙", "甲"), serving_bp=5_000, store_bp=5_000)
    assert rule.brands == ["甲", "乙"]
    tell(
        order("O1", line("A1"), line("B1")),
        order("O2", line("A1"), line("NEW")),
        order("O3", line("NEW")),
        order("O4", line("A1")),
    )
    halves = {"O1", "O4"}
    for sale in Sale.objects.all():
        words = selectors.get_attribution(sale.pk).words  # type: ignore[union-attr]
        assert ("甲乙" in words) == (sale.order_no in halves), (sale.order_no, words)
    # A brand told later moves nothing that is decided; told without a brand, a product keeps its own.
    told = services.upsert_products(
        entries=[ProductEntry("NEW", "新品", brand="甲"), ProductEntry("A1", "针织衫", "tops")], actor=BOSS
    )
    assert (told.created_count, told.changed_count) == (0, 2)
    assert ledger(metric="sales_fen", guide_id=cast.lina.id) == {"sales_fen": 45_000}
    found = tried(cast)
    assert (found["sale_count"], found["changed_count"], found["moved_fen"]) == (4, 2, 15_000)
    assert tried(cast, switched_id=rule.pk)["changed_count"] == 2


def test_a_trial_of_the_rules_that_decided_moves_nothing_and_writes_nothing(cast: Cast) -> None:
    switched_on()
    tell(
        order("O1", member=key_of(cast.xiaomei), serving_guide="T002"),
        order("O2"),
        order("O3", store_code="T02", serving_guide="T004"),
    )
    tell(back(order_no="O2"))
    entries = PerformanceEntry.objects.count()
    result = tried(cast)
    assert (result["sale_count"], result["changed_count"], result["moved_fen"]) == (3, 0, 0)
    assert (result["pairs"], PerformanceEntry.objects.count()) == ({}, entries)


def test_a_trial_says_what_the_rule_would_have_done(cast: Cast) -> None:
    """What a switched rule moves in the head is what it does to the same orders when they come again."""
    rule = made(exclusive_bp=7_000, store_bp=3_000)
    amounts = (10_001, 99, 5_000)
    told = [
        order(f"O{n}", line(amount_fen=fen), member=key_of(cast.xiaomei), serving_guide="T002")
        for n, fen in enumerate(amounts)
    ]
    tell(*told, order("P1"))
    result = tried(cast, rule.pk)
    assert (result["sale_count"], result["changed_count"]) == (4, 3)
    services.switch_rule(rule_id=rule.pk, is_active=True, actor=BOSS)
    tell(*(dataclasses.replace(one, source="again") for one in told))
    again = list(Sale.objects.filter(source="again").values_list("pk", flat=True))
    lina = ledger(sale_ref__in=again, metric="sales_fen", guide_id=cast.lina.id)["sales_fen"]
    store = ledger(sale_ref__in=again, metric="sales_fen", guide_id=None)["sales_fen"]
    assert result["holders"][f"g{cast.lina.id}"] == [10_000, 10_000 + lina]
    assert result["holders"][f"s{cast.store.id}"] == [0, store]
    assert result["holders"][f"g{cast.wangfang.id}"] == [sum(amounts), 0]
    assert result["pairs"][f"g{cast.wangfang.id}>g{cast.lina.id}"] == [lina, 3]
    assert result["moved_fen"] == sum(amounts) == lina + store
    assert result["stores"][str(cast.store.id)] == [10_000 + sum(amounts)] * 2


def test_what_a_person_decided_is_no_part_of_a_trial(cast: Cast) -> None:
    rule = made(store_bp=10_000)
    tell(order("O1"))
    sale = Sale.objects.get()
    services.reattribute_sale(
        sale_id=sale.pk, shares=(Share("serving", cast.wangfang.id, cast.store.id, 10_000),), reason="补登",
        request_key="k", actor=BOSS,
    )  # fmt: skip
    result = tried(cast, rule.pk)
    assert (result["manual_count"], result["sale_count"]) == (1, 0)
    with pytest.raises(Refusal):
        tried(cast, 10**9)


def test_a_preview_is_what_is_written_and_writes_nothing(cast: Cast) -> None:
    last = clock.today().replace(day=1) - dt.timedelta(days=1)
    moment = dt.datetime.combine(last, dt.time(12), tzinfo=clock.SHANGHAI)
    tell(order("O1", sold_at=moment))
    services.close_month(month_on=last, actor=BOSS)
    sale = Sale.objects.get()
    shares = (Share("serving", cast.wangfang.id, cast.store.id, 10_000),)
    count = PerformanceEntry.objects.count()
    effect = services.preview_reattribution(sale_id=sale.pk, shares=shares, actor=BOSS)
    assert PerformanceEntry.objects.count() == count
    card = selectors.get_attribution(sale.pk)
    assert card is not None
    assert not card.is_manual
    services.reattribute_sale(
        sale_id=sale.pk, shares=shares, reason="补登", request_key="k", actor=BOSS, replaces=card.id
    )
    made_now: dict[tuple[Any, ...], int] = {}
    for row in PerformanceEntry.objects.order_by("pk")[count:]:
        key = (row.guide_id, row.metric, row.booked_on)
        made_now[key] = made_now.get(key, 0) + row.value
    assert {(one.guide_id, one.metric, one.booked_on): one.value for one in effect} == made_now
    assert {one.booked_on for one in effect} == {clock.today().replace(day=1)}
    with pytest.raises(Refusal) as caught:
        services.reattribute_sale(
            sale_id=sale.pk, shares=shares, reason="再改", request_key="k2", actor=BOSS, replaces=card.id
        )
    assert caught.value.code == "sales.attribution_changed"
