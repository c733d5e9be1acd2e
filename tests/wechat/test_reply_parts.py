"""Several messages for one act of hers: which is passive, in what order the rest goes, and how often."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction

from core import clock
from core.actor import Actor
from tests.wechat import push_kit
from tests.wechat.conftest import Push, make_account
from tests.wechat.gateway_out import OPENID, account, server  # noqa: F401
from tests.wechat.reply_kit import make_rule
from tests.wechat.scripted_server import FINE, ScriptedServer, error
from wechat.models import Account, InboundEvent, OutboundMessage, ReplyPart, ReplyRule, ReplyTally
from wechat.services import accounts, outbox, reply_tallies
from wechat.services.callback import answer
from wechat.services.contents import text_content
from wechat.services.inbox import drain_inbox, replay

SEND = "/cgi-bin/message/custom/send"
ARTICLE = {"kind": "article", "title": "标题", "url": "https://x.test/1"}


def kinds() -> list[tuple[str, str]]:
    return list(OutboundMessage.objects.order_by("pk").values_list("kind", "state"))


def test_the_first_part_is_passive_and_the_rest_waits_in_its_order(
    push_plain: Push, plain_account: Account
) -> None:
    parts = ({"text": "一"}, {"kind": "image", "picture": "reply-cards/a.png"}, ARTICLE, {"text": "四"})
    make_rule(plain_account.pk, "four", *parts, trigger="default")
    assert "一" in push_plain(push_kit.text_message("在吗")).body.decode()
    drain_inbox()
    assert kinds() == [("image", "queued"), ("article", "held"), ("text", "held")]
    replay(event_ids=list(InboundEvent.objects.values_list("pk", flat=True)), actor=Actor.system("test"))
    drain_inbox()
    assert len(kinds()) == 3


def test_a_picture_in_front_makes_all_of_them_messages(push_plain: Push, plain_account: Account) -> None:
    make_rule(
        plain_account.pk,
        "picture",
        {"kind": "image", "picture": "reply-cards/a.png"},
        {"text": "二"},
        trigger="click",
        menu_key="NEW",
    )
    assert push_plain(push_kit.event("CLICK", EventKey="NEW")).body == b"success"
    drain_inbox()
    assert ("image", "queued") in kinds()
    assert ("text", "held") in kinds()


def test_a_part_that_nobody_knows_holds_up_nothing(push_plain: Push, plain_account: Account) -> None:
    make_rule(
        plain_account.pk, "odd", {"kind": "hologram"}, {"kind": "image"}, {"text": "三"}, trigger="default"
    )
    push_plain(push_kit.text_message("x"))
    drain_inbox()
    assert kinds() == [("text", "queued")]
    assert InboundEvent.objects.get().state == "processed"


def test_a_pausing_rule_is_silent_for_her_and_not_for_others(
    push_plain: Push, plain_account: Account
) -> None:
    rule = make_rule(plain_account.pk, "收到", trigger="default", pause_minutes=60)
    at = int(clock.now().timestamp())

    def write(number: int, **fields: Any) -> bytes:
        message = push_kit.text_message("在吗") | {"MsgId": number, "CreateTime": at} | fields
        return push_plain(message).body

    assert "收到".encode() in write(1)
    assert write(2, CreateTime=at + 60) == b"success"
    assert "收到".encode() in write(1)  # WeChat's retry of the first hears the same again
    assert write(2, CreateTime=at + 60) == b"success"
    assert "收到".encode() in write(3, FromUserName="oSOMEBODYELSE")
    assert "收到".encode() in write(4, CreateTime=at + 3_601)
    won = InboundEvent.objects.order_by("pk").values_list("won_rule_id", flat=True)
    assert list(won) == [rule.pk, None, rule.pk, rule.pk]


def test_the_worker_follows_what_was_answered_first(push_plain: Push, plain_account: Account) -> None:
    """A rule that comes between push and worker does not mix two answers."""
    make_rule(plain_account.pk, "old", {"text": "一"}, {"text": "二"}, trigger="default")
    push_plain(push_kit.text_message("x"))
    make_rule(plain_account.pk, "new", {"text": "甲"}, {"text": "乙"}, trigger="default", priority=9)
    drain_inbox()
    assert [row.payload["text"] for row in OutboundMessage.objects.all()] == ["二"]


def test_a_rule_deleted_meanwhile_leaves_the_push_in_order(push_plain: Push, plain_account: Account) -> None:
    make_rule(plain_account.pk, "old", {"text": "一"}, {"text": "二"}, trigger="default")
    push_plain(push_kit.text_message("x"))
    ReplyRule.objects.all().delete()
    drain_inbox()
    assert InboundEvent.objects.get().state == "processed"
    assert not OutboundMessage.objects.exists()


# Order on the way out --------------------------------------------------------------------------------------


def in_turn(account_row: Account, *texts: str) -> list[OutboundMessage]:
    after = None
    with transaction.atomic():
        for number, text in enumerate(texts):
            after = outbox.queue_in_turn(
                account_id=account_row.pk,
                openid=OPENID,
                content=text_content(text=text),
                reason_key=f"rule:1:{number}",
                after_id=after,
                at=clock.now(),
            )
    return list(OutboundMessage.objects.order_by("pk"))


def sent_texts(running: ScriptedServer) -> list[str]:
    return [call.json()["text"]["content"] for call in running.calls(SEND)]


@pytest.mark.parametrize("first", [FINE, error(45047)])
def test_the_next_goes_when_the_one_before_is_over(
    account: Account,  # noqa: F811
    server: ScriptedServer,  # noqa: F811
    first: Any,
) -> None:
    rows = in_turn(account, "一", "二", "三")
    assert [row.state for row in rows] == ["queued", "held", "held"]
    assert outbox.send_message(rows[1].pk) == "held"  # whoever asks for it too early
    server.script(SEND, first, FINE, FINE)
    outbox.send_due_messages()
    states = list(OutboundMessage.objects.order_by("pk").values_list("state", flat=True))
    assert states[1:] == ["queued", "held"]
    outbox.send_due_messages()
    outbox.send_due_messages()
    assert sent_texts(server) == ["一", "二", "三"]


def test_what_a_dead_sender_left_behind_is_released_by_the_job(account: Account) -> None:  # noqa: F811
    rows = in_turn(account, "一", "二")
    past = clock.now() - dt.timedelta(minutes=5)
    OutboundMessage.objects.filter(pk=rows[0].pk).update(state="sending", leased_until=past)
    outbox.rescue_stuck_messages()
    assert list(OutboundMessage.objects.order_by("pk").values_list("state", flat=True)) == [
        "uncertain",
        "queued",
    ]


# Versions and tallies --------------------------------------------------------------------------------------


def test_a_change_by_any_way_is_seen(push_plain: Push, plain_account: Account, monkeypatch: Any) -> None:
    """No process is told: each looks at the version, which the database itself raises."""
    monkeypatch.setattr(accounts, "CACHE_SECONDS", 0)
    rule = make_rule(plain_account.pk, "一", trigger="default")

    def heard(number: int) -> str:
        return push_plain(push_kit.text_message("x") | {"MsgId": number}).body.decode()

    assert "一" in heard(1)
    ReplyPart.objects.update(text="二")
    assert "二" in heard(2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wechat_replypart SET text = '三'")
    assert "三" in heard(3)
    ReplyRule.objects.filter(pk=rule.pk).update(is_active=False)
    assert heard(4) == "success"
    book = accounts.find_doorkeeper("plain", until=float("inf")).book  # type: ignore[union-attr]
    assert accounts.find_doorkeeper("plain", until=float("inf")).book is book  # type: ignore[union-attr]


def test_wins_are_counted_once_and_only_by_the_fold(push_plain: Push, plain_account: Account) -> None:
    rule = make_rule(plain_account.pk, "收到", trigger="default")
    for number in (1, 2, 3, 3):
        push_plain(push_kit.text_message("x") | {"MsgId": number, "CreateTime": 1_764_000_000})
    assert not ReplyTally.objects.exists()
    assert reply_tallies.fold_reply_tallies() > 0
    assert reply_tallies.fold_reply_tallies() == 0
    tally = ReplyTally.objects.get(rule=rule)
    assert tally.won_count == 3
    assert tally.last_won_at == InboundEvent.objects.latest("pk").received_at


def test_a_doubled_content_is_stored_and_answered_by_nobody(db: None) -> None:
    make_rule(make_account("plain", "plain", aes_key="").pk, "收到", trigger="default")
    body = push_kit.xml(push_kit.text_message("x")).replace("</Content>", "</Content><Content>y</Content>")
    assert answer("plain", "POST", push_kit.plain_query(), body.encode()).body == b"success"
    assert InboundEvent.objects.get().won_rule_id is None
