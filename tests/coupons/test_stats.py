"""Numbers of coupons: what is counted, on which day, for whom; and what a night's proof finds."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.errors import Refusal
from coupons import selectors, services
from coupons.contracts import CouponNumbers, StatsQuery
from coupons.models import (
    CouponDay,
    CouponDayTotal,
    CouponDue,
    CouponMonth,
    FactCursor,
    Redemption,
    RedemptionEntry,
    StatsProof,
)
from coupons.services.entries import note_return, what_is_left
from guides import services as guide_services
from tests.cast import Cast, make_store
from tests.coupons.kit import BOSS, claim, key, make_batch, make_members, make_shop, make_template
from tests.coupons.stats_kit import at_shanghai, check_folded, fold, redeem, reverse

pytestmark = pytest.mark.django_db


def issue(batch: int, member: int, guide: Any = None, *, at: dt.datetime | None = None) -> Any:
    return services.issue_coupon(
        batch_id=batch, member_id=member, request_key=key(), door="guide" if guide else "system",
        guide_id=guide and guide.id, store_id=guide and guide.store.id, actor=BOSS, at=at,
    )  # fmt: skip


def of(**values: Any) -> CouponNumbers:
    return selectors.sum_coupons(StatsQuery(**values))


def test_each_step_counts_once_for_who_issued_and_who_redeemed(cast: Cast) -> None:
    batch, members = make_batch(), make_members(4)
    issued = [issue(batch, member, cast.lina) for member in members]
    claimed = claim(batch, members[0])
    redeem(issued[0].code, cast.other_store.id, guide_id=cast.chenjing.id)
    redeem(claimed.code, cast.store.id)
    services.void_coupon(coupon_id=issued[1].id, reason="发错了", actor=BOSS)
    fold()
    check_folded()
    lina = selectors.sum_guide_coupons(cast.lina.id)
    assert (lina.issued_count, lina.redeemed_count, lina.voided_count, lina.sales_fen) == (4, 1, 1, 20_000)
    assert (lina.redeemed_bp, lina.cost_bp, lina.return_hundredths) == (2_500, 1_500, 666)
    assert selectors.sum_store_coupons(cast.store.id).issued_count == 4
    till = selectors.sum_store_coupons(cast.other_store.id, side="redeemed")
    assert (till.issued_count, till.redeemed_count, till.discount_fen) == (0, 1, 3_000)
    assert of(side="redeemed", guide_id=cast.chenjing.id).redeemed_count == 1
    assert (of().issued_count, of().claimed_count, of().redeemed_count) == (5, 1, 2)
    assert of(door="claim").issued_count == 1
    assert of(batch_id=make_batch()) == CouponNumbers()
    fold()
    check_folded()


def test_what_one_place_asks_twice_is_not_the_answer_of_another(cast: Cast) -> None:
    """Narrow questions are compiled once and asked with other values; 0 is nobody's, and not of the same kind."""
    batch, members = make_batch(), make_members(6)
    for member in members[:3]:
        issue(batch, member, cast.lina)
    issue(batch, members[3], cast.chenjing)
    for member in members[4:]:
        issue(batch, member)
    fold()
    for _time in range(2):
        asked = [of(guide_id=guide).issued_count for guide in (cast.lina.id, cast.chenjing.id, 0)]
        assert asked == [3, 1, 2]
        stores = [of(store_id=store).issued_count for store in (cast.chenjing.store.id, 0)]
        assert stores == [4 if cast.chenjing.store.id == cast.lina.store.id else 1, 2]
    assert of(guide_id=cast.lina.id, store_id=0) == CouponNumbers()
    assert of(guide_id=cast.lina.id, store_id=cast.lina.store.id).issued_count == 3


def test_a_reversal_counts_on_its_own_day_and_names_the_first_one(cast: Cast) -> None:
    """Redeemed in the last minute of October, taken back in the first of November, Shanghai time."""
    late, early = at_shanghai("2026-10-31 23:59"), at_shanghai("2026-11-01 00:00")
    batch = make_batch(at=late)
    issued = claim(batch, make_members(1)[0], at=late)
    card = redeem(issued.code, cast.store.id, at=late)
    reverse(card.request_id, at=early)
    fold()
    check_folded()
    october = of(since=dt.date(2026, 10, 1), until=dt.date(2026, 10, 31))
    november = of(since=dt.date(2026, 11, 1), until=dt.date(2026, 11, 30))
    assert (october.redeemed_count, october.discount_fen) == (1, 3_000)
    assert (november.redeemed_count, november.reversed_count, november.discount_fen) == (-1, 1, -3_000)
    assert of().discount_fen == 0
    [back] = selectors.list_entries(StatsQuery(since=dt.date(2026, 11, 1)))
    assert (back.what, back.day, back.redeemed_on) == (
        "reversed",
        dt.date(2026, 11, 1),
        dt.date(2026, 10, 31),
    )


