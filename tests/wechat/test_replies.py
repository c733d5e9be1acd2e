"""Reply rules: which wins, and what is sent."""

import datetime as dt
import json
import random
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from django.db import IntegrityError
from hypothesis import example, given
from hypothesis import strategies as st
from wechatpy.replies import TextReply

from core import clock
from tests.wechat import push_kit
from tests.wechat.conftest import Push, make_account
from tests.wechat.reply_kit import make_rule
from wechat.models import Account, ReplyHoliday, ReplyHours, ReplyPart, ReplyRule
from wechat.services import reply_book, reply_contents, reply_trial
from wechat.services.callback import answer
from wechat.services.reply_hours import Hours


def winner(
    account: Account, kind: str = "text", at: dt.datetime | None = None, **occasion: Any
) -> str | None:
    at = at or clock.now()
    book = reply_book.load_book(account.pk, dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    happened = reply_book.Occasion(kind, at, **occasion)  # type: ignore[arg-type]
    chosen, ranked = book.choose(happened), book.rank(happened)
    assert chosen == (ranked[0].ruled if ranked else None)  # the quick way and the explained one agree
    return chosen.rule.name if chosen else None


def rule(account: Account, name: str, *parts: dict[str, Any], **fields: Any) -> ReplyRule:
    return make_rule(account.pk, name, *parts, **fields)


def test_the_most_specific_rule_wins(safe_account: Account) -> None:
    rule(safe_account, "default", trigger="default", priority=99)
    rule(safe_account, "short", trigger="keyword", keyword="门", keyword_match="contains", priority=9)
    rule(safe_account, "long", trigger="keyword", keyword="门店", keyword_match="contains")
    rule(safe_account, "exact", trigger="keyword", keyword="门店")
    rule(safe_account, "pattern", trigger="keyword", keyword="几点|营业", keyword_match="pattern", priority=9)
    rule(safe_account, "picture", trigger="message", message_kind="image")
    rule(safe_account, "follow", trigger="follow", priority=9)
    rule(safe_account, "by code", trigger="follow", channel_code="ABC")
    rule(safe_account, "again", trigger="scan")
    rule(safe_account, "again by code", trigger="scan", channel_code="ABC")
    rule(safe_account, "menu", trigger="click", menu_key="CALL_GUIDE")
    assert winner(safe_account, text="门店") == "exact"
    assert winner(safe_account, text="附近门店在哪") == "long"
    assert winner(safe_account, text="门店几点营业") == "long"
    assert winner(safe_account, text="几点关门") == "short"
    assert winner(safe_account, text="你们几点下班") == "pattern"
    assert winner(safe_account, text="门") == "short"
    assert winner(safe_account, text="别的") == "default"
    assert winner(safe_account, "message", message_kind="image") == "picture"
    assert winner(safe_account, "message", message_kind="voice") == "default"
    assert winner(safe_account, "follow") == "follow"
    assert winner(safe_account, "follow", scene="ABC") == "by code"
    assert winner(safe_account, "follow", scene="XYZ") == "follow"
    assert winner(safe_account, "scan", scene="ABC") == "again by code"
    assert winner(safe_account, "scan", scene="XYZ") == "again"
    assert winner(safe_account, "click", menu_key="CALL_GUIDE") == "menu"
    assert winner(safe_account, "click", menu_key="OTHER") is None


def test_priority_decides_between_equals_then_age(safe_account: Account) -> None:
    rule(safe_account, "older", trigger="keyword", keyword="a")
    rule(safe_account, "younger", trigger="keyword", keyword="A")
    assert winner(safe_account, text="a") == "older"
    rule(safe_account, "first", trigger="keyword", keyword="Ａ", priority=1)  # full-width is the same letter
    assert winner(safe_account, text="a") == "first"


words = st.lists(st.text("门店券abc", min_size=1, max_size=4), min_size=1, max_size=12)


@example(keywords=["a", "a", "a", "b"], text="ab", seed=0)
@given(keywords=words, text=st.text("门店券abc 。", max_size=30), seed=st.integers(0, 2**16))
def test_the_index_finds_what_trying_every_rule_finds(keywords: list[str], text: str, seed: int) -> None:
    chance = random.Random(seed)
    rules = []
    for number, keyword in enumerate(keywords):
        match = chance.choice(["exact", "contains", "pattern"])
        made = ReplyRule(pk=number, trigger="keyword", keyword=keyword, keyword_match=match)
        if chance.random() < 0.2:
            made.valid_until = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        rules.append((made, (ReplyPart(kind="text", text="x"),)))
    book = reply_book.RuleBook(rules, Hours())
    happened = reply_book.Occasion("text", clock.now(), text=text.strip())
    ranked = book.rank(happened)
    assert book.choose(happened) == (ranked[0].ruled if ranked else None)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}", "^(\\w+\\s?)*$", "(x+x+)+y", "(退*)*货"]
)
def test_a_catastrophic_pattern_is_harmless(pattern: str, safe_account: Account) -> None:
    """Each of these takes Python's own engine minutes on this text."""
    rule(safe_account, "evil", trigger="keyword", keyword=pattern, keyword_match="pattern")
    rule(safe_account, "default", trigger="default")
    assert winner(safe_account, text="a" * 5_000 + "!x退") in {"evil", "default"}


