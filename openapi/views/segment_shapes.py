"""What the endpoints of segments read and answer."""

import datetime as dt
from typing import Any, Final

from rest_framework import serializers

from campaigns.contracts.segments import SegmentCard, SegmentSizeLine
from core import clock
from openapi.api import PageQuery, StrictInput, StrictText
from openapi.views.sale_documents import MemberIn
from openapi.views.shapes import show_time
from rest.bodies import RefusedOut

MOST_NAMED: Final = 5_000
MOST_DAYS: Final = 366
# A phone is no name that leaves the system.
NAME_KINDS: Final = ("member_code", "pos_card", "unionid", "external_userid", "openid", "mini_openid")
RULE: Final[dict[str, Any]] = {
    "all": [
        {"is": "sales.amount", "with": {"amount": {"at_least": 100_000}}},
        {"none": [{"is": "sales.last", "with": {"when": {"last_days": 90}}}]},
    ]
}
SEGMENT: Final[dict[str, Any]] = {
    "id": "H4TBNW9CAYQ7M2KX",
    "name": "消费过千、三个月没来",
    "note": "",
    "kind": "living",
    "rule": RULE,
    "version": 1,
    "is_active": True,
    "state": "ready",
    "member_count": 1280,
    "computed_at": "2026-11-28T20:14:30+08:00",
}
SIZE: Final[dict[str, Any]] = {
    "day": "2026-11-28",
    "member_count": 1280,
    "entered_count": 35,
    "left_count": 12,
}
_RULE_HELP: Final = "as segments/schema says; faults come back with a JSON pointer and a code each"


class RuleIn(StrictInput):
    """A rule to be counted."""

    rule = serializers.JSONField(help_text=_RULE_HELP)


class CountOut(serializers.Serializer[Any]):
    """How many members the rule yields now; null when five seconds were not enough."""

    member_count = serializers.IntegerField(allow_null=True)
    milliseconds = serializers.IntegerField()


class SchemaOut(serializers.Serializer[Any]):
    """The JSON Schema (2020-12) of rules."""

    schema = serializers.DictField()


class SegmentIn(StrictInput):
    """A segment: by a rule (`living` or `snapshot`), or by its members (`listed`)."""

    name = StrictText(max_length=40)
    note = StrictText(required=False, max_length=200, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=("living", "snapshot", "listed"))
    rule = serializers.JSONField(required=False, help_text=_RULE_HELP)
    members = MemberIn(
        many=True, required=False, help_text=f"of a list only, at most {MOST_NAMED}; more by segments/members"
    )


class ChangeIn(StrictInput):
    """What is left out stays as it is."""

    id = StrictText(max_length=16)
    version = serializers.IntegerField(
        min_value=1, help_text="the one that was read: a later change is not overwritten"
    )
    name = StrictText(required=False, max_length=40)
    note = StrictText(required=False, max_length=200, allow_blank=True)
    rule = serializers.JSONField(required=False, help_text=_RULE_HELP)


class SegmentOut(serializers.Serializer[Any]):
    """A segment. `state`: computing (its members are worked out within seconds), ready, or late (it took too long and is
    tried again)."""

    id = serializers.CharField()
    name = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(choices=("living", "snapshot", "listed"))
    rule = serializers.DictField(allow_null=True, help_text="null for a list")
    version = serializers.IntegerField()
    is_active = serializers.BooleanField()
    state = serializers.ChoiceField(choices=("computing", "ready", "late"))
    member_count = serializers.IntegerField(allow_null=True)
    computed_at = serializers.DateTimeField(allow_null=True)


class MadeOut(SegmentOut):
    """The same, with the names in `members` that nobody has."""

    refused = RefusedOut(many=True)


class SegmentsOut(serializers.Serializer[Any]):
    """One page, newest first, or the one that was asked for by its id."""

    segments = SegmentOut(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


class SegmentsQuery(PageQuery):
    """All of them, or one."""

    id = StrictText(required=False, max_length=16)


class SizesQuery(StrictInput):
    """Which days, both included; the last ninety where nothing is said."""

    id = StrictText(max_length=16)
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)


class SizeOut(serializers.Serializer[Any]):
    """How many were in it at the end of a Shanghai day, and how many came and left on it."""

    day = serializers.DateField()
    member_count = serializers.IntegerField()
    entered_count = serializers.IntegerField()
    left_count = serializers.IntegerField()


class SizesOut(serializers.Serializer[Any]):
    """Oldest first; a day without a line is like the one before."""

    sizes = SizeOut(many=True)


class MembersQuery(PageQuery):
    """Whose members, and under which names."""

    id = StrictText(max_length=16)
    kind = serializers.ChoiceField(required=False, default="member_code", choices=NAME_KINDS)
    app_id = StrictText(required=False, max_length=40, default="", help_text="of openids only")
    limit = serializers.IntegerField(required=False, default=200, min_value=1, max_value=1_000)


class NamedOut(serializers.Serializer[Any]):
    """A member under her code, and under her name of the kind that was asked for."""

    member_code = serializers.CharField()
    value = serializers.CharField(allow_blank=True, help_text="empty where she has none of that kind")


class MembersOut(serializers.Serializer[Any]):
    """One page. Members that come or leave while the pages are read may be in it or not."""

    members = NamedOut(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


class ListIn(StrictInput):
    """Who comes to a list and who leaves it, together at most 5,000."""

    id = StrictText(max_length=16)
    add = MemberIn(many=True, required=False)
    remove = MemberIn(many=True, required=False)


class ListedOut(serializers.Serializer[Any]):
    """What became of it. `index` of a refused name counts through `add`, then `remove`."""

    added_count = serializers.IntegerField()
    removed_count = serializers.IntegerField()
    member_count = serializers.IntegerField()
    refused = RefusedOut(many=True)


def show_segment(card: SegmentCard) -> dict[str, Any]:
    computing = card.is_due or card.member_count is None
    return {
        "id": card.public_id,
        "name": card.name,
        "note": card.note,
        "kind": card.kind,
        "rule": dict(card.rule) or None,
        "version": card.version,
        "is_active": card.is_active,
        "state": "late" if card.fault else "computing" if computing else "ready",
        "member_count": card.member_count,
        "computed_at": show_time(card.filled_at),
    }


def show_size(line: SegmentSizeLine) -> dict[str, Any]:
    return {
        "day": line.day.isoformat(),
        "member_count": line.member_count,
        "entered_count": line.entered_count,
        "left_count": line.left_count,
    }


def days_of(given: dict[str, Any]) -> tuple[dt.date, dt.date]:
    """The days that are asked for, at most a year of them, the latest."""
    until = given.get("until") or clock.today()
    since = given.get("since") or until - dt.timedelta(days=89)
    return max(since, until - dt.timedelta(days=MOST_DAYS - 1)), until
