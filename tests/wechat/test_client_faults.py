"""Real processes, really killed: what a dead worker leaves behind is found and finished, never doubled."""

import datetime as dt
import time
from collections.abc import Callable

import pytest

from core import clock
from tests.killed_job import django_elsewhere
from tests.ready_django import Child
from tests.wechat.gateway_out import OPENID
from tests.wechat.scripted_server import FINE, Reply, ScriptedServer, token_reply
from wechat.models import AccessToken, Account, OutboundMessage
from wechat.services import outbox, tokens

STABLE = "/cgi-bin/stable_token"
SEND = "/cgi-bin/message/custom/send"
PRELUDE = """
from django.conf import settings
from tests.wechat.scripted_server import hosts_at
from wechat.services import outbox, tokens
settings.WECHAT_HOSTS, settings.WECHAT_TIMEOUT_S = hosts_at({url!r}), 30
"""

pytestmark = pytest.mark.faults


def start_worker(server: ScriptedServer, work: str) -> Child:
    """Another process on the same test database and the same stand-in for WeChat."""
    return django_elsewhere().begin(PRELUDE.format(url=server.base_url) + work)


def wait_until(is_so: Callable[[], object], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


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
    worker.kill()
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
    worker.kill()
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
