"""People: creating them, changing them, letting them act, reading their chats."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sandbox.avatars import draw_avatar
from sandbox.errors import ScriptError
from sandbox.menus import menu_for
from sandbox.mini import describe_mini
from sandbox.models import MiniTie
from sandbox.people import ACTS, Act
from sandbox.scripting.base import Answer, Ask, Desk, read_script
from sandbox.taps import TAPS

EVERY_ACT = ACTS | TAPS


def _text(body: dict[str, Any], name: str, *, longest: int = 64) -> str | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > longest):
        raise ScriptError("bad_field", f"{name} 要是不超过 {longest} 个字的文字")
    return value


def _phone_routes(desk: Desk) -> list[Route]:
    world = desk.world

    async def get_chat(ask: Ask) -> Answer:
        person = world.person(ask.path("person_id"))
        account = world.account(ask.request.query_params.get("app_id"))
        tie = person.ties.get(account.app_id)
        typing = max(0.0, tie.typing_until - world.now()) if tie else 0.0
        answer: dict[str, Any] = {"bubbles": tie.chat if tie else [], "typing_s": typing}
        if account.kind == "official":
            answer["menu"] = menu_for(account, tie)
        if account.kind == "mini_program":
            answer["mini"] = describe_mini(tie.mini if tie else MiniTie())
        return answer

    async def act(ask: Ask) -> Answer:
        name = ask.path("act")
        if name not in EVERY_ACT:
            raise ScriptError("unknown_act", f"不会做：{name}", 404)
        person = world.person(ask.path("person_id"))
        waits = ask.body.get("wait", True) is not False
        doing = Act(world, desk.postman, person, read_script(ask.body), waits)
        return await EVERY_ACT[name](doing, ask.body)

    return [
        desk.route("GET", "/people/{person_id}/chat", get_chat),
        desk.route("POST", "/people/{person_id}/{act}", act),
    ]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    world = desk.world

    async def list_people(ask: Ask) -> Answer:
        return {"people": [world.describe_person(person) for person in world.cast()]}

    async def add_person(ask: Ask) -> Answer:
        name = (_text(ask.body, "name") or "").strip()
        if not name:
            raise ScriptError("bad_field", "name 要填名字")
        person = world.add_person(
            name=name,
            key=_text(ask.body, "key", longest=200),
            phone=_text(ask.body, "phone"),
            is_snapshot=ask.body.get("is_snapshot") is True,
        )
        person.is_high_risk = bool(ask.body.get("is_high_risk", person.is_high_risk))
        world.publish_person(person)
        return world.describe_person(person)

    async def get_person(ask: Ask) -> Answer:
        return world.describe_person(world.person(ask.path("person_id")))

    async def change_person(ask: Ask) -> Answer:
        person = world.person(ask.path("person_id"))
        name, phone = _text(ask.body, "name"), _text(ask.body, "phone")
        person.name = (name or "").strip() or person.name
        person.phone = phone if phone is not None else person.phone
        person.is_snapshot = bool(ask.body.get("is_snapshot", person.is_snapshot))
        person.is_high_risk = bool(ask.body.get("is_high_risk", person.is_high_risk))
        world.publish_person(person)
        return world.describe_person(person)

    async def delete_person(ask: Ask) -> Answer:
        person = world.person(ask.path("person_id"))
        world.forget_person(person)
        world.hub.publish("person-gone", {"id": person.id})
        return {"ok": True}

    async def show_avatar(ask: Ask) -> Answer:
        person = world.person(ask.path("person_id"))
        return Response(draw_avatar(person.name, person.id), media_type="image/svg+xml")

    one = "/people/{person_id}"
    return [
        desk.route("GET", "/people", list_people),
        desk.route("POST", "/people", add_person),
        desk.route("GET", one, get_person),
        desk.route("PATCH", one, change_person),
        desk.route("DELETE", one, delete_person),
        desk.route("GET", one + "/avatar.svg", show_avatar),
        *_phone_routes(desk),
    ]
