"""Templates and batches: what a marketer may decide, and what is refused with which field."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.errors import Refusal
from coupons import selectors, services
from coupons.contracts import BatchTerms
from coupons.models import NUMBERS_OF_KIND, CouponBatchShard, CouponTemplate
from coupons.selectors.templates import most_off_fen, worst_cost_fen
from tests.coupons.kit import BOSS, claim, later, make_batch, make_members, make_template, terms

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
PERCENT = {"kind": "percent", "off_fen": None, "rate_bp": 8_500}
EXCHANGE = {"kind": "exchange", "off_fen": None, "units": 1}
PRICE = {"kind": "fixed_price", "off_fen": None, "units": 2, "price_fen": 9_900}
GIFT = {"kind": "gift", "off_fen": None, "gift_name": "帆布包", "gift_value_fen": 2_900}
FIXED = {
    "validity": "fixed",
    "valid_days": None,
    "valid_from": NOW,
    "valid_until": NOW + dt.timedelta(days=30),
}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "减 30 元"),
        ({"min_spend_fen": 20_000}, "满 200 元 减 30 元"),
        ({"per_fen": 10_000, "cap_fen": 9_050}, "每满 100 元减 30 元，最多减 90.50 元"),
        (PERCENT, "8.5 折"),
        ({**PERCENT, "cap_fen": 5_000, "min_quantity": 2}, "满 2 件 8.5 折，最多减 50 元"),
        (EXCHANGE, "免费兑换 1 件"),
        (PRICE, "任选 2 件，每件 99 元"),
        (GIFT, "赠 帆布包"),
    ],
)
def test_every_kind_is_made_and_reads_as_on_a_card(values: dict[str, Any], words: str) -> None:
    card = services.create_template(terms=terms(**values), actor=BOSS)
    assert card.value_words == words
    assert selectors.get_template(card.id) == card
    assert card.terms == terms(**values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "领取后 7 天有效（含当天）"),
        ({"validity": "from_tomorrow"}, "领取次日起 7 天有效"),
        ({"validity": "month_end", "valid_days": None}, "领取当月有效"),
        (FIXED, "2026-11-20 至 2026-12-20"),
    ],
)
def test_every_validity_reads_as_on_a_card(values: dict[str, Any], words: str) -> None:
    assert services.create_template(terms=terms(**values), actor=BOSS).validity_words == words


BAD: list[tuple[str, dict[str, Any]]] = [
    ("title", {"title": " "}),
    ("title", {"title": "券" * 21}),
    ("title", {"title": "a\0"}),
    ("usage_words", {"usage_words": "x" * 501}),
    ("colour", {"colour": "black"}),
    ("gifting", {"gifting": "everybody"}),
    ("stacking_group", {"stacking_group": "x" * 21}),
    ("kind", {"kind": "cashback"}),
    ("off_fen", {"off_fen": None}),
    ("off_fen", {"off_fen": 0}),
    ("off_fen", {"off_fen": -1}),
    ("off_fen", {"off_fen": 1.5}),
    ("off_fen", {"off_fen": True}),
    ("off_fen", {"off_fen": 10**12}),
    ("rate_bp", {"rate_bp": 9_000}),
    ("rate_bp", {**PERCENT, "rate_bp": None}),
    ("rate_bp", {**PERCENT, "rate_bp": 10_000}),
    ("rate_bp", {**PERCENT, "rate_bp": 0}),
    ("off_fen", {**PERCENT, "off_fen": 100}),
    ("units", {**EXCHANGE, "units": None}),
    ("units", {**EXCHANGE, "units": 0}),
    ("units", {**PRICE, "units": 1_001}),
    ("price_fen", {**PRICE, "price_fen": None}),
    ("price_fen", {**PRICE, "price_fen": -1}),
    ("gift_name", {**GIFT, "gift_name": " "}),
    ("gift_name", {**GIFT, "gift_name": "x" * 41}),
    ("gift_name", {"gift_name": "帆布包"}),
    ("gift_value_fen", {**GIFT, "gift_value_fen": None}),
    ("gift_value_fen", {**GIFT, "gift_value_fen": -1}),
    ("min_spend_fen", {"min_spend_fen": -1}),
    ("min_spend_fen", {"min_spend_fen": 2_999}),
    ("min_quantity", {"min_quantity": -1}),
    ("max_per_order", {"max_per_order": 0}),
    ("max_per_order", {"max_per_order": 2, "is_exclusive": True}),
    ("per_fen", {"per_fen": 2_000}),
    ("cap_fen", {"per_fen": 10_000, "cap_fen": 1_000}),
    ("cap_fen", {"cap_fen": 1_000}),
    ("cap_fen", {**PERCENT, "cap_fen": 0}),
    ("validity", {"validity": "forever"}),
    ("valid_days", {"valid_days": None}),
    ("valid_days", {"valid_days": 0}),
    ("valid_days", {"valid_days": 3_651}),
    ("valid_days", {**FIXED, "valid_days": 3}),
    ("valid_days", {"validity": "month_end", "valid_days": 3}),
    ("valid_from", {**FIXED, "valid_from": None}),
    ("valid_from", {"valid_from": NOW}),
    ("valid_until", {**FIXED, "valid_until": None}),
    ("valid_until", {**FIXED, "valid_until": NOW}),
    ("valid_until", {**FIXED, "valid_until": NOW + dt.timedelta(days=4_000)}),
    ("weekdays", {"weekdays": (7,)}),
    ("weekdays", {"weekdays": (1, 1)}),
    ("hours", {"hours": ("9:00-10:00",)}),
    ("hours", {"hours": ("10:00-25:00",)}),
    ("hours", {"hours": ("10:00-10:00",)}),
    ("hours", {"hours": ("10:00-11:00",) * 11}),
    ("include_products", {"include_products": ("a", "a")}),
    ("include_categories", {"include_categories": ("a b",)}),
    ("exclude_products", {"include_products": ("a",), "exclude_products": ("a",)}),
    ("exclude_categories", {"include_categories": ("c",), "exclude_categories": ("c",)}),
    ("exclude_products", {"exclude_products": ("x" * 41,)}),
    ("channels", {"channels": ("Store",)}),
    ("channels", {"channels": tuple(f"c{n}" for n in range(21))}),
    ("tier_ids", {"tier_ids": (0,)}),
    ("store_ids", {"store_ids": (987_654,)}),
    ("region_ids", {"region_ids": (987_654,)}),
    ("dealer_ids", {"dealer_ids": (987_654,)}),
]


@pytest.mark.parametrize(("field", "values"), BAD)
def test_terms_that_make_no_sense_are_refused_at_their_field(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        services.create_template(terms=terms(**values), actor=BOSS)
    assert (caught.value.code, caught.value.details["field"]) == ("coupons.template_unusable", field)
    assert not CouponTemplate.objects.exists()


@pytest.mark.parametrize("kind", list(NUMBERS_OF_KIND))
def test_the_database_refuses_a_kind_without_its_numbers(kind: str) -> None:
    template = make_template()
    with pytest.raises(IntegrityError), transaction.atomic():
        CouponTemplate.objects.filter(pk=template).update(kind=kind, off_fen=None)


def test_terms_are_frozen_once_a_batch_was_opened_and_a_new_version_takes_the_change() -> None:
    template = make_template()
    services.change_template(template_id=template, terms=terms(off_fen=2_000), actor=BOSS)
    batch = make_batch(template_id=template)
    member = make_members(1)[0]
    issued = claim(batch, member)
    with pytest.raises(Refusal) as caught:
        services.change_template(template_id=template, terms=terms(off_fen=1_000), actor=BOSS)
    assert (caught.value.code, caught.value.details) == ("coupons.template_frozen", {"field": "off_fen"})
    assert services.change_template(template_id=template, terms=terms(off_fen=2_000), actor=BOSS).is_frozen
    newer = services.revise_template(template_id=template, terms=terms(off_fen=1_000), actor=BOSS)
    assert (newer.version, newer.is_frozen) == (2, False)
    assert [card.version for card in selectors.list_template_versions(newer.series)] == [2, 1]
    assert selectors.get_coupon(issued.id).template.terms.off_fen == 2_000


def test_a_retired_template_takes_no_change_no_version_and_no_batch() -> None:
    template = make_template()
    services.retire_template(template_id=template, actor=BOSS)
    services.retire_template(template_id=template, actor=BOSS)
    calls = [
        lambda: services.change_template(template_id=template, terms=terms(), actor=BOSS),
        lambda: services.revise_template(template_id=template, terms=terms(), actor=BOSS),
        lambda: make_batch(template_id=template),
    ]
    for call in calls:
        with pytest.raises(Refusal) as caught:
            call()
        assert caught.value.code == "coupons.template_retired"


def test_an_unknown_template_is_not_found() -> None:
    for call in (selectors.get_template, lambda pk: services.retire_template(template_id=pk, actor=BOSS)):
        with pytest.raises(Refusal) as caught:
            call(987_654)
        assert caught.value.code == "coupons.no_such_template"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "x" * 41}),
        ("quota", {"quota": 0}),
        ("quota", {"quota": -5}),
        ("quota", {"quota": 10**9}),
        ("quota", {"quota": 1.0}),
        ("doors", {"doors": ()}),
        ("doors", {"doors": ("window",)}),
        ("member_limit", {"member_limit": 0}),
        ("member_daily_limit", {"member_daily_limit": -1}),
        ("guide_quota", {"guide_quota": 0}),
        ("guide_quota_period", {"guide_quota_period": "year"}),
        ("closes_at", {"opens_at": NOW, "closes_at": NOW}),
        ("budget_fen", {"budget_fen": -1}),
        ("cost_fen", {"cost_fen": -1}),
        ("cost_fen", {"budget_fen": 100, "cost_fen": 0}),
    ],
)
def test_batches_that_make_no_sense_are_refused_at_their_field(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        make_batch(**values)
    assert (caught.value.code, caught.value.details["field"]) == ("coupons.batch_unusable", field)


def test_a_batch_that_opens_after_its_coupons_are_over_is_refused() -> None:
    template = make_template(**FIXED)
    with pytest.raises(Refusal) as caught:
        make_batch(template_id=template, opens_at=FIXED["valid_until"])
    assert caught.value.details["field"] == "opens_at"


@pytest.mark.parametrize(
    ("values", "cost"),
    [({}, 3_000), ({**PERCENT, "cap_fen": 5_000}, 5_000), (PERCENT, None), ({"per_fen": 10_000}, None),
     ({"per_fen": 10_000, "cap_fen": 6_000}, 6_000), (GIFT, 2_900), (EXCHANGE, None), (PRICE, None)],
)  # fmt: skip
def test_what_a_coupon_can_cost_follows_from_the_terms_or_is_asked_for(
    values: dict[str, Any], cost: int | None
) -> None:
    template = make_template(**values)
    assert worst_cost_fen(terms(**values)) == cost
    if cost is None:
        with pytest.raises(Refusal) as caught:
            make_batch(template_id=template, budget_fen=100_000)
        assert caught.value.details["field"] == "cost_fen"
        make_batch(template_id=template, budget_fen=100_000, cost_fen=8_000)
    else:
        assert (
            selectors.get_batch(make_batch(template_id=template, budget_fen=100_000)).terms.cost_fen == cost
        )


@pytest.mark.parametrize(
    ("values", "amount", "most"),
    [({}, 20_000, 3_000), ({}, 1_000, 1_000), ({"per_fen": 10_000}, 29_999, 6_000),
     ({"per_fen": 10_000, "cap_fen": 4_000}, 90_000, 4_000), (PERCENT, 9_999, 1_500),
     ({**PERCENT, "cap_fen": 100}, 9_999, 100), (GIFT, 9_999, 0), (EXCHANGE, 9_999, 9_999)],
)  # fmt: skip
def test_the_most_a_coupon_can_take_off(values: dict[str, Any], amount: int, most: int) -> None:
    assert most_off_fen(terms(**values), amount) == most


@pytest.mark.parametrize(
    ("quota", "budget"), [(1, None), (16, 48_000), (17, 9_000), (1_000, 7_000), (5, 3_000_000)]
)
def test_the_shards_share_quota_and_budget_to_the_last_piece(quota: int, budget: int | None) -> None:
    batch = make_batch(quota, budget_fen=budget)
    shards = CouponBatchShard.objects.filter(batch_id=batch)
    room = [min(s.quota, s.quota if s.budget_fen is None else s.budget_fen // 3_000) for s in shards]
    assert (len(room), sum(room)) == (16, quota if budget is None else min(quota, budget // 3_000))
    assert max(room) - min(room) <= 1


def test_a_batch_goes_its_way_and_what_is_numbers_is_frozen_once_open() -> None:
    draft = make_batch(is_open=False)
    plain = BatchTerms(name="改名", quota=50, doors=("claim",), member_limit=2)
    card = services.change_batch(batch_id=draft, terms=plain, actor=BOSS)
    assert (card.terms.quota, selectors.sum_batch(draft).quota, card.state) == (50, 50, "draft")
    with pytest.raises(Refusal) as caught:
        services.pause_batch(batch_id=draft, actor=BOSS)
    assert caught.value.code == "coupons.batch_not_open"
    services.open_batch(batch_id=draft, actor=BOSS)
    services.change_batch(
        batch_id=draft,
        terms=BatchTerms(name="再改", quota=50, doors=("guide",), closes_at=later(days=1)),
        actor=BOSS,
    )
    with pytest.raises(Refusal) as caught:
        services.change_batch(
            batch_id=draft, terms=BatchTerms(name="再改", quota=60, doors=("guide",)), actor=BOSS
        )
    assert caught.value.code == "coupons.batch_frozen"
    services.end_batch(batch_id=draft, actor=BOSS)
    services.end_batch(batch_id=draft, actor=BOSS)
    for call in (services.open_batch, services.pause_batch):
        with pytest.raises(Refusal) as caught:
            call(batch_id=draft, actor=BOSS)
        assert caught.value.code == "coupons.batch_ended"


@pytest.mark.parametrize("more", [0, -1, 1.5, True, 10**9])
def test_a_quota_is_extended_by_a_positive_number_only(more: Any) -> None:
    with pytest.raises(Refusal) as caught:
        services.extend_quota(batch_id=make_batch(), more=more, actor=BOSS)
    assert caught.value.details["field"] == "more"


def test_a_budget_is_extended_where_there_is_one() -> None:
    for batch, more in ((make_batch(), 100), (make_batch(budget_fen=3_000), 0)):
        with pytest.raises(Refusal) as caught:
            services.extend_budget(batch_id=batch, more_fen=more, actor=BOSS)
        assert caught.value.details["field"] == "more_fen"
