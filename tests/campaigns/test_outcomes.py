"""What came of the members of a run: counted from launch, followed as documents come, frozen at the end."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from campaigns import services
from campaigns.models import (
    CampaignBook,
    CampaignMember,
    CampaignOutcome,
    CampaignRun,
    CampaignTotal,
    OutcomeTouch,
    Reach,
)
from campaigns.services import outcome_passes
from campaigns.services.outcome_passes import SETTLING
from core import clock
from coupons import services as coupon_services
from members import services as member_services
from members.models import MemberMerge
from members.services.behaviour_partitions import make_partitions, month_of
from tests.campaigns import outcome_kit as kit
from tests.campaigns.outcome_kit import (
    DAY,
    make_campaign,
    make_members,
    make_run,
    outcome,
    put_in,
    sell,
    totals_of,
    work,
)
from tests.cast import DIRECTOR, Cast
from tests.coupons import kit as coupon_kit
from tests.sales.kit import back, key_of, line, order, tell
from tests.threads import at_once

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def buys(cast: Cast, order_no: str, *lines: Any, **other: Any) -> None:
    tell(order(order_no, *lines, **({"member": key_of(cast.xiaomei), "sold_at": clock.now() - HOUR} | other)))


def numbers(run: Any, member_id: int) -> tuple[int, int, int]:
    row = outcome(run, member_id)
    return row.order_count, row.unit_count, row.amount_fen


def test_both_groups_are_counted_from_launch(cast: Cast) -> None:
    """Also her who had not been served yet when she bought, and her whom the acts refused: she was meant to have it."""
    run = make_run()
    waiting, refused, control, before, after = make_members(5)
    put_in(run, [waiting, before, after], state="waiting")
    put_in(run, [refused], state="refused", code="no_consent")
    put_in(run, [control], letter="")
    launched = run.launched_at
    assert launched is not None
    assert run.window_ends_at is not None
    sell([waiting, refused, control], cast.store.id, at=launched)
    sell([before], cast.store.id, at=launched - dt.timedelta(seconds=1))
    sell([after], cast.store.id, at=run.window_ends_at)
    work()
    assert [outcome(run, pk).order_count for pk in (waiting, refused, control, before, after)] == [
        1,
        1,
        1,
        0,
        0,
    ]
    assert [outcome(run, pk).orders_before for pk in (waiting, before)] == [0, 1]
    sums = {row.letter: row for row in CampaignTotal.objects.filter(run=run)}
    assert (sums["A"].member_count, sums["A"].buyer_count, sums["A"].amount_fen) == (4, 2, 20_000)
    assert (sums[""].member_count, sums[""].goal_count) == (1, 1)
    assert sums["A"].amount_squares == 2 * 10_000**2


def test_late_orders_corrections_and_returns_are_followed(cast: Cast) -> None:
    she = cast.xiaomei.id
    run = make_run()
    put_in(run, [she])
    work()
    assert numbers(run, she) == (0, 0, 0)
    buys(cast, "O1", line(amount_fen=10_000), line("B2", 20_000))
    assert OutcomeTouch.objects.filter(member_id=she).exists()
    work()
    assert numbers(run, she) == (1, 2, 30_000)
    tell(back("R1", order_no="O1"))
    work()
    assert numbers(run, she) == (1, 1, 20_000)
    buys(cast, "O1", line(amount_fen=50_000), line("B2", 20_000), revision=1)
    work()
    assert outcome(run, she).amount_fen >= 60_000
    # Another's correction takes the order away from her.
    tell(order("O1", line(amount_fen=10_000), line("B2", 20_000), revision=2, sold_at=clock.now() - HOUR))
    work()
    assert numbers(run, she) == (0, 0, 0)
    assert outcome(run, she).goal_at is None
    assert not OutcomeTouch.objects.exists()


def test_nobody_is_noted_who_is_in_no_campaign_or_while_none_is_counted(cast: Cast) -> None:
    buys(cast, "O1")
    assert not OutcomeTouch.objects.exists()
    run = make_run()
    put_in(run, [cast.xiaoli.id])
    work()
    buys(cast, "O2")
    assert not OutcomeTouch.objects.exists()
    buys(cast, "O3", member=key_of(cast.xiaoli))
    assert set(OutcomeTouch.objects.values_list("member_id", flat=True)) == {cast.xiaoli.id}


@pytest.mark.parametrize(
    ("measure", "counted"),
    [
        ({}, (2, 4, 70_000)),
        ({"least_fen": 30_000}, (1, 2, 50_000)),
        ({"categories": ["tops"]}, (2, 2, 30_000)),
        ({"products": ["B2"]}, (2, 2, 40_000)),
        ({"categories": ["tops"], "products": ["B2"]}, (0, 0, 0)),
        ({"categories": ["tops"], "least_fen": 15_000}, (1, 1, 20_000)),
        ({"products": ["nothing"]}, (0, 0, 0)),
    ],
)
def test_the_measure_says_whose_purchases_count(
    cast: Cast, measure: dict[str, Any], counted: tuple[int, int, int]
) -> None:
    run = make_run(make_campaign(measure=measure))
    put_in(run, [cast.xiaomei.id])
    buys(cast, "O1", line("A1", 10_000), line("B2", 10_000, category_code="bags"))
    buys(cast, "O2", line("A1", 20_000), line("B2", 30_000, category_code="bags"))
    work()
    assert numbers(run, cast.xiaomei.id) == counted


@pytest.mark.parametrize(
    ("goal", "days_before", "orders_before", "is_aimed"),
    [
        ("purchase", None, 0, True),
        ("second_purchase", 10, 1, True),
        ("second_purchase", 10, 2, False),
        ("second_purchase", None, 0, False),
        ("wake_up", 60, 1, True),
        ("wake_up", 300, 2, True),
        ("wake_up", 5, 1, False),
        ("wake_up", 400, 1, False),
        ("win_back", 400, 1, True),
        ("win_back", 60, 1, False),
        ("win_back", None, 0, False),
    ],
)
def test_goals_are_about_who_stood_so_at_launch(
    cast: Cast, goal: str, days_before: int | None, orders_before: int, is_aimed: bool
) -> None:
    run = make_run(make_campaign(goal=goal))
    [she] = make_members(1)
    put_in(run, [she])
    launched = run.launched_at
    assert launched is not None
    for each in range(orders_before):
        assert days_before is not None
        sell([she], cast.store.id, at=launched - (days_before + each) * DAY)
    sell([she], cast.store.id, at=launched + HOUR)
    work()
    row = outcome(run, she)
    assert (row.orders_before, row.is_aimed, row.goal_at is not None) == (orders_before, is_aimed, is_aimed)
    total = CampaignTotal.objects.get(run=run)
    assert (total.aimed_count, total.goal_count, total.buyer_count) == (int(is_aimed), int(is_aimed), 1)
    was = (total.once_count, total.asleep_count, total.lost_count)
    assert was == (total.second_count, total.woken_count, total.won_back_count)
    assert was[0] == (orders_before == 1)


def test_a_visit_counts_from_launch(cast: Cast) -> None:
    run = make_run(make_campaign(goal="visit"))
    put_in(run, [cast.xiaomei.id, cast.xiaoli.id])
    work()
    behaviour = apps.get_model("members", "Behaviour")
    at = clock.now()
    make_partitions(months=[month_of(at), month_of(at - 3 * DAY)])
    values = {"received_at": at, "kind": "page_viewed", "subject": "pages/index", "door": "mini"}
    for pk, happened in ((cast.xiaomei.id, at - HOUR), (cast.xiaoli.id, at - 3 * DAY)):
        behaviour.objects.create(member_id=pk, happened_at=happened, mark=_mark(pk), **values)
    work()
    assert outcome(run, cast.xiaomei.id).goal_at == at - HOUR
    assert outcome(run, cast.xiaoli.id).goal_at is None


def _mark(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def test_the_coupon_given_is_followed_to_its_redemption_and_back(cast: Cast) -> None:
    run = make_run(make_campaign(goal="redemption"))
    she = cast.xiaomei.id
    batch = coupon_kit.make_batch(10)
    issued = coupon_kit.claim(batch, she)
    put_in(run, [she], coupon_id=issued.id)
    put_in(run, [cast.xiaoli.id], letter="")
    work()
    assert (outcome(run, she).is_given, outcome(run, she).goal_at) == (True, None)
    coupon_services.redeem_coupon(
        code=issued.code, order=coupon_kit.order(cast.store.id), request_id="q1", actor=DIRECTOR
    )
    work()
    row = outcome(run, she)
    assert (row.discount_fen, row.goal_at) == (3_000, row.redeemed_at)
    assert row.redeemed_at is not None
    coupon_services.reverse_redemption(request_id="q1", reversal_key="q2", reason="退单", actor=DIRECTOR)
    work()
    row = outcome(run, she)
    assert (row.redeemed_at, row.discount_fen, row.goal_at) == (None, 0, None)


def test_what_became_of_the_message_stays_when_the_message_is_pruned(cast: Cast) -> None:
    run = make_run()
    at = clock.now()
    reach = Reach.objects.create(
        reason_key="c1", member_id=cast.xiaomei.id, topic="coupon_expiring", importance="marketing", channels="sms",
        state="delivered", queued_at=at, not_before=at, expires_at=at + DAY, sent_at=at, finished_at=at,
        cost_hundredths=450,
    )  # fmt: skip
    put_in(run, [cast.xiaomei.id], reach_id=reach.pk, clicked_at=at)
    work()
    reach.delete()
    services.recount_run(run_id=run.pk)
    row = outcome(run, cast.xiaomei.id)
    assert (row.is_sent, row.is_delivered, row.is_seen, row.is_clicked, row.cost_hundredths) == (
        True, True, True, True, 450,
    )  # fmt: skip


def test_a_run_is_frozen_when_late_returns_are_over(cast: Cast) -> None:
    campaign = make_campaign(window_days=3)
    run = make_run(campaign, launched_at=clock.now() - 3 * DAY - HOUR)
    put_in(run, [cast.xiaomei.id])
    buys(cast, "O1", line(amount_fen=10_000), line("B2", 20_000), sold_at=clock.now() - DAY)
    assert run.window_ends_at is not None
    ends = run.window_ends_at
    work(at=ends + SETTLING - HOUR)
    assert CampaignBook.objects.get(run=run).frozen_at is None
    tell(back("R1", order_no="O1"))
    work(at=ends + SETTLING)
    assert CampaignBook.objects.get(run=run).frozen_at == ends + SETTLING
    kept = kit.outcomes_of(run), totals_of(run)
    assert numbers(run, cast.xiaomei.id) == (1, 1, 20_000)
    buys(cast, "O9", sold_at=clock.now() - 2 * DAY)
    work(at=ends + SETTLING + DAY)
    assert (kit.outcomes_of(run), totals_of(run)) == kept


def test_a_window_that_moves_is_counted_anew(cast: Cast) -> None:
    run = make_run(make_campaign(window_days=1), launched_at=clock.now() - 3 * DAY)
    put_in(run, [cast.xiaomei.id])
    buys(cast, "O1")
    work()
    assert numbers(run, cast.xiaomei.id)[0] == 0
    run.window_ends_at = clock.now() + DAY
    run.save(update_fields=["window_ends_at"])
    work()
    assert numbers(run, cast.xiaomei.id)[0] == 1


def test_who_was_in_an_earlier_run_is_no_new_evidence(cast: Cast) -> None:
    campaign = make_campaign()
    people = make_members(4)
    put_in(make_run(campaign), people[:3])
    second = make_run(campaign, launched_at=clock.now() - HOUR)
    put_in(second, people[2:])
    work()
    assert CampaignBook.objects.get(run=second).repeat_count == 1


@pytest.mark.parametrize("seed", range(6))
def test_following_is_counting_from_scratch(cast: Cast, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders, returns, corrections, merges and partings in any order, worked off now and then, slice by slice, also before
    everybody has a row: the rows are what a count of everything says."""
    monkeypatch.setattr(outcome_passes, "SLICE_SIZE", 1)
    chance = random.Random(seed)
    runs = [make_run(make_campaign(goal=goal)) for goal in ("purchase", "second_purchase")]
    for run in runs:
        put_in(run, [cast.xiaomei.id])
        put_in(run, [cast.xiaoli.id], letter="")
    # Of this run one is merged from outside into it.
    put_in(runs[1], make_members(3))
    runs.append(make_run(make_campaign()))
    put_in(runs[2], [cast.xiaomei.id])
    if seed % 2:
        work()
    else:
        services.outcomes.open_books(at=clock.now())
    orders: list[str] = []
    for step in range(18):
        deed = chance.choice(
            ["order", "order", "return", "correct", "slice", "slice", "follow", "merge", "work"]
        )
        _do(cast, deed, step, orders, runs, chance)
    work(at=clock.now() + HOUR)
    followed = [(kit.outcomes_of(run), totals_of(run)) for run in runs]
    for run in runs:
        services.recount_run(run_id=run.pk)
    assert followed == [(kit.outcomes_of(run), totals_of(run)) for run in runs]
    assert [CampaignOutcome.objects.filter(run=run).count() for run in runs] == [
        CampaignMember.objects.filter(run=run).count() for run in runs
    ]


