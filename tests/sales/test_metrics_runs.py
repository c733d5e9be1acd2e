"""Runs over all members: killed half-way, while sales arrive, across midnight and the end of a month."""

import dataclasses
import datetime as dt
import threading
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from core import clock
from core.clock import SHANGHAI
from core.models import AuditEntry
from members import services as member_services
from sales import selectors, services
from sales.models import MemberMetrics, MetricsRun, MetricsTouch, RfmMonth
from sales.services import metrics
from tests.cast import Cast
from tests.sales.kit import TILL, back, key_of, line, order, tell
from tests.sales.metrics_kit import expected, stored


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), SHANGHAI)


def assert_agrees(member_id: int, day: dt.date) -> None:
    assert stored(member_id) == expected(member_id, day)


@pytest.mark.django_db
def test_a_run_that_was_killed_goes_on_where_it_was(cast: Cast) -> None:
    tell(order("O1", member=key_of(cast.xiaomei)), order("O2", member=key_of(cast.xiaoli)))
    services.rebuild_member_metrics(actor=TILL)
    # As a process leaves it that dies after the slice of 小美: what it had not come to is not done.
    first, second = sorted((cast.xiaomei.id, cast.xiaoli.id))
    MemberMetrics.objects.all().update(amount_fen=1)
    MetricsRun.objects.update(
        cursor=first, finished_at=None, member_count=1, added_count=0, slid_count=0, wrong_count=0
    )
    report = services.work_metrics_runs(actor=TILL, slice_size=1)
    assert (report.member_count, report.wrong_count) == (1, 1)
    assert_agrees(second, clock.today())
    assert MemberMetrics.objects.get(pk=first).amount_fen == 1
    run = MetricsRun.objects.get()
    assert run.finished_at is not None
    assert run.member_count == 2
    assert services.work_metrics_runs(actor=TILL).member_count == 0


@pytest.mark.django_db
def test_a_row_that_lies_is_put_right_and_told(cast: Cast) -> None:
    tell(order("O1", member=key_of(cast.xiaomei)))
    MemberMetrics.objects.filter(pk=cast.xiaomei.id).update(amount_fen=1)
    report = services.rebuild_member_metrics(actor=TILL)
    assert report.wrong_count == 1
    assert MetricsRun.objects.get().wrong_rows == [cast.xiaomei.id]
    assert AuditEntry.objects.filter(action="sales.metrics_mended").count() == 1
    assert_agrees(cast.xiaomei.id, clock.today())


@pytest.mark.django_db
def test_days_pass_and_only_what_they_change_is_written(cast: Cast) -> None:
    start = dt.date(2026, 11, 28)
    with time_machine.travel(noon(start), tick=False):
        tell(order("O1", member=key_of(cast.xiaomei), sold_at=noon(start) - dt.timedelta(hours=1)))
        services.rebuild_member_metrics(actor=TILL)
    changed: list[dt.date] = []
    for number in range(1, 400):
        day = start + dt.timedelta(days=number)
        if number % 3 and number not in (29, 30, 31, 364, 365, 366):
            continue
        report = services.rebuild_member_metrics(actor=TILL, at=noon(day))
        assert report.wrong_count == 0
        assert_agrees(cast.xiaomei.id, day)
        if report.slid_count:
            changed.append(day)
    assert 5 < len(changed) < 40  # months and thresholds, not days
    row = MemberMetrics.objects.get(pk=cast.xiaomei.id)
    assert (row.stage, row.year_order_count, row.order_count) == ("lost", 0, 1)