def test_an_offline_till_counts_on_the_day_of_the_sale(cast: Cast) -> None:
    sold, told = at_shanghai("2026-11-01 23:50"), at_shanghai("2026-11-02 09:00")
    issued = claim(make_batch(at=sold), make_members(1)[0], at=sold)
    redeem(issued.code, cast.store.id, at=told, redeemed_at=sold)
    fold()
    assert [
        (line.key, line.numbers.redeemed_count) for line in selectors.list_stats(StatsQuery(), by="day")
    ] == [("2026-11-01", 1)]
    check_folded()


def test_a_partial_return_lowers_its_day_and_a_reversal_takes_the_rest() -> None:
    issued = claim(make_batch(), make_members(1)[0])
    card = redeem(issued.code, make_shop())
    row = Redemption.objects.get(pk=card.id)
    note_return(redemption=row, sales_fen=8_000, discount_fen=1_201, at=clock.now())
    assert what_is_left(redemption=row) == (12_000, 1_799)
    fold()
    assert (of().sales_fen, of().discount_fen, of().redeemed_count) == (12_000, 1_799, 1)
    with pytest.raises(Refusal) as refused:
        note_return(redemption=row, sales_fen=1, discount_fen=1_800, at=clock.now())
    assert refused.value.code == "coupons.amount_unusable"
    reverse(card.request_id)
    fold()
    assert (of().sales_fen, of().discount_fen, of().redeemed_count) == (0, 0, 0)
    check_folded()


def test_what_expires_within_a_week_follows_every_end_and_every_way_back() -> None:
    soon = make_batch(template_id=make_template(valid_days=7))
    later = make_batch(template_id=make_template(valid_days=8))
    members, shop = make_members(4), make_shop()
    issued = [claim(soon, member) for member in members]
    claim(later, members[0])
    fold()
    assert of().expiring_count == 4
    card = redeem(issued[0].code, shop)
    services.void_coupon(coupon_id=issued[1].id, reason="发错了", actor=BOSS)
    services.lock_coupon(code=issued[2].code, lock_key="o", actor=BOSS)
    fold()
    assert (of().expiring_count, of(batch_id=soon).expiring_count, of(batch_id=later).expiring_count) == (
        2,
        2,
        0,
    )
    reverse(card.request_id)
    fold()
    assert of().expiring_count == 3
    check_folded()
    services.expire_coupons(actor=BOSS, at=clock.now() + dt.timedelta(days=30))
    fold()
    assert not CouponDue.objects.exclude(unused_count=0).exists()
    check_folded()


