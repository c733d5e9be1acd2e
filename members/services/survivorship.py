"""Of two rows that are one person: which lives on, and whose value survives in each field, and why.

Pure: looks at the two rows and at nothing else, so that the preview and the merge say the same.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from core import clock, phones
from members.contracts import MergeField
from members.errors import MergeChoiceUnusable
from members.models import Member, MemberStage

# Columns that belong together, under the name of the field people know.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "stage": ("stage",),
    "name": ("name", "name_tokens", "name_given_through"),
    "phone": ("phone", "phone_tail"),
    "gender": ("gender",),
    "birthday": ("birthday", "birthday_changed_at"),
    "source": ("source", "source_scene", "registered_at"),
    "following": ("is_following", "follow_changed_at"),
    "completed": ("profile_completed_at",),
}


def group_names(columns: Iterable[str]) -> list[str]:
    """The fields as people know them, to which these columns belong."""
    changed = set(columns)
    return sorted(field for field, own in GROUPS.items() if changed.intersection(own))


# What a person at the desk may decide otherwise. The rest is fact: who followed last, who came first.
CHOOSABLE: Final = ("name", "phone", "gender", "birthday")


@dataclasses.dataclass(frozen=True, slots=True)
class Ruling:
    """Whose value survives in one field, and why."""

    field: str
    winner: Member
    reason: str


def choose_survivor(*, one: Member, other: Member) -> tuple[Member, Member, str]:
    """(who lives on, who is emptied, why): a member before a prospect, then one with a phone, then one with a
    name, then the one who came first."""
    survivor, emptier = sorted((one, other), key=_emptiness)
    reasons = (_("已经是会员"), _("有手机号"), _("有姓名"), _("更早建档"), _("更早建档"))
    pairs = zip(_emptiness(survivor), _emptiness(emptier), reasons, strict=True)
    return survivor, emptier, next(reason for mine, theirs, reason in pairs if mine != theirs)


def rule_fields(*, survivor: Member, emptier: Member, choices: Mapping[str, int]) -> list[Ruling]:
    """The ruling for every field. `choices` (field → id of the row whose value is wanted) goes before the rule.

    Raises MergeChoiceUnusable for a field that nobody may choose, or a row that is neither of the two.
    """
    rows = {survivor.pk: survivor, emptier.pk: emptier}
    for field, member_id in choices.items():
        if field not in CHOOSABLE or member_id not in rows:
            raise MergeChoiceUnusable(field=field)
    rulings = []
    for field, rule in _RULES.items():
        if field in choices:
            rulings.append(Ruling(field, rows[choices[field]], _("您的选择")))
        else:
            winner, reason = rule(survivor, emptier, field)
            rulings.append(Ruling(field, winner, reason))
    return rulings


def columns_to_write(*, survivor: Member, rulings: list[Ruling]) -> dict[str, Any]:
    """The survivor's columns that change, with their new values."""
    return {
        column: getattr(ruling.winner, column)
        for ruling in rulings
        for column in GROUPS[ruling.field]
        if getattr(survivor, column) != getattr(ruling.winner, column)
    }


def field_lines(*, survivor: Member, emptier: Member, rulings: list[Ruling]) -> tuple[MergeField, ...]:
    """The rulings for a page: what either side has; phones are masked."""
    return tuple(
        MergeField(
            field=ruling.field,
            title=str(TITLES[ruling.field]),
            survivor=_words(survivor, ruling.field),
            emptier=_words(emptier, ruling.field),
            winner_id=ruling.winner.pk,
            reason=ruling.reason,
            may_choose=ruling.field in CHOOSABLE and _differ(survivor, emptier, ruling.field),
        )
        for ruling in rulings
    )


def _emptiness(member: Member) -> tuple[bool, bool, bool, dt.datetime, int]:
    return (
        member.stage != MemberStage.MEMBER,
        not member.phone,
        not member.name,
        member.registered_at,
        member.pk,
    )


def _differ(survivor: Member, emptier: Member, field: str) -> bool:
    """Both have a value, and not the same."""
    mine, theirs = getattr(survivor, field), getattr(emptier, field)
    return bool(mine) and bool(theirs) and mine != theirs


