"""Outcomes of campaigns under kills and restarts: a run is begun, counted and followed as if nothing had happened."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.stack import Stack, wait_until

pytestmark = pytest.mark.faults
SIZE = 600
WORK = "from tests.faults import outcome_desk; outcome_desk.work()"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
ROWS = "SELECT count(*) FROM campaigns_campaignoutcome"
BOOK = "SELECT doing, done_count FROM campaigns_campaignbook"
# A row of the member in the middle that is not committed: whoever makes hers waits for it.
MAKE_HERS = """
INSERT INTO campaigns_campaignoutcome (run_id, member_id, letter, guide_id, store_id, tier_id, orders_before, stage_before,
    is_aimed, order_count, unit_count, amount_fen, is_done, is_sent, is_delivered, is_seen, is_clicked, is_given,
    discount_fen, cost_hundredths)
SELECT run_id, member_id, letter, 0, 0, 0, 0, 'unbought', true, 0, 0, 0, false, false, false, false, false, false, 0, 0
FROM (SELECT * FROM campaigns_campaignmember ORDER BY member_id OFFSET 300 LIMIT 1) middle
"""
# Rows of the middle that are held: whoever counts them waits.
HOLD_THEM = """
SELECT 1 FROM campaigns_campaignoutcome WHERE member_id IN (
    SELECT member_id FROM campaigns_campaignoutcome ORDER BY member_id OFFSET 300 LIMIT 20) FOR UPDATE
"""


@pytest.fixture(autouse=True)
def _no_job_is_left(stack: Stack) -> Iterator[None]:
    yield
    for name in [name for name in stack.processes if name.startswith("job")]:
        stack.kill(name)


def desk(stack: Stack, deed: str) -> None:
    stack.run_in_django(f"from tests.faults import outcome_desk; outcome_desk.{deed}")


def stopped_at(stack: Stack, held: str, fault: str) -> None:
    """A worker comes to the rows that are held, and it or the database is killed there."""
    with contextlib.closing(psycopg.connect(stack.engines.database_url)) as holder:
        holder.execute(held)
        stack.start_job("job", WORK)
        wait_until(lambda: stack.value(WAITING), within_s=60, what="the worker in the middle of it")
        if fault == "database":
            stack.stop_postgres("immediate")
        stack.kill("job")
    stack.start_engines()
    wait_until(lambda: not stack.value(WAITING), what="the end of the killed worker's session")


def finished(stack: Stack) -> None:
    """Two workers come to the end of it."""
    stack.start_job("job", WORK)
    stack.start_job("job-2", WORK)
    over = (
        "SELECT count(*) FROM campaigns_campaignbook WHERE doing = '' AND NOT is_stale AND summed_at IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM campaigns_outcometouch)"
    )
    wait_until(lambda: stack.value(over) == 1, within_s=90, what="the end of the count")
    stack.kill("job")
    stack.kill("job-2")
    desk(stack, "check()")


def state(stack: Stack) -> tuple[Any, ...]:
    return stack.rows(BOOK)[0]


@pytest.mark.parametrize("fault", ["worker", "database"])
def test_a_run_that_is_begun_goes_on_behind_the_last_slice(stack: Stack, fault: str) -> None:
    desk(stack, f"make({SIZE})")
    stopped_at(stack, MAKE_HERS, fault)
    assert (stack.value(ROWS), state(stack)) == (300, ("begin", 300))
    desk(stack, "shop(3)")
    finished(stack)


@pytest.mark.parametrize("fault", ["worker", "database"])
def test_a_count_goes_on_behind_the_last_slice_and_sees_what_was_bought_meanwhile(
    stack: Stack, fault: str
) -> None:
    desk(stack, f"make({SIZE})")
    stopped_at(stack, MAKE_HERS, "worker")
    # Everybody gets her row, and counting begins.
    wait_begun(stack)
    stopped_at(stack, HOLD_THEM, fault)
    assert state(stack) == ("count", 300)
    desk(stack, "shop(5)")
    finished(stack)


def wait_begun(stack: Stack) -> None:
    """Slice by slice until the first pass that counts is to begin."""
    slices = (
        "from campaigns.services import outcome_passes, outcomes; outcome_passes.SLICE_SIZE = 50;"
        " from campaigns.models import CampaignBook; from core import clock\n"
        "while not CampaignBook.objects.filter(doing='count').exists():\n"
        "    outcomes.work_book(run_id=CampaignBook.objects.get().pk, at=clock.now())"
    )
    stack.run_in_django(slices)


@pytest.mark.parametrize("fault", ["worker", "database"])
def test_notes_whose_worker_dies_are_followed_by_the_next(stack: Stack, fault: str) -> None:
    """Nothing of a batch is lost and nothing counts twice: notes go with what they led to, or stay."""
    desk(stack, f"make({SIZE})")
    finished(stack)
    desk(stack, "shop(2)")
    noted = stack.value("SELECT count(*) FROM campaigns_outcometouch")
    before = stack.rows("SELECT member_id, order_count FROM campaigns_campaignoutcome ORDER BY 1")
    assert noted == SIZE // 2
    stopped_at(stack, HOLD_THEM, fault)
    assert stack.value("SELECT count(*) FROM campaigns_outcometouch") == noted
    assert stack.rows("SELECT member_id, order_count FROM campaigns_campaignoutcome ORDER BY 1") == before
    desk(stack, "shop(7)")
    finished(stack)