def test_dimensions_add_up_to_the_whole_and_name_their_rows(cast: Cast) -> None:
    dealer = guide_services.open_dealer(code="D1", name="锦绣商贸", actor=BOSS)
    shop = make_store("D01", "加盟店", cast.south.id, dealer_id=dealer.id)
    template = make_template(title="满减券")
    batches = [make_batch(template_id=template, name=name) for name in ("春", "秋")]
    guide = guide_services.hire_guide(number="D9", name="周敏", store_id=shop.id, role="guide", actor=BOSS)
    for number, member in enumerate(make_members(6)):
        who = (cast.lina, guide, None)[number % 3]
        issued = issue(batches[number % 2], member, who)
        redeem(issued.code, (cast.store.id, shop.id)[number // 3])
    fold()

    def lines(by: Any, **values: Any) -> dict[str, tuple[int, int]]:
        found = selectors.list_stats(StatsQuery(**values), by=by)
        return {line.label: (line.numbers.issued_count, line.numbers.redeemed_count) for line in found}

    assert lines("batch") == {"春": (3, 3), "秋": (3, 3)}
    assert lines("template") == {"满减券": (6, 6)}
    assert lines("door") == {"导购发放": (4, 4), "系统发放": (2, 2)}
    assert lines("guide") == {"李娜（T001）": (2, 2), "周敏（D9）": (2, 2), "不是导购发的": (2, 2)}
    assert lines("store") == {"南京东路店": (2, 2), "加盟店": (2, 2), "没有门店": (2, 2)}
    assert lines("region") == {"华东大区": (2, 2), "华南大区": (2, 2), "没有门店": (2, 2)}
    assert lines("dealer") == {"直营": (2, 2), "锦绣商贸": (2, 2), "没有门店": (2, 2)}
    assert lines("store", side="redeemed") == {"南京东路店": (0, 3), "加盟店": (0, 3)}
    assert lines("guide", side="redeemed") == {"没有登记导购": (0, 6)}
    assert lines("dealer", side="redeemed") == {"直营": (0, 3), "锦绣商贸": (0, 3)}
    assert lines("batch", dealer_id=dealer.id) == {"春": (1, 1), "秋": (1, 1)}
    assert lines("store", region_id=cast.root.id) == {"南京东路店": (2, 2), "加盟店": (2, 2)}
    assert lines("store", region_id=cast.south.id, side="redeemed") == {"加盟店": (0, 3)}
    assert lines("guide", store_ids=frozenset({shop.id})) == {"周敏（D9）": (2, 2)}
    assert lines("guide", store_ids=frozenset({shop.id}), store_id=cast.store.id) == {}
    assert of(template_id=template).issued_count == 6


def test_batches_of_one_name_are_told_apart() -> None:
    templates = [make_template(title=title) for title in ("满减券", "满减券", "折扣券")]
    batches = [make_batch(template_id=one, name="活动") for one in templates]
    batches.append(make_batch(template_id=templates[0], name="别的"))
    for batch, member in zip(batches, make_members(4), strict=True):
        issue(batch, member, None)
    fold()
    labels = {line.label for line in selectors.list_stats(StatsQuery(), by="batch")}
    first, second = batches[:2]
    assert labels == {f"活动（满减券） #{first}", f"活动（满减券） #{second}", "活动（折扣券）", "别的"}


def test_months_and_the_days_beside_them_say_what_the_days_alone_say(cast: Cast) -> None:
    """Any span: whole months, parts of one, edges of two, open ends, today inside and outside."""
    now = at_shanghai("2026-11-20 12:00")
    moments = [
        at_shanghai(day)
        for day in (
            "2026-08-31 23:59", "2026-09-01 00:00", "2026-09-30 23:59", "2026-10-15 12:00", "2026-10-31 23:59",
            "2026-11-01 00:00", "2026-11-20 11:00",
        )
    ]  # fmt: skip
    with time_machine.travel(now, tick=False):
        batches = [make_batch(at=moments[0], member_limit=50) for _number in range(2)]
        guides = (cast.lina, cast.wangfang, None)
        for number, moment in enumerate(moments):
            [member] = make_members(1)
            issue(batches[number % 2], member, guides[number % 3], at=moment)
            other = issue(batches[number % 2], make_members(1)[0], guides[(number + 1) % 3], at=moment)
            redeem(other.code, (cast.store.id, cast.other_store.id)[number % 2], at=moment)
        fold()
        check_folded()
        days = [None, *(dt.date(2026, *day) for day in _EDGES)]
        asked = [(since, until) for since in days for until in days]
        for side, by, filters in _QUESTIONS:
            values = {name: getattr(cast, value).id for name, value in filters.items()}
            for since, until in asked:
                query = StatsQuery(since=since, until=until, side=side, **values)  # type: ignore[arg-type]
                found = {
                    line.key: (line.numbers.issued_count, line.numbers.redeemed_count, line.numbers.sales_fen)
                    for line in selectors.list_stats(query, by=by)  # type: ignore[arg-type]
                }
                told = {key: sums for key, sums in found.items() if any(sums)}
                assert told == _by_days(query, by), (query, by)


_EDGES = ((8, 31), (9, 1), (9, 2), (9, 30), (10, 1), (10, 31), (11, 1), (11, 19), (11, 20), (11, 30), (12, 1))
_QUESTIONS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("issued", "store", {}),
    ("issued", "guide", {"store_id": "store"}),
    ("issued", "door", {"guide_id": "lina"}),
    ("redeemed", "store", {}),
    ("redeemed", "guide", {}),
    ("redeemed", "batch", {"store_id": "other_store"}),
    ("issued", "day", {"guide_id": "lina"}),
)


def _by_days(query: StatsQuery, by: str) -> dict[str, tuple[int, int, int]]:
    """The numbers of a question from the rows of days, one by one."""
    is_till = query.side == "redeemed"
    whole: dict[str, list[int]] = {}
    for row in CouponDay.objects.all():
        store, guide = (
            (row.redeemed_store_id, row.redeemed_guide_id) if is_till else (row.issued_store_id, row.guide_id)
        )
        if (query.since is not None and row.day < query.since) or (
            query.until is not None and row.day > query.until
        ):
            continue
        if query.store_id not in {None, store} or query.guide_id not in {None, guide}:
            continue
        if is_till and by in {"store", "guide"} and not row.redeemed_store_id:
            continue
        keys = {"store": store, "guide": guide, "door": row.door, "batch": row.batch_id, "day": row.day}
        sums = whole.setdefault(str(keys[by]), [0, 0, 0])
        for place, value in enumerate((row.issued_count, row.redeemed_count, row.sales_fen)):
            sums[place] += value
    return {key: (sums[0], sums[1], sums[2]) for key, sums in whole.items() if any(sums)}


def test_the_rows_behind_a_number_are_its_own(cast: Cast) -> None:
    yesterday = clock.now() - dt.timedelta(days=1)
    batch, members = make_batch(at=yesterday), make_members(4)
    before = [issue(batch, member, cast.lina, at=yesterday) for member in members[:2]]
    after = [issue(batch, member, cast.wangfang) for member in members[2:]]
    redeem(before[0].code, cast.other_store.id)
    fold()
    day = clock.business_day(yesterday)
    found = selectors.list_issued(StatsQuery(since=day, until=day))
    assert {line.coupon_id for line in found} == {one.id for one in before}
    found = selectors.list_issued(StatsQuery(guide_id=cast.wangfang.id), limit=1)
    assert [line.coupon_id for line in found] == [after[1].id]
    assert selectors.list_issued(StatsQuery(side="redeemed")) == ()
    assert selectors.list_issued(StatsQuery(batch_id=make_batch())) == ()
    [entry] = selectors.list_entries(StatsQuery(side="redeemed", store_id=cast.other_store.id))
    assert (entry.code, entry.discount_fen) == (before[0].code, 3_000)
    assert selectors.list_entries(StatsQuery(side="redeemed", store_id=cast.store.id)) == ()
    assert len(selectors.list_entries(StatsQuery(guide_id=cast.lina.id))) == 1


def test_numbers_say_how_fresh_they_are() -> None:
    assert selectors.folded_until() is None
    began = clock.now()
    fold()
    until = selectors.folded_until()
    assert until is not None
    assert until >= began


def test_slices_smaller_than_what_waits_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.stats, "SLICE", 3)
    monkeypatch.setattr(services.stats_proof, "SLICE", 3)
    batch, shop = make_batch(), make_shop()
    for member in make_members(8):
        redeem(claim(batch, member).code, shop)
    fold()
    check_folded()
    assert services.prove_stats(actor=BOSS).wrong_count == 0


