"""Templates from the outside: which an account has, the pop-up that asks a person, and her settings."""

from dataclasses import asdict
from typing import Any

from starlette.routing import Route

from sandbox import mini, templates
from sandbox.errors import ScriptError
from sandbox.identity import openid_of
from sandbox.models import Account, Person
from sandbox.people import send_scripted
from sandbox.scripting.base import Answer, Ask, Desk, read_script

# Of one pop-up. Official page "wx.requestSubscribeMessage", with its table of errCodes: 10001 no template is named, 20001 there
# is none of that id, 20003 too many are. The page says five by now; three are what every client takes.
MOST_ASKED = 3


def _answers(account: Account, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise ScriptError("bad_field", 'answers 要是 {模板ID: "accept" 或 "reject"}，不能为空（10001）')
    if len(value) > MOST_ASKED:
        raise ScriptError("too_many_templates", f"一次弹窗最多申请 {MOST_ASKED} 个模板（20003）")
    for template_id, answer in value.items():
        if template_id not in account.templates:
            raise ScriptError("unknown_template", f"没有这个模板：{template_id}（20001）", 404)
        if answer not in ("accept", "reject"):
            raise ScriptError("bad_field", 'answers 的值要是 "accept" 或 "reject"')
    return value


def _account_routes(desk: Desk) -> list[Route]:
    world = desk.world

    async def put_templates(ask: Ask) -> Answer:
        account = world.account(ask.path("app_id"))
        is_mini = account.kind == "mini_program"
        account.templates = templates.read_templates(ask.body.get("templates"), is_mini=is_mini)
        world.hub.publish("accounts", {})
        rows = account.templates.values()
        return {"templates": [templates.describe_template(one, account, None) for one in rows]}

    async def list_templates(ask: Ask) -> Answer:
        account = world.account(ask.path("app_id"))
        name = ask.request.query_params.get("person_id")
        person = world.person(name) if name else None
        rows = account.templates.values()
        return {"templates": [templates.describe_template(one, account, person) for one in rows]}

    return [
        desk.route("PUT", "/accounts/{app_id}/templates", put_templates),
        desk.route("GET", "/accounts/{app_id}/templates", list_templates),
    ]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    world = desk.world

    def who(ask: Ask) -> tuple[Person, Account]:
        return world.person(ask.path("person_id")), mini.mini_program(world, ask.body.get("app_id"))

    async def tell(
        ask: Ask, person: Person, account: Account, fields: dict[str, Any], outcome: str
    ) -> Answer:
        script = read_script(ask.body)
        openid = openid_of(person.key, account.app_id)
        made = [desk.postman.make(account, person, openid, fields, create_time=script.create_time)]
        mini.publish_mini(world, person, account)
        waits = ask.body.get("wait", True) is not False
        await send_scripted(world, desk.postman, made, script, waits=waits)
        consents = world.tie(person, account.app_id).mini.consents
        return {"outcome": outcome, "consents": consents, "pushes": [asdict(push) for push in made]}

    async def subscribe(ask: Ask) -> Answer:
        person, account = who(ask)
        answers = _answers(account, ask.body.get("answers"))
        tie = world.tie(person, account.app_id)
        entries = templates.answer_pop_up(tie.mini, answers, is_always=ask.body.get("always") is True)
        fields = templates.listed(account, "subscribe_msg_popup_event", "SubscribeMsgPopupEvent", entries)
        return await tell(ask, person, account, fields, "answered")

    async def withdraw(ask: Ask) -> Answer:
        person, account = who(ask)
        template_id = ask.body.get("template_id")
        _answers(account, {template_id: "reject"})
        entries = templates.withdraw(world.tie(person, account.app_id).mini, str(template_id))
        fields = templates.listed(account, "subscribe_msg_change_event", "SubscribeMsgChangeEvent", entries)
        return await tell(ask, person, account, fields, "withdrawn")

    one = "/people/{person_id}/mini"
    return [
        *_account_routes(desk),
        desk.route("POST", one + "/subscribe", subscribe),
        desk.route("POST", one + "/unsubscribe", withdraw),
    ]
