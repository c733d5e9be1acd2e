"""Pushes: three modes, two formats, retries, replies, key rotation."""

import itertools
import threading
import time
from typing import Any

import pytest

from tests.sandbox.callback import APP, KEY, ORIGINAL, OTHER_KEY, Answer, Received, seal_reply, text_reply
from tests.sandbox.world import Driver

MODES = list(itertools.product(("plain", "compatible", "safe"), ("xml", "json")))
OUTAGE = "该公众号提供的服务出现故障，请稍后再试"


@pytest.mark.parametrize(("mode", "form"), MODES)
def test_modes_and_formats(driver: Driver, mode: str, form: str) -> None:
    driver.account(mode=mode, format=form)
    person = driver.person()
    driver.act(person, "follow")
    driver.act(person, "write", text="你好 ]]> <b>&")
    assert driver.callback.bad == []
    event, message = driver.callback.received
    openid = person["openids"][APP]
    for push in (event, message):
        assert push.fields["FromUserName"] == push.query["openid"] == openid
        assert push.fields["ToUserName"] == ORIGINAL
        assert ("encrypt_type" in push.query) is (mode != "plain")
        assert push.raw.lstrip().startswith(b"{" if form == "json" else b"<")
        assert (b"FromUserName" in push.raw) is (mode != "safe")
        assert (b"Encrypt" in push.raw) is (mode != "plain")
    assert (event.fields["Event"], "MsgId" in event.fields) == ("subscribe", False)
    assert (message.fields["Content"], int(message.fields["MsgId"]) > 2**32) == ("你好 ]]> <b>&", True)
    assert event.query["slug"] == "main"


@pytest.mark.parametrize(("mode", "form"), MODES)
def test_passive_replies_reach_the_chat(driver: Driver, mode: str, form: str) -> None:
    driver.account(mode=mode, format=form)

    def answer(push: Received) -> Answer:
        text = text_reply(push, "欢迎") if form == "xml" else json_reply(push, "欢迎")
        return 200, text.encode() if mode == "plain" else seal_reply(text)

    driver.callback.answer = answer
    person = driver.person()
    push = driver.act(person, "follow")["pushes"][0]
    assert (push["status"], push["reply"]) == ("delivered", "text")
    bubble = driver.chat(person)[-1]
    assert (bubble["side"], bubble["via"], bubble["text"]) == ("account", "passive", "欢迎")


def json_reply(push: Received, content: str) -> str:
    return (
        f'{{"ToUserName":"{push.fields["FromUserName"]}","FromUserName":"{ORIGINAL}",'
        f'"CreateTime":1700000000,"MsgType":"text","Content":"{content}"}}'
    )


def test_compatible_mode_accepts_a_plain_reply_and_safe_mode_does_not(driver: Driver) -> None:
    driver.callback.answer = lambda push: (200, text_reply(push, "明文").encode())
    for mode, status in (("compatible", "delivered"), ("safe", "failed")):
        driver.account(mode=mode)
        person = driver.person()
        assert driver.act(person, "follow")["pushes"][0]["status"] == status
    assert driver.chat(person)[-1]["text"] == OUTAGE


def test_silence_is_success_or_nothing(driver: Driver) -> None:
    person, bodies = driver.person(), [b"success", b""]
    driver.callback.answer = lambda push: (200, bodies.pop())
    for act in ("follow", "unfollow"):
        assert driver.act(person, act)["pushes"][0]["status"] == "delivered"
    assert all(bubble["via"] == "notice" for bubble in driver.chat(person))


def replace_in_reply(old: str, new: str) -> Any:
    return lambda push: (200, seal_reply(text_reply(push, "回复").replace(old, new)))


@pytest.mark.parametrize(
    "answer",
    [
        lambda push: (200, b"ok"),
        lambda push: (200, b'{"errcode": 0}'),
        lambda push: (200, b"<xml><ToUserName>"),
        lambda push: (200, b"\xff\xfe"),
        lambda push: (200, seal_reply(text_reply(push, "x"), token="other")),
        lambda push: (200, seal_reply(text_reply(push, "x"), key=OTHER_KEY)),
        lambda push: (200, seal_reply(text_reply(push, "x"), app_id="wxother")),
        lambda push: (200, seal_reply(text_reply(push, ""))),
        replace_in_reply("CreateTime", "Created"),
        replace_in_reply(ORIGINAL, "gh_other"),
        replace_in_reply("[text]", "[smoke]"),
        lambda push: (200, seal_reply(text_reply(push, "x").replace(push.fields["FromUserName"], "oOther"))),
    ],
)
def test_malformed_replies_are_an_outage_and_not_retried(driver: Driver, answer: Any) -> None:
    driver.callback.answer = answer
    person = driver.person()
    push = driver.act(person, "follow")["pushes"][0]
    assert (push["status"], len(push["attempts"])) == ("failed", 1)
    bubble = driver.chat(person)[-1]
    assert (bubble["side"], bubble["text"]) == ("system", OUTAGE)


