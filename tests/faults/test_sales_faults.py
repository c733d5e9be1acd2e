"""Orders under broken engines and killed processes: what was acknowledged is booked, once, with all its effects."""

import threading
import time
from functools import partial
from typing import Any

import pytest

from tests.faults.clerk import THREADS, Clerk, clerks
from tests.stack import Stack, wait_until

pytestmark = pytest.mark.faults
DESK = "tests.faults.sales_desk"
MOVES = "SELECT count(*) FROM sales_totalmove"


def tell_all(clerk: Clerk, sold_at: str, numbers: list[str]) -> dict[str, Any]:
    """Tills tell their orders, as many at once as the clerk serves; each answer, None for none."""
    answers: dict[str, Any] = {}
    for start in range(0, len(numbers), THREADS):
        asked = {
            number: clerk.ask("tell", order_no=number, sold_at=sold_at)
            for number in numbers[start : start + THREADS]
        }
        answers |= {number: future.result(90) for number, future in asked.items()}
    return answers


def booked(stack: Stack) -> set[str]:
    return {number for (number,) in stack.rows("SELECT order_no FROM sales_sale")}


def acknowledged(answers: dict[str, Any]) -> set[str]:
    return {number for number, answer in answers.items() if answer and "answer" in answer}


@pytest.mark.parametrize("fault", ["gone", "frozen", "flushed"])
def test_redis_in_trouble_changes_nothing_for_orders(stack: Stack, fault: str) -> None:
    numbers = [f"O{number}" for number in range(30)]
    with clerks(stack, DESK) as [clerk]:
        sold_at = clerk.done("make")
        {"gone": stack.stop_redis, "frozen": stack.freeze_redis, "flushed": stack.flush_redis}[fault]()
        try:
            answers = tell_all(clerk, sold_at, numbers)
        finally:
            if fault == "frozen":
                stack.thaw_redis()
        assert acknowledged(answers) == booked(stack) == set(numbers)
        clerk.done("check", earned=len(numbers))


def test_a_database_killed_in_mid_booking_keeps_what_it_acknowledged(stack: Stack) -> None:
    numbers = [f"O{number}" for number in range(240)]
    answers: dict[str, Any] = {}
    with clerks(stack, DESK) as [clerk]:
        sold_at = clerk.done("make")
        rush = threading.Thread(target=lambda: answers.update(tell_all(clerk, sold_at, numbers)))
        rush.start()
        wait_until(lambda: len(booked(stack)) >= 20, what="the first orders")
        stack.stop_postgres("immediate")
        time.sleep(0.2)
        stack.start_engines()
        rush.join()
        first = acknowledged(answers)
        assert 20 <= len(first) < len(numbers), "the server was killed before or after the rush"
        assert first <= booked(stack)
        clerk.done("check", earned=len(booked(stack)))
        again = tell_all(clerk, sold_at, numbers)
        assert acknowledged(again) == booked(stack) == set(numbers)
        assert {again[number]["answer"] for number in first} == {"repeated"}
        clerk.done("check", earned=len(numbers))


def test_killed_between_commit_and_answer_the_order_is_found_again(stack: Stack) -> None:
    with clerks(stack, DESK, 2) as [first, second]:
        asked = {"order_no": "O1", "sold_at": first.done("make")}
        assert first.ask("tell", **asked, dies=True).result(30) is None
        assert booked(stack) == {"O1"}
        assert second.done("tell", **asked) == "repeated"
        second.done("check", earned=1)


def test_folds_killed_at_several_points_lose_and_double_nothing(stack: Stack) -> None:
    with clerks(stack, DESK, 4) as [*victims, last]:
        last.done("make")
        last.done("pile", count=400)
        waiting = stack.value(MOVES)
        for place, victim in enumerate(victims, start=1):
            running, left = victim.ask("fold", size=1), waiting - 111 * place
            wait_until(partial(_waits_at_most, stack, left), what="the worker to be somewhere in the fold")
            victim.kill()
            assert running.result(10) is None, "the fold was done before it was killed"
            assert stack.value(MOVES)
        together = [last.ask("fold", size=50) for _ in range(2)]
        assert all("answer" in (answer.result(60) or {}) for answer in together)
        assert last.done("fold", size=50) == 0
        last.done("check")


def _waits_at_most(stack: Stack, count: int) -> bool:
    return bool(stack.value(MOVES) <= count)
