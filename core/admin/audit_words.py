"""The audit trail in words: every app names its actions once, the box on detail pages shows them."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

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
_actions: dict[str, Text] = {}
_details: dict[str, Text] = {
    "fields": _("改动"),
    "source": _("来源"),
    "kind": _("类型"),
    "was": _("之前"),
    "added": _("新增"),
    "changed": _("修改"),
    "deleted": _("删除"),
}


def name_actions(words: Mapping[str, Text]) -> None:
    """Say in Chinese what action codes mean; an unnamed code is shown as it is."""
    _actions.update(words)


def name_details(words: Mapping[str, Text]) -> None:
    """Say in Chinese what the names of details mean; an unnamed one is shown as it is."""
    _details.update(words)


def action_words(code: str) -> Text:
    return _actions.get(code, code)


def actor_words(entry: AuditEntry) -> str:
    """Who did it: the kind, and the label where there is one."""
    kind = str(ACTORS.get(entry.actor_kind, entry.actor_kind))
    return f"{kind} · {entry.actor_label}" if entry.actor_label else kind


@dataclasses.dataclass(frozen=True, slots=True)
class AuditLine:
    """One audit entry for a page."""

    at: dt.datetime
    who: str
    what: Text
    details: str


def describe(entry: AuditEntry) -> AuditLine:
    """An entry in words; details are ids, codes and counts only, so they may be shown."""
    details = "，".join(
        f"{_details.get(name, name)} {_short(value)}"
        for name, value in entry.details.items()
        if value not in (None, "", [])
    )
    return AuditLine(entry.at, actor_words(entry), action_words(entry.action), details)


def _short(value: object) -> str:
    if isinstance(value, bool):
        return str(_("是")) if value else str(_("否"))
    if isinstance(value, list):
        return "、".join(str(item) for item in value)
    return str(value)
