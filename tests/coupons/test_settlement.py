"""Who owes whom: shares to the fen, months that are closed and stay so, corrections, policies."""

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.errors import Refusal
from coupons import selectors, services
from coupons.contracts import OwnerSum, PolicyTerms
from coupons.models import (
    CouponTemplate,
    Redemption,
    RedemptionEntry,
    SettlementLine,
    SettlementMonth,
    SettlementPolicy,
    SettlementStatement,
)
from coupons.services.entries import note_return
from coupons.services.settlement import split_fen
from guides import services as guide_services
from tests.cast import make_guide, make_store
from tests.coupons.kit import BOSS, claim, key, make_batch, make_members, make_template
from tests.coupons.stats_kit import at_shanghai, redeem, reverse
from tests.threads import at_once

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER, DECEMBER = dt.date(2026, 10, 1), dt.date(2026, 11, 1), dt.date(2026, 12, 1)
ISSUER, REDEEMER, THIRDS = (
    PolicyTerms(10_000, 0, 0),
    PolicyTerms(0, 10_000, 0),
    PolicyTerms(3_333, 3_333, 3_334),
)


class Shops:
    """One store of the chain, one of each of two dealers, a guide in each."""

    def __init__(self) -> None:
        region = guide_services.open_region(name="华东", actor=BOSS)
        self.dealers = [
            guide_services.open_dealer(code=f"D{number}", name=f"经销商{number}", actor=BOSS).id
            for number in (1, 2)
        ]
        owners = (None, *self.dealers)
        self.own, self.first, self.second = (
            make_store(f"S{number}", f"店{number}", region.id, dealer_id=owner).id
            for number, owner in enumerate(owners)
        )
        self.guides = {
            store: make_guide(f"G{number}", "导购", store).id
            for number, store in enumerate((self.own, self.first, self.second))
        }

    def issue(self, store: int, *, at: dt.datetime, batch: int | None = None) -> Any:
        return services.issue_coupon(
            batch_id=batch or make_batch(at=at), member_id=make_members(1)[0], request_key=key(), door="guide",
            guide_id=self.guides[store], store_id=store, actor=BOSS, at=at,
        )  # fmt: skip

    def use(self, issuer: int, redeemer: int, at: dt.datetime, **values: Any) -> Any:
        return redeem(
            self.issue(issuer, at=at, batch=values.pop("batch", None)).code, redeemer, at=at, **values
        )


@pytest.fixture
def shops(db: None) -> Shops:
    return Shops()


def settle() -> int:
    run = services.settle_redemptions(actor=BOSS)
    assert run.is_whole
    return run.fact_count


def decide(terms: PolicyTerms, **values: Any) -> int:
    return services.decide_policy(terms=terms, actor=BOSS, **values)


def close(month: dt.date, at: str = "2026-12-02 10:00") -> Any:
    return services.close_month(month=month, actor=BOSS, at=at_shanghai(at))


def shares(line: SettlementLine) -> tuple[int, int, int]:
    return line.issuer_fen, line.redeemer_fen, line.chain_fen


@given(
    amount=st.integers(0, 10**9),
    issuer=st.integers(0, 10_000),
    redeemer=st.integers(0, 10_000),
)
def test_shares_add_up_to_the_fen_and_are_off_by_less_than_one(
    amount: int, issuer: int, redeemer: int
) -> None:
    redeemer = min(redeemer, 10_000 - issuer)
    bps = (issuer, redeemer, 10_000 - issuer - redeemer)
    parts = split_fen(amount_fen=amount, terms=PolicyTerms(*bps))
    assert sum(parts) == amount
    assert all(abs(part * 10_000 - amount * bp) < 10_000 for part, bp in zip(parts, bps, strict=True))
    assert min(parts) >= 0


def test_the_left_fen_go_to_the_largest_remainders() -> None:
    assert split_fen(amount_fen=100, terms=THIRDS) == (33, 33, 34)
    assert split_fen(amount_fen=1, terms=PolicyTerms(5_000, 5_000, 0)) == (1, 0, 0)
    assert split_fen(amount_fen=2, terms=PolicyTerms(2_500, 2_500, 5_000)) == (1, 0, 1)


def test_until_somebody_decides_the_chain_pays_the_dealer_who_gave_the_discount(shops: Shops) -> None:
    at = at_shanghai("2026-10-08 12:00")
    shops.use(shops.own, shops.first, at)
    shops.use(shops.first, shops.own, at)
    assert settle() == 2
    assert selectors.sum_owners(OCTOBER) == (OwnerSum(None, shops.dealers[0], 1, 3_000, 0),)


