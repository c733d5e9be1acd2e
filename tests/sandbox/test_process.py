"""The process itself: saving, stopping, who may reach it."""

import ast
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.sandbox.callback import APP, Callback
from tests.sandbox.world import Driver
from tests.sandbox_process import ROOT, running_sandbox, sandbox_process, stop


def test_state_survives_a_restart(tmp_path: Path, callback: Callback) -> None:
    state = tmp_path / "deep" / "state.json"
    with running_sandbox(state=state) as url:
        driver = Driver(url, callback)
        driver.account(quota={"/cgi-bin/user/get": 7})
        person = driver.person("小美", key="m-1")
        code = driver.code("g7Kq2")
        driver.act(person, "scan", content=code["url"])
        driver.say(person["openids"][APP], "你好")
        driver.advance(5000)
        token, chat = driver.token(), driver.chat(person)
        driver.http.close()
    assert (state.stat().st_mode & 0o777) == 0o600
    with running_sandbox(state=state) as url:
        driver = Driver(url, callback)
        assert driver.chat(person) == chat
        assert "ip_list" in driver.get("/cgi-bin/getcallbackip", token=token)
        assert driver.script("GET", "/clock")["offset"] == pytest.approx(5000, abs=1)
        assert driver.act(person, "scan", content=code["url"])["outcome"] == "expired"
        assert driver.script("GET", "/accounts")["accounts"][0]["quota"] == {"/cgi-bin/user/get": 7}
        assert driver.act(person, "unfollow")["pushes"][0]["id"] == 2
        driver.http.close()


def test_state_is_saved_while_running_and_unreadable_files_are_put_aside(
    tmp_path: Path, callback: Callback
) -> None:
    state = tmp_path / "state.json"
    state.write_text("{broken", encoding="utf-8")
    with running_sandbox(state=state) as url:
        driver = Driver(url, callback)
        driver.account()
        deadline = time.monotonic() + 30
        while not state.exists() or APP not in json.loads(state.read_text(encoding="utf-8"))["accounts"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        driver.http.close()
    assert state.with_suffix(".json.unreadable").read_text(encoding="utf-8") == "{broken"


def test_stops_at_once_with_open_streams_and_waiting_pushes(callback: Callback) -> None:
    with sandbox_process() as (url, process):
        driver = Driver(url, callback)
        driver.account(callback_url="http://127.0.0.1:1/")
        driver.act(driver.person(), "follow", wait=False)
        driver.script("POST", "/faults", {"target": "calls", "kind": "slow", "delay_s": 120})
        with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as slow:
            slow.sendall(b"GET /api/cgi-bin/token HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            with driver.http.stream("GET", "/_/stream") as stream:
                assert next(stream.iter_lines()).startswith("retry")
                started = time.monotonic()
                assert stop(process, within_s=60) == 0
                assert time.monotonic() - started < 60
        driver.http.close()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False
    )


def test_addresses_others_can_reach_are_refused() -> None:
    result = run("--host", "0.0.0.0")
    assert result.returncode == 2
    assert "--allow-remote" in result.stderr


def test_a_busy_port_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("--port", str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "cannot listen" in result.stderr
    assert "Traceback" not in result.stderr


def test_foreign_names_and_foreign_pages_are_turned_away(driver: Driver) -> None:
    assert driver.http.get("/_/people", headers={"Host": "evil.example"}).status_code == 421
    refused = driver.http.post("/_/reset", headers={"Origin": "https://evil.example"})
    assert refused.json()["error"] == "foreign_page"
    assert driver.http.get("/_/health", headers={"Origin": driver.base_url}).json()["ok"] is True


def test_health_says_what_it_stands_in_for(driver: Driver) -> None:
    assert driver.script("GET", "/health") == {"ok": True, "stand_in_for": "wechat"}


def test_the_stream_tells_what_happens(driver: Driver) -> None:
    with httpx.stream("GET", f"{driver.base_url}/_/stream", timeout=30, trust_env=False) as stream:
        lines = stream.iter_lines()
        next(lines)
        driver.act(driver.person(), "follow")
        kinds: list[str] = []
        while kinds[-1:] != ["push"]:
            line = next(lines)
            if line.startswith("event: "):
                kinds.append(line.removeprefix("event: "))
    assert kinds == ["person", "chat", "push"]


def test_the_package_imports_nothing_of_the_product() -> None:
    allowed = {"sandbox", "starlette", "uvicorn", "httpx", "cryptography", "segno", "PIL", "defusedxml"}
    for file in (ROOT / "sandbox").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            tops = {name.split(".")[0] for name in names}
            assert tops <= allowed | sys.stdlib_module_names, f"{file}:{getattr(node, 'lineno', 0)}"
