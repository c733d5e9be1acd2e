"""What no rule settles is kept for her guide, answered while WeChat takes a message, and nobody else sees it."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from core import clock
from core.actor import Actor
from core.errors import NotFound
from guides import errors, selectors, services
from guides.models import Conversation, ConversationMessage, GuideNotice
from guides.services.holdings_conversations import ConversationHoldings
from members.models import Member
from tests.cast import Cast, make_follower, openid_of
from tests.wechat import push_kit
from tests.wechat.reply_kit import make_rule
from wechat.models import Account, Follower, InboundEvent, OutboundMessage
from wechat.services import accounts
from wechat.services.callback import answer
from wechat.services.inbox import drain_inbox, replay

LINA = Actor.guide(1, "李娜")
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _plain_account(cast: Cast) -> Any:
    Account.objects.filter(pk=cast.account_id).update(push_mode="plain")
    account = Account.objects.get(pk=cast.account_id)
    account.push_token = push_kit.TOKEN
    account.save(update_fields=["push_token"])
    accounts.forget_cached()
    yield
    accounts.forget_cached()


def push(fields: dict[str, Any], who: str = "xiaomei") -> None:
    slug = Account.objects.get().slug
    body = push_kit.xml(fields | {"FromUserName": openid_of(who)}).encode()
    assert answer(slug, "POST", push_kit.plain_query(), body).status == 200
    drain_inbox()
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"processed"}


def write(text: str, who: str = "xiaomei", **fields: Any) -> None:
    cdata = text.replace("]]>", "]]]]><![CDATA[>")
    push(push_kit.text_message(cdata) | fields, who)


def reply(cast: Cast, text: str, guide: Any = None, key: str = "key-0001", **more: Any) -> int:
    return services.answer_member(
        guide_id=(guide or cast.lina).id,
        public_id=cast.xiaomei.public_id,
        text=text,
        request_key=key,
        actor=LINA,
        **more,
    )


def talk(cast: Cast, guide: Any = None) -> Any:
    return selectors.get_talk(guide_id=(guide or cast.lina).id, public_id=cast.xiaomei.public_id, limit=50)


def end(message_id: int, state: str, outcome: str = "") -> None:
    OutboundMessage.objects.filter(reason_key=f"talk:{message_id}").update(state=state, outcome=outcome)


def test_what_no_rule_settles_waits_for_her_guide(cast: Cast) -> None:
    make_rule(cast.account_id, "门店", trigger="keyword", keyword="门店")
    make_rule(cast.account_id, "收到", trigger="default")
    write("门店")
    assert not Conversation.objects.exists()
    write("有没有 M 码？ ]]> 😀")
    push(push_kit.message(MsgType="image", PicUrl="http://x/p", MediaId="m1", MsgId=91))
    push(push_kit.message(MsgType="location", Label="南京东路", Location_X="1", Location_Y="2", MsgId=92))
    replay(event_ids=list(InboundEvent.objects.values_list("pk", flat=True)), actor=Actor.system("test"))
    drain_inbox()
    lines = talk(cast).lines
    assert [(line.kind, line.words) for line in lines] == [
        ("text", "有没有 M 码？ ]]> 😀"),
        ("image", ""),
        ("location", "南京东路"),
    ]
    summary = selectors.summarize_talks(selectors.get_guide_card(cast.lina.id))
    assert (summary.waiting_count, summary.unread_count) == (1, 3)
    assert GuideNotice.objects.filter(guide_id=cast.lina.id, kind="message_came").count() == 3


def test_a_rule_that_calls_her_guide_opens_a_conversation(cast: Cast) -> None:
    make_rule(cast.account_id, "人工", {"kind": "guide"}, trigger="keyword", keyword="人工")
    make_rule(cast.account_id, "菜单", {"kind": "guide"}, trigger="click", menu_key="CALL")
    write("人工")
    push(push_kit.event("CLICK", EventKey="CALL"))
    assert [(line.kind, line.words) for line in talk(cast).lines] == [("text", "人工"), ("transfer", "")]
    told = [row.payload["text"] for row in OutboundMessage.objects.filter(reason_key__startswith="rule:")]
    assert len(told) == 2
    assert all("李娜" in text for text in told)


def test_an_answer_goes_out_once_and_its_end_is_told(cast: Cast) -> None:
    write("在吗")
    first = reply(cast, " 在的\r\n有什么可以帮您？ ")
    assert reply(cast, "在的") == first
    message = OutboundMessage.objects.get(reason_key=f"talk:{first}")
    assert message.payload == {"text": "在的\n有什么可以帮您？"}
    assert talk(cast).lines[-1].state == "queued"
    assert talk(cast).waiting_since is None
    end(first, "sent")
    assert talk(cast).lines[-1].state == "sent"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("window_closed", "超过微信允许回复的时间"),
        ("count_spent", "条数已用完"),
        ("not_follower", "没有关注"),
    ],
)
def test_why_an_answer_did_not_arrive_is_told_and_kept(cast: Cast, outcome: str, words: str) -> None:
    write("在吗")
    sent = reply(cast, "在的")
    end(sent, "dropped", outcome)
    line = talk(cast).lines[-1]
    assert line.state == "dropped"
    assert words in line.outcome
    assert services.settle_answers() == 1
    OutboundMessage.objects.all().delete()  # as the gateway prunes them
    assert talk(cast).lines[-1] == line


def test_after_the_window_nothing_can_be_sent_and_nothing_is_lost(cast: Cast) -> None:
    write("在吗")
    Follower.objects.update(window_until=clock.now() - HOUR)
    with pytest.raises(errors.WindowClosed):
        reply(cast, "在的")
    assert talk(cast).window_until is None
    assert talk(cast).waiting_since is not None
    services.settle_conversation(guide_id=cast.lina.id, public_id=cast.xiaomei.public_id, actor=LINA)
    services.settle_conversation(guide_id=cast.lina.id, public_id=cast.xiaomei.public_id, actor=LINA)
    assert talk(cast).waiting_since is None
    assert [line.speaker for line in talk(cast).lines] == ["member", "settled"]
    assert not OutboundMessage.objects.filter(reason_key__startswith="talk:").exists()


@pytest.mark.parametrize(
    ("text", "refusal"), [("  \n\x00", errors.AnswerEmpty), ("好" * 683, errors.AnswerTooLong)]
)
def test_what_wechat_would_not_take_is_refused(cast: Cast, text: str, refusal: type[Exception]) -> None:
    write("在吗")
    with pytest.raises(refusal):
        reply(cast, text)
    assert ConversationMessage.objects.count() == 1


def test_nobody_but_her_guide_and_the_manager_reads_it(cast: Cast) -> None:
    write("在吗")
    assert talk(cast, cast.zhaoqiang).lines
    for stranger in (cast.wangfang,):
        with pytest.raises(NotFound):
            talk(cast, stranger)
        with pytest.raises(NotFound):
            reply(cast, "在的", stranger)
        assert not selectors.summarize_talks(selectors.get_guide_card(stranger.id)).waiting_count


def test_the_manager_sees_to_members_of_leavers_and_without_a_guide(cast: Cast) -> None:
    manager = selectors.get_guide_card(cast.zhaoqiang.id)
    write("在吗")
    assert not selectors.summarize_talks(manager).waiting_count  # her own guide's
    services.unbind_member(member_id=cast.xiaomei.id, actor=Actor.system("test"), reason="x")
    (waiting,) = selectors.list_waiting_talks(manager, limit=10)
    assert waiting.is_orphan
    write("还在吗")
    assert GuideNotice.objects.filter(guide_id=manager.id, kind="message_came").exists()
    reply(cast, "在的", cast.zhaoqiang)
    assert not selectors.list_waiting_talks(manager, limit=10)
    with pytest.raises(NotFound):
        talk(cast)


def test_a_merge_makes_one_conversation_and_its_undo_two(cast: Cast) -> None:
    other = make_follower("小美小号", openid_of("second"), at=clock.now())
    write("从旧号来", "second")
    write("从新号来")
    part, at = ConversationHoldings(), clock.now()
    moves: dict[str, Any] = {"emptier_id": other.id, "survivor_id": cast.xiaomei.id, "actor": LINA, "at": at}
    assert part.preview(survivor_id=cast.xiaomei.id, emptier_id=other.id)[0].outcome == "2 条"
    snapshot = part.move(**moves)
    assert part.move(**moves) == {}
    assert Conversation.objects.get().unread_count == 2
    write("合并之后")
    part.restore(**moves, snapshot=snapshot)
    counts = dict(Conversation.objects.values_list("member_id", "unread_count"))
    assert counts == {cast.xiaomei.id: 2, other.id: 1}
    assert part.export(other.id)["会话"][0]["内容"] == "从旧号来"
    assert part.erase(member_id=other.id, actor=LINA, at=at)
    assert not ConversationMessage.objects.filter(conversation__member_id=other.id).exists()


def test_words_are_sealed_and_forgotten_in_time(cast: Cast) -> None:
    write("我住南京东路 100 号")
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM guides_conversationmessage")
        assert "南京东路" not in str(cursor.fetchall())
    assert services.prune_conversations(at=clock.now() + dt.timedelta(days=179)) == 0
    assert services.prune_conversations(at=clock.now() + dt.timedelta(days=181)) > 0
    assert not Conversation.objects.exists()


def test_a_stranger_who_writes_is_a_prospect_nobody_is_told_of(cast: Cast) -> None:
    write("你好", "neverseen")
    conversation = Conversation.objects.get()
    assert Member.objects.get(pk=conversation.member_id).stage == "prospect"
    assert not GuideNotice.objects.filter(kind="message_came").exists()