def test_the_proof_finds_and_repairs_what_somebody_damaged() -> None:
    batch, shop = make_batch(), make_shop()
    for member in make_members(3):
        redeem(claim(batch, member).code, shop)
    fold()
    assert services.prove_stats(actor=BOSS).wrong_count == 0
    CouponDay.objects.filter(redeemed_count=3).update(discount_fen=1)
    CouponDayTotal.objects.all().update(sales_fen=5, last_coupon_id=1)
    CouponDue.objects.all().delete()
    CouponDay.objects.create(
        day=clock.today(), batch_id=987, door="claim", guide_id=0, issued_store_id=0, redeemed_store_id=0,
        redeemed_guide_id=0, issued_count=9,
    )  # fmt: skip
    claim(batch, make_members(1)[0])  # not folded yet: no damage
    report = services.prove_stats(actor=BOSS)
    assert report.wrong_count == 3
    assert {row["table"] for row in report.wrong_rows} == {"day", "total"}
    extra = next(row for row in report.wrong_rows if row["batch_id"] == 987)
    assert (extra["stored"], extra["is_extra"]) == ([9, 0, 0, 0, 0, 0, 0], True)
    newest = StatsProof.objects.order_by("-pk")[0]
    assert (newest.wrong_count, len(newest.wrong_rows)) == (3, 3)
    fold()
    check_folded()
    assert services.prove_stats(actor=BOSS).wrong_count == 0


