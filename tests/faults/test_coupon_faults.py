"""Coupons under broken engines and killed processes: what was promised is there, and nothing is there twice."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest

from tests.faults.clerk import THREADS, Clerk, clerks
from tests.stack import Stack, wait_until

pytestmark = pytest.mark.faults
DESK = "tests.faults.coupon_desk"


@pytest.fixture
def clerk(stack: Stack) -> Iterator[Clerk]:
    with clerks(stack, DESK) as [one]:
        yield one


def claim_all(clerk: Clerk, shop: dict[str, Any], members: list[int]) -> dict[int, Any]:
    """Everybody claims under a key of her own, as many at once as the clerk serves; her answer, None for none."""
    answers: dict[int, Any] = {}
    for start in range(0, len(members), THREADS):
        asked = {
            member: clerk.ask("claim", batch=shop["batch"], member=member, key=f"k{member}")
            for member in members[start : start + THREADS]
        }
        answers |= {member: future.result(90) for member, future in asked.items()}
    return answers


def served(answers: dict[int, Any]) -> dict[int, int]:
    return {member: answer["answer"] for member, answer in answers.items() if answer and "answer" in answer}


def rows(stack: Stack, batch: int) -> dict[int, int]:
    return dict(stack.rows("SELECT received_by, id FROM coupons_coupon WHERE batch_id = %s", batch))


@pytest.mark.parametrize("fault", ["gone", "frozen", "flushed"])
def test_redis_in_trouble_changes_nothing_for_claims(stack: Stack, clerk: Clerk, fault: str) -> None:
    shop = clerk.done("make", members=30, quota=20)
    {"gone": stack.stop_redis, "frozen": stack.freeze_redis, "flushed": stack.flush_redis}[fault]()
    try:
        answers = claim_all(clerk, shop, shop["members"])
    finally:
        if fault == "frozen":
            stack.thaw_redis()
    assert len(served(answers)) == 20
    assert {answer.get("refused") for answer in answers.values()} == {None, "coupons.batch_sold_out"}
    assert rows(stack, shop["batch"]) == served(answers)
    clerk.done("check", batch=shop["batch"])


def test_a_database_killed_in_mid_claim_keeps_what_it_acknowledged(stack: Stack, clerk: Clerk) -> None:
    shop = clerk.done("make", members=900, quota=800, member_limit=1)
    batch, members = shop["batch"], shop["members"]
    answers: dict[int, Any] = {}
    rush = threading.Thread(target=lambda: answers.update(claim_all(clerk, shop, members)))
    rush.start()
    wait_until(lambda: len(rows(stack, batch)) >= 20, what="the first claims")
    stack.stop_postgres("immediate")
    time.sleep(0.2)
    stack.start_engines()
    rush.join()
    first = served(answers)
    assert 20 <= len(first) < 800, "the server was killed before or after the rush"
    assert first.items() <= rows(stack, batch).items()
    clerk.done("check", batch=batch)
    again = claim_all(clerk, shop, members)
    assert first.items() <= served(again).items()
    assert len(served(again)) == 800
    assert rows(stack, batch) == served(again)
    clerk.done("check", batch=batch)


def test_killed_between_commit_and_answer_the_retry_gets_the_first_answer(stack: Stack) -> None:
    with clerks(stack, DESK, 2) as [first, second]:
        shop = first.done("make", members=1, quota=5, member_limit=1)
        asked = {"batch": shop["batch"], "member": shop["members"][0], "key": "once"}
        assert first.ask("claim", **asked, dies=True).result(30) is None
        [(coupon,)] = stack.rows("SELECT id FROM coupons_coupon")
        assert second.done("claim", **asked) == coupon
        assert second.ask("claim", **{**asked, "key": "twice"}).result(30) == {
            "number": 1, "refused": "coupons.over_member_limit",
        }  # fmt: skip
        second.done("check", batch=shop["batch"])


def test_workers_killed_at_several_points_of_a_bulk_issue_give_everybody_one(stack: Stack) -> None:
    with clerks(stack, DESK, 4) as [*victims, last]:
        shop = last.done("make", members=2_000, quota=2_000)
        job = last.done("start_job", batch=shop["batch"], members=shop["members"], key="bulk", size=10)
        for place, victim in enumerate(victims):
            running, enough = victim.ask("run_job", job=job), 1 + 333 * place
            wait_until(partial(_has_issued, stack, enough), what="the worker to be somewhere in the job")
            victim.kill()
            assert running.result(10) is None, "the worker was done before it was killed"
        # The wake-up came twice.
        twice = [last.ask("run_job", job=job) for _ in range(2)]
        assert all(answer.result(60) for answer in twice)
        assert last.done("run_job", job=job) == {"state": "done", "issued": 2_000, "refused": {}}
        assert sorted(rows(stack, shop["batch"])) == shop["members"]
        last.done("check", batch=shop["batch"])


def _has_issued(stack: Stack, count: int) -> bool:
    return bool(stack.value("SELECT count(*) FROM coupons_coupon") >= count)


def test_a_worker_frozen_inside_a_slice_lets_go_and_its_late_write_is_refused(stack: Stack) -> None:
    with clerks(stack, DESK, 2) as [frozen, other], psycopg.connect(stack.engines.database_url) as holder:
        shop = other.done("make", members=41, quota=50)
        *members, claimer = shop["members"]
        job = other.done("start_job", batch=shop["batch"], members=members, key="bulk", size=10)
        holder.execute("SELECT 1 FROM members_member WHERE id = %s FOR UPDATE", [members[0]])
        late = frozen.ask("run_job", job=job)
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_until(lambda: stack.value(waits) == 1, what="the worker to wait inside its first slice")
        frozen.freeze()
        holder.rollback()
        idle = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        wait_until(lambda: stack.value(idle) == 1, what="the slice to be issued and not committed")
        # All counters are held by a worker that stands still: a claim waits, and is served.
        claimed = other.ask("claim", batch=shop["batch"], member=claimer, key="k")
        assert other.done("run_job", job=job) == {"state": "done", "issued": 40, "refused": {}}
        before = rows(stack, shop["batch"])
        frozen.thaw()
        answer = late.result(30)
        assert answer is not None
        assert "terminating connection" in answer["failed"] or "closed" in answer["failed"], answer
        assert (claimed.result(30) or {}).get("answer") == before[claimer]
        assert rows(stack, shop["batch"]) == before
        assert sorted(before) == shop["members"]
        other.done("check", batch=shop["batch"])
