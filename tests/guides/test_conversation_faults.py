"""Conversations when workers die, and when a merge or an unfollow comes in between; a picture over real HTTP."""

import datetime as dt
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from core import clock
from guides import errors, services
from guides.models import Conversation, ConversationMessage, GuideNotice
from members import services as member_services
from tests.cast import DIRECTOR, Cast, make_follower, openid_of
from tests.guides.test_conversations import reply, talk, write
from tests.killed_job import killed_while_waiting, run_killed
from tests.threads import at_once
from tests.wechat import push_kit
from tests.wechat.gateway_out import Sandbox, sandbox, sandbox_url, server  # noqa: F401
from tests.wechat.reply_kit import make_rule
from tests.wechat.scripted_server import FINE, Reply, ScriptedServer, Seen
from wechat.models import Account, Follower, InboundEvent, OutboundMessage
from wechat.services import accounts, followers, outbox
from wechat.services.callback import answer
from wechat.services.inbox import drain_inbox

pytestmark = pytest.mark.django_db(transaction=True)

DRAIN = "from wechat.services.inbox import drain_inbox; drain_inbox()"
SEND = "/cgi-bin/message/custom/send"
KILLED = """
import os, pathlib
from django.conf import settings
from tests.wechat.scripted_server import hosts_at
from wechat.services import outbox
settings.WECHAT_HOSTS = hosts_at({url!r})
pathlib.Path({pid_file!r}).write_text(str(os.getpid()))
outbox.send_message({message_id})
"""


@pytest.fixture(autouse=True)
def _plain_account(request: pytest.FixtureRequest) -> Iterator[None]:
    if "cast" in request.fixturenames:
        cast: Cast = request.getfixturevalue("cast")
        account = Account.objects.get(pk=cast.account_id)
        account.push_mode, account.push_token = "plain", push_kit.TOKEN
        account.save(update_fields=["push_mode", "push_token"])
    accounts.forget_cached()
    yield
    accounts.forget_cached()


def store(text: str) -> None:
    """Her push is in the inbox, and nobody has looked at it."""
    body = push_kit.xml(push_kit.text_message(text) | {"FromUserName": openid_of("xiaomei")}).encode()
    assert answer(Account.objects.get().slug, "POST", push_kit.plain_query(), body).status == 200


def test_a_worker_killed_while_it_stores_a_message_neither_loses_nor_doubles_it(cast: Cast) -> None:
    store("在吗")
    lock = "SELECT 1 FROM members_member WHERE id = %(id)s FOR UPDATE"
    with killed_while_waiting(DRAIN, lock=lock, values={"id": cast.xiaomei.id}):
        assert not ConversationMessage.objects.exists()
        InboundEvent.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
        drain_inbox()
        drain_inbox()
    assert [line.words for line in talk(cast).lines] == ["在吗"]
    assert GuideNotice.objects.filter(kind="message_came").count() == 1
    assert InboundEvent.objects.get().state == "processed"


def test_a_sender_killed_after_wechat_took_the_answer_leaves_it_in_doubt_and_says_so(
    cast: Cast,
    server: ScriptedServer,  # noqa: F811
    tmp_path: Path,
) -> None:
    write("在吗")
    message_id = reply(cast, "在的")
    row = OutboundMessage.objects.get(reason_key=f"talk:{message_id}")
    OutboundMessage.objects.exclude(pk=row.pk).delete()
    pid_file = tmp_path / "pid"

    def kill(_seen: Seen) -> Reply:
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        return FINE

    server.script(SEND, kill)
    run_killed(KILLED.format(url=server.base_url, pid_file=str(pid_file), message_id=row.pk))
    server.script(SEND, FINE)
    assert outbox.rescue_stuck_messages() == 0  # the lease still holds
    OutboundMessage.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    assert outbox.rescue_stuck_messages() == 1
    outbox.send_due_messages()
    assert len(server.calls(SEND)) == 1
    assert talk(cast).lines[-1].state == "uncertain"
    assert services.settle_answers() == 1
    assert ConversationMessage.objects.get(pk=message_id).state == "uncertain"


