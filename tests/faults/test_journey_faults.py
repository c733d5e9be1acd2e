"""Journeys under kills, restarts and freezes of everything they run on: each act is done once for everybody."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.campaigns.every_act import TABLES
from tests.stack import Stack, wait_until

pytestmark = pytest.mark.faults
SIZE = 700
WORK = "from campaigns.services import journeys; journeys.run_journeys()"
CHECK = "from tests.faults import journey_desk; journey_desk.check()"


@pytest.fixture(autouse=True)
def _no_job_is_left(stack: Stack) -> Iterator[None]:
    yield
    for name in [name for name in stack.processes if name.startswith("job")]:
        stack.kill(name)


def make(stack: Stack) -> None:
    stack.run_in_django(f"from tests.faults import journey_desk; journey_desk.make({SIZE})")


def until(stack: Stack, kind: str, count: int = 1) -> None:
    """So many have had this act."""
    done = f"SELECT count(*) FROM {TABLES[kind]}"
    wait_until(lambda: stack.value(done) >= count, within_s=90, what=f"{count} times {kind}")


def leases_run_out(stack: Stack) -> None:
    """As two minutes later."""
    stack.execute(
        "UPDATE campaigns_enrolment SET leased_until = now() - interval '1 second' WHERE lease_holder <> ''"
    )


def until_over(stack: Stack) -> None:
    left = "SELECT count(*) FROM campaigns_enrolment WHERE state <> 'done'"
    wait_until(lambda: stack.value(left) == 0, within_s=120, what="the end of every way")


def test_runners_killed_at_every_act_and_a_database_killed_and_a_broker_flushed(stack: Stack) -> None:
    make(stack)
    for kind in ("reach", "points"):
        stack.start_job("job", WORK)
        until(stack, kind)
        stack.kill("job")
        leases_run_out(stack)
    stack.start_job("job", WORK)
    stack.start_job("job-2", WORK)
    until(stack, "tag")
    stack.stop_postgres("immediate")
    stack.start_engines()
    leases_run_out(stack)
    until(stack, "follow_up")
    for name in ("job", "job-2"):
        stack.kill(name)
    # The end is the worker's and its timetable's, whose broker forgets everything.
    leases_run_out(stack)
    stack.start_worker()
    stack.flush_redis()
    until_over(stack)
    stack.kill_worker()
    stack.run_in_django(CHECK)


def test_a_runner_frozen_past_its_lease_writes_nothing_when_it_wakes(stack: Stack) -> None:
    """Its session is ended by the database, as `idle_in_transaction_session_timeout` would; another goes on meanwhile."""
    make(stack)
    stack.start_job("job", WORK)
    until(stack, "points")
    frozen = stack.processes["job"].pid
    os.killpg(frozen, signal.SIGSTOP)
    stack.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    leases_run_out(stack)
    stack.start_job("job-2", WORK)
    until_over(stack)
    os.killpg(frozen, signal.SIGCONT)
    time.sleep(0.5)  # it goes on, finds its session gone, and nothing to do
    stack.run_in_django(CHECK)
