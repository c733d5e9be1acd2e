"""Web authorization: the page, codes, grants, snapshot mode."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.identity import snapshot_openid_of
from tests.sandbox.callback import APP, SECRET
from tests.sandbox.world import Driver

PAGE = "/open/connect/oauth2/authorize"
BACK = "https://shop.example:8443/login?next=%2Fa%2F#top"


def ask(driver: Driver, **changes: str) -> Any:
    query = {
        "appid": APP,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "snsapi_userinfo",
        "state": "S1",
    }
    full = {**query, **changes}
    return driver.http.get(PAGE, params={name: value for name, value in full.items() if value != "-"})


def code_of(driver: Driver, person: dict[str, Any], **changes: str) -> str:
    answer = ask(driver, sandbox_person=person["id"], **changes)
    return str(parse_qs(urlsplit(answer.headers["location"]).query)["code"][0])


def exchange(driver: Driver, code_: str, /, **changes: str) -> Any:
    query = {"appid": APP, "secret": SECRET, "code": code_, "grant_type": "authorization_code", **changes}
    return driver.http.get("/api/sns/oauth2/access_token", params=query).json()


def sns(driver: Driver, path: str, **query: str) -> Any:
    return driver.http.get(f"/api/sns/{path}", params=query).json()


def test_scripts_are_sent_back_at_once_with_code_and_state(driver: Driver) -> None:
    person = driver.person()
    target = urlsplit(ask(driver, sandbox_person=person["id"]).headers["location"])
    assert (target.netloc, target.path, target.fragment) == ("shop.example:8443", "/login", "top")
    query = parse_qs(target.query)
    assert (query["next"], query["state"], len(query["code"])) == (["/a/"], ["S1"], 1)


def test_userinfo_gives_nickname_and_unionid(driver: Driver) -> None:
    person = driver.person("小美")
    grant = exchange(driver, code_of(driver, person))
    assert (grant["openid"], grant["unionid"]) == (person["openids"][APP], person["unionid"])
    assert not {"errcode", "is_snapshotuser"} & grant.keys()
    info = sns(driver, "userinfo", access_token=grant["access_token"], openid=grant["openid"])
    assert (info["nickname"], info["unionid"]) == ("小美", person["unionid"])
    assert driver.http.get(info["headimgurl"]).headers["content-type"].startswith("image/svg")


def test_base_scope_gives_the_openid_only(driver: Driver) -> None:
    person = driver.person()
    grant = exchange(driver, code_of(driver, person, scope="snsapi_base"))
    assert "unionid" not in grant
    answer = sns(driver, "userinfo", access_token=grant["access_token"], openid=grant["openid"])
    assert answer["errcode"] == 48001


def test_codes_are_single_use_five_minutes_and_bound_to_the_app(driver: Driver) -> None:
    driver.account(app_id="wxother")
    person = driver.person()
    code = code_of(driver, person)
    assert exchange(driver, code, appid="wxother")["errcode"] == 40029
    assert "openid" in exchange(driver, code)
    assert exchange(driver, code)["errcode"] == 40163
    late = code_of(driver, person)
    driver.advance(301)
    assert exchange(driver, late)["errcode"] == 42003
    assert exchange(driver, "nonsense")["errcode"] == 40029


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appid": ""}, 41002),
        ({"appid": "wxnone"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "wrong"}, 40125),
        ({"code": ""}, 41008),
        ({"grant_type": "x"}, 40002),
    ],
)
def test_refused_exchanges(driver: Driver, changes: dict[str, str], code: int) -> None:
    assert exchange(driver, "c", **changes)["errcode"] == code


@pytest.mark.parametrize("by_person", [True, False])
def test_snapshot_users_are_marked_and_virtual(driver: Driver, by_person: bool) -> None:
    person = driver.person("小美", key="m-1", is_snapshot=by_person)
    more = {} if by_person else {"sandbox_snapshot": "1"}
    grant = exchange(driver, code_of(driver, person, **more))
    assert grant["is_snapshotuser"] == 1
    assert grant["openid"] == snapshot_openid_of("m-1", APP) != person["openids"][APP]
    assert "unionid" not in grant
    info = sns(driver, "userinfo", access_token=grant["access_token"], openid=grant["openid"])
    assert info["nickname"] != "小美"


def test_refresh_and_check(driver: Driver) -> None:
    grant = exchange(driver, code_of(driver, driver.person()))
    token, openid = grant["access_token"], grant["openid"]
    assert sns(driver, "auth", access_token=token, openid=openid) == {"errcode": 0, "errmsg": "ok"}
    assert sns(driver, "auth", access_token=token, openid="oOther")["errcode"] == 40003
    assert sns(driver, "auth", openid=openid)["errcode"] == 41001
    driver.advance(7201)
    assert sns(driver, "auth", access_token=token, openid=openid)["errcode"] == 42001
    query = {"appid": APP, "grant_type": "refresh_token", "refresh_token": grant["refresh_token"]}
    fresh = sns(driver, "oauth2/refresh_token", **query)
    assert sns(driver, "auth", access_token=fresh["access_token"], openid=openid)["errcode"] == 0
    assert sns(driver, "auth", access_token=token, openid=openid)["errcode"] == 40014
    assert sns(driver, "oauth2/refresh_token", **{**query, "refresh_token": "x"})["errcode"] == 40030
    assert sns(driver, "oauth2/refresh_token", **{**query, "refresh_token": ""})["errcode"] == 41003
    driver.advance(31 * 86_400)
    assert sns(driver, "oauth2/refresh_token", **query)["errcode"] == 42002


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appid": "-"}, 10012),
        ({"appid": "wxnone"}, 40013),
        ({"redirect_uri": "-"}, 10011),
        ({"redirect_uri": "https://evil.example/"}, 10003),
        ({"redirect_uri": "javascript:alert(1)"}, 10003),
        ({"response_type": "token"}, 10002),
        ({"scope": "-"}, 10010),
        ({"scope": "snsapi_everything"}, 10005),
        ({"state": "x" * 129}, 10013),
    ],
)
def test_error_pages(driver: Driver, changes: dict[str, str], code: int) -> None:
    driver.account(oauth_domains=["shop.example:8443"])
    assert f'data-code="{code}"' in ask(driver, **changes).text


def test_registered_domains_may_leave_the_port_out(driver: Driver) -> None:
    person = driver.person()
    for domains in (["shop.example"], ["shop.example:8443"], None):
        driver.account(oauth_domains=domains)
        assert ask(driver, sandbox_person=person["id"]).status_code == 302


def test_the_page_offers_people_and_remembers_the_last(driver: Driver) -> None:
    driver.person("小丽")
    person = driver.person("小<美>")
    page = ask(driver).text
    assert "小丽" in page
    assert "小<美>" not in page
    form = {"appid": APP, "redirect_uri": BACK, "response_type": "code", "scope": "snsapi_base", "state": "S"}
    chosen = driver.http.post(PAGE, data={**form, "person": person["id"], "decision": "allow"})
    assert "code=" in chosen.headers["location"]
    assert "以小&lt;美&gt;的身份继续" in ask(driver).text
    driver.http.cookies.clear()


def test_someone_new_can_be_made_on_the_page_and_anyone_may_refuse(driver: Driver) -> None:
    form = {"appid": APP, "redirect_uri": BACK, "response_type": "code", "scope": "snsapi_base", "state": "S"}
    nobody = driver.http.post(PAGE, data={**form, "decision": "allow"})
    assert nobody.status_code == 200
    assert "先选一个人" in nobody.text
    made = driver.http.post(PAGE, data={**form, "new_name": "小新", "decision": "allow", "snapshot": "1"})
    code = parse_qs(urlsplit(made.headers["location"]).query)["code"][0]
    assert exchange(driver, code)["is_snapshotuser"] == 1
    assert driver.script("GET", "/people")["people"][0]["name"] == "小新"
    refused = driver.http.post(PAGE, data={**form, "decision": "deny"}).headers["location"]
    assert "code=" not in refused
    assert "state=S" in refused
    driver.http.cookies.clear()
