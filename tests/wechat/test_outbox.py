"""Messages go out at most once, and every one ends with a reason."""

import datetime as dt
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from core import clock, events
from core.actor import Actor
from core.errors import NotFound
from core.lanes import BURST_S
from tests.wechat.gateway_out import OPENID, PHONE, SECRET, Sandbox, at_once
from tests.wechat.scripted_server import DROP, FINE, HTML, Reply, ScriptedServer, error, hosts_at, ok
from wechat.client.errors import TransportError
from wechat.errors import MessageUnfit
from wechat.events import MessageQueued
from wechat.models import Account, Follower, MediaHandle, OutboundMessage, SendLane
from wechat.models.outbox import MessageState
from wechat.services import delivery, lanes, outbox, verdicts
from wechat.services.clients import client_for

SEND = "/cgi-bin/message/custom/send"
UPLOAD = "/cgi-bin/media/upload"
STABLE = "/cgi-bin/stable_token"
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 96


def queue(account: Account, text: str = "您好", reason: str = "greet:1", **more: Any) -> OutboundMessage:
    window_until = more.pop("window_until", clock.now() + dt.timedelta(minutes=1))
    outbox.queue_text(
        account_id=account.pk, openid=OPENID, text=text, reason_key=reason, window_until=window_until, **more
    )
    return OutboundMessage.objects.get(reason_key=reason)


def outcome_of(message: OutboundMessage) -> tuple[str, str, int | None]:
    message.refresh_from_db()
    return message.state, message.outcome, message.errcode


def make_due(message: OutboundMessage) -> None:
    OutboundMessage.objects.filter(pk=message.pk).update(not_before=clock.now() - dt.timedelta(seconds=1))


# Queueing -------------------------------------------------------------------------------------------------


def test_one_reason_makes_one_row(account: Account) -> None:
    def ask(text: str) -> bool:
        return outbox.queue_text(account_id=account.pk, openid=OPENID, text=text, reason_key="greet:1")

    assert ask("first")
    assert not ask("second")
    assert OutboundMessage.objects.get().payload == {"text": "first"}


def test_one_reason_makes_one_row_in_twenty_threads(account: Account) -> None:
    results = at_once(
        20,
        lambda _: outbox.queue_text(account_id=account.pk, openid=OPENID, text="hi", reason_key="greet:1"),
    )
    assert sorted(results) == [False] * 19 + [True]
    assert OutboundMessage.objects.count() == 1


def test_the_row_and_the_wake_up_belong_to_the_callers_transaction(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Any] = []
    monkeypatch.setitem(events._routes, MessageQueued, ("wechat.services.outbox.on_message_queued",))
    monkeypatch.setattr(events, "_dispatcher", lambda _path, event: woken.append(event))
    with transaction.atomic():
        queue(account)
        transaction.set_rollback(True)
    assert not OutboundMessage.objects.exists()
    assert woken == []
    with transaction.atomic():
        message = queue(account)
        assert woken == []
    assert woken == [MessageQueued(message_id=message.pk)]


@pytest.mark.parametrize("text", ["", "  ", "\x00\x07", "字" * 683])
def test_a_text_wechat_would_refuse_is_refused_at_once(account: Account, text: str) -> None:
    with pytest.raises(MessageUnfit) as caught:
        queue(account, text)
    assert caught.value.code == "wechat.message_unfit"
    assert not OutboundMessage.objects.exists()


def test_2048_bytes_are_taken_and_control_characters_left_out(account: Account) -> None:
    message = queue(account, "字" * 682 + "a\x00\x0b\n\ud83c")
    assert message.payload == {"text": "字" * 682 + "a\n"}


def test_the_window_is_the_followers_own_or_one_minute(account: Account) -> None:
    now = clock.now()
    known = now + dt.timedelta(hours=48)
    Follower.objects.create(account=account, openid=OPENID, window_until=known)
    for openid, reason in ((OPENID, "a"), ("somebody", "b")):
        outbox.queue_text(account_id=account.pk, openid=openid, text="hi", reason_key=reason, at=now)
    windows = dict(OutboundMessage.objects.values_list("reason_key", "window_until"))
    assert windows == {"a": known, "b": now + dt.timedelta(minutes=1)}


# Sending --------------------------------------------------------------------------------------------------


def test_a_text_goes_out(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, FINE)
    message = queue(account, "您好 🎉")
    assert outbox.send_message(message.pk) == "sent"
    assert server.calls(SEND)[0].json() == {
        "touser": OPENID,
        "msgtype": "text",
        "text": {"content": "您好 🎉"},
    }
    assert outcome_of(message) == ("sent", "", 0)
    assert message.finished_at is not None


