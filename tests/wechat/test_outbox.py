"""The outbox of customer-service messages: one row for a reason, sent once, dropped with its reason."""

import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from core import clock, events
from core.errors import NotFound
from tests.wechat.gateway_out import OPENID, at_once
from tests.wechat.outbox_kit import JPEG, SEND, UPLOAD, make_due, outcome_of, queue, queue_card
from tests.wechat.scripted_server import FINE, Reply, ScriptedServer, error, ok
from wechat.errors import MessageUnfit
from wechat.events import MessageQueued
from wechat.models import Account, Follower, MediaHandle, OutboundMessage
from wechat.models.outbox import MessageState
from wechat.services import outbox, verdicts
from wechat.services.clients import client_for


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
    server.script(SEND, FINE)
    message = queue(account)
    all_read = threading.Barrier(4)

    def send_unclaimed(_: int) -> None:
        row = OutboundMessage.objects.get(pk=message.pk)
        all_read.wait(timeout=30)
        if row.state == MessageState.QUEUED:
            client_for(account.pk).message.send_text(OPENID, "hi")
            OutboundMessage.objects.filter(pk=row.pk).update(state=MessageState.SENT)

    assert at_once(4, send_unclaimed) == [None] * 4
    assert len(server.calls(SEND)) == 4


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
