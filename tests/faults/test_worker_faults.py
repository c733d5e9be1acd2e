"""The inbox worker under kills, lost wake-ups and outages: every event has its effect once."""

import os
import signal
import time
from functools import partial
from typing import Any

import psutil
import pytest

from tests.stack import Stack, wait_until
from tests.wechat import push_kit

pytestmark = pytest.mark.faults


def follows(stack: Stack, count: int, code: str | None = None) -> list[dict[str, Any]]:
    scene = code or stack.facts["codes"][0]
    return [
        push_kit.event("subscribe", EventKey=f"qrscene_{scene}", Ticket="T", FromUserName=f"oFAULT_{n:022d}")
        for n in range(count)
    ]


def push_all(stack: Stack, pushes: list[dict[str, Any]]) -> None:
    for fields in pushes:
        assert stack.push(fields)[0] == 200


def waiting(stack: Stack) -> int:
    return int(
        stack.value("SELECT count(*) FROM wechat_inboundevent WHERE state IN ('stored', 'processing')")
    )


def until_processed(stack: Stack, within_s: float = 60) -> None:
    wait_until(lambda: waiting(stack) == 0, within_s=within_s, what="the inbox to run empty")


def assert_each_bound_once(stack: Stack, count: int) -> None:
    assert stack.value("SELECT count(*) FROM wechat_inboundevent WHERE state = 'processed'") == count
    assert stack.value("SELECT count(*) FROM members_member") == count
    assert stack.value("SELECT count(*) FROM guides_binding WHERE ended_at IS NULL") == count
    assert stack.value("SELECT count(*) FROM guides_channelscan") == count
    assert stack.rows("SELECT reason_key FROM wechat_outboundmessage GROUP BY 1 HAVING count(*) > 1") == []


def test_workers_killed_at_several_points_do_every_event_once(stack: Stack) -> None:
    stack.start_sandbox()
    stack.start_web()
    push_all(stack, follows(stack, 40))
    for done in (1, 12, 24):
        stack.start_worker()
        wait_until(partial(_are_processed, stack, done), what="the worker to be somewhere in the inbox")
        stack.kill("worker")
    stack.start_worker()
    until_processed(stack)
    assert_each_bound_once(stack, 40)


def _are_processed(stack: Stack, count: int) -> bool:
    return bool(stack.value("SELECT count(*) FROM wechat_inboundevent WHERE state = 'processed'") >= count)


def test_a_flushed_broker_loses_no_event(stack: Stack) -> None:
    stack.start_sandbox()
    stack.start_web()
    push_all(stack, follows(stack, 10))
    time.sleep(0.2)  # the wake-ups are in Redis
    stack.flush_redis()
    stack.start_worker()
    until_processed(stack)
    assert_each_bound_once(stack, 10)


def test_redis_restarted_under_a_running_worker_doubles_nothing(stack: Stack) -> None:
    stack.start_sandbox()
    stack.start_web()
    stack.start_worker()
    pushes = follows(stack, 15)
    push_all(stack, pushes[:5])
    stack.stop_redis()
    push_all(stack, pushes)  # WeChat repeats the first five, too
    stack.start_engines()
    until_processed(stack)
    assert_each_bound_once(stack, 15)


def test_a_worker_frozen_past_its_lease_is_fenced_off(stack: Stack) -> None:
    stack.start_sandbox()
    stack.sandbox(
        "POST",
        "/_/faults",
        {"target": "calls", "path": "/cgi-bin/user/info", "kind": "slow", "delay_s": 1.5, "times": 2},
    )
    stack.start_web()
    stack.start_worker()
    push_all(stack, follows(stack, 2))
    wait_until(
        lambda: stack.value("SELECT count(*) FROM wechat_inboundevent WHERE state = 'processing'") > 0,
        what="a worker to take the events",
    )
    frozen = stack.processes.pop("worker")
    family = [frozen.pid, *(child.pid for child in psutil.Process(frozen.pid).children(recursive=True))]
    try:
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        stack.start_worker()
        until_processed(stack)
        finished = stack.rows("SELECT id, finished_at, lease_holder FROM wechat_inboundevent ORDER BY id")
        for pid in family:
            os.kill(pid, signal.SIGCONT)
        time.sleep(3)
        assert (
            stack.rows("SELECT id, finished_at, lease_holder FROM wechat_inboundevent ORDER BY id")
            == finished
        )
        assert_each_bound_once(stack, 2)
    finally:
        os.killpg(frozen.pid, signal.SIGKILL)
        frozen.wait()