def test_an_article_goes_out_as_one(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, FINE)
    outbox.queue_article(
        account_id=account.pk,
        openid=OPENID,
        title="上新",
        description="秋装",
        url="https://x.test/a",
        picture_url="https://x.test/a.jpg",
        reason_key="a",
    )
    assert outbox.send_due_messages() == 1
    article = {
        "title": "上新",
        "description": "秋装",
        "url": "https://x.test/a",
        "picurl": "https://x.test/a.jpg",
    }
    assert server.calls(SEND)[0].json()["news"] == {"articles": [article]}


def queue_card(account: Account, thumb: Path, reason: str = "card") -> OutboundMessage:
    outbox.queue_card(
        account_id=account.pk,
        openid=OPENID,
        title="会员码",
        card_app_id="wxmini",
        page="/pages/code",
        thumb_path=str(thumb),
        reason_key=reason,
    )
    return OutboundMessage.objects.get(reason_key=reason)


@pytest.fixture
def thumb(tmp_path: Path) -> Path:
    path = tmp_path / "thumb.jpg"
    path.write_bytes(JPEG)
    return path


def test_cards_upload_their_picture_once(account: Account, server: ScriptedServer, thumb: Path) -> None:
    server.script(UPLOAD, ok(type="thumb", thumb_media_id="media-1"))
    server.script(SEND, FINE)
    for reason in ("a", "b"):
        assert outbox.send_message(queue_card(account, thumb, reason).pk) == "sent"
    assert len(server.calls(UPLOAD)) == 1
    card = {"title": "会员码", "appid": "wxmini", "pagepath": "pages/code", "thumb_media_id": "media-1"}
    assert [seen.json()["miniprogrampage"] for seen in server.calls(SEND)] == [card, card]


def test_a_picture_wechat_forgot_is_uploaded_again(
    account: Account, server: ScriptedServer, thumb: Path
) -> None:
    server.script(UPLOAD, ok(media_id="media-1"), ok(media_id="media-2"))
    server.script(SEND, error(40007), FINE)
    message = queue_card(account, thumb)
    assert outbox.send_message(message.pk) == "queued"
    make_due(message)
    assert outbox.send_message(message.pk) == "sent"
    assert MediaHandle.objects.get().media_id == "media-2"


@pytest.mark.parametrize("content", [None, b"", b"<html>", JPEG * 1000])
def test_a_card_whose_picture_is_unusable_is_dropped(
    account: Account, server: ScriptedServer, thumb: Path, content: bytes | None
) -> None:
    message = queue_card(account, thumb)
    if content is None:
        thumb.unlink()
    else:
        thumb.write_bytes(content)
    assert outbox.send_message(message.pk) == "dropped"
    assert outcome_of(message) == ("dropped", "unfit", None)


def test_two_workers_send_one_message_once(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, Reply(FINE.body, delay_s=0.2))
    message = queue(account)
    results = at_once(10, lambda _: outbox.send_message(message.pk))
    assert set(results) <= {"sent", "sending"}
    assert len(server.calls(SEND)) == 1
    assert outcome_of(message)[0] == "sent"


def test_without_the_claim_two_workers_send_it_twice(account: Account, server: ScriptedServer) -> None:
    """The twin: reading the state and sending is not enough."""
    server.script(SEND, Reply(FINE.body, delay_s=0.2))
    message = queue(account)

    def send_unclaimed(_: int) -> None:
        row = OutboundMessage.objects.get(pk=message.pk)
        if row.state == MessageState.QUEUED:
            client_for(account.pk).message.send_text(OPENID, "hi")
            OutboundMessage.objects.filter(pk=row.pk).update(state=MessageState.SENT)

    at_once(4, send_unclaimed)
    assert len(server.calls(SEND)) > 1


def test_a_message_is_not_sent_inside_a_transaction(account: Account, server: ScriptedServer) -> None:
    message = queue(account)
    with transaction.atomic(), pytest.raises(RuntimeError):
        outbox.send_message(message.pk)
    assert outcome_of(message)[0] == "queued"


def test_a_message_that_is_gone_is_said_to_be(account: Account) -> None:
    with pytest.raises(NotFound):
        outbox.send_message(999_999)


def test_a_sent_message_stays_sent(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, FINE)
    message = queue(account)
    assert [outbox.send_message(message.pk) for _ in range(3)] == ["sent"] * 3
    assert len(server.calls(SEND)) == 1


# Dropped --------------------------------------------------------------------------------------------------


def test_after_its_window_a_message_is_dropped_without_a_call(
    account: Account, server: ScriptedServer
) -> None:
    message = queue(account, window_until=clock.now() - dt.timedelta(seconds=1))
    assert outbox.send_message(message.pk) == "dropped"
    assert outcome_of(message) == ("dropped", "window_closed", None)
    assert server.seen == []


