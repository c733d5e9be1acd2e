"""Real processes, really killed: what a dead worker leaves behind is found and finished, never doubled."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from core import clock
from tests.wechat.gateway_out import OPENID
from tests.wechat.scripted_server import FINE, Reply, ScriptedServer, token_reply
from wechat.models import AccessToken, Account, OutboundMessage
from wechat.services import outbox, tokens

ROOT = Path(__file__).resolve().parent.parent.parent
STABLE = "/cgi-bin/stable_token"
SEND = "/cgi-bin/message/custom/send"
PRELUDE = "import django; django.setup(); from wechat.services import outbox, tokens; "

pytestmark = pytest.mark.faults


def start_worker(server: ScriptedServer, work: str) -> subprocess.Popen[bytes]:
    """Another process on the same test database and the same stand-in for WeChat."""
    database = connection.settings_dict
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    dsn = " ".join(f"{name}='{database[key]}'" for name, key in names.items() if database[key])
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": dsn,
        "WECHAT_BASE_URL": server.base_url,
        "WECHAT_TIMEOUT_S": "30",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + work], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )


def wait_until(is_so: Callable[[], object], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def kill(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait(30)


def test_a_sender_killed_in_mid_send_leaves_one_uncertain_message(
    account: Account, server: ScriptedServer
) -> None:
    server.script(SEND, lambda _seen: Reply(FINE.body, delay_s=60), FINE)
    outbox.queue_text(
        account_id=account.pk,
        openid=OPENID,
        text="您好",
        reason_key="greet:1",
        window_until=clock.now() + dt.timedelta(hours=1),
    )
    message = OutboundMessage.objects.get()
    worker = start_worker(server, f"outbox.send_message({message.pk})")
    wait_until(lambda: server.calls(SEND))
    kill(worker)
    assert OutboundMessage.objects.get().state == "sending"
    OutboundMessage.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    assert outbox.rescue_stuck_messages() == 1
    assert outbox.send_due_messages() == 0
    assert OutboundMessage.objects.get().state == "uncertain"
    assert len(server.calls(SEND)) == 1


def test_a_token_refresher_killed_in_mid_fetch_is_succeeded_by_another(
    account: Account, server: ScriptedServer
) -> None:
    never = Reply(token_reply("never-stored").body, delay_s=60)
    server.script(STABLE, lambda _seen: never, token_reply("second"))
    worker = start_worker(server, f"tokens.get_token(account_id={account.pk})")
    wait_until(lambda: server.calls(STABLE))
    kill(worker)
    row = AccessToken.objects.get()
    assert row.leased_until is not None
    assert row.leased_until <= clock.now() + tokens.LEASE
    AccessToken.objects.update(leased_until=clock.now() + dt.timedelta(seconds=1))
    assert tokens.get_token(account_id=account.pk) == "second"


def test_two_processes_share_one_token(account: Account, server: ScriptedServer) -> None:
    work = f"print(tokens.get_token(account_id={account.pk}))"
    workers = [start_worker(server, work) for _ in range(2)]
    assert [worker.wait(90) for worker in workers] == [0, 0]
    assert tokens.get_token(account_id=account.pk) == "token-1"
    assert len(server.calls(STABLE)) == 1
