"""The audit trail in words: every app names its actions, details and codes once, the box on detail pages shows them.

`tests/architecture/test_audit_words.py` finds what is recorded somewhere and named nowhere.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin.unfolded import Text
from core.models import AuditEntry

ACTORS: dict[str, Text] = {
    "system": _("系统"),
    "staff": _("后台"),
    "guide": _("导购"),
    "member": _("会员"),
    "wechat": _("微信"),
    "client": _("接口"),
}
# What `core.admin` itself records when a form is saved: "app.model.change".
_FORM_ACTIONS: Final[Mapping[str, Text]] = {
    "add": _("新增%(what)s"),
    "change": _("修改%(what)s"),
    "delete": _("删除%(what)s"),
    "inline": _("修改%(what)s"),
}
_FIELDS: Final = "fields"
_actions: dict[str, Text] = {}
_details: dict[str, Text] = {
    _FIELDS: _("改动"),
    "source": _("来源"),
    "kind": _("类型"),
    "was": _("之前"),
    "added": _("新增"),
    "changed": _("修改"),
    "deleted": _("删除"),
}
# Detail → [(beginning of the actions it holds for, code → words)].
_values: dict[str, list[tuple[str, Mapping[str, Text]]]] = {}


def name_actions(words: Mapping[str, Text]) -> None:
    """Say in Chinese what action codes mean; an unnamed code is shown as it is."""
    _actions.update(words)


def name_details(words: Mapping[str, Text]) -> None:
    """Say in Chinese what the names of details mean; an unnamed one is shown as it is."""
    _details.update(words)


def name_values(detail: str, words: Any, *, within: str = "") -> None:
    """Say in Chinese what the codes under a detail mean, in actions that begin with `within`; the longest one counts.

    `words` maps codes to texts, or is the choices of a TextChoices. Codes that are a choice of the subject's own
    field of that name, and columns named under `fields`, need no naming.
    """
    known = _values.setdefault(detail, [])
    known.append((within, dict(words)))
    known.sort(key=lambda pair: -len(pair[0]))


def action_words(code: str) -> Text:
    if code in _actions:
        return _actions[code]
    label, _dot, verb = code.rpartition(".")
    model = _model(label)
    if model is None or verb not in _FORM_ACTIONS:
        return code
    return str(_FORM_ACTIONS[verb]) % {"what": model._meta.verbose_name}


def actor_words(entry: AuditEntry) -> str:
    """Who did it: the kind, and the label where there is one. Which job of the system it was is nothing to a reader."""
    kind = str(ACTORS.get(entry.actor_kind, entry.actor_kind))
    return f"{kind} · {entry.actor_label}" if entry.actor_label and entry.actor_kind != "system" else kind


@dataclasses.dataclass(frozen=True, slots=True)
class AuditLine:
    """One audit entry for a page."""

    at: dt.datetime
    who: str
    what: Text
    details: str


def describe(entry: AuditEntry) -> AuditLine:
    """An entry in words; details are ids, codes and counts only, so they may be shown."""
    found = ((name, _value_words(entry, name, value)) for name, value in entry.details.items())
    details = "，".join(f"{_details.get(name, name)} {words}" for name, words in found if words)
    return AuditLine(entry.at, actor_words(entry), action_words(entry.action), details)


def _value_words(entry: AuditEntry, name: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _now("是") if value else _now("否")
    items = value if isinstance(value, list) else [value]
    words = (code_words(entry.action, entry.subject_kind, name, str(item)) for item in items)
    return "、".join(dict.fromkeys(word for word in words if word))


def code_words(action: str, subject_kind: str, name: str, code: str) -> str:
    """A detail's code in words: as named, else as the subject's own model calls it, else as it is.

    "part:3" is the part's words and its count. A column that nobody edits says nothing to a reader.
    """
    head, colon, count = code.partition(":")
    if colon and count.isdecimal():
        return f"{code_words(action, subject_kind, name, head)} {count}"
    for within, words in _values.get(name, []):
        if action.startswith(within) and code in words:
            return str(words[code])
    model = _model(subject_kind)
    field = None if model is None else _field(model, code if name == _FIELDS else name)
    if field is None:
        return code
    if name == _FIELDS:
        return str(field.verbose_name) if field.editable else ""
    return str(dict(field.flatchoices).get(code, code))


def _model(label: str) -> Any:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _field(model: Any, name: str) -> Any:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if hasattr(field, "flatchoices") else None
