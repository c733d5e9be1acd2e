"""Mini-program codes: the picture, what it holds, what scanning it opens."""

import io
import json
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from starlette.requests import Request

from sandbox.apis.gate import Call
from sandbox.apis.minicode import draw_unlimited
from sandbox.errors import WeChatRefusal
from sandbox.models import Account
from sandbox.state import World
from tests.sandbox.callback import APP
from tests.sandbox.test_mini import MINI, OTHER
from tests.sandbox.world import Driver

DRAW = "/api/wxa/getwxacodeunlimit"
HOME, ME = "pages/index/index", "pages/me/me"


@pytest.fixture
def mini(driver: Driver) -> Driver:
    driver.account(app_id=MINI, name="小二商城", kind="mini_program", pages=[HOME, ME])
    return driver


def ask(mini: Driver, *, app_id: str = MINI, raw: bytes | None = None, **body: Any) -> Any:
    params = {"access_token": mini.stable(app_id=app_id)["access_token"]}
    content = json.dumps({"scene": "g=7Kq2", **body}, ensure_ascii=False).encode() if raw is None else raw
    answer = mini.http.post(DRAW, params=params, content=content)
    assert answer.status_code == 200
    return answer


def errcode(mini: Driver, **body: Any) -> Any:
    return ask(mini, **body).json()["errcode"]


def read(picture: bytes) -> str:
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("RGB"))
    return str(found[0].text)


def test_the_picture_is_a_code_that_opens_the_page_with_its_scene(mini: Driver) -> None:
    answer = ask(mini, page=ME, width=280)
    assert answer.headers["content-type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, picture.size) == ("JPEG", (280, 280))
    person = mini.person()
    done = mini.act(person, "scan", content=read(answer.content))
    assert (done["outcome"], done["app_id"], done["page"], done["scene"]) == ("opened", MINI, ME, 1047)
    assert done["query"] == {"scene": "g%3D7Kq2"}
    assert done["pushes"] == []
    chat = mini.script("GET", f"/people/{person['id']}/chat?app_id={MINI}")
    assert chat["mini"]["opening"]["query"] == {"scene": "g%3D7Kq2"}


def test_a_transparent_picture_in_a_colour_is_a_png(mini: Driver) -> None:
    answer = ask(mini, is_hyaline=True, line_color={"r": "200", "g": 0, "b": 0}, width=1280)
    assert answer.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, picture.size, picture.getpixel((0, 0))) == ("PNG", (1280, 1280), (0, 0, 0, 0))
    colours = picture.getcolors(4)
    assert colours is not None
    assert (200, 0, 0, 255) in {colour for _count, colour in colours}


def test_the_same_scene_is_the_same_code_and_the_home_page_is_the_first(mini: Driver) -> None:
    assert read(ask(mini).content) == read(ask(mini, page=HOME, width=600).content)
    assert read(ask(mini).content) != read(ask(mini, page=ME).content)
    listed = mini.script("GET", f"/codes?app_id={MINI}")
    assert [(code["scene"], code["page"]) for code in listed["codes"]] == [("g=7Kq2", ME), ("g=7Kq2", HOME)]
    picture = mini.http.get(f"/_/mini-codes/{listed['codes'][0]['ticket']}")
    assert read(picture.content) == listed["codes"][0]["url"]
    shown = mini.http.get("/mp/cgi-bin/showqrcode", params={"ticket": listed["codes"][0]["ticket"]})
    assert shown.status_code == 404
    assert mini.http.get("/_/mini-codes/nothing").status_code == 404


@pytest.mark.parametrize("scene", ["", "x" * 33, None, 7])
def test_a_scene_must_have_1_to_32_characters(mini: Driver, scene: object) -> None:
    assert errcode(mini, scene=scene) == 40169


@pytest.mark.parametrize("scene", ["a%20", "有", "a b", 'a"b', "a\n"])
def test_a_scene_has_visible_characters_without_percent(mini: Driver, scene: str) -> None:
    assert errcode(mini, scene=scene) == 40129


@pytest.mark.parametrize("scene", ["x" * 32, "!#$&'()*+,/:;=?@-._~"])
def test_every_character_of_the_page_is_taken(mini: Driver, scene: str) -> None:
    assert ask(mini, scene=scene).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("raw", [b"", b"scene=1", b"[]"])
def test_a_body_that_is_not_json_is_refused_as_the_page_says(mini: Driver, raw: bytes) -> None:
    assert errcode(mini, raw=raw) == 40169


@pytest.mark.parametrize("page", ["pages/no/no", f"/{ME}", f"{ME}?a=1"])
def test_a_page_that_is_not_published_is_refused(mini: Driver, page: str) -> None:
    assert errcode(mini, page=page) == 41030


def test_an_unchecked_page_need_not_exist(mini: Driver) -> None:
    answer = ask(mini, page="pages/soon/soon", check_path=False, env_version="trial")
    assert mini.act(mini.person(), "scan", content=read(answer.content))["page"] == "pages/soon/soon"
    assert errcode(mini, page=f"/{ME}", check_path=False) == 41030


@pytest.mark.parametrize(
    "body",
    [
        {"width": 279},
        {"width": 1281},
        {"width": "430"},
        {"env_version": "beta"},
        {"check_path": 1},
        {"is_hyaline": "yes"},
        {"line_color": {"r": 256, "g": 0, "b": 0}},
        {"line_color": "red"},
    ],
)
def test_bad_arguments_are_refused(mini: Driver, body: dict[str, Any]) -> None:
    assert errcode(mini, **body) == 40097


def test_an_official_account_may_not_draw(mini: Driver) -> None:
    assert errcode(mini, app_id=APP) == 48001


def test_the_fault_of_the_minute_quota_is_json(mini: Driver) -> None:
    fault = {"target": "calls", "kind": "quota", "path": "/wxa/getwxacodeunlimit", "times": 1}
    mini.script("POST", "/faults", fault)
    assert errcode(mini) == 45009
    assert ask(mini).headers["content-type"] == "image/jpeg"


def test_codes_of_two_apps_differ(mini: Driver) -> None:
    mini.account(app_id=OTHER, kind="mini_program")
    assert read(ask(mini).content) != read(ask(mini, app_id=OTHER).content)


def test_more_than_five_thousand_a_minute_are_too_many() -> None:
    world = World()
    world.clock.set(1_700_000_000 // 60 * 60)  # the start of a minute
    call = Call(world, Request({"type": "http"}), {}, b'{"scene": "s"}')
    call.account = account = Account(MINI, "小二商城", kind="mini_program")
    draw_unlimited(call)
    account.pictures_drawn = 5_000
    with pytest.raises(WeChatRefusal) as caught:
        draw_unlimited(call)
    assert caught.value.errcode == 45009
    world.clock.advance(60)
    draw_unlimited(call)
    assert account.pictures_drawn == 1
