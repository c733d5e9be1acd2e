"""Mass messages: who gets them, once under a key, four a month, and the result that is pushed."""

from typing import Any

import pytest

from tests.sandbox.callback import APP
from tests.sandbox.world import Driver
from tests.stack import wait_until

ALL, LIST = "/cgi-bin/message/mass/sendall", "/cgi-bin/message/mass/send"
PREVIEW, GET, DELETE = (f"/cgi-bin/message/mass/{verb}" for verb in ("preview", "get", "delete"))
TEXT = {"msgtype": "text", "text": {"content": "周年庆开始了"}}
EVERYBODY = {"filter": {"is_to_all": True}}


@pytest.fixture
def cast(driver: Driver) -> list[dict[str, Any]]:
    """Three who follow and one who does not."""
    driver.script("PATCH", "/settings", {"delivery_delay_s": 0})
    people = [driver.person(name) for name in ("小美", "小丽", "小芳", "路人")]
    for person in people[:3]:
        driver.act(person, "follow")
    return people


def openids(people: list[dict[str, Any]]) -> list[str]:
    return [person["openids"][APP] for person in people]


def got(driver: Driver, person: dict[str, Any], via: str = "mass") -> list[dict[str, Any]]:
    return [bubble for bubble in driver.chat(person) if bubble["via"] == via]


def result(driver: Driver) -> tuple[str, ...]:
    """The push about the last mass message: id, status and counts."""

    def told() -> list[dict[str, Any]]:
        return [
            push.fields
            for push in driver.callback.received
            if push.fields.get("Event") == "MASSSENDJOBFINISH"
        ]

    wait_until(lambda: bool(told()), what="the result")
    names = ("MsgID", "Status", "TotalCount", "FilterCount", "SentCount", "ErrorCount")
    return tuple(told()[-1][name] for name in names)


def test_everybody_gets_it_and_the_result_is_pushed(driver: Driver, cast: list[dict[str, Any]]) -> None:
    driver.act(cast[2], "block")
    answer = driver.post(ALL, {**TEXT, **EVERYBODY, "clientmsgid": "k1"})
    assert result(driver) == (str(answer["msg_id"]), "send success", "3", "3", "2", "1")
    assert [len(got(driver, person)) for person in cast] == [1, 1, 0, 0]
    assert got(driver, cast[0])[0]["text"] == "周年庆开始了"
    assert driver.post(GET, {"msg_id": answer["msg_id"]})["msg_status"] == "SEND_SUCCESS"
    assert driver.post(GET, {"msg_id": 7})["errcode"] == 40059
    assert driver.post(DELETE, {"msg_id": answer["msg_id"]})["errcode"] == 40008


def test_a_known_key_sends_nothing_and_tells_the_first_id(driver: Driver, cast: list[dict[str, Any]]) -> None:
    body = {**TEXT, "touser": openids(cast[:2]), "clientmsgid": "k1"}
    first = driver.post(LIST, body)
    again = driver.post(LIST, body)
    assert (again["errcode"], again["msg_id"]) == (45065, first["msg_id"])
    assert len(got(driver, cast[0])) == 1
    driver.script("PATCH", "/settings", {"mass_retry": "slow"})
    assert driver.post(LIST, body)["errcode"] == 45066
    driver.advance(61)
    assert driver.post(LIST, body)["errcode"] == 45065
    driver.advance(86_400)
    assert driver.post(LIST, body)["errcode"] == 0


def test_a_tag_goes_to_who_carries_it(driver: Driver, cast: list[dict[str, Any]]) -> None:
    tag = driver.post("/cgi-bin/tags/create", {"tag": {"name": "老客"}})["tag"]["id"]
    driver.post("/cgi-bin/tags/members/batchtagging", {"openid_list": openids(cast[1:2]), "tagid": tag})
    body = {**TEXT, "filter": {"is_to_all": False, "tag_id": tag}}
    assert driver.post(ALL, body)["errcode"] == 0
    assert [len(got(driver, person)) for person in cast] == [0, 1, 0, 0]
    assert driver.post(ALL, {**TEXT, "filter": {"is_to_all": False, "tag_id": 999}})["errcode"] == 45159