def _the_one_who_has_it(survivor: Member, emptier: Member, field: str) -> tuple[Member, str] | None:
    mine, theirs = getattr(survivor, field), getattr(emptier, field)
    if not theirs:
        return survivor, _("另一方没有填写") if mine else ""
    if not mine:
        return emptier, _("保留的一方没有填写")
    return (survivor, _("两边相同")) if mine == theirs else None


def _rule_name(survivor: Member, emptier: Member, field: str) -> tuple[Member, str]:
    """What a member said of herself before what a prospect did; then what was said last."""
    known = _the_one_who_has_it(survivor, emptier, field)
    if known is not None:
        return known
    if survivor.stage != emptier.stage:
        member = survivor if survivor.stage == MemberStage.MEMBER else emptier
        return member, _("会员的资料优先")
    later = max(survivor, emptier, key=lambda row: (row.registered_at, row.pk))
    return later, _("较晚登记的优先")


def _rule_fact(survivor: Member, emptier: Member, field: str) -> tuple[Member, str]:
    """Gender and birthday do not change: a member's word before a prospect's, then the survivor's."""
    known = _the_one_who_has_it(survivor, emptier, field)
    if known is not None:
        return known
    if survivor.stage != emptier.stage:
        member = survivor if survivor.stage == MemberStage.MEMBER else emptier
        return member, _("会员的资料优先")
    return survivor, _("以保留的一方为准")


def _rule_phone(survivor: Member, emptier: Member, field: str) -> tuple[Member, str]:
    """Both numbers stay hers as identities; this is the one that is shown and called."""
    known = _the_one_who_has_it(survivor, emptier, field)
    return known if known is not None else (survivor, _("两个号码都保留，以保留的一方为主"))


def _rule_stage(survivor: Member, emptier: Member, field: str) -> tuple[Member, str]:
    if survivor.stage == emptier.stage:
        return survivor, _("两边相同")
    return (survivor if survivor.stage == MemberStage.MEMBER else emptier), _("有一边已经是会员")


def _rule_source(survivor: Member, emptier: Member, field: str) -> tuple[Member, str]:
    first = min(survivor, emptier, key=lambda row: (row.registered_at, row.pk))
    return first, _("更早的来路")


def _rule_following(survivor: Member, emptier: Member, field: str) -> tuple[Member, str]:
    heard, theirs = survivor.follow_changed_at, emptier.follow_changed_at
    if theirs is not None and (heard is None or theirs > heard):
        return emptier, _("最近一次关注或取消关注")
    return survivor, _("最近一次关注或取消关注") if heard is not None else ""


def _rule_completed(survivor: Member, emptier: Member, field: str) -> tuple[Member, str]:
    """The reward for a complete profile is given once: whoever completed it first has had it."""
    mine, theirs = survivor.profile_completed_at, emptier.profile_completed_at
    if theirs is not None and (mine is None or theirs < mine):
        return emptier, _("更早的一次")
    return survivor, _("更早的一次") if mine is not None else ""


_Rule = Callable[[Member, Member, str], tuple[Member, str]]
_RULES: Final[Mapping[str, _Rule]] = {
    "stage": _rule_stage,
    "name": _rule_name,
    "phone": _rule_phone,
    "gender": _rule_fact,
    "birthday": _rule_fact,
    "source": _rule_source,
    "following": _rule_following,
    "completed": _rule_completed,
}
TITLES: Final[Mapping[str, str | Promise]] = {
    "stage": _lazy("身份"),
    "name": _lazy("姓名"),
    "phone": _lazy("手机号"),
    "gender": _lazy("性别"),
    "birthday": _lazy("生日"),
    "source": _lazy("来源"),
    "following": _lazy("关注公众号"),
    "completed": _lazy("资料完善"),
}


def _words(member: Member, field: str) -> str:
    if field == "phone":
        return phones.mask(member.phone) if member.phone else ""
    if field == "birthday":
        return "" if member.birthday is None else member.birthday.isoformat()
    if field == "completed":
        done_at = member.profile_completed_at
        return "" if done_at is None else clock.business_day(done_at).isoformat()
    if field == "following":
        return _("关注中") if member.is_following else _("没有关注")
    if field in {"stage", "gender", "source"}:
        return str(getattr(member, f"get_{field}_display")()) if getattr(member, field) else ""
    return str(getattr(member, field))
