"""From bytes to fields, without surprises.

WeChat pushes XML, and to mini-programs XML or JSON; the first non-space byte tells. The result is the plain
mapping as WeChat wrote it: wechatpy's own `parse_message` rewrites `subscribe` with a scene and adds MsgId=0 to
events, so both the dedupe key and the stored kind are taken here, before any message class.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final
from xml.parsers import expat

MAX_BODY_BYTES: Final = 64 * 1024
_MAX_DEPTH: Final = 12
# What identifies a push (official pages on receiving messages and events, plus what authorisation events need:
# they come from one system sender, so sender and time alone would make two users one).
_KEY_FIELDS: Final = (
    "MsgType", "MsgId", "Event", "ChangeType", "FromUserName", "OpenID", "UserID", "ExternalUserID",
    "CreateTime", "EventKey", "MsgID", "RevokeInfo",
)  # fmt: skip
# These say what they are about in a list only: two messages to one person that arrive in one second are two pushes.
_LISTING: Final = "subscribe_msg_"
_WRAPPERS: Final = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent")


class Unreadable(Exception):
    """The body is neither the XML nor the JSON that WeChat sends."""


def read_fields(body: str) -> dict[str, Any]:
    """The fields of a push body. Raises Unreadable on anything malformed, too deep or of another shape."""
    text = body.lstrip("\ufeff \t\r\n")
    fields = _read_json(text) if text.startswith("{") else _read_xml(text)
    if not isinstance(fields, dict):
        raise Unreadable("not_an_object")
    return fields


def _read_json(text: str) -> Any:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("malformed") from error
    if _depth_exceeds(fields, _MAX_DEPTH):
        raise Unreadable("too_deep")
    return fields


def _read_xml(text: str) -> Any:
    """What is inside <xml>: text, or a mapping; repeated elements are a list, empty ones None.

    The shape that xmltodict gives such bodies, without attributes, at a third of its price: this is the
    callback's hottest loop. A document type is refused, and with it every entity.
    """
    names: list[str] = []
    texts: list[str] = []
    nodes: list[dict[str, Any] | None] = [None]

    def open_element(name: str, attributes: object) -> None:
        if len(names) > _MAX_DEPTH:
            raise Unreadable("too_deep")
        names.append(name)
        texts.append("")
        nodes.append(None)

    def add_text(part: str) -> None:
        texts[-1] += part

    def close_element(name: str) -> None:
        node, text = nodes.pop(), texts.pop()
        names.pop()
        value = (text.strip() or None) if node is None else node
        parent = nodes[-1]
        if parent is None:
            nodes[-1] = {name: value}
        elif name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = open_element
    parser.EndElementHandler = close_element
    parser.CharacterDataHandler = add_text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError) as error:  # ValueError: lone surrogates
        raise Unreadable("malformed") from error
    return (nodes[0] or {}).get("xml")


def _refuse_doctype(*declaration: object) -> None:
    raise Unreadable("document_type")


def _depth_exceeds(root: Any, limit: int) -> bool:
    level = [root]
    for _depth in range(limit + 1):
        deeper: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                deeper += [child for child in node.values() if isinstance(child, (dict, list))]
            elif isinstance(node, list):
                deeper += [child for child in node if isinstance(child, (dict, list))]
        if not deeper:
            return False
        level = deeper
    return True


def text_field(fields: Mapping[str, Any], name: str) -> str:
    """One field as text; missing and empty are "". Raises Unreadable when it was doubled or nested."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise Unreadable(f"doubled_{name}")
    return str(value)


def kind_of(fields: Mapping[str, Any]) -> str:
    """`text`, `event.subscribe` …, lower-cased: WeChat mixes the case of event names. Raises Unreadable."""
    message_type = text_field(fields, "MsgType").strip().lower()
    if not message_type:
        raise Unreadable("no_MsgType")
    if message_type != "event":
        return message_type[:60]
    event = text_field(fields, "Event").strip().lower()
    if not event:
        raise Unreadable("no_Event")
    return f"event.{event}"[:60]


def person_of(fields: Mapping[str, Any]) -> str:
    """Whom the push is about: `OpenID` where WeChat's platform speaks of somebody (authorisation events), else who
    sent it. The person's rows are found by it when she is to be forgotten. Raises Unreadable."""
    return text_field(fields, "OpenID") or text_field(fields, "FromUserName")


def dedupe_key(app_id: str, fields: Mapping[str, Any]) -> str:
    """The wide key (64 hex digits): equal for WeChat's retries of one push, different for different pushes."""
    parts = [app_id, *(text_field(fields, name) for name in _KEY_FIELDS)]
    if text_field(fields, "Event").lower().startswith(_LISTING):
        parts.append(json.dumps([fields.get(name) for name in ("List", *_WRAPPERS)], sort_keys=True))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def pushed_at_unix(fields: Mapping[str, Any]) -> int:
    """`CreateTime`, Unix seconds. Raises Unreadable."""
    try:
        seconds = int(text_field(fields, "CreateTime"))
    except ValueError as error:
        raise Unreadable("bad_CreateTime") from error
    if not 0 < seconds < 4_102_444_800:  # the year 2100
        raise Unreadable("bad_CreateTime")
    return seconds


@dataclasses.dataclass(frozen=True, slots=True)
class ReadPush:
    """One push, read: what is stored of it besides its text."""

    fields: Mapping[str, Any]
    kind: str
    openid: str
    pushed_at_unix: int
    dedupe_key: str


def read_push(app_id: str, raw: str) -> ReadPush:
    """Everything the inbox stores of one push. Raises Unreadable."""
    fields = read_fields(raw)
    return ReadPush(
        fields=fields,
        kind=kind_of(fields),
        openid=person_of(fields),
        pushed_at_unix=pushed_at_unix(fields),
        dedupe_key=dedupe_key(app_id, fields),
    )
