"""Menus: limits with their codes, conditional menus by tag, and what tapping a button tells the account."""

from typing import Any

import pytest

from tests.sandbox.callback import APP
from tests.sandbox.world import Driver

CREATE = "/cgi-bin/menu/create"
ADD = "/cgi-bin/menu/addconditional"
CLICK = {"type": "click", "name": "积分", "key": "POINTS"}
VIEW = {"type": "view", "name": "商城", "url": "https://shop.example.com/"}
MINI = {
    "type": "miniprogram",
    "name": "会员码",
    "url": "https://shop.example.com/",
    "appid": "wxmini000000000001",
    "pagepath": "pages/code",
}


def below(*buttons: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "服务", "sub_button": list(buttons)}]


def rule(tag_id: Any = "100") -> dict[str, Any]:
    return {"tag_id": tag_id}


def event_of(answer: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = answer["pushes"][0]["fields"]
    return {
        name: value
        for name, value in fields.items()
        if name not in ("ToUserName", "FromUserName", "CreateTime")
    }


@pytest.fixture
def fan(driver: Driver) -> dict[str, Any]:
    person = driver.person()
    driver.act(person, "follow")
    return person


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], 40016),
        ([CLICK] * 4, 40016),
        ([{**CLICK, "name": ""}], 40018),
        ([{**CLICK, "name": "一二三四五六"}], 40018),
        ([{**CLICK, "type": "dance"}], 40015),
        ([{**CLICK, "key": ""}], 40019),
        ([{**CLICK, "key": "k" * 129}], 40019),
        ([{**VIEW, "url": "https://a.cn/" + "x" * 1012}], 40020),
        ([{**VIEW, "url": "ftp://a.cn/"}], 40055),
        (below(*[CLICK] * 6), 45010),
        (below({**CLICK, "name": "字" * 21}), 40025),
        (below({**CLICK, "type": "dance"}), 40024),
        (below({**CLICK, "key": "k" * 129}), 40026),
        (below({**VIEW, "url": "https://a.cn/" + "x" * 1012}), 40027),
        (below({"name": "再往下", "sub_button": [CLICK]}), 40022),
        ([{**MINI, "appid": ""}], 40016),
        ([5], 47001),
    ],
)
def test_every_limit_has_its_code(driver: Driver, buttons: list[Any], code: int) -> None:
    assert driver.post(CREATE, {"button": buttons})["errcode"] == code


def test_what_is_just_inside_the_limits_is_taken(driver: Driver) -> None:
    full = {"name": "一二三四五", "sub_button": [{**CLICK, "name": "字" * 20, "key": "k" * 128}] * 5}
    long = {**VIEW, "url": "https://a.cn/" + "x" * 1011}
    assert driver.post(CREATE, {"button": [full, long, MINI]})["errcode"] == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"button": [CLICK], "matchrule": {}}, 65304),
        ({"button": [CLICK]}, 65304),
        ({"button": [CLICK], "matchrule": {"sex": "1"}}, 65320),
        ({"button": [CLICK], "matchrule": rule("vip")}, 65304),
        ({"button": [], "matchrule": rule()}, 40016),
        (
            {"button": below(*[{**VIEW, "url": f"https://{n}.cn/"} for n in range(4)]), "matchrule": rule()},
            65316,
        ),
    ],
)
def test_conditional_menus_are_refused_with_their_codes(
    driver: Driver, body: dict[str, Any], code: int
) -> None:
    assert driver.post(ADD, {"button": [CLICK], "matchrule": rule()})["errcode"] == 65303
    driver.post(CREATE, {"button": [CLICK]})
    assert driver.post(ADD, body)["errcode"] == code


def test_the_twenty_first_conditional_menu_is_one_too_many(driver: Driver) -> None:
    driver.post(CREATE, {"button": [CLICK]})
    for number in range(20):
        assert driver.post(ADD, {"button": [CLICK], "matchrule": rule(str(number))})["menuid"]
    assert driver.post(ADD, {"button": [CLICK], "matchrule": rule("20")})["errcode"] == 65305


