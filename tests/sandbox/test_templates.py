"""Template and subscribe messages: what is taken, what is refused with which code, and what is pushed afterwards."""

import time
from typing import Any

import pytest

from tests.sandbox.callback import APP
from tests.sandbox.world import Driver

MINI = "wxmini000000000001"
TEMPLATE = "/cgi-bin/message/template/send"
SUBSCRIBE = "/cgi-bin/message/subscribe/send"
CONTENT = "商品名称:{{thing1.DATA}}\n发货时间:{{time2.DATA}}\n"
VALUES = {"thing1": {"value": "羊毛大衣"}, "time2": {"value": "2026年11月28日 10:00"}}


@pytest.fixture
def official(driver: Driver) -> Driver:
    rows = [{"template_id": "T1", "title": "发货提醒", "content": CONTENT, "example": "商品名称:大衣"}]
    driver.script("PUT", f"/accounts/{APP}/templates", {"templates": rows})
    driver.script("PATCH", "/settings", {"delivery_delay_s": 0})
    return driver


@pytest.fixture
def mini(official: Driver) -> Driver:
    official.account(
        app_id=MINI,
        kind="mini_program",
        mode="plain",
        format="json",
        original_id="gh_mini",
        pages=["pages/me"],
    )
    rows = [
        {"template_id": "S1", "title": "到货提醒", "content": CONTENT},
        {"template_id": "S2", "title": "长期通知", "content": "内容:{{thing1.DATA}}", "type": 3},
    ]
    official.script("PUT", f"/accounts/{MINI}/templates", {"templates": rows})
    return official


@pytest.fixture
def follower(official: Driver) -> dict[str, Any]:
    person = official.person()
    official.act(person, "follow")
    return person


def send(driver: Driver, person: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"touser": person["openids"][APP], "template_id": "T1", "data": VALUES, "client_msg_id": "k1"}
    return dict(driver.post(TEMPLATE, {**body, **changes}))


def subscribe_send(driver: Driver, person: dict[str, Any], **changes: Any) -> dict[str, Any]:
    openid = driver.script("GET", f"/people/{person['id']}")["openids"][MINI]
    body = {"touser": openid, "template_id": "S1", "data": VALUES, "page": "pages/me?a=1"}
    token = driver.stable(app_id=MINI)["access_token"]
    return dict(driver.post(SUBSCRIBE, {**body, **changes}, token=token))


def mini_act(driver: Driver, person: dict[str, Any], act: str, **body: Any) -> dict[str, Any]:
    return dict(driver.script("POST", f"/people/{person['id']}/mini/{act}", {"app_id": MINI, **body}))


def results(driver: Driver, event: str, count: int = 1) -> list[dict[str, Any]]:
    """Waits for the pushes that come by themselves."""
    for _ in range(1_500):
        found = [push.fields for push in driver.callback.received if push.fields.get("Event") == event]
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError((event, driver.callback.bad, driver.script("GET", "/pushes")["pushes"][-1:]))


# Template messages ----------------------------------------------------------------------------------------


def test_a_template_message_arrives_as_a_notice_and_its_result_is_pushed(
    official: Driver, follower: dict[str, Any]
) -> None:
    answer = send(official, follower)
    assert answer["errcode"] == 0
    bubble = official.chat(follower)[-1]
    assert (bubble["via"], bubble["notice"]["title"]) == ("template", "发货提醒")
    assert bubble["notice"]["lines"] == [["商品名称", "羊毛大衣"], ["发货时间", "2026年11月28日 10:00"]]
    assert (bubble["notice"]["opens"], bubble["notice"]["opens_in"]) == ("", "")
    pushed = results(official, "TEMPLATESENDJOBFINISH")[0]
    assert (pushed["MsgID"], pushed["Status"]) == (str(answer["msgid"]), "success")


def test_a_message_says_which_mini_program_its_page_is_of(mini: Driver, follower: dict[str, Any]) -> None:
    page = "pages/me?c=AAAAAAAqxk2d1vMk9QeT"
    assert send(mini, follower, miniprogram={"appid": MINI, "pagepath": page})["errcode"] == 0
    notice = mini.chat(follower)[-1]["notice"]
    assert (notice["opens"], notice["opens_in"]) == (page, MINI)
    mini_act(mini, follower, "subscribe", answers={"S1": "accept"})
    assert subscribe_send(mini, follower)["errcode"] == 0
    notice = mini.chat(follower, MINI)[-1]["notice"]
    assert (notice["opens"], notice["opens_in"]) == ("pages/me?a=1", MINI)