def _do(
    cast: Cast, deed: str, step: int, orders: list[str], runs: Sequence[CampaignRun], chance: random.Random
) -> None:
    people = [cast.xiaomei, cast.xiaoli]
    if deed == "order":
        orders.append(f"O{step}")
        sold_at = clock.now() - chance.choice([HOUR, 3 * DAY])
        who = key_of(chance.choice(people))
        tell(order(f"O{step}", line(), line("B2", 5_000), member=who, sold_at=sold_at))
    elif deed == "return" and orders:
        tell(back(f"R{step}", order_no=chance.choice(orders)))
    elif deed == "correct" and orders:
        tell(
            order(
                chance.choice(orders), line(amount_fen=7_000), line("B2", 5_000), revision=step + 1,
                member=key_of(chance.choice(people)), sold_at=clock.now() - HOUR,
            )
        )  # fmt: skip
    elif deed == "merge":
        _merge_or_part(cast)
    elif deed == "slice":
        services.outcomes.work_book(run_id=chance.choice(runs).pk, at=clock.now())
    elif deed == "follow":
        services.outcomes.follow_touched(at=clock.now())
    elif deed == "work":
        work()


def _merge_or_part(cast: Cast) -> None:
    live = MemberMerge.objects.live().first()
    if live is not None:
        member_services.undo_merge(merge_id=live.pk, actor=DIRECTOR)
    else:
        one, other = cast.xiaomei.id, cast.xiaoli.id
        member_services.merge_members(first_id=one, second_id=other, survivor_id=other, actor=DIRECTOR)