def test_the_newest_menu_for_her_tags_is_hers(driver: Driver, fan: dict[str, Any]) -> None:
    driver.post(CREATE, {"button": [CLICK]})
    driver.post(ADD, {"button": [VIEW], "matchrule": rule("100")})
    newest = driver.post(ADD, {"button": [MINI], "matchrule": rule("101")})["menuid"]

    def hers() -> Any:
        return driver.script("GET", f"/people/{fan['id']}/chat?app_id={APP}")["menu"]["button"]

    assert hers() == [CLICK]
    driver.act(fan, "wear-tags", tag_ids=[100])
    assert hers() == [VIEW]
    driver.act(fan, "wear-tags", tag_ids=[100, 101])
    assert hers() == [MINI]
    match = driver.post("/cgi-bin/menu/trymatch", {"user_id": fan["openids"][APP]})
    assert match["button"] == [MINI]
    assert driver.post("/cgi-bin/menu/delconditional", {"menuid": newest})["errcode"] == 0
    assert driver.post("/cgi-bin/menu/delconditional", {"menuid": newest})["errcode"] == 65301
    assert hers() == [VIEW]
    listed = driver.get("/cgi-bin/menu/get")["conditionalmenu"]
    assert [menu["matchrule"] for menu in listed] == [{"tag_id": "100"}]
    driver.get("/cgi-bin/menu/delete")
    assert hers() == []
    assert driver.get("/cgi-bin/menu/get")["errcode"] == 46003


def test_the_console_s_menu_is_seen_by_one_interface_only(driver: Driver) -> None:
    driver.script("PATCH", f"/accounts/{APP}", {"console_menu": below(VIEW)})
    assert driver.get("/cgi-bin/menu/get")["errcode"] == 46003
    current = driver.get("/cgi-bin/get_current_selfmenu_info")
    assert current == {
        "is_menu_open": 1,
        "selfmenu_info": {"button": [{"name": "服务", "sub_button": {"list": [VIEW]}}]},
    }


@pytest.mark.parametrize(
    ("button", "body", "told"),
    [
        (CLICK, {}, {"Event": "CLICK", "EventKey": "POINTS"}),
        (VIEW, {}, {"Event": "VIEW", "EventKey": VIEW["url"], "MenuId": "400000001"}),
        (MINI, {}, {"Event": "view_miniprogram", "EventKey": "pages/code", "MenuId": "400000001"}),
        (
            {"type": "scancode_waitmsg", "name": "扫吊牌", "key": "TAG"},
            {"scan_result": "6901234567892"},
            {
                "Event": "scancode_waitmsg",
                "EventKey": "TAG",
                "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "6901234567892"},
            },
        ),
    ],
)
def test_a_tap_tells_the_account(
    driver: Driver, fan: dict[str, Any], button: dict[str, Any], body: dict[str, Any], told: dict[str, Any]
) -> None:
    driver.post(CREATE, {"button": below(CLICK, button)})
    answer = driver.act(fan, "tap-button", path=[0, 1], **body)
    assert event_of(answer) == {"MsgType": "event", **told}


@pytest.mark.parametrize(
    ("kind", "field"), [("pic_sysphoto", "SendPicsInfo"), ("location_select", "SendLocationInfo")]
)
def test_pictures_and_places_come_with_the_event(
    driver: Driver, fan: dict[str, Any], kind: str, field: str
) -> None:
    driver.post(CREATE, {"button": [{"type": kind, "name": "发送", "key": "K"}]})
    told = event_of(driver.act(fan, "tap-button", path=[0], picture_count=2))
    assert (told["Event"], told["EventKey"]) == (kind, "K")
    assert told[field]


@pytest.mark.parametrize("path", [[0], [1], [0, 5], [-1], [True], "0", None, []])
def test_there_is_nothing_to_tap_elsewhere(driver: Driver, fan: dict[str, Any], path: Any) -> None:
    driver.post(CREATE, {"button": below(CLICK)})
    assert driver.act(fan, "tap-button", path=path)["outcome"] == "no_button"


def test_who_does_not_follow_has_no_menu(driver: Driver) -> None:
    driver.post(CREATE, {"button": [CLICK]})
    assert driver.act(driver.person("小丽"), "tap-button", path=[0])["outcome"] == "not_following"