@pytest.mark.parametrize(
    ("terms", "owed"),
    [
        (ISSUER, [("first", "second", 3_001)]),
        (REDEEMER, []),
        (PolicyTerms(0, 0, 10_000), [(None, "second", 3_001)]),
        (THIRDS, [(None, "second", 1_001), ("first", "second", 1_000)]),
    ],
)
def test_each_policy_says_who_owes(shops: Shops, terms: PolicyTerms, owed: list[Any]) -> None:
    decide(terms)
    shops.use(
        shops.first, shops.second, at_shanghai("2026-10-08 12:00"), discount_fen=3_000, amount_fen=30_000
    )
    card = shops.use(
        shops.first, shops.second, at_shanghai("2026-10-08 12:00"), discount_fen=1, amount_fen=30_000
    )
    settle()
    names = {None: None, "first": shops.dealers[0], "second": shops.dealers[1]}
    found = [(one.debtor_id, one.creditor_id, one.owed_fen) for one in selectors.sum_owners(OCTOBER)]
    expected = [(names[debtor], names[creditor], fen) for debtor, creditor, fen in owed]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert card.discount_fen == 1


def test_a_coupon_that_no_store_issued_is_the_chains_and_one_debt(shops: Shops) -> None:
    decide(PolicyTerms(5_000, 0, 5_000))
    at = at_shanghai("2026-10-08 12:00")
    redeem(claim(make_batch(at=at), make_members(1)[0], at=at).code, shops.first, at=at)
    settle()
    assert selectors.sum_owners(OCTOBER) == (OwnerSum(None, shops.dealers[0], 1, 3_000, 0),)


def test_one_owners_stores_owe_each_other_nothing(shops: Shops) -> None:
    decide(ISSUER)
    sister = make_store(
        "S9", "姐妹店", guide_services.open_region(name="华北", actor=BOSS).id, dealer_id=shops.dealers[0]
    )
    shops.use(shops.first, sister.id, at_shanghai("2026-10-08 12:00"))
    settle()
    assert selectors.sum_owners(OCTOBER) == ()
    [store] = [one for one in selectors.sum_stores(OCTOBER) if one.store_id == sister.id]
    assert (store.discount_fen, store.own_fen, store.due_fen) == (3_000, 3_000, 0)


def test_the_nearest_policy_holds_batch_before_template_before_default(shops: Shops) -> None:
    at = at_shanghai("2026-10-08 12:00")
    template = make_template()
    batch, other, third = (
        make_batch(template_id=template, at=at),
        make_batch(template_id=template, at=at),
        make_batch(at=at),
    )
    decide(ISSUER)
    decide(REDEEMER, template_id=template)
    decide(PolicyTerms(0, 0, 10_000), batch_id=batch)
    newer = CouponTemplate.objects.get(pk=template)
    assert SettlementPolicy.objects.get(template=template).series == newer.series
    for one in (batch, other, third):
        shops.use(shops.first, shops.second, at, batch=one)
    settle()
    lines = {line.batch_id: shares(line) for line in SettlementLine.objects.all()}
    assert lines == {batch: (0, 0, 3_000), other: (0, 3_000, 0), third: (3_000, 0, 0)}


def test_returns_and_a_reversal_take_back_to_the_fen_what_was_given(shops: Shops) -> None:
    """Also when the policy, and the owner of the store, are others by then."""
    decide(THIRDS)
    at = at_shanghai("2026-10-08 12:00")
    card = shops.use(shops.first, shops.second, at)
    settle()
    decide(ISSUER, policy_id=SettlementPolicy.objects.get().pk)
    row = Redemption.objects.get(pk=card.id)
    for discount in (1, 100, 1_000, 7):
        note_return(redemption=row, sales_fen=10, discount_fen=discount, at=at)
    reverse(card.request_id, at=at)
    settle()
    lines = list(SettlementLine.objects.order_by("pk"))
    assert [line.discount_fen for line in lines] == [3_000, -1, -100, -1_000, -7, -1_892]
    assert [sum(part) for part in zip(*map(shares, lines), strict=True)] == [0, 0, 0]
    assert {line.issuer_bp for line in lines} == {3_333}
    assert selectors.sum_owners(OCTOBER) == () or all(
        one.owed_fen == 0 for one in selectors.sum_owners(OCTOBER)
    )


def test_month_edges_are_shanghais(shops: Shops) -> None:
    decide(ISSUER)
    shops.use(shops.first, shops.second, at_shanghai("2026-10-31 23:59"))
    shops.use(shops.first, shops.second, at_shanghai("2026-11-01 00:00"))
    settle()
    assert list(SettlementLine.objects.order_by("pk").values_list("month", flat=True)) == [OCTOBER, NOVEMBER]