def test_a_lost_row_is_put_back_by_the_proof() -> None:
    claim(make_batch(), make_members(1)[0])
    fold()
    CouponDue.objects.all().delete()
    CouponDay.objects.all().delete()
    CouponMonth.objects.filter(side="issued").delete()
    assert services.prove_stats(actor=BOSS).wrong_count == 3
    check_folded()


def test_the_proof_runs_once_a_night() -> None:
    night = at_shanghai("2026-11-20 03:05")
    assert not services.prove_stats_when_due(actor=BOSS, at=night - dt.timedelta(hours=1))
    assert services.prove_stats_when_due(actor=BOSS, at=night)
    assert not services.prove_stats_when_due(actor=BOSS, at=night + dt.timedelta(hours=5))
    assert services.prove_stats_when_due(actor=BOSS, at=night + dt.timedelta(days=1))


def test_a_cursor_never_moves_back() -> None:
    claim(make_batch(), make_members(1)[0])
    fold()
    before = dict(FactCursor.objects.values_list("source", "last_id"))
    fold()
    assert dict(FactCursor.objects.values_list("source", "last_id")) == before


STEPS = st.lists(
    st.tuples(st.sampled_from(["issue", "redeem", "back", "return", "void", "expire", "day", "fold", "lock"]), st.integers(0, 9)),
    min_size=4,
    max_size=24,
)  # fmt: skip


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_the_numbers_are_a_group_by_of_the_facts_after_anything(
    cast: Cast, steps: list[tuple[str, int]]
) -> None:
    play = _Play(cast)
    for step, nth in steps:
        getattr(play, f"do_{step}")(nth)
    fold()
    check_folded()
    assert services.prove_stats(actor=BOSS).wrong_count == 0


class _Play:
    """A batch, two stores, two guides; coupons come, go and come back while days pass."""

    def __init__(self, cast: Cast) -> None:
        self.at = clock.now()
        self.cast = cast
        self.batch = make_batch(template_id=make_template(valid_days=2), at=self.at)
        self.issued: list[Any] = []
        self.cards: list[Any] = []

    def _try(self, call: Any, **values: Any) -> Any:
        try:
            return call(at=self.at, **values)
        except Refusal:
            return None

    def do_issue(self, nth: int) -> None:
        guide = (None, self.cast.lina, self.cast.chenjing)[nth % 3]
        member = (self.cast.xiaomei.id, self.cast.xiaoli.id)[nth % 2]
        self.issued.append(issue(self.batch, member, guide, at=self.at))

    def do_redeem(self, nth: int) -> None:
        if self.issued:
            store = (self.cast.store.id, self.cast.other_store.id)[nth % 2]
            code = self.issued[nth % len(self.issued)].code
            card = self._try(lambda at: redeem(code, store, at=at, amount_fen=10_000 + nth))
            self.cards += [card] if card else []

    def do_back(self, nth: int) -> None:
        if self.cards:
            self._try(lambda at: reverse(self.cards[nth % len(self.cards)].request_id, at=at))

    def do_return(self, nth: int) -> None:
        if self.cards:
            row = Redemption.objects.get(pk=self.cards[nth % len(self.cards)].id)
            if row.reversed_at is None:
                self._try(
                    lambda at: note_return(redemption=row, sales_fen=997 * nth, discount_fen=101 * nth, at=at)
                )

    def do_void(self, nth: int) -> None:
        if self.issued:
            self._try(
                lambda at: services.void_coupon(
                    coupon_id=self.issued[nth % len(self.issued)].id, reason="发错了", actor=BOSS, at=at
                )
            )

    def do_lock(self, nth: int) -> None:
        if self.issued:
            code = self.issued[nth % len(self.issued)].code
            self._try(lambda at: services.lock_coupon(code=code, lock_key="o", actor=BOSS, at=at))

    def do_expire(self, nth: int) -> None:
        services.expire_coupons(actor=BOSS, at=self.at)

    def do_day(self, nth: int) -> None:
        self.at += dt.timedelta(hours=7 * nth)

    def do_fold(self, nth: int) -> None:
        fold()


def test_entries_of_a_redemption_are_what_its_own_row_says() -> None:
    card = redeem(claim(make_batch(), make_members(1)[0]).code, make_shop())
    assert list(
        RedemptionEntry.objects.values_list("redemption_id", "what", "sales_fen", "discount_fen")
    ) == [(card.id, "redeemed", 20_000, 3_000)]