@pytest.mark.django_db
def test_the_first_night_of_a_month_tells_how_the_last_one_ended(cast: Cast) -> None:
    end = dt.date(2026, 11, 30)
    with time_machine.travel(noon(end), tick=False):
        tell(
            order(
                "O1",
                line("A1", 2_000_000),
                member=key_of(cast.xiaomei),
                sold_at=noon(end) - dt.timedelta(hours=1),
            )
        )
        services.rebuild_member_metrics(actor=TILL)
    stood = MemberMetrics.objects.get(pk=cast.xiaomei.id).rfm_group
    # Ten past midnight in Shanghai is still the day before in UTC. She buys before the run comes to her.
    midnight = dt.datetime(2026, 12, 1, 0, 10, tzinfo=SHANGHAI)
    with time_machine.travel(midnight, tick=False):
        tell(
            *(
                order(f"O{n}", line("A1", 500_000), member=key_of(cast.xiaomei), sold_at=midnight)
                for n in range(2, 6)
            )
        )
        services.rebuild_member_metrics(actor=TILL)
        row = MemberMetrics.objects.get(pk=cast.xiaomei.id)
        assert row.before_group == stood
        assert row.rfm_group != stood
        month = RfmMonth.objects.get()
        assert (month.month_on, month.store_id, month.rfm_group, month.member_count) == (
            dt.date(2026, 11, 1), cast.store.id, stood, 1,
        )  # fmt: skip
        # Again the same night: nothing is counted twice.
        services.rebuild_member_metrics(actor=TILL)
        assert RfmMonth.objects.get().member_count == 1
        assert selectors.list_moves(MemberMetrics.objects.all()) == {(stood, row.rfm_group): 1}


@pytest.mark.django_db
def test_a_large_batch_is_counted_within_seconds(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_AT_ONCE", 1)
    tell(order("O1", member=key_of(cast.xiaomei)), order("O2", member=key_of(cast.xiaoli)))
    assert MetricsTouch.objects.count() == 2
    assert services.rebuild_member_metrics(actor=TILL).wrong_count == 0
    assert services.fold_touched_members(actor=TILL) == 2
    assert services.fold_touched_members(actor=TILL) == 0
    for member in (cast.xiaomei, cast.xiaoli):
        assert_agrees(member.id, clock.today())


@pytest.mark.django_db
def test_an_order_that_came_back_whole_is_no_purchase_and_an_erased_member_has_no_numbers(cast: Cast) -> None:
    tell(order("O1", member=key_of(cast.xiaomei)), back("R1", order_no="O1"))
    assert MemberMetrics.objects.get(pk=cast.xiaomei.id).order_count == 0
    tell(order("O2", member=key_of(cast.xiaoli)))
    member_services.erase_member(member_id=cast.xiaoli.id, reason="own_wish", actor=TILL)
    assert not MemberMetrics.objects.filter(pk=cast.xiaoli.id).exists()
    services.rebuild_member_metrics(actor=TILL)
    assert not MemberMetrics.objects.filter(pk=cast.xiaoli.id).exists()


@pytest.mark.django_db(transaction=True)
def test_a_run_passes_a_booking_under_way_and_overwrites_nothing(cast: Cast) -> None:
    tell(order("O1", member=key_of(cast.xiaomei)))
    MemberMetrics.objects.filter(pk=cast.xiaomei.id).update(amount_fen=1)
    reports: list[Any] = []

    def run() -> None:
        try:
            reports.append(services.rebuild_member_metrics(actor=TILL))
        finally:
            connection.close()

    with transaction.atomic():
        tell(order("O2", member=key_of(cast.xiaomei)), order("O3", member=key_of(cast.xiaoli)))
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()  # it waited for nobody
    assert reports[0].wrong_count == 0
    for member in (cast.xiaomei, cast.xiaoli):
        assert_agrees(member.id, clock.today())


@pytest.mark.django_db
def test_a_slice_reads_its_own_members_and_not_all(cast: Cast) -> None:
    many, size = 6_000, 100
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source,
                                        source_scene, is_following, registered_at)
            SELECT 'm' || n, 'm' || n, 'member', '', '{}', '', '', '', 'import', '', false, now()
            FROM generate_series(1, %s) n
            """,
            [many],
        )
        services.rebuild_member_metrics(actor=TILL)
        cursor.execute(
            "UPDATE sales_membermetrics SET order_count = 1, unit_count = 1, last_on = current_date - 40"
        )
        cursor.execute("ANALYZE sales_membermetrics, members_member")

        def read_whole() -> int:
            cursor.execute(
                "SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname = 'sales_membermetrics'"
            )
            return int(cursor.fetchone()[0])

        rules = selectors.get_rfm_rules()
        cuts = (10, *rules.recency_cuts[1:])
        services.change_rfm_rules(rules=dataclasses.replace(rules, recency_cuts=cuts), actor=TILL)
        before = read_whole()
        report = services.work_metrics_runs(actor=TILL, slice_size=size)
        assert report.member_count >= many
        assert read_whole() - before < many, (
            "of sixty slices one may, before the next knows how large the table is"
        )