def test_news_reply_shows_one_article_to_a_message(driver: Driver) -> None:
    item = "<item><Title>新款</Title><Description>到店</Description><PicUrl></PicUrl><Url>http://a.example/</Url></item>"

    def answer(push: Received) -> Answer:
        news = f"<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles>{item * 2}</Articles>"
        text = text_reply(push, "x").replace("<MsgType><![CDATA[text]]></MsgType>", news)
        return 200, seal_reply(text)

    driver.callback.answer = answer
    person = driver.person()
    driver.act(person, "follow")
    assert len(driver.chat(person)[-1]["articles"]) == 2
    driver.act(person, "write", text="新款")
    assert [article["title"] for article in driver.chat(person)[-1]["articles"]] == ["新款"]


def test_retries_carry_the_same_message_under_fresh_ciphertext(driver: Driver) -> None:
    person = driver.person()
    driver.act(person, "follow")
    driver.callback.received.clear()
    driver.callback.answer = lambda push: (
        (500, b"") if len(driver.callback.received) < 4 else (200, b"success")
    )
    push = driver.act(person, "write", text="在吗")["pushes"][0]
    assert push["status"] == "delivered"
    assert [attempt["http_status"] for attempt in push["attempts"]] == [500, 500, 500, 200]
    received = driver.callback.received
    assert len({one.fields["MsgId"] for one in received}) == 1
    assert len({one.fields["CreateTime"] for one in received}) == 1
    assert len({one.query["nonce"] for one in received}) == 4
    assert len({one.query["msg_signature"] for one in received}) == 4
    assert len({one.raw for one in received}) == 4


def test_given_up_after_three_retries(driver: Driver) -> None:
    driver.callback.answer = lambda push: (502, b"")
    person = driver.person()
    push = driver.act(person, "follow")["pushes"][0]
    assert (push["status"], len(push["attempts"])) == ("failed", 4)
    assert driver.chat(person)[-1]["text"] == OUTAGE


def test_a_late_answer_is_no_answer(driver: Driver) -> None:
    driver.script("PATCH", "/settings", {"push_timeout_s": 0.1, "push_retry_delays": [0.01]})

    given_up = threading.Event()

    def answer(push: Received) -> Answer:
        given_up.wait(30)
        return 200, seal_reply(text_reply(push, "来晚了"))

    driver.callback.answer = answer
    person = driver.person()
    push = driver.act(person, "follow")["pushes"][0]
    given_up.set()
    assert (push["status"], len(push["attempts"])) == ("failed", 2)
    assert [bubble["text"] for bubble in driver.chat(person)][-1] == OUTAGE


def test_nobody_listening(driver: Driver) -> None:
    driver.account(callback_url="http://127.0.0.1:1/")
    push = driver.act(driver.person(), "follow")["pushes"][0]
    assert push["status"] == "failed"
    assert push["attempts"][0]["http_status"] is None


def test_order_per_person_is_kept(driver: Driver) -> None:
    person = driver.person()
    driver.act(person, "follow")

    def answer(push: Received) -> Answer:
        time.sleep(0.01)
        return 200, b"success"

    driver.callback.answer = answer
    for number in range(5):
        driver.act(person, "write", text=str(number), wait=False)
    driver.act(person, "write", text="last")
    said = [push.fields["Content"] for push in driver.callback.received[1:]]
    assert said == ["0", "1", "2", "3", "4", "last"]


def test_key_rotation_by_count_and_by_word(driver: Driver) -> None:
    person = driver.person()
    driver.script("POST", f"/accounts/{APP}/rotate-key", {"aes_key": OTHER_KEY, "grace_pushes": 1})
    driver.callback.answer = lambda push: (200, seal_reply(text_reply(push, "好"), key=push.key))
    for act in ("follow", "unfollow"):
        assert driver.act(person, act)["pushes"][0]["status"] == "delivered"
    assert [push.key for push in driver.callback.received] == [KEY, OTHER_KEY]
    driver.script("POST", f"/accounts/{APP}/rotate-key", {"aes_key": KEY})
    for _ in range(2):
        driver.act(person, "follow")
        driver.act(person, "unfollow")
    driver.script("POST", f"/accounts/{APP}/rotate-key/finish")
    driver.act(person, "follow")
    assert [push.key for push in driver.callback.received[2:]] == [OTHER_KEY] * 4 + [KEY]


def test_url_verification(driver: Driver) -> None:
    assert driver.script("POST", f"/accounts/{APP}/verify-url")["ok"] is True
    driver.callback.echoes = False
    assert driver.script("POST", f"/accounts/{APP}/verify-url")["ok"] is False
    driver.account(callback_url="http://127.0.0.1:1/")
    assert driver.script("POST", f"/accounts/{APP}/verify-url")["status"] is None