@pytest.mark.parametrize(
    ("errcode", "reason"),
    [
        (45015, "window_closed"),
        (45047, "count_spent"),
        (43004, "not_follower"),
        (48002, "blocked"),
        (43019, "blocked"),
        (40003, "unknown_user"),
        (45002, "unfit"),
        (45028, "no_mass_quota"),
        (48001, "no_permission"),
    ],
)
def test_what_wechat_refuses_for_good_is_dropped_with_its_reason(
    account: Account, server: ScriptedServer, errcode: int, reason: str
) -> None:
    server.script(SEND, error(errcode))
    message = queue(account)
    assert outbox.send_message(message.pk) == "dropped"
    assert outcome_of(message) == ("dropped", reason, errcode)
    assert verdicts.words_of(reason) != reason


def test_messages_of_a_switched_off_account_are_dropped(account: Account, server: ScriptedServer) -> None:
    message = queue(account)
    Account.objects.update(is_active=False)
    assert outbox.send_message(message.pk) == "dropped"
    assert outcome_of(message)[1] == "account_off"


# Later ----------------------------------------------------------------------------------------------------


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


# Uncertain ------------------------------------------------------------------------------------------------


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
        thawed.wait(5)
        return error(-1)

    server.script(SEND, freeze)
    results: list[str] = []

    def send() -> None:
        results.append(outbox.send_message(message.pk))
        connection.close()

    worker = threading.Thread(target=send)
    worker.start()
    frozen.wait(5)
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


# Against the sandbox --------------------------------------------------------------------------------------


def queue_for(account: Account, openid: str, reason: str) -> OutboundMessage:
    outbox.queue_text(account_id=account.pk, openid=openid, text=f"您好 {reason}", reason_key=reason)
    return OutboundMessage.objects.get(reason_key=reason)


def test_the_fourth_message_after_a_follow_is_dropped(sandbox: Sandbox, sandbox_account: Account) -> None:
    person_id, openid = sandbox.follower()
    states = [outbox.send_message(queue_for(sandbox_account, openid, f"m:{n}").pk) for n in range(4)]
    assert states == ["sent", "sent", "sent", "dropped"]
    assert OutboundMessage.objects.get(reason_key="m:3").errcode == 45047
    assert [bubble["text"] for bubble in sandbox.chat(person_id)] == ["您好 m:0", "您好 m:1", "您好 m:2"]


def test_after_a_minute_the_follow_window_is_closed(sandbox: Sandbox, sandbox_account: Account) -> None:
    _, openid = sandbox.follower()
    sandbox.ask("POST", "/clock", advance=61)
    try:
        message = queue_for(sandbox_account, openid, "late")
        assert outbox.send_message(message.pk) == "dropped"
        assert outcome_of(message) == ("dropped", "window_closed", 45015)
    finally:
        sandbox.ask("POST", "/clock", reset=True)


def test_an_accepted_message_whose_answer_is_lost_arrives_once(
    sandbox: Sandbox, sandbox_account: Account
) -> None:
    person_id, openid = sandbox.follower()
    sandbox.fault("accept_then_drop", SEND, times=1)
    message = queue_for(sandbox_account, openid, "lost")
    assert outbox.send_message(message.pk) == "uncertain"
    make_due(message)
    outbox.send_due_messages()
    assert len(sandbox.chat(person_id)) == 1


def test_a_message_survives_500_and_a_dead_token(sandbox: Sandbox, sandbox_account: Account) -> None:
    person_id, openid = sandbox.follower()
    message = queue_for(sandbox_account, openid, "stubborn")
    sandbox.fault("http_500", SEND, times=1)
    assert outbox.send_message(message.pk) == "queued"
    make_due(message)
    sandbox.fault("token_dead", SEND, times=1)
    assert outbox.send_message(message.pk) == "sent"
    assert len(sandbox.chat(person_id)) == 1


def test_system_busy_leaves_it_open_and_the_message_is_not_repeated(
    sandbox: Sandbox, sandbox_account: Account
) -> None:
    person_id, openid = sandbox.follower()
    message = queue_for(sandbox_account, openid, "maybe")
    sandbox.fault("busy", SEND, times=1)
    assert outbox.send_message(message.pk) == "uncertain"
    assert outcome_of(message) == ("uncertain", "busy", -1)
    make_due(message)
    outbox.send_due_messages()
    assert sandbox.chat(person_id) == []


def test_a_card_arrives_with_its_picture(sandbox: Sandbox, sandbox_account: Account, thumb: Path) -> None:
    person_id, openid = sandbox.follower()
    outbox.queue_card(
        account_id=sandbox_account.pk,
        openid=openid,
        title="会员码",
        card_app_id="wxmini",
        page="pages/code",
        thumb_path=str(thumb),
        reason_key="card",
    )
    assert outbox.send_due_messages() == 1
    assert OutboundMessage.objects.get().state == "sent"
    assert sandbox.chat(person_id)[0]["card"]["pagepath"] == "pages/code"


# The rate that all senders of the account share -------------------------------------------------------------


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