def test_a_closed_month_is_frozen_and_what_is_late_corrects_the_next(shops: Shops) -> None:
    decide(ISSUER)
    late = shops.issue(shops.first, at=at_shanghai("2026-10-31 20:00"))
    card = shops.use(shops.first, shops.second, at_shanghai("2026-10-08 12:00"))
    run = close(OCTOBER, "2026-11-01 09:00")
    assert (run.line_count, run.owed_fen) == (1, 3_000)
    # An offline till reports a sale of October; a customer of October comes back in November.
    redeem(
        late.code,
        shops.second,
        at=at_shanghai("2026-11-01 10:00"),
        redeemed_at=at_shanghai("2026-10-31 21:00"),
    )
    reverse(card.request_id, at=at_shanghai("2026-11-05 10:00"))
    settle()
    [october] = selectors.sum_owners(OCTOBER)
    assert selectors.list_frozen_sums(OCTOBER) == (october,)
    [november] = selectors.sum_owners(NOVEMBER)
    assert (november.line_count, november.owed_fen, november.correction_fen) == (2, 0, 0)
    corrections = SettlementLine.objects.filter(month=NOVEMBER, is_correction=True)
    assert sorted(corrections.values_list("discount_fen", "redeemed_on")) == [
        (-3_000, dt.date(2026, 10, 8)), (3_000, dt.date(2026, 10, 31)),
    ]  # fmt: skip
    for change in (
        lambda: SettlementLine.objects.filter(month=OCTOBER).update(chain_fen=3_000, issuer_fen=0),
        lambda: SettlementLine.objects.filter(month=OCTOBER).delete(),
        lambda: SettlementLine.objects.filter(month=NOVEMBER).update(month=OCTOBER),
    ):
        with pytest.raises(IntegrityError, match="closed"), transaction.atomic():
            change()


