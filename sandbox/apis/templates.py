"""Template messages of official accounts and subscribe messages of mini-programs, with their management."""

from typing import Any

from sandbox import templates
from sandbox.apis.gate import OK, Answer, Call, Endpoint
from sandbox.errors import WeChatRefusal
from sandbox.models import MessageTemplate, Person

FIRST_MSG_ID = 3_000_000_000_000_000_000
STATES = ("developer", "trial", "formal")
LANGUAGES = ("zh_CN", "en_US", "zh_HK", "zh_TW")


def _recipient(call: Call, body: dict[str, Any]) -> Person:
    person = call.world.person_by_openid(call.account.app_id, body.get("touser"))
    if person is None:
        raise WeChatRefusal(40003)
    return person


def _throttle(call: Call) -> None:
    """Refuse the send that is one too many in this minute, where the account has such a limit: 45011."""
    account, minute = call.account, int(call.world.now() // 60)
    if account.sends_minute != minute:
        account.sends_minute, account.sends_made = minute, 0
    if account.sends_per_minute is not None and account.sends_made >= account.sends_per_minute:
        raise WeChatRefusal(45011)
    account.sends_made += 1


def _show(
    call: Call,
    person: Person,
    template: MessageTemplate,
    values: dict[str, str],
    via: str,
    opens: str,
    app_id: str,
) -> None:
    """`app_id`: the mini-program whose page it opens; empty: `opens` is an address of the web."""
    lines = templates.lines_of(template, values)
    card = {"title": template.title, "lines": lines, "opens": opens, "opens_in": app_id}
    call.world.add_bubble(
        person, call.account.app_id, side="account", via=via, kind="notice_card", notice=card
    )


def send_template(call: Call) -> Answer:
    """Send a template message. Whether it arrived is pushed afterwards; who blocked the account is told then only."""
    body = call.json()
    person = _recipient(call, body)
    template = templates.find_template(call.account, body.get("template_id"))
    call.summary = f"{template.title} → {person.name}"
    key = body.get("client_msg_id")
    if key is not None and (not isinstance(key, str) or len(key) > templates.LONGEST_CLIENT_MSG_ID):
        raise WeChatRefusal(40097, "client_msg_id")
    tie = call.world.tie(person, call.account.app_id)
    if not tie.is_following:
        raise WeChatRefusal(43004)
    program = body.get("miniprogram")
    program = program if isinstance(program, dict) else {}
    if program and program.get("appid") not in call.world.accounts:
        raise WeChatRefusal(40013)
    values = templates.check_values(template, body.get("data"))
    known = _repeat_of(call, f"{person.id}|{key}") if key else None
    if known is not None:
        call.summary += "（重复，没有再发）"
        if call.world.settings.template_repeat == "refused":
            raise WeChatRefusal(45065)
        return {**OK, "msgid": known}
    _throttle(call)
    message_id = call.world.serial("template_message") + 200_000_000
    if key:
        call.account.sent_keys[f"{person.id}|{key}"] = [call.world.now(), message_id]
    status = "success"
    if call.fault_kind == "undelivered":
        status = "failed: system failed"
    elif tie.is_blocked:
        status = "failed:user block"
    else:
        opens = str(program.get("pagepath") or body.get("url") or "")
        _show(call, person, template, values, "template", opens, str(program.get("appid") or ""))
    call.report(
        person, {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": message_id, "Status": status}
    )
    return {**OK, "msgid": message_id}


def _repeat_of(call: Call, key: str) -> int | None:
    """Return the message id under which this was sent in the last ten minutes."""
    keys, oldest = call.account.sent_keys, call.world.now() - templates.REPEAT_S
    while keys:
        first = next(iter(keys))
        if keys[first][0] > oldest:
            break
        del keys[first]
    return int(keys[key][1]) if key in keys else None


def send_subscription(call: Call) -> Answer:
    """Send a subscribe message: it takes one consent, and repeats are new messages."""
    body = call.json()
    person = _recipient(call, body)
    template = templates.find_template(call.account, body.get("template_id"))
    call.summary = f"{template.title} → {person.name}"
    page = body.get("page") or ""
    known = call.account.pages
    path = str(page).partition("?")[0].lstrip("/")
    if not isinstance(page, str) or (path and known is not None and path not in known):
        raise WeChatRefusal(41030)
    if body.get("miniprogram_state", "formal") not in STATES or body.get("lang", "zh_CN") not in LANGUAGES:
        raise WeChatRefusal(40097)
    values = templates.check_values(template, body.get("data"))
    _throttle(call)
    tie = call.world.tie(person, call.account.app_id)
    templates.spend_consent(call.world, tie.mini, template)
    message_id = str(FIRST_MSG_ID + call.world.serial("subscribe_message"))
    is_lost = call.fault_kind == "undelivered"
    if not is_lost:
        _show(call, person, template, values, "subscription", page, call.account.app_id if page else "")
    call.publish_mini(person)
    entry = {
        "TemplateId": template.template_id,
        "MsgID": message_id,
        "ErrorCode": 1 if is_lost else 0,
        "ErrorStatus": "system failed" if is_lost else "success",
    }
    call.report(
        person,
        templates.listed(call.account, "subscribe_msg_sent_event", "SubscribeMsgSentEvent", [entry]),
    )
    return {**OK, "msgid": message_id}


def list_private(call: Call) -> Answer:
    """The official account's templates; no errcode, as the page has it."""
    return {
        "template_list": [
            {
                "template_id": template.template_id,
                "title": template.title,
                "primary_industry": "",
                "deputy_industry": "",
                "content": template.content,
                "example": template.example,
            }
            for template in call.account.templates.values()
        ]
    }


def list_mini(call: Call) -> Answer:
    """The mini-program's templates."""
    return {
        **OK,
        "data": [
            {
                "priTmplId": template.template_id,
                "title": template.title,
                "content": template.content,
                "example": template.example,
                "type": template.type,
            }
            for template in call.account.templates.values()
        ],
    }


def _delete(name: str, call: Call) -> Answer:
    template = templates.find_template(call.account, call.json().get(name))
    del call.account.templates[template.template_id]
    call.world.touch()
    return OK


def delete_private(call: Call) -> Answer:
    """Delete a template of an official account."""
    return _delete("template_id", call)


def delete_mini(call: Call) -> Answer:
    """Delete a template of a mini-program."""
    return _delete("priTmplId", call)


ENDPOINTS = [
    Endpoint("/cgi-bin/message/template/send", send_template, "POST", is_official_only=True),
    Endpoint("/cgi-bin/template/get_all_private_template", list_private, "GET", is_official_only=True),
    Endpoint("/cgi-bin/template/del_private_template", delete_private, "POST", is_official_only=True),
    Endpoint("/cgi-bin/message/subscribe/send", send_subscription, "POST", is_mini_only=True),
    Endpoint("/wxaapi/newtmpl/gettemplate", list_mini, "GET", is_mini_only=True),
    Endpoint("/wxaapi/newtmpl/deltemplate", delete_mini, "POST", is_mini_only=True),
]