def test_a_pattern_that_cannot_be_used_stops_no_other_rule(safe_account: Account) -> None:
    rule(safe_account, "broken", trigger="keyword", keyword="(", keyword_match="pattern")
    rule(safe_account, "good", trigger="keyword", keyword="退.?货", keyword_match="pattern")
    assert winner(safe_account, text="想退货") == "good"


@pytest.mark.parametrize(
    "text", ["门" * 10_000, "😀👩‍👩‍👧", "]]>", "", "\u202e反", "x\ud800y", "\x00", "(" * 3_000, " \n "]
)
def test_any_text_finds_its_rule(text: str, safe_account: Account) -> None:
    rule(safe_account, "door", trigger="keyword", keyword="门", keyword_match="contains")
    rule(safe_account, "smile", trigger="keyword", keyword="😀", keyword_match="contains")
    rule(safe_account, "pattern", trigger="keyword", keyword="反|y$", keyword_match="pattern")
    rule(safe_account, "default", trigger="default")
    expected = {"门": "door", "😀": "smile", "\u202e": "pattern", "x": "pattern"}.get(text[:1], "default")
    assert winner(safe_account, text=text.strip()) == expected


def test_a_rule_without_parts_says_nothing(push_safe: Push, safe_account: Account) -> None:
    ReplyRule.objects.create(account=safe_account, name="mute", trigger="default", priority=9)
    assert push_safe(push_kit.text_message("x")).body == b"success"
    rule(safe_account, "speaks", trigger="default")
    assert winner(safe_account, text="x") == "speaks"


def shanghai(*moment: int) -> dt.datetime:
    return dt.datetime(*moment, tzinfo=clock.SHANGHAI).astimezone(dt.UTC)  # type: ignore[misc,arg-type]


def test_validity_is_half_open_at_shanghai_midnight(safe_account: Account) -> None:
    rule(
        safe_account,
        "double eleven",
        trigger="keyword",
        keyword="双11",
        valid_from=shanghai(2026, 11, 11),
        valid_until=shanghai(2026, 11, 12),
    )
    second = dt.timedelta(seconds=1)
    assert winner(safe_account, at=shanghai(2026, 11, 11) - second, text="双11") is None
    assert winner(safe_account, at=shanghai(2026, 11, 11), text="双11") == "double eleven"
    assert winner(safe_account, at=shanghai(2026, 11, 12) - second, text="双11") == "double eleven"
    assert winner(safe_account, at=shanghai(2026, 11, 12), text="双11") is None


def test_the_night_and_the_festival_have_their_own_answer(safe_account: Account) -> None:
    hours = ReplyHours.objects.create(account=safe_account, weekly=["10:00-22:00"] * 5 + ["12:00-01:00", ""])
    ReplyHoliday.objects.create(
        hours=hours, name="春节", first_on=dt.date(2026, 2, 16), last_on=dt.date(2026, 2, 22)
    )
    ReplyHoliday.objects.create(
        hours=hours,
        name="初五",
        first_on=dt.date(2026, 2, 21),
        last_on=dt.date(2026, 2, 21),
        opens_at=dt.time(13),
        closes_at=dt.time(18),
    )
    rule(safe_account, "night", trigger="after_hours", priority=-9)
    rule(safe_account, "day", trigger="default", priority=9)
    rule(safe_account, "word", trigger="keyword", keyword="门店")
    cases = {
        (2026, 3, 2, 9, 59): "night",  # a Monday
        (2026, 3, 2, 10, 0): "day",
        (2026, 3, 2, 22, 0): "night",
        (2026, 3, 7, 23, 59): "day",  # Saturday
        (2026, 3, 8, 0, 59): "day",  # Saturday's hours end on Sunday morning
        (2026, 3, 8, 1, 0): "night",
        (2026, 2, 17, 12, 0): "night",
        (2026, 2, 21, 13, 0): "day",
        (2026, 2, 21, 18, 0): "night",
    }
    found = {moment: winner(safe_account, at=shanghai(*moment), text="在吗") for moment in cases}
    assert found == cases
    assert winner(safe_account, at=shanghai(2026, 3, 2, 3), text="门店") == "word"


