"""The callback under broken engines: an answer inside 5 s, and `success` only for what is committed."""

import threading
import time
from typing import Any

import pytest

from tests.stack import Stack, wait_until
from tests.wechat import push_kit

pytestmark = pytest.mark.faults

# WeChat waits 5 s and our budget is 4 s; what a busy machine adds to that is not ours. Without the budget it would be the
# 10 s of the longest freeze.
ANSWERED_WITHIN_S = 8.0
CLOSE_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)


def events(count: int) -> list[dict[str, Any]]:
    return [push_kit.event("CLICK", EventKey=f"K{n}", FromUserName=f"oU{n}") for n in range(count)]


def stored_keys(stack: Stack) -> set[str]:
    return {row[0] for row in stack.rows("SELECT openid FROM wechat_inboundevent")}


class Pusher:
    """Pushes like WeChat; remembers what was acknowledged and how long it took."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.acknowledged: list[str] = []
        self.statuses: list[int] = []
        self.slowest = 0.0

    def push(self, fields: dict[str, Any]) -> None:
        started = time.monotonic()
        try:
            status, body = self.stack.push(fields, timeout_s=20)
        except OSError:
            status, body = 0, b""
        self.slowest = max(self.slowest, time.monotonic() - started)
        self.statuses.append(status)
        if status == 200:
            assert body == b"success"
            self.acknowledged.append(fields["FromUserName"])

    def push_all(self, fields: list[dict[str, Any]]) -> None:
        threads = [threading.Thread(target=self.push, args=(f,)) for f in fields]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_the_same_push_at_once_and_again_later_is_one_row(stack: Stack) -> None:
    stack.start_web()
    pusher, (fields,) = Pusher(stack), events(1)
    pusher.push_all([fields] * 3)
    for _retry in range(2):
        time.sleep(0.5)
        pusher.push(fields)
    assert pusher.statuses == [200] * 5
    assert stack.value("SELECT count(*) FROM wechat_inboundevent") == 1


@pytest.mark.parametrize("seconds", [3, 10])
def test_a_frozen_database_delays_no_answer_and_loses_no_push(stack: Stack, seconds: int) -> None:
    stack.start_web()
    pusher = Pusher(stack)
    pusher.push_all(events(4))  # connections are open now
    frozen = [push_kit.event("CLICK", EventKey="F", FromUserName=f"oF{n}") for n in range(8)]
    stack.freeze_postgres()
    thaw = threading.Timer(seconds, stack.thaw_postgres)
    thaw.start()
    pusher.push_all(frozen)
    thaw.join()
    assert pusher.slowest < ANSWERED_WITHIN_S
    if seconds == 10:
        assert 200 not in pusher.statuses[4:]
    assert set(pusher.acknowledged) <= stored_keys(stack)
    pusher.push_all(frozen)  # WeChat's retry
    assert pusher.statuses[-8:] == [200] * 8
    assert stack.value("SELECT count(*) FROM wechat_inboundevent") == 12


def test_a_database_restart_under_load_fails_fast_and_the_retry_succeeds(stack: Stack) -> None:
    stack.start_web()
    pusher, all_events = Pusher(stack), events(60)
    pusher.push_all(all_events[:10])

    def restart_database() -> None:
        stack.stop_postgres("immediate")
        stack.start_engines()

    restart = threading.Timer(0.05, restart_database)
    restart.start()
    for start in range(10, 60, 10):
        pusher.push_all(all_events[start : start + 10])
    restart.join()
    assert pusher.slowest < ANSWERED_WITHIN_S
    assert set(pusher.acknowledged) <= stored_keys(stack)
    wait_until(
        lambda: stack.push(all_events[0])[0] == 200, what="recovery without a restart of the web server"
    )
    pusher.push_all(all_events)
    assert pusher.statuses[-60:] == [200] * 60
    assert stack.value("SELECT count(*) FROM wechat_inboundevent") == 60


def test_a_database_that_is_gone_is_said_at_once(stack: Stack) -> None:
    stack.start_web()
    stack.push(events(1)[0])
    stack.stop_postgres()
    pusher = Pusher(stack)
    pusher.push(events(2)[1])
    assert pusher.statuses == [503]
    assert pusher.slowest < ANSWERED_WITHIN_S
    stack.start_engines()
    pusher.push(events(2)[1])
    assert pusher.statuses == [503, 200]


@pytest.mark.parametrize("fault", ["gone", "frozen", "flushed"])
def test_redis_in_trouble_changes_nothing_for_pushes(stack: Stack, fault: str) -> None:
    stack.start_web()
    pusher = Pusher(stack)
    {"gone": stack.stop_redis, "frozen": stack.freeze_redis, "flushed": stack.flush_redis}[fault]()
    pusher.push_all(events(20))
    if fault == "frozen":
        stack.thaw_redis()
    assert pusher.statuses == [200] * 20
    assert pusher.slowest < ANSWERED_WITHIN_S
    assert stack.value("SELECT count(*) FROM wechat_inboundevent") == 20


def test_a_read_only_database_is_a_clear_refusal_and_needs_no_restart(stack: Stack) -> None:
    stack.start_web()
    name = stack.value("SELECT current_database()")
    stack.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    stack.execute(CLOSE_OTHERS)
    try:
        assert stack.push(events(1)[0]) == (503, b"unavailable")
    finally:
        stack.execute(
            'BEGIN READ WRITE; ALTER DATABASE "' + name + '" RESET default_transaction_read_only; COMMIT'
        )
        stack.execute(CLOSE_OTHERS)
    assert stack.push(events(1)[0])[0] == 200


def test_kill_9_of_the_web_server_loses_no_acknowledged_push(stack: Stack) -> None:
    stack.start_web()
    pusher, all_events = Pusher(stack), events(120)
    killer = threading.Timer(0.15, stack.kill, args=("web",))
    killer.start()
    for start in range(0, 120, 20):
        pusher.push_all(all_events[start : start + 20])
    killer.join()
    assert set(pusher.acknowledged) <= stored_keys(stack)
    stack.start_web()
    pusher.push_all(all_events)
    assert stack.value("SELECT count(*) FROM wechat_inboundevent") == 120