def test_months_close_in_order_and_reopen_backwards_with_a_reason(shops: Shops) -> None:
    shops.use(shops.first, shops.second, at_shanghai("2026-10-08 12:00"))
    shops.use(shops.first, shops.second, at_shanghai("2026-11-08 12:00"))
    settle()

    def refused(call: Any, **values: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            call(actor=BOSS, **values)
        return refusal.value.code

    december = at_shanghai("2026-12-02 10:00")
    assert refused(services.close_month, month=NOVEMBER, at=december) == "coupons.earlier_month_open"
    assert refused(services.close_month, month=DECEMBER, at=december) == "coupons.month_not_over"
    assert refused(services.close_month, month=dt.date(2026, 9, 1), at=december) == "coupons.no_such_month"
    assert refused(services.reopen_month, month=OCTOBER, reason="算错") == "coupons.month_is_open"
    close(OCTOBER)
    close(NOVEMBER)
    assert refused(services.close_month, month=OCTOBER, at=december) == "coupons.month_is_closed"
    assert refused(services.reopen_month, month=OCTOBER, reason="算错") == "coupons.later_month_closed"
    assert refused(services.reopen_month, month=NOVEMBER, reason="  ") == "coupons.reason_missing"
    services.reopen_month(month=NOVEMBER, reason="规则填错", actor=BOSS)
    assert selectors.list_frozen_sums(NOVEMBER) is None
    decide(ISSUER)
    assert services.recompute_settlement(actor=BOSS) == 1
    close(NOVEMBER)
    found = SettlementStatement.objects.filter(month__month=NOVEMBER).order_by("version")
    assert list(found.values_list("version", "debtor", "creditor", "owed_fen")) == [
        (1, None, shops.dealers[1], 3_000), (2, shops.dealers[0], shops.dealers[1], 3_000),
    ]  # fmt: skip
    assert SettlementMonth.objects.get(month=NOVEMBER).reopen_reason == "规则填错"


def test_recomputing_changes_open_months_only_and_leaves_corrections_their_shares(shops: Shops) -> None:
    card = shops.use(shops.first, shops.second, at_shanghai("2026-10-08 12:00"))
    close(OCTOBER, "2026-11-02 10:00")
    reverse(card.request_id, at=at_shanghai("2026-11-05 10:00"))
    other = shops.use(shops.first, shops.second, at_shanghai("2026-11-06 10:00"))
    reverse(other.request_id, at=at_shanghai("2026-12-06 10:00"))
    settle()
    decide(ISSUER)
    assert services.recompute_settlement(actor=BOSS) == 2
    assert services.recompute_settlement(actor=BOSS) == 0
    lines = [(line.month, shares(line)) for line in SettlementLine.objects.order_by("pk")]
    assert lines == [
        (OCTOBER, (0, 0, 3_000)), (NOVEMBER, (0, 0, -3_000)), (NOVEMBER, (3_000, 0, 0)), (DECEMBER, (-3_000, 0, 0)),
    ]  # fmt: skip


def test_lines_of_the_part_one_sees(shops: Shops) -> None:
    decide(ISSUER)
    at = at_shanghai("2026-10-08 12:00")
    shops.use(shops.first, shops.second, at)
    shops.use(shops.second, shops.own, at)
    settle()
    seen = frozenset({shops.first})
    assert [one.owed_fen for one in selectors.sum_owners(OCTOBER, store_ids=seen)] == [3_000]
    assert selectors.month_lines(OCTOBER, store_ids=seen).count() == 1
    assert [one.store_id for one in selectors.sum_stores(OCTOBER, store_ids=seen)] == [shops.first]
    assert selectors.sum_owners(OCTOBER, store_ids=frozenset()) == ()
    by_store = {one.store_id: (one.due_fen, one.owes_fen) for one in selectors.sum_stores(OCTOBER)}
    assert by_store == {shops.first: (0, 3_000), shops.second: (3_000, 3_000), shops.own: (3_000, 0)}


@pytest.mark.parametrize(
    ("terms", "values", "code"),
    [
        (PolicyTerms(5_000, 4_000, 0), {}, "coupons.policy_unusable"),
        (PolicyTerms(11_000, -1_000, 0), {}, "coupons.policy_unusable"),
        (ISSUER, {"batch_id": 1, "template_id": 1}, "coupons.policy_unusable"),
        (ISSUER, {"batch_id": 987_654}, "coupons.no_such_batch"),
        (ISSUER, {"template_id": 987_654}, "coupons.no_such_template"),
        (ISSUER, {"policy_id": 987_654}, "coupons.no_such_policy"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(
    terms: PolicyTerms, values: dict[str, int], code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        decide(terms, **values)
    assert refused.value.code == code


def test_one_subject_has_one_policy() -> None:
    batch, template = make_batch(), make_template()
    for values in ({}, {"batch_id": batch}, {"template_id": template}):
        policy = decide(ISSUER, **values)
        with pytest.raises(Refusal) as refused:
            decide(REDEEMER, **values)
        assert refused.value.code == "coupons.policy_exists"
        services.drop_policy(policy_id=policy, actor=BOSS)
        decide(REDEEMER, **values)
    with pytest.raises(Refusal) as refused:
        services.drop_policy(policy_id=policy, actor=BOSS)
    assert refused.value.code == "coupons.no_such_policy"


@pytest.mark.django_db(transaction=True)
def test_runs_and_closings_at_once_make_one_line_each_and_one_statement(shops: Shops) -> None:
    for _number in range(6):
        shops.use(shops.first, shops.second, at_shanghai("2026-10-08 12:00"))
    settle_once = partial(services.settle_redemptions, actor=BOSS)
    answers = at_once([settle_once, settle_once, settle_once])
    assert sum(answer.fact_count for answer in answers) == 6
    close_once = partial(services.close_month, month=OCTOBER, actor=BOSS, at=at_shanghai("2026-11-02 10:00"))
    closed = at_once([close_once, close_once, settle_once])
    assert sorted(type(answer).__name__ for answer in closed) == ["FoldRun", "MonthIsClosed", "MonthRun"]
    assert (SettlementLine.objects.count(), SettlementStatement.objects.count()) == (6, 1)


@pytest.mark.django_db(transaction=True)
def test_without_the_cursor_a_line_written_beside_a_closing_is_refused_by_the_database(shops: Shops) -> None:
    """The twin of the order above: who puts a line into a month she saw open finds it closed when she writes."""
    shops.use(shops.first, shops.second, at_shanghai("2026-10-08 12:00"))
    settle()
    line = SettlementLine.objects.get()
    entry = RedemptionEntry.objects.create(
        redemption=line.entry.redemption,
        what="returned",
        day=OCTOBER,
        at=clock.now(),
        sales_fen=0,
        discount_fen=0,
    )
    assert SettlementMonth.objects.get(month=OCTOBER).state == "open"
    SettlementMonth.objects.filter(month=OCTOBER).update(state="closed", version=1, closed_at=clock.now())
    line.pk, line.entry_id = None, entry.pk
    line.discount_fen = line.issuer_fen = line.redeemer_fen = line.chain_fen = 0
    with pytest.raises(IntegrityError, match="closed"):
        line.save(force_insert=True)
    connection.close()
