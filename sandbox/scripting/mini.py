"""What people do in mini-programs: opening, logging in, giving their phone; and the pictures of codes."""

import re
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.routing import Route

from sandbox import browsing, mini
from sandbox.apis.minicode import draw
from sandbox.errors import ScriptError
from sandbox.models import Account, Person
from sandbox.scripting.base import Answer, Ask, Desk

ELSEWHERE = "wx0000000000000000"
PHONE = re.compile(r"[0-9]{4,15}")
COUNTRY = re.compile(r"[1-9][0-9]{0,3}")
BENDS = {"wrong_appid", "old_watermark_s", "stale_session"}


def _read_phone(body: dict[str, Any], person: Person) -> tuple[str, str]:
    """Return number and country code; without `phone` it is the person's own."""
    phone, country = body.get("phone") or person.phone, str(body.get("country_code") or "86")
    if not isinstance(phone, str) or not PHONE.fullmatch(phone):
        raise ScriptError("bad_field", "phone 要是 4–15 位数字，不带区号")
    if not COUNTRY.fullmatch(country):
        raise ScriptError("bad_field", "country_code 要是区号数字，比如 86")
    return phone, country


def _read_bends(body: dict[str, Any]) -> dict[str, Any]:
    """Read `script`: what is wrong with the encryptedData."""
    bends = body.get("script") or {}
    if not isinstance(bends, dict) or bends.keys() - BENDS:
        raise ScriptError("bad_field", f"script 里只能有：{', '.join(sorted(BENDS))}")
    age = bends.get("old_watermark_s", 0)
    if isinstance(age, bool) or not isinstance(age, int | float):
        raise ScriptError("bad_field", "old_watermark_s 要是秒数")
    return bends


def _wrong_app_id(bends: dict[str, Any], account: Account) -> str:
    wanted = bends.get("wrong_appid")
    if isinstance(wanted, str) and wanted:
        return wanted
    return ELSEWHERE if wanted else account.app_id


def _who(desk: Desk, ask: Ask) -> tuple[Person, Account]:
    return desk.world.person(ask.path("person_id")), mini.mini_program(desk.world, ask.body.get("app_id"))


async def _browse(desk: Desk, ask: Ask) -> Answer:
    return await browsing.browse(desk.world, desk.postman.client, *_who(desk, ask))


async def _show_inbox(desk: Desk, ask: Ask) -> Answer:
    read, mark = ask.body.get("read") or "", ask.body.get("read_mark") or ""
    if not isinstance(read, str) or not isinstance(mark, str):
        raise ScriptError("bad_field", "read 和 read_mark 要是文字")
    person, account = _who(desk, ask)
    return await browsing.show_inbox(
        desk.world, desk.postman.client, person, account, read=read, read_mark=mark
    )


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    world = desk.world

    async def log_in(ask: Ask) -> Answer:
        person, account = _who(desk, ask)
        return {"code": mini.issue_login_code(world, account, person), "expires_in": mini.CODE_LIFE_S}

    async def give_phone(ask: Ask) -> Answer:
        person, account = _who(desk, ask)
        phone, country = _read_phone(ask.body, person)
        bends = _read_bends(ask.body)
        at = world.now() - bends.get("old_watermark_s", 0)
        data = mini.describe_phone(world, _wrong_app_id(bends, account), phone, country, at)
        sealed = mini.seal(world, account, person, data, is_stale=bool(bends.get("stale_session")))
        code = mini.issue_phone_code(world, account, person, phone=phone, country_code=country)
        return {"code": code, "expires_in": mini.CODE_LIFE_S, **sealed}

    async def open_it(ask: Ask) -> Answer:
        person, account = _who(desk, ask)
        path = ask.body.get("page") or mini.home_of(account)
        if not isinstance(path, str):
            raise ScriptError("bad_field", "page 要是页面路径")
        scene = ask.body.get("scene", mini.ENTRY)
        if isinstance(scene, bool) or not isinstance(scene, int):
            raise ScriptError("bad_field", "scene 要是微信的场景值数字，比如 1001")
        page, _mark, query = path.lstrip("/").partition("?")
        opening = mini.open_mini(world, person, account, page, dict(parse_qsl(query)), scene)
        await browsing.show_campaign(world, desk.postman.client, person, account, opening)
        return {"outcome": "opened", **mini.describe_opening(opening), "pushes": []}

    async def show_code(ask: Ask) -> Answer:
        code = world.codes.get(ask.path("name"))
        if code is None or code.page is None:
            raise ScriptError("unknown_code", "没有这个小程序码", 404)
        return Response(draw(code.url), media_type="image/jpeg")

    one = "/people/{person_id}/mini"
    return [
        desk.route("POST", one + "/login", log_in),
        desk.route("POST", one + "/phone", give_phone),
        desk.route("POST", one + "/open", open_it),
        desk.route("POST", one + "/browse", partial(_browse, desk)),
        desk.route("POST", one + "/inbox", partial(_show_inbox, desk)),
        desk.route("GET", "/mini-codes/{name}", show_code),
    ]
