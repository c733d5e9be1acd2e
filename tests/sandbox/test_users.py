"""Followers as the APIs tell of them, and ids that can be predicted."""

from sandbox.identity import openid_of, unionid_of
from tests.sandbox.callback import APP
from tests.sandbox.world import Driver

INFO = "/cgi-bin/user/info"


def test_ids_are_functions_of_the_key(driver: Driver) -> None:
    first, again = driver.person("小美", key="m-1"), driver.person("别名", key="m-1")
    assert first["id"] == again["id"]
    assert again["name"] == "小美"
    assert first["openids"][APP] == openid_of("m-1", APP)
    assert first["unionid"] == unionid_of("m-1", "op-main")
    assert (len(first["openids"][APP]), len(first["unionid"])) == (28, 28)
    assert openid_of("m-1", "wx1111111111111111") == "ofARxXyQO1mj4GiRXS3-KTOw7pCm"


def test_info_has_no_nickname_and_no_errcode(driver: Driver) -> None:
    person = driver.person()
    openid = person["openids"][APP]
    assert driver.get(INFO, openid=openid) == {"subscribe": 0, "openid": openid, "unionid": person["unionid"]}
    driver.act(person, "follow")
    info = driver.get(INFO, openid=openid)
    assert info["subscribe"] == 1
    assert not {"errcode", "nickname", "headimgurl", "sex", "city"} & info.keys()


def test_no_unionid_without_an_open_platform_account(driver: Driver) -> None:
    driver.account(open_platform=None)
    person = driver.person()
    driver.act(person, "follow")
    assert "unionid" not in driver.get(INFO, openid=person["openids"][APP])
    assert person["unionid"] is None


def test_refused_openids(driver: Driver) -> None:
    assert driver.get(INFO)["errcode"] == 41009
    assert driver.get(INFO, openid="oNobody")["errcode"] == 40003
    person = driver.person()
    driver.script("DELETE", f"/people/{person['id']}")
    assert driver.get(INFO, openid=person["openids"][APP])["errcode"] == 40003


def test_batch(driver: Driver) -> None:
    people = [driver.person(f"会员{number}") for number in range(3)]
    openids = [person["openids"][APP] for person in people]
    users = [{"openid": openid, "lang": "zh_CN"} for openid in openids]
    answer = driver.post("/cgi-bin/user/info/batchget", {"user_list": users})
    assert [line["openid"] for line in answer["user_info_list"]] == openids
    for size in (0, 101):
        refused = driver.post("/cgi-bin/user/info/batchget", {"user_list": [{"openid": openids[0]}] * size})
        assert refused["errcode"] == 40032


def test_follower_list_ends_without_data(driver: Driver) -> None:
    driver.script("PATCH", "/settings", {"followers_page_size": 2})
    people = [driver.person(f"会员{number}") for number in range(3)]
    for person in people:
        driver.act(person, "follow")
    openids = [person["openids"][APP] for person in people]
    first = driver.get("/cgi-bin/user/get")
    assert first == {"total": 3, "count": 2, "data": {"openid": openids[:2]}, "next_openid": openids[1]}
    second = driver.get("/cgi-bin/user/get", next_openid=first["next_openid"])
    assert second["data"]["openid"] == openids[2:]
    last = driver.get("/cgi-bin/user/get", next_openid=second["next_openid"])
    assert last == {"total": 3, "count": 0, "next_openid": ""}
    assert driver.get("/cgi-bin/user/get", next_openid="oNobody")["errcode"] == 40003


def test_remark_is_kept_and_limited(driver: Driver, openid: str) -> None:
    path = "/cgi-bin/user/info/updateremark"
    assert driver.post(path, {"openid": openid, "remark": "VIP"})["errcode"] == 0
    assert driver.get(INFO, openid=openid)["remark"] == "VIP"
    assert driver.post(path, {"openid": openid, "remark": "x" * 30})["errcode"] == 45002


def test_following_twice_and_leaving_twice(driver: Driver) -> None:
    person = driver.person()
    outcomes = [driver.act(person, act)["outcome"] for act in ("unfollow", "follow", "follow", "unfollow")]
    assert outcomes == ["not_following", "followed", "already_following", "unfollowed"]
    assert driver.callback.events() == ["subscribe", "unsubscribe"]
    assert driver.act(person, "write", text="在吗")["outcome"] == "not_following"


def test_a_crowd_of_100000_is_listed_and_told_of(driver: Driver) -> None:
    driver.account(crowd=100_000, crowd_gone=[openid_of("crowd-1", APP)])
    person = driver.person()
    driver.act(person, "follow")
    found: list[str] = []
    after = ""
    for _page in range(12):
        page = driver.get("/cgi-bin/user/get", next_openid=after)
        assert page["total"] == 100_000
        if not page["count"]:
            break
        found += page["data"]["openid"]
        after = page["next_openid"]
    assert len(set(found)) == len(found) == 100_000
    assert (found[0], found[1]) == (openid_of("crowd-0", APP), openid_of("crowd-2", APP))
    assert found[-1] == person["openids"][APP]
    asked = [{"openid": openid} for openid in (found[0], openid_of("crowd-1", APP), found[-1])]
    lines = driver.post("/cgi-bin/user/info/batchget", {"user_list": asked})["user_info_list"]
    assert [line["subscribe"] for line in lines] == [1, 0, 1]
    assert lines[0] == driver.get(INFO, openid=found[0])
    assert lines[0]["unionid"] == unionid_of("crowd-0", "op-main")
