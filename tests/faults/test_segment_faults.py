"""Segments and the tags that follow them under broken engines: after the repair they are what the rule says."""

import contextlib

import psycopg
import pytest

from tests.faults.clerk import clerks
from tests.stack import Stack, wait_until

pytestmark = pytest.mark.faults
DESK = "tests.faults.segments_desk"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.mark.parametrize("whole", [False, True], ids=["followed", "filled"])
def test_a_database_that_is_killed_in_the_middle_leaves_what_was_there(stack: Stack, whole: bool) -> None:
    with clerks(stack, DESK) as [clerk]:
        clerk.done("make", count=300)
        clerk.done("turn", every=3)
        before = stack.rows("SELECT member_id FROM campaigns_segmentmember ORDER BY 1")
        with contextlib.closing(psycopg.connect(stack.engines.database_url)) as holder:
            # The worker has written members and comes to their tags.
            holder.execute("SELECT 1 FROM members_membertag FOR NO KEY UPDATE")
            working = clerk.ask("work", whole=whole)
            wait_until(lambda: stack.value(WAITING), what="the worker in the middle of it")
            stack.stop_postgres("immediate")
        stack.start_engines()
        assert "answer" not in (working.result(60) or {}), "it was done before the server was killed"
        assert stack.rows("SELECT member_id FROM campaigns_segmentmember ORDER BY 1") == before
        clerk.done("work")
        clerk.done("check")


@pytest.mark.parametrize("fault", ["gone", "flushed"])
def test_redis_in_trouble_changes_nothing_for_segments(stack: Stack, fault: str) -> None:
    with clerks(stack, DESK) as [clerk]:
        {"gone": stack.stop_redis, "flushed": stack.flush_redis}[fault]()
        clerk.done("make", count=300)
        clerk.done("turn", every=3)
        clerk.done("work")
        clerk.done("check")