def test_wechat_away_for_a_while_delays_the_greeting_and_nothing_else(stack: Stack) -> None:
    stack.start_sandbox()
    stack.start_web()
    stack.start_worker()
    person = stack.person("小美")
    stack.sandbox("POST", "/_/faults", {"target": "calls", "path": "*", "kind": "http_500", "times": None})
    stack.sandbox("POST", f"/_/people/{person['id']}/follow", {"app_id": push_kit.APP_ID})
    openid = person["openids"][push_kit.APP_ID]
    code = stack.facts["codes"][0]
    assert stack.push(push_kit.event("SCAN", EventKey=code, FromUserName=openid))[0] == 200
    wait_until(
        lambda: stack.value("SELECT count(*) FROM guides_binding") == 1, what="the binding without WeChat"
    )
    stack.sandbox("DELETE", "/_/faults")
    wait_until(
        lambda: any("李娜" in bubble.get("text", "") for bubble in stack.chat(person)),
        within_s=40,
        what="the greeting, once WeChat is back",
    )


def test_a_greeting_whose_window_closed_is_dropped_with_its_reason(stack: Stack) -> None:
    stack.start_sandbox()
    stack.start_web()
    stack.start_worker()
    long_ago = int(time.time()) - 600
    code = stack.facts["codes"][0]
    assert (
        stack.push(
            push_kit.event(
                "SCAN", EventKey=code, FromUserName="oLATE_0000000000000000000001", CreateTime=long_ago
            )
        )[0]
        == 200
    )
    row = wait_until(
        lambda: stack.rows("SELECT state, outcome FROM wechat_outboundmessage WHERE state = 'dropped'"),
        what="the late greeting to be dropped",
    )
    assert row == [("dropped", "window_closed")]
    assert stack.value("SELECT count(*) FROM guides_binding") == 1


def test_two_codes_scanned_in_the_same_second_bind_once(stack: Stack) -> None:
    stack.start_sandbox()
    stack.start_web()
    stack.start_worker()
    openid, second = "oBOTH_0000000000000000000001", int(time.time())
    for code in stack.facts["codes"][:2]:
        stack.push(push_kit.event("SCAN", EventKey=code, FromUserName=openid, CreateTime=second))
    until_processed(stack)
    assert stack.value("SELECT count(*) FROM guides_binding WHERE ended_at IS NULL") == 1
    outcomes = {row[0] for row in stack.rows("SELECT outcome FROM guides_channelscan")}
    assert outcomes == {"bound", "kept_by_other"}


def test_planted_personal_data_and_secrets_are_in_no_log(stack: Stack) -> None:
    stack.start_sandbox()
    stack.start_web()
    stack.start_worker()
    openid, phone = "oPLANTED_openid_000000000001", "13912345678"
    stack.sandbox("POST", "/_/faults", {"target": "calls", "path": "*", "kind": "html", "times": 3})
    stack.push(push_kit.event("SCAN", EventKey=stack.facts["codes"][0], FromUserName=openid))
    stack.push(push_kit.text_message(f"我的手机是{phone}", FromUserName=openid))
    stack.push(push_kit.message(MsgType=f"odd {phone}", FromUserName=openid, MsgId=1))
    until_processed(stack)
    stack.stop("worker")
    stack.stop("web")
    text = stack.log_text()
    sandbox_log = (stack.logs / "sandbox.log").read_text()
    ours = text.replace(sandbox_log, "")
    for planted in (openid, phone, "planted-app-secret", push_kit.TOKEN, push_kit.AES_KEY):
        assert planted not in ours
