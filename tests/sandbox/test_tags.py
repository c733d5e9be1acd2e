"""Tags of followers, with their limits."""

from sandbox.apis import tags
from tests.sandbox.callback import APP
from tests.sandbox.world import Driver

CREATE, GET = "/cgi-bin/tags/create", "/cgi-bin/tags/get"
TAGGING, UNTAGGING = "/cgi-bin/tags/members/batchtagging", "/cgi-bin/tags/members/batchuntagging"


def make(driver: Driver, name: str = "老客") -> int:
    return int(driver.post(CREATE, {"tag": {"name": name}})["tag"]["id"])


def test_tags_are_made_renamed_listed_and_deleted(driver: Driver) -> None:
    tag = make(driver)
    assert tag >= tags.FIRST_ID
    assert driver.get(GET) == {"tags": [{"id": tag, "name": "老客", "count": 0}]}
    assert driver.post("/cgi-bin/tags/update", {"tag": {"id": tag, "name": "熟客"}})["errcode"] == 0
    assert driver.post("/cgi-bin/tags/delete", {"tag": {"id": tag}})["errcode"] == 0
    assert driver.get(GET) == {"tags": []}
    assert driver.post("/cgi-bin/tags/delete", {"tag": {"id": tag}})["errcode"] == 45159
    assert driver.post("/cgi-bin/tags/delete", {"tag": {"id": 2}})["errcode"] == 45058


def test_names_and_numbers_have_limits(driver: Driver) -> None:
    for number in range(tags.MOST_TAGS):
        make(driver, f"标签{number}")
    codes = [
        driver.post(CREATE, {"tag": {"name": name}})["errcode"] for name in ("标签0", "长" * 31, "多", "")
    ]
    assert codes == [45157, 45158, 45056, 47001]


def test_followers_are_tagged_and_untagged(driver: Driver, openid: str) -> None:
    tag = make(driver)
    body = {"openid_list": [openid], "tagid": tag}
    assert [driver.post(TAGGING, body)["errcode"] for _ in range(2)] == [0, 0]
    assert driver.get("/cgi-bin/user/info", openid=openid)["tagid_list"] == [tag]
    assert driver.post("/cgi-bin/tags/getidlist", {"openid": openid}) == {"tagid_list": [tag]}
    page = driver.post("/cgi-bin/user/tag/get", {"tagid": tag, "next_openid": ""})
    assert page == {"count": 1, "data": {"openid": [openid]}, "next_openid": openid}
    end = driver.post("/cgi-bin/user/tag/get", {"tagid": tag, "next_openid": openid})
    assert end == {"count": 0, "next_openid": ""}
    assert driver.post(UNTAGGING, body)["errcode"] == 0
    assert driver.get(GET)["tags"][0]["count"] == 0


def test_refused_taggings(driver: Driver, openid: str) -> None:
    tag = make(driver)
    gone = driver.person("路人")["openids"][APP]
    refused = [([openid] * 51, tag), ([], tag), (["oNobody"], tag), ([openid], 999), ([gone], tag)]
    codes = [
        driver.post(TAGGING, {"openid_list": openids, "tagid": number})["errcode"]
        for openids, number in refused
    ]
    assert codes == [40032, 40032, 40003, 45159, 43004]
    each = [make(driver, f"标签{number}") for number in range(tags.TAGS_EACH)]
    codes = [driver.post(TAGGING, {"openid_list": [openid], "tagid": number})["errcode"] for number in each]
    assert set(codes) == {0}
    assert driver.post(TAGGING, {"openid_list": [openid], "tagid": tag})["errcode"] == 45059