def test_one_key_is_sent_once_in_ten_minutes(official: Driver, follower: dict[str, Any]) -> None:
    first = send(official, follower)
    assert send(official, follower)["msgid"] == first["msgid"]
    official.script("PATCH", "/settings", {"template_repeat": "refused"})
    assert send(official, follower)["errcode"] == 45065
    assert len([one for one in official.chat(follower) if one["via"] == "template"]) == 1
    other = official.person("小丽")
    official.act(other, "follow")
    assert send(official, other)["msgid"] != first["msgid"]
    official.advance(601)
    assert send(official, follower)["msgid"] != first["msgid"]


def test_what_was_accepted_although_the_answer_was_lost_is_not_sent_again(
    official: Driver, follower: dict[str, Any]
) -> None:
    official.script(
        "POST", "/faults", {"target": "calls", "kind": "accept_then_drop", "path": TEMPLATE, "times": 1}
    )
    with pytest.raises(Exception, match="disconnected"):
        send(official, follower)
    assert send(official, follower)["errcode"] == 0
    assert len([one for one in official.chat(follower) if one["via"] == "template"]) == 1
    assert len(results(official, "TEMPLATESENDJOBFINISH")) == 1


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"touser": "nobody"}, 40003),
        ({"template_id": "T9"}, 40037),
        ({"template_id": None}, 40037),
        ({"data": None}, 47003),
        ({"data": {"thing1": {"value": "x"}}}, 47003),
        ({"data": {**VALUES, "thing1": {"value": ""}}}, 47003),
        ({"data": {**VALUES, "thing1": {"value": "一" * 21}}}, 47003),
        ({"data": {**VALUES, "thing1": {"value": "a\nb"}}}, 47003),
        ({"data": {**VALUES, "time2": {"value": "明天"}}}, 47003),
        ({"miniprogram": {"appid": "wxnone", "pagepath": "p"}}, 40013),
        ({"client_msg_id": "k" * 33}, 40097),
    ],
)
def test_what_wechat_would_not_take_is_refused(
    official: Driver, follower: dict[str, Any], changes: dict[str, Any], errcode: int
) -> None:
    assert send(official, follower, **changes)["errcode"] == errcode


def test_the_field_that_breaks_its_rule_is_named(official: Driver, follower: dict[str, Any]) -> None:
    answer = send(official, follower, data={**VALUES, "thing1": {"value": "一" * 21}})
    assert answer["errmsg"].startswith("argument invalid! data.thing1.value invalid rid: ")


def test_only_followers_get_template_messages_and_blockers_lose_them(
    official: Driver, follower: dict[str, Any]
) -> None:
    assert send(official, official.person("路人"))["errcode"] == 43004
    official.act(follower, "block")
    assert send(official, follower)["errcode"] == 0
    assert results(official, "TEMPLATESENDJOBFINISH")[0]["Status"] == "failed:user block"
    assert not [one for one in official.chat(follower) if one["via"] == "template"]


def test_a_message_may_be_taken_and_not_arrive(official: Driver, follower: dict[str, Any]) -> None:
    official.script("POST", "/faults", {"target": "calls", "kind": "undelivered", "path": TEMPLATE})
    assert send(official, follower)["errcode"] == 0
    assert results(official, "TEMPLATESENDJOBFINISH")[0]["Status"] == "failed: system failed"


def test_minute_and_day_have_their_limits(official: Driver, follower: dict[str, Any]) -> None:
    official.script("PATCH", f"/accounts/{APP}", {"sends_per_minute": 2})
    codes = [send(official, follower, client_msg_id=f"a{n}")["errcode"] for n in range(3)]
    assert codes == [0, 0, 45011]
    official.advance(60)
    assert send(official, follower, client_msg_id="a9")["errcode"] == 0
    official.script("PATCH", f"/accounts/{APP}", {"sends_per_minute": None, "quota": {TEMPLATE: 5}})
    codes = [send(official, follower, client_msg_id=f"b{n}")["errcode"] for n in range(3)]
    assert codes == [0, 45009, 45009]


def test_templates_are_listed_and_deleted(official: Driver) -> None:
    answer = official.get("/cgi-bin/template/get_all_private_template")
    assert [row["template_id"] for row in answer["template_list"]] == ["T1"]
    assert official.post("/cgi-bin/template/del_private_template", {"template_id": "T1"})["errcode"] == 0
    assert official.get("/cgi-bin/template/get_all_private_template") == {"template_list": []}
    assert official.post("/cgi-bin/template/del_private_template", {"template_id": "T1"})["errcode"] == 40037


@pytest.mark.parametrize(
    "rows",
    [{}, [{}], [{"title": "t", "content": "no field"}], [{"title": "t", "content": CONTENT}] * 26],
)
def test_templates_that_cannot_be_are_refused(official: Driver, rows: Any) -> None:
    official.script("PUT", f"/accounts/{APP}/templates", {"templates": rows}, status=400)


# Subscribe messages ---------------------------------------------------------------------------------------


