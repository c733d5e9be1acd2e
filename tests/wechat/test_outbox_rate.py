"""The rate that all senders of an account share."""

import datetime as dt
import time

import pytest

from core import clock
from core.actor import Actor
from core.lanes import BURST_S
from tests.wechat.gateway_out import at_once
from tests.wechat.outbox_kit import SEND, make_due, outcome_of, queue
from tests.wechat.scripted_server import FINE, ScriptedServer, error
from wechat.models import Account, OutboundMessage, SendLane
from wechat.services import lanes, outbox, verdicts


def slow_down(account: Account, pause_s: int) -> None:
    trouble = verdicts.Trouble("slow_down", "wechat.too_fast", 45011, pause_s=pause_s)
    lanes.note_trouble(account_id=account.pk, channel="service", trouble=trouble, at=clock.now())


def test_while_wechat_asks_to_slow_down_nothing_leaves_and_no_attempt_is_spent(
    account: Account, server: ScriptedServer
) -> None:
    server.script(SEND, error(45011), FINE)
    hour = clock.now() + dt.timedelta(hours=1)
    asked, waits = queue(account, window_until=hour), queue(account, reason="greet:2", window_until=hour)
    short = queue(account, reason="greet:3")
    assert outbox.send_message(asked.pk) == "queued"
    slow_down(account, 60)
    assert outbox.send_message(waits.pk) == "queued"
    assert outbox.send_message(short.pk) == "dropped"
    waits.refresh_from_db()
    assert (waits.outcome, waits.attempt_count, waits.not_before > clock.now()) == ("rate_reached", 0, True)
    assert outcome_of(short)[:2] == ("dropped", "rate_reached")
    assert len(server.calls(SEND)) == 1
    SendLane.objects.update(backoff_until=None)
    make_due(waits)
    assert outbox.send_message(waits.pk) == "sent"


@pytest.mark.parametrize(
    ("code", "state"),
    [("wechat.no_permission", "dropped"), ("wechat.quota_spent", "queued"), ("wechat.ip_refused", "queued")],
)
def test_a_stopped_channel_is_not_asked_again(
    account: Account, server: ScriptedServer, code: str, state: str
) -> None:
    until = clock.now() + dt.timedelta(hours=1) if code == "wechat.quota_spent" else None
    halt = verdicts.Trouble("halt", code, 48001, until=until)
    lanes.note_trouble(account_id=account.pk, channel="service", trouble=halt, at=clock.now())
    message = queue(account, window_until=clock.now() + dt.timedelta(hours=40))
    assert outbox.send_message(message.pk) == state
    assert outcome_of(message)[1] == code.removeprefix(verdicts.PREFIX)
    assert not server.calls(SEND)


def test_a_rush_of_answers_keeps_the_accounts_rate(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, FINE)
    rate = 5
    lanes.set_rate(account_id=account.pk, channel="service", rate_per_s=rate, actor=Actor.system("test"))
    hour = clock.now() + dt.timedelta(hours=1)
    messages = [queue(account, reason=f"rush:{number}", window_until=hour) for number in range(24)]
    began = time.monotonic()
    at_once(24, lambda number: outbox.send_message(messages[number].pk))
    took_s = time.monotonic() - began
    sent = OutboundMessage.objects.filter(state="sent").count()
    assert sent == len(server.calls(SEND))
    assert 0 < sent <= rate * (took_s + BURST_S) + 1
    assert set(OutboundMessage.objects.exclude(state="sent").values_list("state", "outcome")) <= {
        ("queued", "rate_reached")
    }
