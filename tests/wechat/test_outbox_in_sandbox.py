"""The outbox against the sandbox: windows, lost answers, dead tokens, cards."""

from pathlib import Path

from tests.wechat.gateway_out import Sandbox
from tests.wechat.outbox_kit import SEND, make_due, outcome_of
from wechat.models import Account, OutboundMessage
from wechat.services import outbox


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
