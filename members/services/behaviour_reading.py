"""A batch of behaviours as it came from outside: each read by itself, masked, or refused with a code of its own."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.dateparse import parse_datetime

from members.contracts.behaviours import (
    BEHAVIOUR_KINDS,
    BehaviourFault,
    BehaviourField,
    BehaviourKind,
    ReadBehaviour,
)

_KEY: Final = re.compile(r"[0-9A-Za-z_-]{8,64}")
_PAGE: Final = re.compile(r"[0-9A-Za-z_\-./]+")
_CODE: Final = re.compile(r"[^\s\x00-\x1f\x7f]+")
_ENVELOPE: Final = ("key", "kind", "at", "with")
_NAMED: Final = ("phone", "pos_card", "member_code", "unionid", "openid", "mini_openid")
# A row of digits as long as a phone, whatever stands between them, and what has the length of an openid.
_DIGITS: Final = re.compile(r"\d(?:[\s\-.·]*\d){10,}")
_WECHAT_ID: Final = re.compile(r"[0-9A-Za-z_-]{28,}")
_PHONE: Final = re.compile(r"(?:\+?86)?1[3-9]\d{9}")
_MASK: Final = "***"
_MOST_AHEAD: Final = dt.timedelta(minutes=5)


class _Fault(Exception):
    def __init__(self, code: str, field: str = "") -> None:
        self.code, self.field = code, field
        super().__init__(code)


def read_behaviours(
    *, told: Sequence[Any], sent_at: dt.datetime, oldest: dt.timedelta, names_members: bool = False
) -> tuple[list[ReadBehaviour], list[BehaviourFault]]:
    """Those that can be kept, and why each of the others cannot. `sent_at` is the teller's clock when it sent the batch:
    only the distance from it counts, so that a phone's wrong clock moves nothing."""
    read: list[ReadBehaviour] = []
    faults: list[BehaviourFault] = []
    for index, one in enumerate(told):
        try:
            read.append(_read(index, one, sent_at, oldest, names_members))
        except _Fault as fault:
            key = one.get("key") if isinstance(one, Mapping) else None
            is_key = isinstance(key, str) and _KEY.fullmatch(key) is not None
            faults.append(BehaviourFault(index, str(key) if is_key else "", fault.code, fault.field))
    return read, faults


def mask_personal(text: str) -> str:
    """The text on one line, without what looks like a phone, a card or an identity of WeChat."""
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(sign if sign.isprintable() else " " for sign in plain)
    plain = _WECHAT_ID.sub(_MASK, _DIGITS.sub(_MASK, plain))
    return " ".join(plain.split())


def _read(
    index: int, one: Any, sent_at: dt.datetime, oldest: dt.timedelta, names_members: bool
) -> ReadBehaviour:
    if not isinstance(one, Mapping):
        raise _Fault("not_an_object")
    known = (*_ENVELOPE, "member") if names_members else _ENVELOPE
    for name in one:
        if name not in known:
            raise _Fault("unknown_field", name[:40])
    for name in known:
        if name not in one:
            raise _Fault("missing_field", name)
    key, code = one["key"], one["kind"]
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise _Fault("bad_key", "key")
    kind = BEHAVIOUR_KINDS.get(code) if isinstance(code, str) else None
    if kind is None:
        raise _Fault("unknown_kind", "kind")
    age = _read_age(one["at"], sent_at, oldest)
    details = _read_fields(kind, one["with"])
    subject = str(details.pop(kind.subject))
    member = _read_member(one["member"]) if names_members else None
    return ReadBehaviour(index, key, kind.code, subject, details, age, member)


def _read_age(value: Any, sent_at: dt.datetime, oldest: dt.timedelta) -> dt.timedelta:
    try:
        at = parse_datetime(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _Fault("bad_time", "at")
    age = sent_at - at
    if age < -_MOST_AHEAD:
        raise _Fault("in_future", "at")
    if age > oldest:
        raise _Fault("too_old", "at")
    return max(age, dt.timedelta())


def _read_fields(kind: BehaviourKind, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise _Fault("not_an_object", "with")
    for name in given:
        if name not in kind.fields:
            raise _Fault("unknown_field", f"with.{name[:40]}")
    found: dict[str, Any] = {}
    for name, field in kind.fields.items():
        if name in given:
            found[name] = _read_value(field, given[name], f"with.{name}")
        elif field.is_required:
            raise _Fault("missing_field", f"with.{name}")
    return found


def _read_value(field: BehaviourField, value: Any, place: str) -> Any:
    if field.sort == "whole":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= field.most:
            raise _Fault("bad_value", place)
        return value
    if not isinstance(value, str) or (field.sort == "choice" and value not in field.options):
        raise _Fault("bad_value", place)
    return value if field.sort == "choice" else _read_text(field, value, place)


def _read_text(field: BehaviourField, value: str, place: str) -> str:
    # The query of a page's address is where phones and openids stand.
    text = value.partition("?")[0].strip("/") if field.sort == "page" else value.strip()
    if len(text) > field.most:
        raise _Fault("too_long", place)
    if field.sort == "words":
        text = mask_personal(text)[: field.most].strip()
        if not text:
            raise _Fault("bad_value", place)
        return text
    if not (_PAGE if field.sort == "page" else _CODE).fullmatch(text):
        raise _Fault("bad_value", place)
    if _is_personal(text):
        raise _Fault("personal", place)
    return text


def _is_personal(text: str) -> bool:
    """Codes may be long numbers (13 digits stand under a bar code), but no phone and nothing like an openid."""
    parts = text.split("/")
    return any(
        _PHONE.fullmatch(part) or (_WECHAT_ID.fullmatch(part) and part.startswith("o")) for part in parts
    )


def _read_member(given: Any) -> tuple[str, str, str]:
    if not isinstance(given, Mapping):
        raise _Fault("not_an_object", "member")
    for name in given:
        if name not in ("kind", "value", "app_id"):
            raise _Fault("unknown_field", f"member.{name[:40]}")
    kind, app_id, value = given.get("kind"), given.get("app_id", ""), given.get("value")
    if kind not in _NAMED:
        raise _Fault("bad_value", "member.kind")
    if not isinstance(value, str) or not 1 <= len(value) <= 80 or not value.isprintable():
        raise _Fault("bad_value", "member.value")
    has_app = kind in ("openid", "mini_openid")
    if not isinstance(app_id, str) or len(app_id) > 40 or bool(app_id) != has_app:
        raise _Fault("bad_value", "member.app_id")
    if has_app and not (_KEY.fullmatch(value) and _CODE.fullmatch(app_id)):
        raise _Fault("bad_value", "member.value")
    return str(kind), app_id, value
