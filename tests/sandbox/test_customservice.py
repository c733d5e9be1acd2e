"""Customer-service messages: windows with the clock moved, contents, typing."""

from typing import Any

import pytest

from tests.sandbox.callback import APP
from tests.sandbox.world import Driver

SEND = "/cgi-bin/message/custom/send"
TYPING = "/cgi-bin/message/custom/typing"
HOUR = 3600


def codes(driver: Driver, openid: str, count: int) -> list[int]:
    return [driver.say(openid)["errcode"] for _ in range(count)]


def someone(driver: Driver) -> tuple[dict[str, Any], str]:
    person = driver.person()
    return person, person["openids"][APP]


def test_follow_opens_three_messages_for_a_minute(driver: Driver) -> None:
    person, openid = someone(driver)
    assert codes(driver, openid, 1) == [45015]
    driver.act(person, "follow")
    assert codes(driver, openid, 4) == [0, 0, 0, 45047]
    driver.advance(61)
    assert codes(driver, openid, 1) == [45015]


def test_a_message_opens_five_for_two_days_and_the_next_one_renews(driver: Driver) -> None:
    person, openid = someone(driver)
    driver.act(person, "follow")
    driver.advance(61)
    driver.act(person, "write", text="在吗")
    assert codes(driver, openid, 6) == [0, 0, 0, 0, 0, 45047]
    driver.advance(47 * HOUR)
    driver.act(person, "write", text="还在吗")
    assert codes(driver, openid, 1) == [0]
    driver.advance(49 * HOUR)
    assert codes(driver, openid, 1) == [45015]


@pytest.mark.parametrize(("act", "body"), [("scan", {}), ("tap-menu", {"key": "POINTS"})])
def test_scan_and_menu_open_three_for_a_minute(driver: Driver, act: str, body: dict[str, str]) -> None:
    person, openid = someone(driver)
    driver.act(person, "follow")
    driver.advance(61)
    if act == "scan":
        body = {"content": driver.code()["url"]}
    driver.act(person, act, **body)
    assert codes(driver, openid, 4) == [0, 0, 0, 45047]
    driver.advance(61)
    assert codes(driver, openid, 1) == [45015]


def test_following_by_scan_is_one_window(driver: Driver) -> None:
    person, openid = someone(driver)
    driver.act(person, "scan", content=driver.code()["url"])
    assert codes(driver, openid, 4) == [0, 0, 0, 45047]


def test_unfollowing_closes_every_window(driver: Driver) -> None:
    person, openid = someone(driver)
    driver.act(person, "follow")
    driver.act(person, "write", text="你好")
    driver.act(person, "unfollow")
    assert codes(driver, openid, 1) == [45015]


def test_who_blocked_the_account_gets_nothing(driver: Driver) -> None:
    person, openid = someone(driver)
    driver.act(person, "follow")
    driver.act(person, "block")
    assert codes(driver, openid, 1) == [48002]
    driver.act(person, "block", on=False)
    assert codes(driver, openid, 1) == [0]


def test_a_tapped_choice_arrives_as_text_and_counts_as_menu(driver: Driver) -> None:
    person, openid = someone(driver)
    driver.act(person, "follow")
    driver.advance(61)
    driver.act(person, "write", text="满意", menu_item="101")
    fields = driver.callback.received[-1].fields
    assert (fields["Content"], fields["bizmsgmenuid"]) == ("满意", "101")
    assert codes(driver, openid, 4) == [0, 0, 0, 45047]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"touser": "oNobody", "msgtype": "text", "text": {"content": "a"}}, 40003),
        ({"msgtype": "text", "text": {"content": "a"}}, 40003),
        ({"msgtype": "smoke", "smoke": {}}, 40008),
        ({}, 40008),
        ({"msgtype": "text"}, 47001),
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text", "text": {"content": "字" * 683}}, 45002),
        ({"msgtype": "news", "news": {"articles": []}}, 45008),
        ({"msgtype": "news", "news": {"articles": [{"title": "a"}, {"title": "b"}]}}, 45008),
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
        ({"msgtype": "link", "link": {"title": "a"}}, 40008),
        ({"msgtype": "miniprogrampage", "miniprogrampage": {"title": "a"}}, 40013),
        (
            {
                "msgtype": "miniprogrampage",
                "miniprogrampage": {"appid": "wx", "pagepath": "p", "thumb_media_id": "none"},
            },
            40007,
        ),
    ],
)
def test_refused_messages(driver: Driver, openid: str, body: dict[str, Any], code: int) -> None:
    full = body if "touser" in body or code == 40003 else {"touser": openid, **body}
    assert driver.post(SEND, full)["errcode"] == code


