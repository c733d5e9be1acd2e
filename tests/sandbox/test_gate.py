"""What every API call passes: bodies, methods, quotas, the log; and the small platform APIs."""

from typing import Any

import pytest

from tests.sandbox.callback import APP, SECRET
from tests.sandbox.world import Driver

SEND = "/cgi-bin/message/custom/send"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", 44002),
        (b"   ", 44002),
        (b'{"touser": "\\u5c0f"}', 40033),
        (b'{"touser": "\\\\\\u5c0f"}', 40033),
        (b'{"touser": ', 47001),
        (b"[1, 2]", 47001),
        (b"\xff\xfe", 47001),
        (b'{"touser": "\\\\u5c0f"}', 40008),
        (b"[" * 100_000, 47001),
    ],
)
def test_unreadable_bodies(driver: Driver, raw: bytes, code: int) -> None:
    answer = driver.post(SEND, raw)
    assert answer["errcode"] == code
    assert " rid: " in answer["errmsg"]


def test_paths_that_do_not_exist(driver: Driver) -> None:
    assert driver.get("/cgi-bin/nonsense")["errcode"] == 40066
    assert driver.script("GET", "/calls")["calls"][-1]["path"] == "/cgi-bin/nonsense"


@pytest.mark.parametrize("path", ["/cgi-bin/user/get", "/cgi-bin/menu/get", "/cgi-bin/ticket/getticket"])
def test_what_a_mini_program_may_not_call(driver: Driver, path: str) -> None:
    driver.account(app_id="wxmini", kind="mini_program")
    assert driver.get(path, token=driver.stable(app_id="wxmini")["access_token"])["errcode"] == 48001


def test_wrong_method(driver: Driver) -> None:
    assert driver.get(SEND)["errcode"] == 43002
    assert driver.post("/cgi-bin/user/info", {})["errcode"] == 43001


def test_daily_quota_and_its_reset_at_midnight_in_beijing(driver: Driver) -> None:
    path = "/cgi-bin/getcallbackip"
    driver.script("PATCH", f"/accounts/{APP}", {"quota": {path: 2}})
    driver.script("POST", "/clock", {"set": 1_700_000_000})
    token = driver.token()
    codes = [driver.get(path, token=token).get("errcode", 0) for _ in range(3)]
    assert codes == [0, 0, 45009]
    quota = driver.post("/cgi-bin/openapi/quota/get", {"cgi_path": path}, token=token)["quota"]
    assert quota == {"daily_limit": 2, "used": 2, "remain": 0}
    driver.script("POST", "/clock", {"set": 1_700_000_000 + 64_000})
    assert "ip_list" in driver.get(path)


def test_quota_of_tokens_refuses_further_tokens(driver: Driver) -> None:
    driver.script("PATCH", f"/accounts/{APP}", {"quota": {"/cgi-bin/token": 1}})
    driver.classic()
    assert driver.classic()["errcode"] == 45009
    cleared = driver.http.post("/api/cgi-bin/clear_quota/v2", json={"appid": APP, "appsecret": SECRET}).json()
    assert cleared["errcode"] == 0
    assert "access_token" in driver.classic()


def test_clear_quota_ten_times_a_month_and_only_ones_own(driver: Driver) -> None:
    path = "/cgi-bin/clear_quota"
    assert driver.post(path, {"appid": "wxother"})["errcode"] == 40013
    codes = [driver.post(path, {"appid": APP})["errcode"] for _ in range(11)]
    assert codes == [0] * 10 + [48006]


def test_callback_check(driver: Driver) -> None:
    answer = driver.post("/cgi-bin/callback/check", {"action": "all", "check_operator": "DEFAULT"})
    assert answer.keys() == {"dns", "ping"}
    assert driver.post("/cgi-bin/callback/check", {"action": "dance"})["errcode"] == 40097
    assert "ip_list" in driver.get("/cgi-bin/get_api_domain_ip")


def test_jsapi_ticket_is_kept_and_renewed(driver: Driver) -> None:
    path = "/cgi-bin/ticket/getticket"
    first = driver.get(path, type="jsapi")
    assert (first["errcode"], first["errmsg"], first["expires_in"]) == (0, "ok", 7200)
    assert driver.get(path, type="jsapi")["ticket"] == first["ticket"]
    assert driver.get(path, type="wx_card")["ticket"] != first["ticket"]
    driver.advance(6901)
    assert driver.get(path, type="jsapi")["ticket"] != first["ticket"]
    assert driver.get(path, type="dance")["errcode"] == 40097


def upload(driver: Driver, kind: str, data: bytes, *, name: str = "media") -> Any:
    query = {"access_token": driver.token(), "type": kind}
    files = {name: ("图.jpg", data, "image/jpeg")}
    return driver.http.post("/api/cgi-bin/media/upload", params=query, files=files).json()


def test_media_comes_back_byte_for_byte_for_three_days(driver: Driver) -> None:
    data = bytes(range(256)) + b"\r\n\r\n--tail\r\n"
    media_id = upload(driver, "image", data)["media_id"]
    query = {"access_token": driver.token(), "media_id": media_id}
    assert driver.http.get("/api/cgi-bin/media/get", params=query).content == data
    driver.advance(3 * 86_400 + 1)
    assert driver.get("/cgi-bin/media/get", media_id=media_id)["errcode"] == 40007


def test_refused_media(driver: Driver) -> None:
    assert upload(driver, "gif", b"x")["errcode"] == 40004
    assert upload(driver, "image", b"x", name="file")["errcode"] == 41005
    assert upload(driver, "thumb", b"x" * 65_537)["errcode"] == 45002
    assert driver.get("/cgi-bin/media/get")["errcode"] == 41006
    assert driver.get("/cgi-bin/media/get", media_id="none")["errcode"] == 40007


def test_menus(driver: Driver) -> None:
    click = {"type": "click", "name": "积分", "key": "POINTS"}
    assert driver.get("/cgi-bin/menu/get")["errcode"] == 46003
    assert driver.post("/cgi-bin/menu/create", {"button": [click]})["errcode"] == 0
    assert driver.get("/cgi-bin/menu/get")["menu"]["button"] == [click]
    assert driver.get("/cgi-bin/menu/delete")["errcode"] == 0
    refused = {
        40016: [],
        40018: [{**click, "name": "名字太长了名字太长了"}],
        40015: [{**click, "type": "dance"}],
        45010: [{"name": "服务", "sub_button": [click] * 6}],
    }
    for code, buttons in refused.items():
        assert driver.post("/cgi-bin/menu/create", {"button": buttons})["errcode"] == code


def test_the_log_tells_everything_but_secrets(driver: Driver, openid: str) -> None:
    token, classic = driver.token(), driver.classic()["access_token"]
    driver.say(openid, "秘密的话")
    driver.get("/cgi-bin/user/info", token=token, openid="oNobody")
    driver.classic(secret="wrong-secret")
    answer = driver.http.get("/_/calls").text
    for secret in (token, classic, SECRET, "wrong-secret"):
        assert secret not in answer
    calls = driver.script("GET", "/calls")["calls"]
    assert [call["errcode"] for call in calls[-2:]] == [40003, 40125]
    assert calls[-1]["app_id"] == APP
    assert driver.script("GET", f"/calls?after={calls[-2]['id']}")["calls"] == calls[-1:]
    assert all(call["latency_ms"] >= 0 and call["status"] == 200 for call in calls)