def test_each_consent_is_one_message(mini: Driver) -> None:
    person = mini.person()
    assert subscribe_send(mini, person)["errcode"] == 43101
    answer = mini_act(mini, person, "subscribe", answers={"S1": "accept"})
    assert answer["consents"] == {"S1": 1}
    mini_act(mini, person, "subscribe", answers={"S1": "accept"})
    assert [subscribe_send(mini, person)["errcode"] for _ in range(3)] == [0, 0, 43101]
    chat = mini.chat(person, MINI)
    assert [one["via"] for one in chat if one["kind"] == "notice_card"] == ["subscription"] * 2
    sent = results(mini, "subscribe_msg_sent_event", 2)[0]
    assert (sent["List"]["TemplateId"], sent["List"]["ErrorCode"]) == ("S1", 0)


def test_long_term_templates_need_one_consent(mini: Driver) -> None:
    person = mini.person()
    mini_act(mini, person, "subscribe", answers={"S2": "accept"})
    codes = [subscribe_send(mini, person, template_id="S2")["errcode"] for _ in range(3)]
    assert codes == [0, 0, 0]


def test_the_pop_up_is_pushed_as_an_object_or_an_array(mini: Driver) -> None:
    person = mini.person()
    mini_act(mini, person, "subscribe", answers={"S1": "reject"})
    mini_act(mini, person, "subscribe", answers={"S1": "accept", "S2": "reject"}, always=True)
    one, two = results(mini, "subscribe_msg_popup_event", 2)
    assert one["List"]["SubscribeStatusString"] == "reject"
    assert [entry["SubscribeStatusString"] for entry in two["List"]] == ["accept", "reject"]
    told = mini.script("GET", f"/people/{person['id']}/chat?app_id={MINI}")["mini"]
    assert (told["consents"], told["always"]) == ({"S1": 1}, {"S1": "accept", "S2": "reject"})


def test_switching_messages_off_is_pushed_and_takes_the_consents(mini: Driver) -> None:
    person = mini.person()
    mini_act(mini, person, "subscribe", answers={"S1": "accept"})
    mini_act(mini, person, "unsubscribe", template_id="S1")
    assert results(mini, "subscribe_msg_change_event")[0]["List"]["SubscribeStatusString"] == "reject"
    assert subscribe_send(mini, person)["errcode"] == 43101


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"page": "pages/none"}, 41030),
        ({"template_id": "T1"}, 40037),
        ({"data": {}}, 47003),
        ({"miniprogram_state": "beta"}, 40097),
    ],
)
def test_a_subscribe_message_wechat_would_not_take_costs_no_consent(
    mini: Driver, changes: dict[str, Any], errcode: int
) -> None:
    person = mini.person()
    mini_act(mini, person, "subscribe", answers={"S1": "accept"})
    assert subscribe_send(mini, person, **changes)["errcode"] == errcode
    assert subscribe_send(mini, person)["errcode"] == 0


def test_each_kind_of_account_has_its_own_messages(mini: Driver) -> None:
    token = mini.stable(app_id=MINI)["access_token"]
    assert mini.post(TEMPLATE, {}, token=token)["errcode"] == 48001
    assert mini.post(SUBSCRIBE, {})["errcode"] == 48001
    assert mini.get("/wxaapi/newtmpl/gettemplate")["errcode"] == 48001
    listed = mini.get("/wxaapi/newtmpl/gettemplate", token=token)["data"]
    assert [(row["priTmplId"], row["type"]) for row in listed] == [("S1", 2), ("S2", 3)]


def test_nobody_answers_for_a_template_that_is_not_there(mini: Driver) -> None:
    person = mini.person()
    body = {"app_id": MINI, "answers": {"S9": "accept"}}
    mini.script("POST", f"/people/{person['id']}/mini/subscribe", body, status=404)


def test_one_pop_up_asks_for_three_templates_at_most(mini: Driver) -> None:
    rows = [
        {"template_id": f"S{number}", "title": f"消息{number}", "content": CONTENT} for number in range(1, 5)
    ]
    mini.script("PUT", f"/accounts/{MINI}/templates", {"templates": rows})
    person = mini.person()
    path = f"/people/{person['id']}/mini/subscribe"
    four = {"app_id": MINI, "answers": {f"S{number}": "accept" for number in range(1, 5)}}
    assert mini.script("POST", path, four, status=400)["error"] == "too_many_templates"
    assert mini.script("POST", path, {"app_id": MINI, "answers": {}}, status=400)["error"] == "bad_field"
    assert subscribe_send(mini, person)["errcode"] == 43101
    three = {f"S{number}": "accept" for number in range(1, 4)}
    assert mini_act(mini, person, "subscribe", answers=three)["consents"] == dict.fromkeys(three, 1)