def test_an_answer_that_races_with_a_merge_goes_out_once_and_stays_with_her(cast: Cast) -> None:
    for turn in range(3):
        other = make_follower(f"小号{turn}", openid_of(f"second{turn}"), at=clock.now())
        write("从旧号来", f"second{turn}", MsgId=1_000 + turn)
        write("从新号来", MsgId=2_000 + turn)
        merge = partial(
            member_services.merge_members,
            first_id=cast.xiaomei.id,
            second_id=other.id,
            survivor_id=cast.xiaomei.id,
            actor=DIRECTOR,
        )
        say = partial(reply, cast, f"在的 {turn}", key=f"race-{turn:04d}")
        staff = partial(
            services.answer_as_staff,
            member_id=other.id,
            staff_id=cast.head_office.pk,
            text=f"总部在 {turn}",
            request_key=f"race-{turn:04d}",
            actor=DIRECTOR,
        )
        answers = at_once([merge, say, staff])
        assert [one for one in answers if isinstance(one, Exception)] == []
        (conversation,) = Conversation.objects.all()
        assert conversation.member_id == cast.xiaomei.id
        said = [line.words for line in talk(cast).lines]
        for words in (f"在的 {turn}", f"总部在 {turn}"):
            assert said.count(words) == 1
        sent = OutboundMessage.objects.filter(reason_key__in=[f"talk:{one}" for one in answers[1:]])
        assert sent.count() == 2


def test_an_answer_that_races_with_an_unfollow_is_refused_or_ends_with_its_reason(
    cast: Cast,
    server: ScriptedServer,  # noqa: F811
) -> None:
    server.script(SEND, Reply(b'{"errcode":45015,"errmsg":"out of time limit or subscription is canceled"}'))
    for turn in range(4):
        write("在吗", MsgId=3_000 + turn)
        lose = partial(
            followers.note_unfollow, account_id=cast.account_id, openid=cast.xiaomei_openid, at=clock.now()
        )
        said, _lost = at_once([partial(reply, cast, "在的", key=f"gone-{turn:04d}"), lose])
        if isinstance(said, errors.WindowClosed):
            assert talk(cast).waiting_since is not None
            continue
        assert isinstance(said, int)
        outbox.send_due_messages()
        line = next(line for line in talk(cast).lines if line.id == said)
        assert line.state == "dropped"
        assert "微信" in line.outcome
    assert not Follower.objects.get(openid=cast.xiaomei_openid).window_until


def test_a_picture_of_a_rule_reaches_her_over_real_http(
    sandbox: Sandbox,  # noqa: F811
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    path = tmp_path / "p.png"
    Image.new("RGB", (200, 120), "#1f6f54").save(path)
    name = default_storage.save("reply-cards/p.png", ContentFile(path.read_bytes()))
    account = Account.objects.get(app_id=sandbox.app_id)
    Account.objects.filter(pk=account.pk).update(push_mode="plain")
    accounts.forget_cached()
    make_rule(
        account.pk,
        "新品",
        {"text": "新品来了"},
        {"kind": "image", "picture": name},
        trigger="keyword",
        keyword="新品",
    )
    person, openid = sandbox.follower()
    fields = push_kit.text_message("新品") | {"FromUserName": openid}
    query = push_kit.plain_query(token="pushtoken")
    answered = answer(account.slug, "POST", query, push_kit.xml(fields).encode())
    assert "新品来了" in answered.body.decode()
    drain_inbox()
    outbox.send_due_messages()
    row = OutboundMessage.objects.get(kind="image")
    assert (row.state, row.outcome) == ("sent", "")
    (bubble,) = sandbox.chat(person)
    assert bubble["kind"] == "image"