def test_what_is_sent_appears_in_the_chat(driver: Driver) -> None:
    person, openid = someone(driver)
    driver.act(person, "follow")
    driver.act(person, "write", text="你好")
    query = {"access_token": driver.token(), "type": "thumb"}
    media = driver.http.post(
        "/api/cgi-bin/media/upload", params=query, files={"media": ("a.jpg", b"x", "image/jpeg")}
    )
    thumb = media.json()["thumb_media_id"]
    card = {"title": "会员码", "appid": "wx9", "pagepath": "pages/code", "thumb_media_id": thumb}
    article = {"title": "新款", "description": "到店", "url": "http://a.example/", "picurl": ""}
    assert driver.say(openid, "收到")["errcode"] == 0
    for kind, part in (("news", {"articles": [article]}), ("miniprogrampage", card)):
        assert driver.post(SEND, {"touser": openid, "msgtype": kind, kind: part}) == {
            "errcode": 0,
            "errmsg": "ok",
        }
    bubbles = driver.chat(person)
    assert [bubble["kind"] for bubble in bubbles[-3:]] == ["text", "news", "miniprogrampage"]
    assert all((b["side"], b["via"]) == ("account", "cs") for b in bubbles[-3:])
    assert bubbles[-2]["articles"] == [article]
    assert bubbles[-1]["card"]["pagepath"] == "pages/code"
    assert [b["side"] for b in bubbles[:2]] == ["system", "member"]
    assert bubbles[1]["at"] <= bubbles[2]["at"]


def test_mini_programs_send_fewer_kinds(driver: Driver) -> None:
    driver.account(app_id="wxmini", kind="mini_program", original_id="gh_mini", callback_url="")
    person = driver.person()
    driver.act(person, "write", app_id="wxmini", text="你好", wait=False)
    token, openid = driver.stable(app_id="wxmini")["access_token"], person_openid(driver, person, "wxmini")
    news = {"touser": openid, "msgtype": "news", "news": {"articles": [{"title": "a"}]}}
    assert driver.post(SEND, news, token=token)["errcode"] == 40008
    link = {"touser": openid, "msgtype": "link", "link": {"title": "a", "url": "http://a.example/"}}
    assert driver.post(SEND, link, token=token)["errcode"] == 0


def person_openid(driver: Driver, person: dict[str, Any], app_id: str) -> str:
    return str(driver.script("GET", f"/people/{person['id']}")["openids"][app_id])


def test_an_openid_of_another_account_is_invalid(driver: Driver) -> None:
    driver.account(app_id="wxother")
    person = driver.person()
    driver.act(person, "follow")
    assert driver.say(person["openids"]["wxother"])["errcode"] == 40003


def test_typing(driver: Driver) -> None:
    person, openid = someone(driver)
    start = {"touser": openid, "command": "Typing"}
    assert driver.post(TYPING, start)["errcode"] == 45080
    driver.act(person, "follow")
    driver.act(person, "write", text="你好")
    assert driver.post(TYPING, start)["errcode"] == 0
    assert driver.post(TYPING, start)["errcode"] == 45081
    assert driver.post(TYPING, {**start, "command": "CancelTyping"})["errcode"] == 0
    assert driver.post(TYPING, start)["errcode"] == 0
    driver.advance(31)
    assert driver.post(TYPING, start)["errcode"] == 45080
    assert driver.post(TYPING, {**start, "command": "Sing"})["errcode"] == 40097