def test_four_a_month_for_everybody_and_for_each(driver: Driver, cast: list[dict[str, Any]]) -> None:
    for _ in range(4):
        assert driver.post(LIST, {**TEXT, "touser": openids(cast[:2])})["errcode"] == 0
    assert driver.post(LIST, {**TEXT, "touser": openids(cast[1:3])})["errcode"] == 0
    assert [len(got(driver, person)) for person in cast] == [4, 4, 1, 0]
    codes = [driver.post(ALL, {**TEXT, **EVERYBODY})["errcode"] for _ in range(5)]
    assert codes == [0, 0, 0, 0, 45028]
    assert [len(got(driver, person)) for person in cast] == [4, 4, 4, 0]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (LIST, {**TEXT, "touser": ["oOne"]}, 40032),
        (LIST, {**TEXT, "touser": ["oOne"] * 10_001}, 40032),
        (LIST, {**TEXT, "touser": ["oOne", "oTwo"]}, 40003),
        (ALL, {"msgtype": "miniprogrampage", "miniprogrampage": {}, **EVERYBODY}, 40008),
        (ALL, {"msgtype": "text", "text": {"content": ""}, **EVERYBODY}, 44004),
        (ALL, {"msgtype": "mpnews", "mpnews": {"media_id": "nothing"}, **EVERYBODY}, 40007),
        (ALL, {"msgtype": "image", "images": {"media_ids": ["nothing"]}, **EVERYBODY}, 40007),
        (ALL, {**TEXT, **EVERYBODY, "clientmsgid": "k" * 65}, 45067),
        (PREVIEW, {**TEXT, "touser": "oNobody"}, 40003),
        (PREVIEW, {**TEXT, "towxname": "没有这个人"}, 40132),
        ("/cgi-bin/message/mass/speed/set", {"speed": 7}, 45084),
    ],
)
def test_refusals(driver: Driver, path: str, body: dict[str, Any], code: int) -> None:
    assert driver.post(path, body)["errcode"] == code


def test_an_article_is_previewed_sent_and_deleted(driver: Driver, cast: list[dict[str, Any]]) -> None:
    drafts = [{"media_id": "D1", "articles": [{"title": "秋装上新", "url": "https://mp.example.com/1"}]}]
    driver.script("PUT", f"/accounts/{APP}/drafts", {"drafts": drafts})
    driver.script("PUT", f"/accounts/{APP}/drafts", {"drafts": [{"media_id": "D1"}]}, status=400)
    page = driver.post("/cgi-bin/draft/batchget", {"offset": 0, "count": 20, "no_content": 1})
    assert page["item"][0]["content"]["news_item"][0]["title"] == "秋装上新"
    content = {"msgtype": "mpnews", "mpnews": {"media_id": "D1"}}
    assert driver.post(PREVIEW, {**content, "towxname": "小美"})["errcode"] == 0
    assert driver.post(PREVIEW, {**content, "touser": openids(cast)[3]})["errcode"] == 43004
    assert len(got(driver, cast[0], "mass_preview")) == 1
    sent = driver.post(ALL, {**content, **EVERYBODY})
    assert got(driver, cast[1])[0]["articles"][0]["title"] == "秋装上新"
    assert driver.post(DELETE, {"msg_id": sent["msg_id"]})["errcode"] == 0
    assert driver.post(GET, {"msg_id": sent["msg_id"]})["msg_status"] == "DELETE"


def test_the_verdict_of_the_examination_is_pushed_and_nobody_gets_it(
    driver: Driver, cast: list[dict[str, Any]]
) -> None:
    driver.script("PATCH", "/settings", {"mass_verdict": "err(10001)"})
    answer = driver.post(ALL, {**TEXT, **EVERYBODY})
    assert driver.post(GET, {"msg_id": answer["msg_id"]})["msg_status"] == "SEND_FAIL"
    assert result(driver) == (str(answer["msg_id"]), "err(10001)", "3", "0", "0", "0")
    assert got(driver, cast[0]) == []
    driver.script("PATCH", "/settings", {"mass_verdict": "whatever"}, status=400)


def test_the_speed_is_read_and_set(driver: Driver) -> None:
    assert driver.post("/cgi-bin/message/mass/speed/set", {"speed": 4})["errcode"] == 0
    assert driver.post("/cgi-bin/message/mass/speed/get", {}) == {"speed": 4, "realspeed": 10}
