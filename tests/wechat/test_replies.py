"""Reply rules: which wins, and what is sent."""

import json
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from django.db import IntegrityError
from wechatpy.replies import TextReply

from tests.wechat import push_kit
from tests.wechat.conftest import Push, make_account
from wechat.models import Account, ReplyRule
from wechat.services import replies
from wechat.services.callback import answer


def rule(account: Account, name: str, **fields: Any) -> ReplyRule:
    return ReplyRule.objects.create(account=account, name=name, **({"text": name} | fields))


def winner(account: Account, **occasion: Any) -> str | None:
    rules = list(ReplyRule.objects.filter(account=account, is_active=True).order_by("-priority", "pk"))
    chosen = replies.choose(rules, replies.Occasion(**occasion))
    return chosen.name if chosen else None


def test_the_most_specific_rule_wins(safe_account: Account) -> None:
    rule(safe_account, "default", trigger="default", priority=99)
    rule(safe_account, "short", trigger="keyword", keyword="门", keyword_match="contains", priority=9)
    rule(safe_account, "long", trigger="keyword", keyword="门店", keyword_match="contains")
    rule(safe_account, "exact", trigger="keyword", keyword="门店")
    rule(safe_account, "follow", trigger="follow", priority=9)
    rule(safe_account, "by code", trigger="follow", channel_code="ABC")
    assert winner(safe_account, text="门店") == "exact"
    assert winner(safe_account, text="附近门店在哪") == "long"
    assert winner(safe_account, text="门") == "short"
    assert winner(safe_account, text="别的") == "default"
    assert winner(safe_account, text="") == "default"  # a picture, say
    assert winner(safe_account, is_follow=True) == "follow"
    assert winner(safe_account, is_follow=True, scene="ABC") == "by code"
    assert winner(safe_account, is_follow=True, scene="XYZ") == "follow"


def test_priority_decides_between_equals_then_age(safe_account: Account) -> None:
    rule(safe_account, "older", trigger="keyword", keyword="a")
    rule(safe_account, "younger", trigger="keyword", keyword="A")
    assert winner(safe_account, text="a") == "older"
    rule(safe_account, "first", trigger="keyword", keyword="a", priority=1)
    assert winner(safe_account, text="a") == "first"


def test_switched_off_rules_do_not_answer(push_safe: Push, safe_account: Account) -> None:
    rule(safe_account, "off", trigger="default", is_active=False)
    assert push_safe(push_kit.text_message("x")).body == b"success"


def test_the_database_refuses_a_keyword_rule_without_a_word(safe_account: Account) -> None:
    with pytest.raises(IntegrityError, match="replyrule_keyword_has_a_word"):
        rule(safe_account, "empty", trigger="keyword", keyword="")


def test_the_tester_explains_the_winner_and_the_losers(safe_account: Account) -> None:
    rule(safe_account, "exact", trigger="keyword", keyword="门店")
    rule(safe_account, "default", trigger="default")
    explained = replies.explain(account_id=safe_account.pk, situation="text", text="门店")
    assert explained.winner is not None
    assert explained.winner.name == "exact"
    assert "门店" in explained.winner.because
    assert [name for _id, name, _why in explained.losers] == ["default"]
    assert replies.explain(account_id=safe_account.pk, situation="follow").winner is None


def test_a_plain_text_reply_turns_the_addresses_around(push_plain: Push, plain_account: Account) -> None:
    rule(plain_account, "hello", trigger="follow", text="欢迎")
    reply = ElementTree.fromstring(push_plain(push_kit.event("subscribe")).body)
    assert reply.findtext("Content") == "欢迎"
    assert reply.findtext("ToUserName") == "oTESTUSER_00000000000000001"
    assert reply.findtext("FromUserName") == push_kit.ORIGINAL_ID


def test_an_article_reply_carries_exactly_one_article(push_plain: Push, plain_account: Account) -> None:
    rule(
        plain_account,
        "card",
        trigger="default",
        kind="article",
        title="标题",
        url="https://x.test/1",
        picture_url="https://x.test/p.png",
    )
    reply = ElementTree.fromstring(push_plain(push_kit.text_message("x")).body)
    assert reply.findtext("ArticleCount") == "1"
    assert [item.findtext("Url") for item in reply.iter("item")] == ["https://x.test/1"]


def test_a_safe_reply_is_sealed_with_a_signature_over_its_own_nonce(
    push_safe: Push, safe_account: Account
) -> None:
    rule(safe_account, "d", trigger="default", text="收到")
    envelope = ElementTree.fromstring(push_safe(push_kit.text_message("x")).body)
    parts = {child.tag: child.text or "" for child in envelope}
    assert parts["MsgSignature"] == push_kit.sign(
        push_kit.TOKEN, parts["TimeStamp"], parts["Nonce"], parts["Encrypt"]
    )
    assert "收到" in push_kit.decrypt(parts["Encrypt"])[0]


def test_success_is_never_encrypted(push_safe: Push) -> None:
    """wechatpy would encrypt an empty reply; WeChat wants the literal word."""
    assert push_safe(push_kit.text_message("x")).body == b"success"


def test_a_json_account_is_answered_in_json(db: None) -> None:
    account = make_account("mini", kind="mini_program")
    rule(account, "d", trigger="default", text="收到")
    query, body = push_kit.sealed(json.dumps(push_kit.text_message("x")), as_json=True)
    reply = answer("mini", "POST", query, body)
    envelope = json.loads(reply.body)
    assert isinstance(envelope["TimeStamp"], int)
    assert json.loads(push_kit.decrypt(envelope["Encrypt"])[0])["Content"] == "收到"


@pytest.mark.parametrize(
    "nasty", ["a]]><Evil>1</Evil><![CDATA[b", "]]>", "x\x00\x08\x1fy", "\ud800 lone", "表情 😀"]
)
def test_no_text_breaks_out_of_its_element(nasty: str, push_plain: Push, plain_account: Account) -> None:
    if "\x00" in nasty or "\ud800" in nasty:  # PostgreSQL refuses these; they could come from elsewhere
        made = ReplyRule(kind="text", text=nasty)
        text = replies.render_xml(made, openid="o1", original_id="gh", at_unix=1)
    else:
        rule(plain_account, "d", trigger="default", text=nasty)
        text = push_plain(push_kit.text_message("x")).body.decode()
    reply = ElementTree.fromstring(text)
    assert reply.find(".//Evil") is None
    assert reply.findtext("Content") == "".join(c for c in nasty if c >= " " and c != "\ud800")


def test_plain_wechatpy_lets_text_break_out() -> None:
    broken = TextReply(content="a]]><Evil>1</Evil><![CDATA[b", source="s", target="t", time=1).render()
    assert ElementTree.fromstring(broken).find(".//Evil") is not None