def test_a_run_is_begun_and_counted_slice_by_slice(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is bought between two slices is in it, whether her slice is over or still to come; a row is made once."""
    monkeypatch.setattr(outcome_passes, "SLICE_SIZE", 10)
    run = make_run()
    people = make_members(25)
    put_in(run, people)
    at = clock.now()
    services.outcomes.open_books(at=at)
    book = CampaignBook.objects.filter(run=run)
    seen: list[tuple[str, int]] = []
    bought: list[int] = []
    while services.outcomes.work_book(run_id=run.pk, at=at):
        row = book.get()
        seen.append((row.doing, row.done_count))
        if row.doing:
            buyers = [people[len(seen)], people[24 - len(seen)]]
            sell(buyers, cast.store.id, at=at - HOUR)
            bought += buyers
            if len(seen) % 2:
                services.outcomes.follow_touched(at=at)
    assert seen == [
        ("begin", 0), ("begin", 10), ("begin", 20), ("begin", 25), ("", 0),
        ("count", 0), ("count", 10), ("count", 20), ("count", 25), ("", 0),
    ]  # fmt: skip
    services.outcomes.follow_touched(at=at)
    rows = CampaignOutcome.objects.filter(run=run)
    assert rows.count() == 25
    counted = {row.member_id: row.order_count for row in rows if row.order_count}
    assert counted == Counter(bought)


def test_a_window_that_moves_while_it_is_counted_is_counted_anew(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome_passes, "SLICE_SIZE", 2)
    run = make_run(make_campaign(window_days=1), launched_at=clock.now() - 3 * DAY)
    people = make_members(5)
    put_in(run, people)
    sell(people, cast.store.id, at=clock.now() - HOUR)
    services.outcomes.open_books(at=clock.now())
    book = CampaignBook.objects.filter(run=run)
    while book.filter(doing="count", done_count=2).count() == 0:
        assert services.outcomes.work_book(run_id=run.pk, at=clock.now())
    run.window_ends_at = clock.now() + DAY
    run.save(update_fields=["window_ends_at"])
    work()
    assert CampaignTotal.objects.get(run=run).buyer_count == 5
    assert book.get().counted_until == run.window_ends_at


def test_an_order_that_a_correction_moves_to_another_store_stays_hers(cast: Cast) -> None:
    """A report's stores are those of the members, not of the tills: nothing moves but what the order was worth."""
    run = make_run()
    put_in(run, [cast.xiaomei.id], store_id=cast.store.id)
    put_in(run, [cast.xiaoli.id], store_id=cast.other_store.id)
    buys(cast, "O1", line(amount_fen=10_000))
    work()
    buys(cast, "O1", line(amount_fen=12_000), revision=1, store_code="T02")
    work(at=clock.now() + HOUR)
    assert numbers(run, cast.xiaomei.id) == (1, 1, 12_000)
    by_store = dict(CampaignTotal.objects.filter(run=run).values_list("store_id", "amount_fen"))
    assert by_store == {cast.store.id: 12_000, cast.other_store.id: 0}


def test_what_comes_back_after_the_end_changes_nothing(cast: Cast) -> None:
    """Nor does a correction, a merge or an erasure: a report says next year what it said."""
    run = make_run(make_campaign(window_days=1), launched_at=clock.now() - 2 * DAY)
    put_in(run, [cast.xiaomei.id, cast.xiaoli.id], store_id=cast.store.id)
    buys(cast, "O1", line(amount_fen=10_000), line("B2", 20_000), sold_at=clock.now() - DAY - HOUR)
    buys(cast, "O2", line(amount_fen=5_000), sold_at=clock.now() - DAY - HOUR, member=key_of(cast.xiaoli))
    assert run.window_ends_at is not None
    work(at=run.window_ends_at + SETTLING)
    assert CampaignBook.objects.get(run=run).frozen_at is not None
    kept = totals_of(run)
    tell(back("R1", order_no="O1"))
    buys(cast, "O2", line(amount_fen=9_000), revision=1, sold_at=clock.now() - DAY - HOUR)
    work(at=run.window_ends_at + SETTLING + HOUR)
    assert (numbers(run, cast.xiaomei.id), numbers(run, cast.xiaoli.id)) == ((1, 2, 30_000), (1, 1, 5_000))
    member_services.erase_member(member_id=cast.xiaoli.id, reason="own_wish", actor=DIRECTOR)
    work(at=run.window_ends_at + SETTLING + 2 * HOUR)
    assert totals_of(run) == kept
    assert not OutcomeTouch.objects.exists()


def test_two_of_a_run_who_turn_out_to_be_one_are_one_in_it(cast: Cast) -> None:
    """She stays in the group of the place that stays, with what both bought; the report has one member less."""
    run = make_run()
    put_in(run, [cast.xiaomei.id], store_id=cast.store.id)
    put_in(run, [cast.xiaoli.id], letter="", store_id=cast.store.id)
    buys(cast, "O1", line(amount_fen=10_000))
    buys(cast, "O2", line(amount_fen=5_000), member=key_of(cast.xiaoli))
    work()
    _merge_or_part(cast)
    work(at=clock.now() + HOUR)
    assert numbers(run, cast.xiaoli.id) == (2, 2, 15_000)
    [total] = CampaignTotal.objects.filter(run=run)
    assert (total.letter, total.member_count, total.buyer_count, total.amount_fen) == ("", 1, 1, 15_000)
    _merge_or_part(cast)
    work(at=clock.now() + 2 * HOUR)
    assert (numbers(run, cast.xiaomei.id), numbers(run, cast.xiaoli.id)) == ((1, 1, 10_000), (1, 1, 5_000))
    assert CampaignTotal.objects.filter(run=run).count() == 2


@pytest.mark.parametrize("slices", range(1, 7))
def test_who_is_erased_or_merged_while_a_run_is_counted_is_in_it_as_she_should(
    cast: Cast, slices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many slices of one member each: her figures stay where they were counted already, and her row is nobody's."""
    monkeypatch.setattr(outcome_passes, "SLICE_SIZE", 1)
    run = make_run()
    others = make_members(2)
    put_in(run, [*others, cast.xiaomei.id])
    buys(cast, "O1", line(amount_fen=10_000))
    services.outcomes.open_books(at=clock.now())
    for _each in range(slices):
        services.outcomes.work_book(run_id=run.pk, at=clock.now())
    _merge_or_part(cast)
    member_services.erase_member(member_id=others[0], reason="own_wish", actor=DIRECTOR)
    work(at=clock.now() + HOUR)
    known = CampaignOutcome.objects.filter(run=run, member_id__isnull=False)
    assert set(known.values_list("member_id", flat=True)) == {others[1], cast.xiaoli.id}
    assert numbers(run, cast.xiaoli.id) == (1, 1, 10_000)
    assert CampaignBook.objects.get(run=run).doing == ""


def test_whoever_is_erased_leaves_the_figures(cast: Cast) -> None:
    run = make_run()
    put_in(run, [cast.xiaomei.id], store_id=cast.store.id)
    buys(cast, "O1")
    work()
    before = totals_of(run)
    member_services.erase_member(member_id=cast.xiaomei.id, reason="own_wish", actor=DIRECTOR)
    assert not CampaignOutcome.objects.filter(member_id=cast.xiaomei.id).exists()
    services.recount_run(run_id=run.pk)
    assert totals_of(run) == before


@pytest.mark.django_db(transaction=True)
def test_an_order_under_way_when_the_book_is_opened_is_not_missed(cast: Cast) -> None:
    """Its trigger saw no book, so it left no note: the first count waits until it has ended."""
    run = make_run()
    put_in(run, [cast.xiaomei.id])
    with transaction.atomic():
        sell([cast.xiaomei.id], cast.store.id, at=clock.now() - HOUR)
        assert not OutcomeTouch.objects.exists()
        [begun] = at_once([lambda: services.work_outcomes()])
        assert begun == 0
        assert CampaignBook.objects.get(run=run).begun_at is None
    work()
    assert numbers(run, cast.xiaomei.id) == (1, 1, 10_000)


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_a_run_and_count_nothing_twice(cast: Cast) -> None:
    run = make_run()
    people = make_members(40)
    put_in(run, people)
    at_once([lambda: services.work_outcomes()] * 3)
    sell(people[:20], cast.store.id, at=clock.now() - HOUR)
    at_once([lambda: services.work_outcomes()] * 4)
    work(at=clock.now() + HOUR)
    total = CampaignTotal.objects.get(run=run)
    assert (total.member_count, total.buyer_count, total.amount_fen) == (40, 20, 200_000)
