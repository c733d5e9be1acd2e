"""Faults on demand, in calls and in pushes."""

import time
from typing import Any

import httpx
import pytest

from tests.sandbox.callback import APP
from tests.sandbox.world import Driver

SEND = "/cgi-bin/message/custom/send"


def set_fault(driver: Driver, kind: str, **more: Any) -> str:
    body = {"target": "calls", "path": "*", "kind": kind, "times": 1, **more}
    return str(driver.script("POST", "/faults", body)["id"])


@pytest.mark.parametrize(
    ("kind", "code"), [("busy", -1), ("token_dead", 40001), ("quota", 45009), ("too_often", 45011)]
)
def test_error_codes_once_and_nothing_done(driver: Driver, openid: str, kind: str, code: int) -> None:
    token = driver.token()
    set_fault(driver, kind, path=SEND)
    body = {"touser": openid, "msgtype": "text", "text": {"content": "a"}}
    assert driver.post(SEND, body, token=token)["errcode"] == code
    assert driver.post(SEND, body, token=token)["errcode"] == 0
    assert driver.script("GET", "/faults")["faults"] == []


def test_http_500_and_html(driver: Driver) -> None:
    token = driver.token()
    set_fault(driver, "http_500")
    set_fault(driver, "html")
    url, query = "/api/cgi-bin/getcallbackip", {"access_token": token}
    answers = [driver.http.get(url, params=query) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 200, 200]
    assert "<html>" in answers[1].text
    assert "ip_list" in answers[2].json()


def test_slow_still_does_the_work(driver: Driver) -> None:
    set_fault(driver, "slow", delay_s=0.2)
    started = time.monotonic()
    assert "access_token" in driver.stable()
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("kind", "is_done"), [("drop", False), ("accept_then_drop", True)])
def test_broken_connections(driver: Driver, kind: str, is_done: bool) -> None:
    person = driver.person()
    driver.act(person, "follow")
    token, openid = driver.token(), person["openids"][APP]
    set_fault(driver, kind, path=SEND)
    body = {"touser": openid, "msgtype": "text", "text": {"content": "到了吗"}}
    with pytest.raises(httpx.TransportError):
        driver.post(SEND, body, token=token)
    assert (driver.chat(person)[-1].get("text") == "到了吗") is is_done
    call = driver.script("GET", "/calls")["calls"][-1]
    assert (call["status"], call["fault"]) == (0, kind)


def test_faults_can_be_aimed_and_removed(driver: Driver) -> None:
    driver.account(app_id="wxother")
    fault = set_fault(driver, "busy", app_id="wxother", times=None)
    assert "access_token" in driver.stable()
    assert driver.stable(app_id="wxother")["errcode"] == -1
    assert driver.stable(app_id="wxother")["errcode"] == -1
    driver.script("DELETE", f"/faults/{fault}")
    assert "access_token" in driver.stable(app_id="wxother")
    assert driver.script("DELETE", f"/faults/{fault}", status=404)["error"] == "unknown_fault"
    set_fault(driver, "busy", times=None, probability=0.0)
    assert "access_token" in driver.stable()
    driver.script("DELETE", "/faults")


@pytest.mark.parametrize(
    "body",
    [
        {"target": "sky", "kind": "busy"},
        {"target": "calls", "kind": "duplicate"},
        {"target": "pushes", "kind": "html"},
        {"target": "calls", "kind": "busy", "times": 0},
        {"target": "calls", "kind": "busy", "probability": 2},
        {"target": "calls", "kind": "slow", "delay_s": -1},
    ],
)
def test_impossible_faults_are_refused(driver: Driver, body: dict[str, Any]) -> None:
    assert driver.script("POST", "/faults", body, status=400)["error"] == "bad_field"


def push_fault(driver: Driver, kind: str, **more: Any) -> None:
    set_fault(driver, kind, target="pushes", **more)


def test_push_faults(driver: Driver) -> None:
    person = driver.person()
    push_fault(driver, "drop")
    assert driver.act(person, "follow")["pushes"][0]["status"] == "lost"
    assert driver.callback.received == []
    push_fault(driver, "duplicate")
    driver.act(person, "write", text="一")
    assert len({push.fields["MsgId"] for push in driver.callback.received}) == 1
    assert len(driver.callback.received) == 2
    push_fault(driver, "accept_then_drop")
    push = driver.act(person, "write", text="二")["pushes"][0]
    assert (push["status"], len(push["attempts"])) == ("delivered", 2)
    assert len(driver.callback.received) == 4
    push_fault(driver, "hold")
    assert driver.act(person, "write", text="三")["pushes"][0]["status"] == "held"
    driver.script("POST", "/pushes/release")
    assert driver.callback.received[-1].fields["Content"] == "三"


def test_same_second_fault(driver: Driver) -> None:
    first = driver.act(driver.person("小美"), "follow")["pushes"][0]
    driver.advance(10)
    push_fault(driver, "same_second")
    second = driver.act(driver.person("小丽"), "follow")["pushes"][0]
    assert first["fields"]["CreateTime"] == second["fields"]["CreateTime"]


def test_slow_push(driver: Driver) -> None:
    push_fault(driver, "slow", delay_s=0.2, path="subscribe")
    started = time.monotonic()
    driver.act(driver.person(), "follow")
    assert time.monotonic() - started >= 0.2
