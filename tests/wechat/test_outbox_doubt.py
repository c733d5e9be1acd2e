"""What WeChat did not take is tried again; what it may have taken is never sent twice."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection

from core import clock
from tests.wechat.gateway_out import OPENID, PHONE, SECRET, at_once
from tests.wechat.outbox_kit import SEND, STABLE, make_due, outcome_of, queue
from tests.wechat.scripted_server import DROP, FINE, HTML, Reply, ScriptedServer, error, hosts_at
from wechat.client.errors import TransportError
from wechat.models import Account, OutboundMessage
from wechat.services import delivery, outbox, verdicts


@pytest.mark.parametrize("reply", [error(40001), Reply(b"", 500), Reply(b"", 503)])
def test_what_wechat_surely_did_not_take_is_tried_again(
    account: Account, server: ScriptedServer, reply: Reply
) -> None:
    server.script(SEND, reply)
    message = queue(account)
    assert outbox.send_message(message.pk) == "queued"
    message.refresh_from_db()
    assert clock.now() < message.not_before < clock.now() + dt.timedelta(seconds=10)
    assert outbox.send_message(message.pk) == "queued"  # not due yet
    calls = len(server.calls(SEND))
    server.script(SEND, FINE)
    make_due(message)
    assert outbox.send_due_messages() == 1
    assert outcome_of(message)[0] == "sent"
    assert len(server.calls(SEND)) == calls + 1


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (error(40125), "misconfigured"),
        (error(40164), "ip_refused"),
        *((reply, "no_token") for reply in (error(-1), Reply(b"", 500), DROP, HTML)),
    ],
)
def test_without_a_token_a_message_waits(
    account: Account, server: ScriptedServer, reply: Reply, code: str
) -> None:
    """Even a broken connection: it was the token's, nothing of the message went out."""
    server.script(STABLE, reply)
    message = queue(account)
    assert outbox.send_message(message.pk) == "queued"
    assert outcome_of(message)[1] == code
    assert server.calls(SEND) == []


def test_a_rate_limit_waits_a_minute_and_outlives_a_short_window(
    account: Account, server: ScriptedServer
) -> None:
    server.script(SEND, error(45011))
    short = queue(account, reason="short")
    long = queue(account, reason="long", window_until=clock.now() + dt.timedelta(hours=48))
    assert outbox.send_message(short.pk) == "dropped"
    assert outcome_of(short) == ("dropped", "too_fast", 45011)
    assert outbox.send_message(long.pk) == "queued"
    long.refresh_from_db()
    assert long.not_before >= clock.now() + dt.timedelta(seconds=58)


def test_a_spent_quota_waits_for_the_next_day_or_drops(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, error(45009))
    short = queue(account)
    assert outbox.send_message(short.pk) == "dropped"
    assert outcome_of(short) == ("dropped", "quota_spent", 45009)


def test_pauses_grow_but_leave_room_inside_a_one_minute_window(account: Account) -> None:
    now = clock.now()
    message = OutboundMessage(kind="text", window_until=now + dt.timedelta(seconds=60))
    problem = TransportError(SEND, how="connection", reached="no")
    tries = 0
    while now < message.window_until:
        message.attempt_count += 1
        verdict = verdicts.judge(problem, send_path=SEND, is_repeatable=False, at=now)
        outcome = delivery.settle(verdict, message, now)
        tries += 1
        if outcome.not_before is None:
            break
        now = outcome.not_before
    assert tries >= 6


def test_wechat_away_for_a_while_and_back_the_message_goes_out(account: Account, settings: Any) -> None:
    settings.WECHAT_HOSTS = dict.fromkeys(settings.WECHAT_HOSTS, "http://127.0.0.1:9")
    message = queue(account)
    assert outbox.send_message(message.pk) == "queued"
    with ScriptedServer().running() as back:
        back.script(SEND, FINE)
        settings.WECHAT_HOSTS = hosts_at(back.base_url)
        make_due(message)
        assert outbox.send_due_messages() == 1
        assert len(back.calls(SEND)) == 1
    assert outcome_of(message)[0] == "sent"


@pytest.mark.parametrize("reply", [DROP, HTML, Reply(b""), Reply(FINE.body, delay_s=1.5), Reply(b"", 504)])
def test_when_the_answer_is_missing_the_message_is_not_repeated(
    account: Account, server: ScriptedServer, reply: Reply
) -> None:
    server.script(SEND, reply)
    message = queue(account)
    assert outbox.send_message(message.pk) == "uncertain"
    assert outcome_of(message)[1] in ("no_answer", "timeout")
    make_due(message)
    assert outbox.send_message(message.pk) == "uncertain"
    assert outbox.send_due_messages() == 0
    assert len(server.calls(SEND)) == 1


def test_a_worker_that_dies_between_send_and_record_leaves_it_uncertain(
    account: Account, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: Any) -> str:
        raise SystemExit

    server.script(SEND, FINE)
    message = queue(account)
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "_finish", die)
        with pytest.raises(SystemExit):
            outbox.send_message(message.pk)
    assert outcome_of(message)[0] == "sending"
    assert outbox.rescue_stuck_messages() == 0  # its lease still runs
    OutboundMessage.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    assert outbox.rescue_stuck_messages() == 1
    assert outcome_of(message) == ("uncertain", "lease_expired", None)
    assert outbox.send_message(message.pk) == "uncertain"
    assert len(server.calls(SEND)) == 1


def test_a_worker_frozen_past_its_lease_cannot_rewrite_the_outcome(
    account: Account, server: ScriptedServer
) -> None:
    message = queue(account)
    frozen, thawed = threading.Event(), threading.Event()

    def freeze(_seen: Any) -> Reply:
        frozen.set()
        thawed.wait(30)
        return error(-1)

    server.script(SEND, freeze)
    results: list[str] = []

    def send() -> None:
        results.append(outbox.send_message(message.pk))
        connection.close()

    worker = threading.Thread(target=send)
    worker.start()
    assert frozen.wait(30)
    OutboundMessage.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    assert outbox.rescue_stuck_messages() == 1
    thawed.set()
    worker.join()
    assert results == ["uncertain"]
    assert outcome_of(message)[0] == "uncertain"


def test_what_is_queued_and_overlooked_is_found_by_the_job(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, FINE)
    for number in range(5):
        queue(account, reason=f"greet:{number}")
    results = at_once(3, lambda _: outbox.send_due_messages())
    assert all(isinstance(result, int) for result in results)
    assert len(server.calls(SEND)) == 5
    assert not OutboundMessage.objects.exclude(state="sent").exists()


def test_logs_of_failed_sends_hold_nothing_private(
    account: Account, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    for number, reply in enumerate((error(40003, f"{OPENID} {PHONE}"), DROP, HTML, error(40001))):
        server.script(SEND, reply)
        outbox.send_message(queue(account, f"call {PHONE}", f"r:{number}").pk)
    records = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert not [value for value in (OPENID, PHONE, SECRET, "token-1") if value in records]
    rows = str(list(OutboundMessage.objects.values_list("outcome", flat=True)))
    assert PHONE not in rows
