"""Folding beside people who write: nothing is lost, nothing counts twice; each with the way that would lose it."""

import datetime as dt
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Max, Sum

from core.horizons import complete_until
from coupons import services
from coupons.models import Coupon, CouponDay, CouponDayTotal, FactCursor
from tests.coupons.kit import BOSS, claim, make_batch, make_members, make_shop
from tests.coupons.stats_kit import check_folded, fold, redeem, reverse
from tests.killed_job import killed_while_waiting
from tests.stack import wait_until
from tests.threads import at_once, somebody_asks_for_writers

pytestmark = pytest.mark.django_db(transaction=True)


class LateWriter:
    """Claims in a transaction of its own that stays open until it is told to commit."""

    def __init__(self, batch: int, member: int) -> None:
        self.written, self.told = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, args=(batch, member))

    def _run(self, batch: int, member: int) -> None:
        try:
            with transaction.atomic():
                claim(batch, member)
                self.written.set()
                self.told.wait(timeout=60)
        finally:
            connection.close()

    def __enter__(self) -> "LateWriter":
        self.thread.start()
        assert self.written.wait(timeout=30)
        return self

    def __exit__(self, *_error: object) -> None:
        self.commit()

    def commit(self) -> None:
        self.told.set()
        self.thread.join(timeout=30)


def counted() -> int:
    return int(CouponDay.objects.aggregate(n=Sum("issued_count", default=0))["n"])


def test_a_watermark_of_ids_loses_what_commits_late() -> None:
    """The twin: who remembers the greatest id she saw never comes back for the smaller one."""
    batch, (first, second, third) = make_batch(), make_members(3)
    seen = 0

    def naive() -> int:
        nonlocal seen
        rows = Coupon.objects.filter(pk__gt=seen)
        count = rows.count()
        seen = rows.aggregate(top=Max("pk"))["top"] or seen
        return count

    with LateWriter(batch, first):
        claim(batch, second)
        found = naive()
    claim(batch, third)
    found += naive()
    assert (Coupon.objects.count(), found) == (3, 2)


def test_a_late_writer_is_waited_for() -> None:
    batch, (first, second) = make_batch(), make_members(2)
    with LateWriter(batch, first) as late:
        claim(batch, second)

        def commit_when_waited_for() -> None:
            wait_until(somebody_asks_for_writers, what="the look at who writes")
            late.told.set()

        patient = partial(services.fold_stats, patience=dt.timedelta(seconds=60), actor=BOSS)
        run, _none = at_once([patient, commit_when_waited_for])
        assert run.is_whole
    assert counted() == 2
    check_folded()


def test_a_writer_who_needs_too_long_is_left_to_the_next_run() -> None:
    batch, (first, second) = make_batch(), make_members(2)
    with LateWriter(batch, first):
        claim(batch, second)
        run = services.fold_stats(patience=dt.timedelta(0), actor=BOSS)
        assert (run.is_whole, counted()) == (False, 0)
    fold()
    assert counted() == 2
    check_folded()


def test_who_begins_after_the_look_is_not_waited_for() -> None:
    """Only writers of that moment matter: a stream of new ones never holds the job up."""
    batch, members = make_batch(), make_members(3)
    claim(batch, members[0])
    with LateWriter(batch, members[1]) as late:
        answers: list[Any] = []

        def run() -> None:
            answers.append(complete_until("coupons_coupon", patience=dt.timedelta(seconds=60)))
            connection.close()

        look = threading.Thread(target=run)
        look.start()
        wait_until(somebody_asks_for_writers, what="the first look at who writes")
        with LateWriter(batch, members[2]):
            late.commit()
            look.join(timeout=40)
            assert len(answers) == 1
    assert answers[0][0] == Coupon.objects.order_by("pk")[0].pk


def test_writers_and_folds_at_once_end_in_the_truth() -> None:
    batch, shop, members = make_batch(400), make_shop(), make_members(12)

    def trade(member: int) -> None:
        for turn in range(4):
            card = redeem(claim(batch, member).code, shop)
            if turn % 2:
                reverse(card.request_id)

    folds: list[Callable[[], Any]] = [partial(services.fold_stats, actor=BOSS) for _ in range(4)]
    answers = at_once([*(partial(trade, member) for member in members), *folds])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    fold()
    check_folded()
    assert (counted(), CouponDay.objects.aggregate(n=Sum("reversed_count"))["n"]) == (48, 24)


def test_without_the_cursors_lock_two_folds_count_twice() -> None:
    """The twin: both read where the last run stood, then both add."""
    batch = make_batch()
    for member in make_members(3):
        claim(batch, member)
    looked = threading.Barrier(2)

    def careless() -> None:
        after = FactCursor.objects.filter(source="coupons").values_list("last_id", flat=True).first() or 0
        top = Coupon.objects.aggregate(top=Max("pk"))["top"]
        looked.wait(timeout=30)
        statement = services.stats_sql.fold_statement(source="coupons", tables=services.stats_sql.ROLL_UPS)
        with connection.cursor() as cursor:
            cursor.execute(statement, {"after": after, "until": top})

    assert at_once([careless, careless]) == [None, None]
    assert counted() == 6


def test_two_folds_at_once_count_once() -> None:
    batch = make_batch()
    for member in make_members(5):
        claim(batch, member)
    at_once([partial(services.fold_stats, actor=BOSS)] * 4)
    assert counted() == 5
    check_folded()


def test_a_fold_killed_by_the_kernel_has_added_nothing_and_the_next_one_adds_all() -> None:
    batch, members = make_batch(), make_members(6)
    claim(batch, members[0])
    fold()
    for member in members[1:]:
        claim(batch, member)
    job = (
        "from core.actor import Actor; from coupons import services; from coupons.services import stats; "
        "stats.SLICE = 3; services.fold_stats(actor=Actor.system('job'))"
    )
    # The day's row is there already: the first slice that is not empty has to add to it.
    with killed_while_waiting(job, lock="SELECT 1 FROM coupons_couponday FOR UPDATE"):
        assert counted() == 1
    fold()
    assert counted() == 6
    check_folded()


def test_a_proof_beside_writers_and_folds_finds_nothing_wrong() -> None:
    batch, shop, members = make_batch(200), make_shop(), make_members(6)

    def trade(member: int) -> None:
        for _turn in range(4):
            redeem(claim(batch, member).code, shop)

    prove = partial(services.prove_stats, actor=BOSS)
    calls: list[Callable[[], Any]] = [partial(services.fold_stats, actor=BOSS), prove, prove]
    answers = at_once([*(partial(trade, member) for member in members), *calls])
    assert [answers[-1].wrong_count, answers[-2].wrong_count] == [0, 0]
    fold()
    check_folded()
    assert CouponDayTotal.objects.aggregate(n=Sum("issued_count"))["n"] == 24
