"""The condition that asks another segment."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Final

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts.segments import Group
from campaigns.models import Segment, SegmentKind, SegmentMember, SegmentTag
from campaigns.selectors.segments.compiling import found_of
from campaigns.selectors.segments.reading import leaves_of, node_of
from members.selectors.conditions import (
    Condition,
    Found,
    Parameter,
    Picks,
    SetTest,
    Some,
    Values,
    all_conditions,
)
from members.selectors.conditions.standing import Tagged

FAMILY: Final = _("人群和名单")


def _names(keys: Collection[Any]) -> Mapping[Any, str | Promise]:
    return dict(Segment.objects.active().filter(public_id__in=list(keys)).values_list("public_id", "name"))


def _options() -> list[tuple[Any, str | Promise]]:
    return list(Segment.objects.active().order_by("-pk").values_list("public_id", "name")[:500])


class InSegment(Condition):
    """She is in one of these. A living segment stands for its rule, not for its members as they were last worked out."""

    code, label, family, facts = "campaigns.segment", _("在人群或名单中"), FAMILY, ()
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "segments": Picks(label=_("人群"), names=_names, options=_options, key=str, most=20)
    }

    def found(self, values: Values, day: dt.date) -> Found:
        rows = _segments(values)
        parts: list[Found] = [
            found_of(node_of(row.rule), day) for row in rows if row.kind == SegmentKind.LIVING
        ]
        kept = [row.pk for row in rows if row.kind != SegmentKind.LIVING]
        if kept:
            parts.append(SetTest(SegmentMember.objects.filter(segment_id__in=kept)))
        return Some(tuple(parts))

    def facts_of(self, values: Values) -> frozenset[str]:
        return frozenset(fact for row in _segments(values) for fact in row.facts)

    def moves_daily(self, values: Values) -> bool:
        return any(
            all_conditions()[leaf.code].moves_daily(leaf.values)
            for row in _segments(values)
            if row.kind == SegmentKind.LIVING
            for leaf in leaves_of(node_of(row.rule))
        )

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        rows = SegmentMember.objects.filter(member_id=member_id, segment__in=_segments(values))
        names = list(rows.order_by("segment__name").values_list("segment__name", flat=True))
        return _now("上次计算时在：%(names)s") % {"names": _now("、").join(names)} if names else ""


def _segments(values: Values) -> list[Segment]:
    return list(Segment.objects.filter(public_id__in=values["segments"]).order_by("pk"))


def used_ids(node: Group) -> tuple[int, ...]:
    """The segments that a rule uses, through all that they use themselves."""
    found: set[int] = set()
    for pk, uses in Segment.objects.filter(public_id__in=_named_in(node)[0]).values_list("pk", "uses"):
        found |= {pk, *uses}
    return tuple(sorted(found))


def reached_ids(node: Group) -> set[int]:
    """The segments on whose members a rule rests, through segments that it uses and through tags that follow one."""
    found: set[int] = set()
    waiting = [node]
    while waiting:
        named, tags = _named_in(waiting.pop())
        followed = SegmentTag.objects.filter(tag_id__in=tags).values("segment_id")
        rows = Segment.objects.filter(Q(public_id__in=named) | Q(pk__in=followed)).exclude(pk__in=found)
        for row in rows:
            found.add(row.pk)
            if row.rule:
                waiting.append(node_of(row.rule))
    return found


def asked_tag_ids(node: Group) -> set[int]:
    """The tags that a rule asks for, itself or through the segments on which it rests."""
    tags = _named_in(node)[1]
    for rule in (
        Segment.objects.filter(pk__in=reached_ids(node)).exclude(rule={}).values_list("rule", flat=True)
    ):
        tags |= _named_in(node_of(rule))[1]
    return tags


def asks_for(node: Group, public_id: str) -> bool:
    """Whether the rule itself names the segment."""
    return public_id in _named_in(node)[0]


def _named_in(node: Group) -> tuple[set[str], set[int]]:
    """Public ids of segments and ids of tags that stand in the rule itself."""
    segments: set[str] = set()
    tags: set[int] = set()
    for leaf in leaves_of(node):
        if leaf.code == InSegment.code:
            segments |= set(leaf.values["segments"])
        elif leaf.code == Tagged.code:
            tags |= set(leaf.values["tags"])
    return segments, tags


def facts_of(node: Group) -> tuple[str, ...]:
    """What a rule rests on. Everything rests on her own row: who is merged away or erased is in no segment."""
    facts = {"profile"}
    for leaf in leaves_of(node):
        facts |= all_conditions()[leaf.code].facts_of(leaf.values)
    return tuple(sorted(facts))


def names_of(segment_ids: Iterable[int]) -> tuple[str, ...]:
    """What segments are called."""
    return tuple(
        Segment.objects.filter(pk__in=list(segment_ids)).order_by("name").values_list("name", flat=True)
    )
