"""Followers whom a script names: in lists, under tags and reached, and in nobody's way until something is sent to one."""

from typing import Any

from sandbox.identity import openid_of, unionid_of
from tests.sandbox.callback import APP
from tests.sandbox.test_mass import ALL, EVERYBODY, LIST, TEXT, result
from tests.sandbox.world import Driver

MINI = "wx3333333333333333"
PATH = f"/accounts/{APP}/followers"
TEMPLATE = {
    "template_id": "t1",
    "title": "到账提醒",
    "content": "名称:{{thing1.DATA}}",
    "example": "名称:券",
}


def named(driver: Driver, count: int = 5, **more: Any) -> list[str]:
    """So many, the last of whom has unfollowed; their openids."""
    rows = [
        {
            "key": f"old-{number}",
            "name": f"老客{number}",
            "followed_at": 1_700_000_000 + number,
            "is_following": number < count - 1,
            "scene": "ADD_SCENE_QR_CODE",
            "code": "S01",
            "tag_ids": [100] if number % 2 == 0 else [],
        }
        for number in range(count)
    ]
    driver.script("PUT", PATH, {"tags": {"100": "老客"}, "followers": rows, **more})
    return [openid_of(f"old-{number}", APP) for number in range(count)]


def people(driver: Driver) -> set[str]:
    return {person["name"] for person in driver.script("GET", "/people")["people"]}


def test_lists_details_and_tags_tell_of_them(driver: Driver) -> None:
    openids = named(driver)
    driver.script("PATCH", "/settings", {"followers_page_size": 3})
    first = driver.get("/cgi-bin/user/get")
    assert (first["total"], first["data"]["openid"]) == (4, openids[:3])
    assert driver.get("/cgi-bin/user/get", next_openid=openids[2])["data"]["openid"] == [openids[3]]
    users = [{"openid": openid} for openid in (openids[0], openids[4])]
    lines = driver.post("/cgi-bin/user/info/batchget", {"user_list": users})["user_info_list"]
    assert lines[0]["subscribe_scene"] == "ADD_SCENE_QR_CODE"
    assert (lines[0]["qr_scene_str"], lines[0]["tagid_list"]) == ("S01", [100])
    assert lines[0]["unionid"] == unionid_of("old-0", "op-main")
    assert lines[1]["subscribe"] == 0
    body = {"openid_list": openids[1:2], "tagid": 100}
    assert driver.post("/cgi-bin/tags/members/batchtagging", body)["errcode"] == 0
    assert driver.get("/cgi-bin/tags/get")["tags"] == [{"id": 100, "name": "老客", "count": 3}]
    assert set(driver.post("/cgi-bin/user/tag/get", {"tagid": 100})["data"]["openid"]) == set(openids[:3])
    gone = {"openid_list": openids[4:], "tagid": 100}
    assert driver.post("/cgi-bin/tags/members/batchtagging", gone)["errcode"] == 43004
    made = driver.post("/cgi-bin/tags/create", {"tag": {"name": "新的"}})
    assert made["tag"]["id"] == 101
    assert people(driver) == set()


def test_a_mass_message_counts_them_and_a_message_to_one_makes_her_a_person(driver: Driver) -> None:
    openids = named(driver)
    driver.script("PATCH", "/settings", {"delivery_delay_s": 0})
    driver.post(LIST, {**TEXT, "touser": openids, "clientmsgid": "a"})
    assert result(driver)[2:] == ("5", "4", "4", "0")
    driver.callback.received.clear()
    driver.post(ALL, {**TEXT, "filter": {"tag_id": 100}, "clientmsgid": "b"})
    assert result(driver)[2:] == ("2", "2", "2", "0")
    driver.script("PUT", f"/accounts/{APP}/templates", {"templates": [TEMPLATE]})
    body = {"touser": openids[0], "template_id": "t1", "data": {"thing1": {"value": "满减券"}}}
    assert driver.post("/cgi-bin/message/template/send", body)["errcode"] == 0
    assert driver.post("/cgi-bin/message/template/send", {**body, "touser": openids[4]})["errcode"] == 43004
    text = {"touser": openids[1], "msgtype": "text", "text": {"content": "您好"}}
    assert driver.post("/cgi-bin/message/custom/send", text)["errcode"] == 45015
    assert people(driver) == set()
    assert driver.get("/cgi-bin/user/get")["total"] == 4
    assert driver.get("/cgi-bin/user/info", openid=openids[0])["tagid_list"] == [100]
    driver.callback.received.clear()
    driver.post(ALL, {**TEXT, **EVERYBODY, "clientmsgid": "c"})
    assert result(driver)[2:] == ("4", "4", "4", "0")


def test_naming_them_again_changes_nothing(driver: Driver) -> None:
    openids = named(driver)
    driver.post("/cgi-bin/tags/members/batchuntagging", {"openid_list": openids[:1], "tagid": 100})
    assert driver.script("PUT", PATH, {"tags": {"100": "别名"}, "followers": [{"key": "old-0"}]}) == {
        "added": 0,
        "followers": 4,
        "tags": {"100": "老客"},
    }
    assert driver.get("/cgi-bin/user/info", openid=openids[0])["tagid_list"] == []


def test_what_is_no_list_is_refused_whole(driver: Driver) -> None:
    for followers in (
        None,
        [{"name": "没有 key"}],
        [{"key": "a", "scene": "WHERE"}],
        [{"key": "a", "followed_at": "昨天"}],
    ):
        driver.script("PUT", PATH, {"followers": followers}, status=400)
    driver.script("PUT", PATH, {"followers": [{"key": "a"}, {"key": "b", "tag_ids": [100]}]}, status=400)
    driver.script("PUT", PATH, {"tags": {"x": "名"}, "followers": []}, status=400)
    assert driver.get("/cgi-bin/user/get")["total"] == 0
