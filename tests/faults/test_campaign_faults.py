"""Campaigns under kills, restarts and freezes of everything they run on: each member has what is hers once."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.stack import Stack, wait_until

pytestmark = pytest.mark.faults
SIZE = 4_000
WORK = "from campaigns.services import running; running.work_campaigns()"
CHECK = "from tests.faults import campaign_desk; campaign_desk.check()"
LAUNCH = "from campaigns.services.running import launch_due_campaigns; launch_due_campaigns()"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
# One who is not in the next batch, which looks at 2,000 of those that wait: a batch or more is done before.
HER_TURN = (
    "SELECT 1 FROM campaigns_campaignmember WHERE id = (SELECT id FROM campaigns_campaignmember"
    " WHERE state = 'waiting' ORDER BY id OFFSET 2500 LIMIT 1) FOR UPDATE"
)
# Coupons of the batch are given, points and messages are not.
BETWEEN_ACTS = "LOCK TABLE members_pointsentry IN EXCLUSIVE MODE"
# All of the batch is written but the run's numbers.
SUMS = "SELECT 1 FROM campaigns_campaignrun FOR UPDATE"


@pytest.fixture(autouse=True)
def _no_job_is_left(stack: Stack) -> Iterator[None]:
    yield
    for name in [name for name in stack.processes if name.startswith("job")]:
        stack.kill(name)


def make(stack: Stack, count: int = SIZE, budget_fen: int = 10**9) -> None:
    stack.run_in_django(f"from tests.faults import campaign_desk; campaign_desk.make({count}, {budget_fen})")


def turns(stack: Stack) -> int:
    """How many had their turn."""
    return int(stack.value("SELECT coalesce(sum(done_count + refused_count), 0) FROM campaigns_campaignrun"))


def until_released(stack: Stack) -> None:
    over = "SELECT count(*) FROM campaigns_campaignrun WHERE state = 'released'"
    wait_until(lambda: stack.value(over) == 1, within_s=120, what="the end of the run")


@contextlib.contextmanager
def held_up(stack: Stack, held: str, work: str = WORK) -> Iterator[None]:
    """A worker has come to what `held` locks, and waits there; it may go on at the end."""
    with contextlib.closing(psycopg.connect(stack.engines.database_url)) as holder:
        holder.execute(held)
        stack.start_job("job", work)
        wait_until(lambda: stack.value(WAITING) == 1, within_s=120, what="the worker to be there")
        yield
    stack.start_engines()
    wait_until(lambda: not stack.value(WAITING), what="the end of the wait")


def test_workers_killed_a_database_restarted_and_a_broker_flushed_in_mid_release(stack: Stack) -> None:
    """Each dies in the middle of a batch: nothing of that batch is there, and all of those before."""
    make(stack)
    stack.run_in_django(LAUNCH)
    deaths = [
        (HER_TURN, "worker"),
        (BETWEEN_ACTS, "worker"),
        (SUMS, "worker"),
        (BETWEEN_ACTS, "database"),
        (SUMS, "database"),
    ]
    for held, dies in deaths:
        with held_up(stack, held):
            had = turns(stack)
            if dies == "database":
                stack.kill_postgres()
            stack.kill("job")
        assert turns(stack) == had
    assert had >= 500, "some were released before the first died"
    with held_up(stack, SUMS):
        stack.flush_redis()
    stack.start_job("job-2", WORK)
    until_released(stack)
    stack.run_in_django(CHECK)


def test_a_database_killed_in_the_middle_of_a_freeze_leaves_nothing_half_done(stack: Stack) -> None:
    """Its members are written and counted, and the freeze waits to say so, when the server dies."""
    make(stack, count=1_000)
    stack.run_in_django(LAUNCH)
    stack.execute("TRUNCATE campaigns_campaignmember")
    stack.execute(
        "UPDATE campaigns_campaignrun SET state = 'due', launched_at = NULL, member_count = 0, control_count = 0"
    )
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, 'core_auditentry') > 0"
        " AND pid <> pg_backend_pid()"
    )
    with (
        contextlib.suppress(psycopg.OperationalError),
        psycopg.connect(stack.engines.database_url) as blocker,
    ):
        blocker.execute("LOCK TABLE core_auditentry IN EXCLUSIVE MODE")
        stack.start_job("job", WORK)
        wait_until(lambda: stack.value(waiting) == 1, within_s=120, what="the end of the freeze")
        stack.kill_postgres()
    stack.start_engines()
    stack.flush_redis()
    until_released(stack)
    stack.run_in_django(CHECK)
    assert stack.value("SELECT member_count FROM campaigns_campaignrun") == 1_000


def test_a_worker_frozen_in_mid_release_writes_nothing_when_it_wakes(stack: Stack, tmp_path: Path) -> None:
    """Its session is ended by the database, as `idle_in_transaction_session_timeout` would; others go on meanwhile."""
    make(stack)
    stack.run_in_django(LAUNCH)
    been_through = tmp_path / "been through"
    with held_up(stack, SUMS, f"{WORK}; open({str(been_through)!r}, 'a').close()"):
        frozen = stack.processes["job"].pid
        os.killpg(frozen, signal.SIGSTOP)
        stack.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert turns(stack) == 0
    stack.start_job("job-2", WORK)
    until_released(stack)
    assert not been_through.exists()
    os.killpg(frozen, signal.SIGCONT)
    # It finds its session gone, and the next time nothing to do.
    wait_until(been_through.exists, what="the worker that woke to have been through")
    stack.run_in_django(CHECK)


def test_two_workers_and_a_budget_that_ends_in_mid_run(stack: Stack) -> None:
    # Nine in twenty cost something.
    make(stack, count=2_000, budget_fen=3_000 * 700 + 1)
    stack.start_job("job", WORK)
    stack.start_job("job-2", WORK)
    still = "SELECT count(*) FROM campaigns_campaign WHERE state = 'paused' AND code = 'budget'"
    wait_until(lambda: stack.value(still) == 1, within_s=90, what="the budget's end")
    stack.run_in_django(CHECK)
    assert stack.value("SELECT spent_fen FROM campaigns_campaign") == 3_000 * 700
    stack.execute("UPDATE campaigns_campaign SET budget_fen = 1000000000, state = 'running', code = ''")
    until_released(stack)
    stack.run_in_django(CHECK)


def test_a_stop_in_mid_send_takes_back_what_had_not_left(stack: Stack) -> None:
    """Whoever stops it comes after a batch that a worker has in hand; that worker is killed besides."""
    make(stack)
    stack.run_in_django(LAUNCH)
    with held_up(stack, HER_TURN):
        stack.kill("job")
    had = turns(stack)
    stack.execute("UPDATE campaigns_campaign SET state = 'ended', ended_at = now()")
    stack.start_job("job", WORK)
    open_rows = (
        "SELECT (SELECT count(*) FROM campaigns_campaignrun WHERE state <> 'stopped')"
        " + (SELECT count(*) FROM campaigns_campaignmember WHERE state = 'waiting')"
        " + (SELECT count(*) FROM campaigns_reach WHERE state = 'queued')"
    )
    wait_until(lambda: stack.value(open_rows) == 0, within_s=60, what="the stop")
    stack.run_in_django(CHECK)
    assert 0 < had == turns(stack)
    assert stack.value("SELECT count(*) FROM campaigns_campaignmember WHERE state = 'stopped'") > 0