def test_switched_off_rules_do_not_answer(push_safe: Push, safe_account: Account) -> None:
    rule(safe_account, "off", trigger="default", is_active=False)
    assert push_safe(push_kit.text_message("x")).body == b"success"


def test_the_database_refuses_a_keyword_rule_without_a_word(safe_account: Account) -> None:
    with pytest.raises(IntegrityError, match="replyrule_keyword_has_a_word"):
        rule(safe_account, "empty", trigger="keyword", keyword="")


def test_the_tester_explains_the_winner_and_the_losers(safe_account: Account) -> None:
    rule(safe_account, "exact", trigger="keyword", keyword="门店")
    rule(safe_account, "default", trigger="default")
    rule(safe_account, "off", trigger="keyword", keyword="门店", is_active=False)
    rule(safe_account, "over", trigger="keyword", keyword="门店", valid_until=shanghai(2020, 1, 1))
    asked = reply_book.Occasion("text", clock.now(), text="门店")
    explained = reply_trial.explain(account_id=safe_account.pk, occasion=asked)
    assert explained.winner is not None
    assert explained.winner.name == "exact"
    assert "门店" in explained.winner.because
    why = {loser.name: loser.why for loser in explained.losers}
    assert list(why) == ["default", "off", "over"]
    assert "没有启用" in why["off"]
    assert "已过结束时间" in why["over"]
    followed = reply_book.Occasion("follow", clock.now())
    assert reply_trial.explain(account_id=safe_account.pk, occasion=followed).winner is None


def test_a_plain_text_reply_turns_the_addresses_around(push_plain: Push, plain_account: Account) -> None:
    rule(plain_account, "欢迎", trigger="follow")
    reply = ElementTree.fromstring(push_plain(push_kit.event("subscribe")).body)
    assert reply.findtext("Content") == "欢迎"
    assert reply.findtext("ToUserName") == "oTESTUSER_00000000000000001"
    assert reply.findtext("FromUserName") == push_kit.ORIGINAL_ID


def test_an_article_reply_carries_exactly_one_article(push_plain: Push, plain_account: Account) -> None:
    article = {"kind": "article", "title": "标题", "url": "https://x.test/1"}
    rule(plain_account, "card", article | {"picture_url": "https://x.test/p.png"}, trigger="default")
    reply = ElementTree.fromstring(push_plain(push_kit.text_message("x")).body)
    assert reply.findtext("ArticleCount") == "1"
    assert [item.findtext("Url") for item in reply.iter("item")] == ["https://x.test/1"]


def test_a_safe_reply_is_sealed_with_a_signature_over_its_own_nonce(
    push_safe: Push, safe_account: Account
) -> None:
    rule(safe_account, "收到", trigger="default")
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
    rule(account, "收到", trigger="default")
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
        made = ReplyPart(kind="text", text=nasty)
        text = reply_contents.render_xml(made, openid="o1", original_id="gh", at_unix=1)
    else:
        rule(plain_account, "d", {"text": nasty}, trigger="default")
        text = push_plain(push_kit.text_message("x")).body.decode()
    reply = ElementTree.fromstring(text)
    assert reply.find(".//Evil") is None
    assert reply.findtext("Content") == "".join(c for c in nasty if c >= " " and c != "\ud800")


def test_plain_wechatpy_lets_text_break_out() -> None:
    broken = TextReply(content="a]]><Evil>1</Evil><![CDATA[b", source="s", target="t", time=1).render()
    assert ElementTree.fromstring(broken).find(".//Evil") is not None
