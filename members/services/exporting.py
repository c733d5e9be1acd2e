"""A copy of everything the chain keeps about a member, for herself."""

import datetime as dt
import io
import json
import re
import zipfile
from typing import Any, Final

from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from core import audit, clock, phones
from core.actor import Actor
from members.contracts import ExportFile
from members.errors import NoSuchMember
from members.models import Member, MemberStage
from members.services.erasing import lock_family
from members.services.holdings import all_holdings

_FORMAT: Final = 1
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d")


def export_member(member_id: int, *, actor: Actor, at: dt.datetime | None = None) -> dict[str, Any]:
    """All that any app keeps about her, part by part and section by section, rows merged into hers included.

    To herself her phone is shown in full; made by staff for her it is masked, because a copy must not be a way
    around the limits of reveals. That it was made is kept. Refuses an unknown and an erased member.
    """
    at = at or clock.now()
    with transaction.atomic():
        family = _present_family(member_id)
        living, parts = family[0], _collect(family)
        audit.record(action="members.exported", subject=living, actor=actor, at=at)
    made: dict[str, Any] = {
        "format": _FORMAT,
        "member_code": living.code,
        "exported_at": at.astimezone(clock.SHANGHAI).isoformat(timespec="seconds"),
        "parts": {title: sections for title, sections in parts.items() if any(sections.values())},
    }
    if actor.kind == "member":
        return made
    numbers = {row.phone: phones.mask(row.phone) for row in family if row.phone}
    masked: dict[str, Any] = _replace(made, numbers)
    return masked


def count_parts(data: dict[str, Any]) -> dict[str, int]:
    """How many lines each part of a copy has."""
    return {
        title: sum(len(lines) for lines in sections.values()) for title, sections in data["parts"].items()
    }


def count_holdings(*, member_id: int) -> dict[str, int]:
    """How many lines each part keeps about her: what an erasure would touch, told before it happens. Writes
    nothing; nothing for an unknown or erased member."""
    with transaction.atomic():
        try:
            family = _present_family(member_id)
        except NoSuchMember:
            return {}
        return count_parts({"parts": _collect(family)})


def export_file(data: dict[str, Any]) -> ExportFile:
    """The copy as a ZIP: a page to read in any browser, and the same as JSON for other systems."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            f"{_('我的资料')}.html", render_to_string("members/export.html", {"data": _tables(data)})
        )
        archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1))
    day = str(data["exported_at"])[:10]
    return ExportFile(f"{_('会员资料')}-{data['member_code']}-{day}.zip", packed.getvalue())


def _present_family(member_id: int) -> list[Member]:
    family = lock_family(member_id)
    if family[0].stage == MemberStage.ERASED:
        raise NoSuchMember
    return family


def _collect(family: list[Member]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    parts: dict[str, dict[str, list[dict[str, Any]]]] = {}
    # Her own row, which is erased last, is what she looks for first.
    for holding in sorted(all_holdings(), key=lambda part: part.label != "profile"):
        sections = parts.setdefault(str(holding.title), {})
        for row in family:
            for title, lines in holding.export(row.pk).items():
                sections.setdefault(title, []).extend(lines)
    return parts


def _tables(data: dict[str, Any]) -> dict[str, Any]:
    """The copy with heads and rows, as the page prints it."""
    parts = []
    for title, sections in data["parts"].items():
        tables = []
        for name, lines in sections.items():
            heads = list(dict.fromkeys(head for line in lines for head in line))
            rows = [[_cell(line.get(head, "")) for head in heads] for line in lines]
            if rows:
                tables.append({"title": name, "heads": heads, "rows": rows})
        parts.append({"title": title, "tables": tables})
    return {"member_code": data["member_code"], "exported_at": _cell(data["exported_at"]), "parts": parts}


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    text = "" if value is None else str(value)
    return _in_local_time(text) if _INSTANT.fullmatch(text) else text


def _in_local_time(text: str) -> str:
    """An instant as people read it; the JSON keeps it as it is."""
    return f"{dt.datetime.fromisoformat(text).astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def _replace(value: Any, numbers: dict[str, str]) -> Any:
    if isinstance(value, str):
        for number, masked in numbers.items():
            value = value.replace(number, masked)
        return value
    if isinstance(value, dict):
        return {key: _replace(item, numbers) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, numbers) for item in value]
    return value
