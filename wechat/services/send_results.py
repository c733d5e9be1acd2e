"""Reading what WeChat pushes about messages we sent and consents she gave.

Official pages "template message events", "subscribe message events" and "result of a mass message". `List` comes as
nothing, one object or an array; in JSON at top level, in XML inside an element of its own.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.events import Event
from wechat.events import MassSettled, SubscriptionAnswered, SubscriptionSettled, TemplateDelivered

_WRAPPERS: Final = {
    "event.subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "event.subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "event.subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}
_GREATEST: Final = 2**31 - 1
_MASS: Final = "event.masssendjobfinish"
KINDS: Final = frozenset({"event.templatesendjobfinish", _MASS, *_WRAPPERS})
_REASON: Final = re.compile(r"err\((\d{1,9})\)")


def read_results(
    kind: str, fields: Mapping[str, Any], *, account_id: int, app_id: str, inbound_id: int, at: int
) -> Iterator[Event]:
    """The events that a push of one of KINDS announces; entries without a template id say nothing."""
    openid = _text(fields, "FromUserName")
    if kind == _MASS:
        yield _read_mass(fields, account_id=account_id, app_id=app_id, inbound_id=inbound_id, at=at)
        return
    if kind not in _WRAPPERS:
        status = read_status(_text(fields, "Status"))
        message_id = _text(fields, "MsgID") or _text(fields, "MsgId")
        yield TemplateDelivered(account_id, app_id, openid, message_id, status, inbound_id, at)
        return
    entries = {_text(entry, "TemplateId"): entry for entry in _entries(fields, _WRAPPERS[kind])}
    for template_id, entry in entries.items():
        if not template_id:
            continue
        if kind == "event.subscribe_msg_sent_event":
            errcode = _number(entry, "ErrorCode")
            message_id = _text(entry, "MsgID")
            yield SubscriptionSettled(
                account_id, app_id, openid, template_id, message_id, errcode == 0, errcode, inbound_id, at
            )
        else:
            is_accepted = _text(entry, "SubscribeStatusString").lower() == "accept"
            is_setting = kind == "event.subscribe_msg_change_event"
            yield SubscriptionAnswered(
                account_id, app_id, openid, template_id, is_accepted, is_setting, inbound_id, at
            )


def read_deliveries(kind: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Message ids and their statuses in a push about messages."""
    for event in read_results(kind, fields, account_id=0, app_id="", inbound_id=0, at=0):
        if isinstance(event, TemplateDelivered):
            yield event.message_id, event.status
        elif isinstance(event, SubscriptionSettled):
            yield event.message_id, "success" if event.is_delivered else "failed"


def read_status(status: str) -> str:
    """success, blocked or failed: WeChat's text is matched by its beginning, since it has blanks in odd places and new
    reasons appear in the field."""
    squeezed = status.lower().replace(" ", "")
    if squeezed.startswith("success"):
        return "success"
    return "blocked" if squeezed.startswith("failed:userblock") else "failed"


def _read_mass(
    fields: Mapping[str, Any], *, account_id: int, app_id: str, inbound_id: int, at: int
) -> MassSettled:
    """The result of a mass message; the copyright check comes as nothing where there was no article."""
    status = _text(fields, "Status").lower().replace(" ", "")
    reason = _REASON.match(status)
    check = fields.get("CopyrightCheckResult")
    return MassSettled(
        account_id=account_id,
        app_id=app_id,
        message_id=_text(fields, "MsgID") or _text(fields, "MsgId"),
        is_sent=status.startswith("sendsuccess"),
        reason=int(reason[1]) if reason else 0,
        total_count=_count(fields, "TotalCount"),
        filtered_count=_count(fields, "FilterCount"),
        reached_count=_count(fields, "SentCount"),
        error_count=_count(fields, "ErrorCount"),
        copyright_state=_count(check, "CheckState") if isinstance(check, Mapping) else 0,
        inbound_id=inbound_id,
        at=at,
    )


def _count(fields: Mapping[str, Any], name: str) -> int:
    return min(max(_number(fields, name), 0), _GREATEST)


def _entries(fields: Mapping[str, Any], wrapper: str) -> Iterator[Mapping[str, Any]]:
    inner = fields.get(wrapper)
    listed = (inner if isinstance(inner, Mapping) else fields).get("List")
    for entry in listed if isinstance(listed, list) else [listed]:
        if isinstance(entry, Mapping):
            yield entry


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def _number(entry: Mapping[str, Any], name: str) -> int:
    text = _text(entry, name)
    return int(text) if text.lstrip("-").isdecimal() else -1
