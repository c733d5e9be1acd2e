"""Parametric QR codes and what scanning them sets off."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.sandbox.callback import APP
from tests.sandbox.world import Driver

PATH = "/cgi-bin/qrcode/create"


def body(name: str, scene: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"action_name": name, "action_info": {"scene": scene}, **more}


@pytest.mark.parametrize(
    ("name", "scene", "is_temporary"),
    [
        ("QR_SCENE", {"scene_id": 4_294_967_295}, True),
        ("QR_STR_SCENE", {"scene_str": "g7Kq2"}, True),
        ("QR_STR_SCENE", {"scene_str": "门" * 64}, True),
        ("QR_LIMIT_SCENE", {"scene_id": 100_000}, False),
        ("QR_LIMIT_STR_SCENE", {"scene_str": "x" * 64}, False),
    ],
)
def test_the_four_kinds(driver: Driver, name: str, scene: dict[str, Any], is_temporary: bool) -> None:
    answer = driver.post(PATH, body(name, scene, expire_seconds=2_592_000))
    assert ("expire_seconds" in answer) is is_temporary
    assert "errcode" not in answer
    assert answer["url"].startswith("http://weixin.qq.com/q/")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (body("QR_NONSENSE", {"scene_str": "a"}), 40052),
        ({"action_info": {"scene": {"scene_str": "a"}}}, 40052),
        ({"action_name": "QR_STR_SCENE", "action_info": {"scene_str": "a"}}, 40053),
        ({"action_name": "QR_STR_SCENE"}, 40053),
        (body("QR_STR_SCENE", {"scene_str": "x" * 65}), 40053),
        (body("QR_LIMIT_STR_SCENE", {"scene_str": ""}), 40053),
        (body("QR_LIMIT_SCENE", {"scene_id": 100_001}), 40053),
        (body("QR_SCENE", {"scene_id": 0}), 40053),
        (body("QR_SCENE", {"scene_id": "5"}), 40053),
        (body("QR_STR_SCENE", {"scene_str": "a"}, expire_seconds=2_592_001), 40053),
    ],
)
def test_refused_codes(driver: Driver, content: dict[str, Any], code: int) -> None:
    answer = driver.post(PATH, content)
    assert answer["errcode"] == code
    assert " rid: " in answer["errmsg"]


def test_permanent_codes_are_limited_and_asking_again_is_free(driver: Driver) -> None:
    driver.script("PATCH", f"/accounts/{APP}", {"permanent_qr_limit": 2})
    first = driver.post(PATH, body("QR_LIMIT_STR_SCENE", {"scene_str": "a"}))
    assert driver.post(PATH, body("QR_LIMIT_STR_SCENE", {"scene_str": "a"})) == first
    driver.post(PATH, body("QR_LIMIT_STR_SCENE", {"scene_str": "b"}))
    assert driver.post(PATH, body("QR_LIMIT_STR_SCENE", {"scene_str": "c"}))["errcode"] == 45029


def test_the_picture_is_a_jpeg_and_needs_a_quoted_ticket(driver: Driver) -> None:
    ticket = driver.code()["ticket"]
    good = driver.http.get("/mp/cgi-bin/showqrcode", params={"ticket": ticket})
    assert good.headers["content-type"] == "image/jpg"
    assert Image.open(io.BytesIO(good.content)).format == "JPEG"
    assert "+" in ticket
    assert driver.http.get(f"/mp/cgi-bin/showqrcode?ticket={ticket}").status_code == 404
    assert driver.http.get("/mp/cgi-bin/showqrcode?ticket=none").status_code == 404


def test_scan_follows_first_and_is_scan_afterwards(driver: Driver) -> None:
    person, code = driver.person(), driver.code("g7Kq2")
    first = driver.act(person, "scan", content=code["url"])
    assert first["outcome"] == "followed_by_scan"
    fields = driver.callback.received[0].fields
    assert (fields["Event"], fields["EventKey"], fields["Ticket"]) == (
        "subscribe",
        "qrscene_g7Kq2",
        code["ticket"],
    )
    second = driver.act(person, "scan", content=code["ticket"])
    assert second["outcome"] == "scanned"
    fields = driver.callback.received[1].fields
    assert (fields["Event"], fields["EventKey"]) == ("SCAN", "g7Kq2")
    assert "MsgId" not in fields


def test_scanning_what_is_no_living_code(driver: Driver) -> None:
    person, code = driver.person(), driver.code(seconds=30)
    assert driver.act(person, "scan", content="abc")["outcome"] == "not_a_code"
    assert driver.act(person, "scan", content="http://weixin.qq.com/q/none")["outcome"] == "not_a_code"
    page = driver.act(person, "scan", content="https://shop.example/x?y=1")
    assert (page["outcome"], page["url"]) == ("web_page", "https://shop.example/x?y=1")
    driver.advance(31)
    assert driver.act(person, "scan", content=code["url"])["outcome"] == "expired"
    assert driver.callback.received == []


def test_follower_info_tells_which_code_brought_her(driver: Driver) -> None:
    person = driver.person()
    driver.act(person, "scan", content=driver.code("g7Kq2")["url"])
    info = driver.get("/cgi-bin/user/info", openid=person["openids"][APP])
    assert (info["subscribe_scene"], info["qr_scene_str"]) == ("ADD_SCENE_QR_CODE", "g7Kq2")


def test_mini_programs_have_no_such_codes(driver: Driver) -> None:
    driver.account(app_id="wxmini", kind="mini_program", original_id="gh_mini")
    token = driver.stable(app_id="wxmini")["access_token"]
    assert driver.post(PATH, body("QR_STR_SCENE", {"scene_str": "a"}), token=token)["errcode"] == 48001
