"""Templates: what an account has, what their fields take, and the consents people gave.

Official pages "send template message", "send subscribe message" and "subscribe message events". The value rules are those
of the parameter table of the subscribe page; category templates of official accounts have the same.
"""

import re
import secrets
from typing import Any

from sandbox.errors import ScriptError, WeChatRefusal
from sandbox.models import Account, MessageTemplate, MiniTie, Person
from sandbox.state import World

SLOT = re.compile(r"\{\{\s*([a-z_]+)(\d*)\.DATA\s*\}\}")
LINE = re.compile(r"([^{}\n:：]*)[:：]?\s*\{\{\s*([a-z_]+\d*)\.DATA\s*\}\}")
DROPPED = ("first", "remark")  # taken and not shown, since 2023
MOST_TEMPLATES = 25
REPEAT_S = 600
LONGEST_CLIENT_MSG_ID = 32
ONE_TIME, LASTING = 2, 3

DAY = r"\d{4}年\d{1,2}月\d{1,2}日|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
CLOCK = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
TIME = rf"(({DAY})\s*)?{CLOCK}"
DATE = rf"({DAY})(\s*{CLOCK})?"
RULES = {
    "thing": re.compile(r".{1,20}"),
    "number": re.compile(r"(?=.{1,33}$)\d+(\.\d+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "character_string": re.compile(r"[!-~ ]{1,32}"),
    "time": re.compile(rf"{TIME}(~{TIME})?"),
    "date": re.compile(rf"{DATE}(~{DATE})?"),
    "amount": re.compile(r"[¥￥$€£]?\d{1,10}(\.\d+)?元?"),
    "phone_number": re.compile(r"[0-9+\-() ]{1,17}"),
    "car_number": re.compile(r"[\u4e00-\u9fff]?[0-9A-Za-z]{1,7}[\u4e00-\u9fff]?"),
    "name": re.compile(r"[A-Za-z .·\-]{1,20}|[^\n\U00010000-\U0010ffff]{1,10}"),
    "phrase": re.compile(r"[\u4e00-\u9fff]{1,5}"),
}


def read_templates(rows: object, *, is_mini: bool) -> dict[str, MessageTemplate]:
    """Build templates from a script's list, giving ids where none are given."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ScriptError("bad_field", "templates 要是模板的列表")
    if len(rows) > MOST_TEMPLATES:
        raise ScriptError("bad_field", f"一个账号最多 {MOST_TEMPLATES} 个模板")
    made = {}
    for row in rows:
        title, content = row.get("title"), row.get("content")
        if not isinstance(title, str) or not isinstance(content, str) or not SLOT.search(content):
            raise ScriptError("bad_field", "模板要有 title 和带 {{字段.DATA}} 的 content")
        template_id = row.get("template_id") or secrets.token_urlsafe(32)
        kind = row.get("type", ONE_TIME)
        if not isinstance(template_id, str) or kind not in (ONE_TIME, LASTING):
            raise ScriptError("bad_field", "template_id 要是文字，type 要是 2 或 3")
        example = str(row.get("example") or "")
        made[template_id] = MessageTemplate(template_id, title, content, example, kind if is_mini else 0)
    return made


def find_template(account: Account, template_id: object) -> MessageTemplate:
    """Return the account's template: 40037 when it has none of that id."""
    template = account.templates.get(template_id) if isinstance(template_id, str) else None
    if template is None:
        raise WeChatRefusal(40037)
    return template


def check_values(template: MessageTemplate, data: object) -> dict[str, str]:
    """Return the values by field, or refuse the first that is missing or breaks its rule: 47003, which names it."""
    if not isinstance(data, dict):
        raise WeChatRefusal(47003, "data is missing")
    values = {}
    for kind, number in SLOT.findall(template.content):
        name = f"{kind}{number}"
        if kind in DROPPED:
            continue
        entry = data.get(name)
        value = entry.get("value") if isinstance(entry, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise WeChatRefusal(47003, f"data.{name}.value is empty")
        rule = RULES.get(kind)
        if "\n" in value or (rule is not None and not rule.fullmatch(value)):
            raise WeChatRefusal(47003, f"data.{name}.value invalid")
        values[name] = value
    return values


def lines_of(template: MessageTemplate, values: dict[str, str]) -> list[list[str]]:
    """Return the message as the phone shows it: label and value, line by line."""
    return [[label.strip(), values[name]] for label, name in LINE.findall(template.content) if name in values]


# Consents


def spend_consent(world: World, mini: MiniTie, template: MessageTemplate) -> None:
    """Take one consent: 43101 when there is none. A long-term template needs one only once."""
    left = mini.consents.get(template.template_id, 0)
    if left < 1:
        raise WeChatRefusal(43101)
    if template.type == ONE_TIME:
        mini.consents[template.template_id] = left - 1
    world.touch()


def answer_pop_up(mini: MiniTie, answers: dict[str, str], *, is_always: bool) -> list[dict[str, Any]]:
    """Note what she chose for each template; returns the entries of the push."""
    for template_id, answer in answers.items():
        if answer == "accept":
            mini.consents[template_id] = mini.consents.get(template_id, 0) + 1
        if is_always:
            mini.always[template_id] = answer
    return [
        {"TemplateId": template_id, "SubscribeStatusString": answer, "PopupScene": "0"}
        for template_id, answer in answers.items()
    ]


def withdraw(mini: MiniTie, template_id: str) -> list[dict[str, Any]]:
    """She switched messages of the template off in the settings; returns the entries of the push."""
    mini.consents[template_id] = 0
    mini.always.pop(template_id, None)
    return [{"TemplateId": template_id, "SubscribeStatusString": "reject"}]


def listed(account: Account, event: str, wrapper: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the fields of a subscribe push. In JSON the list is at top level, an object when there is one entry."""
    head: dict[str, Any] = {"MsgType": "event", "Event": event}
    if account.format == "json":
        return {**head, "List": entries[0] if len(entries) == 1 else entries}
    return {**head, wrapper: {"List": entries}}


def describe_template(template: MessageTemplate, account: Account, person: Person | None) -> dict[str, Any]:
    """Return a template as the scripting API shows it, with what a person allowed."""
    shown: dict[str, Any] = {
        "template_id": template.template_id,
        "title": template.title,
        "content": template.content,
        "example": template.example,
        "type": template.type,
    }
    if person is not None and account.app_id in person.ties:
        mini = person.ties[account.app_id].mini
        shown["consents"] = mini.consents.get(template.template_id, 0)
        shown["always"] = mini.always.get(template.template_id)
    return shown
