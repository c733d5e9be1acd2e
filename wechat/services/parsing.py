"""From bytes to fields, without surprises.

WeChat pushes XML, and to mini-programs XML or JSON; the first non-space byte tells. The result is the plain
mapping as WeChat wrote it: wechatpy's own `parse_message` rewrites `subscribe` with a scene and adds MsgId=0 to
events, so both the dedupe key and the stored kind are taken here, before any message class.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import xmltodict
from xmltodict import ParsingInterrupted

MAX_BODY_BYTES: Final = 64 * 1024
_MAX_DEPTH: Final = 12
# What identifies a push (official pages on receiving messages and events, plus what authorisation events need:
# they come from one system sender, so sender and time alone would make two users one).
_KEY_FIELDS: Final = (
    "MsgType", "MsgId", "Event", "ChangeType", "FromUserName", "OpenID", "UserID", "ExternalUserID",
    "CreateTime", "EventKey", "MsgID", "RevokeInfo",
)  # fmt: skip


class Unreadable(Exception):
    """The body is neither the XML nor the JSON that WeChat sends."""


def read_fields(body: str) -> dict[str, Any]:
    """The fields of a push body. Raises Unreadable on anything malformed, too deep or of another shape."""
    text = body.lstrip("\ufeff \t\r\n")
    try:
        fields = json.loads(text) if text.startswith("{") else _read_xml(text)
    except (ValueError, RecursionError, ParsingInterrupted) as error:
        raise Unreadable("malformed") from error
    if not isinstance(fields, dict) or _depth_exceeds(fields, _MAX_DEPTH):
        raise Unreadable("not_a_flat_object")
    return fields


def _read_xml(text: str) -> Any:
    try:
        parsed = xmltodict.parse(text, disable_entities=True)
    except Exception as error:
        # expat, unicode and xmltodict's own complaints share no base class.
        raise Unreadable("malformed") from error
    return parsed.get("xml")


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


def dedupe_key(app_id: str, fields: Mapping[str, Any]) -> str:
    """The wide key (64 hex digits): equal for WeChat's retries of one push, different for different pushes."""
    parts = [app_id, *(text_field(fields, name) for name in _KEY_FIELDS)]
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


def list_of(fields: Mapping[str, Any], *path: str) -> list[dict[str, Any]]:
    """A repeated element that WeChat writes as nothing, an object or an array: always a list."""
    node: Any = fields
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    if node is None:
        return []
    items = node if isinstance(node, list) else [node]
    return [item for item in items if isinstance(item, dict)]
