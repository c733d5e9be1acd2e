"""Segments as people make and change them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _now

from campaigns.contracts.faults import Fault
from campaigns.contracts.segments import Group
from campaigns.errors import (
    NoSuchSegment,
    SegmentChangedMeanwhile,
    SegmentHasNoRule,
    SegmentHasTags,
    SegmentHeld,
    SegmentInUse,
    SegmentNameUnusable,
)
from campaigns.events import SegmentDue
from campaigns.models import Segment, SegmentKind, SegmentMember, SegmentTag, SegmentWatch
from campaigns.selectors.conditions.segments import facts_of, names_of, reached_ids, used_ids
from campaigns.selectors.segment_users import list_campaigns_using, list_journeys_using
from campaigns.selectors.segments import node_of, read_rule, rule_unfit, write_rule
from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from core.events import publish

# One change of rules at a time: two of them could close a circle that neither sees.
_RULES: Final = 7_320_001
_NAME: Final = 40
_NOTE: Final = 200
# Of the campaigns, and of the journeys, that keep a segment from being retired, so many are named.
_MOST_NAMED: Final = 5


def create_segment(
    *, name: str, note: str = "", kind: str, rule: Any, actor: Actor, at: dt.datetime | None = None
) -> str:
    """A living segment or a snapshot by this rule (JSON objects); its members are worked out within seconds. Its public id.

    Refuses a rule with faults (RuleUnfit) and a name that is empty, too long or taken.
    """
    at, tree = at or clock.now(), read_rule(rule)
    if kind not in {SegmentKind.LIVING, SegmentKind.SNAPSHOT}:
        raise SegmentHasNoRule
    with transaction.atomic():
        one_rule_at_a_time()
        row = Segment(kind=kind, rule=write_rule(tree), created_at=at, changed_at=at, due_at=at)
        _rest(row, tree)
        name_segment(row, name=name, note=note)
        audit.record(action="campaigns.segment_created", subject=row, actor=actor, at=at, kind=kind)
        publish(SegmentDue())
    return row.public_id


def change_segment(
    *,
    public_id: str,
    version: int,
    name: str,
    note: str = "",
    rule: Any = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """Its name, note and (not of a list) its rule are these; members follow within seconds, also those of the segments
    that use it. The new version.

    Refuses an older version than today's, a rule that leads back to itself, and what `create_segment` refuses.
    """
    at = at or clock.now()
    tree = None if rule is None else read_rule(rule)
    with transaction.atomic():
        one_rule_at_a_time()
        row = locked_segment(public_id)
        if row.version != version:
            raise SegmentChangedMeanwhile
        is_other = False
        if tree is not None:
            if row.kind == SegmentKind.LISTED:
                raise SegmentHasNoRule
            is_other = row.rule != write_rule(tree)
            row.rule = write_rule(tree)
            _rest(row, tree)
        row.version, row.changed_at = version + 1, at
        if is_other:
            row.due_at, row.fault = at, ""
        name_segment(row, name=name, note=note)
        if is_other:
            tell_users(segment_id=row.pk, at=at)
        audit.record(
            action="campaigns.segment_changed", subject=row, actor=actor, at=at, is_other_rule=is_other
        )
        publish(SegmentDue())
    return row.version


def retire_segment(*, public_id: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """It is used no more and its members are forgotten; the row and its history stay.

    Refuses one that other segments use (SegmentInUse), that tags follow (SegmentHasTags), and one that a campaign which is
    not over, or a journey that runs, rests on (SegmentHeld).
    """
    at = at or clock.now()
    with transaction.atomic():
        one_rule_at_a_time()
        row = locked_segment(public_id)
        users = Segment.objects.active().filter(uses__contains=[row.pk])
        if users.exists():
            raise SegmentInUse(names=list(names_of(users.values_list("pk", flat=True))))
        tags = SegmentTag.objects.filter(segment=row).order_by("pk").values_list("tag__name", flat=True)
        if tags:
            raise SegmentHasTags(names=list(tags))
        _refuse_held(row)
        row.is_active, row.due_at, row.changed_at = False, None, at
        row.save(update_fields=["is_active", "due_at", "changed_at"])
        SegmentMember.objects.filter(segment=row).delete()
        audit.record(action="campaigns.segment_retired", subject=row, actor=actor, at=at)


def _refuse_held(row: Segment) -> None:
    campaigns, journeys = list_campaigns_using(row.pk), list_journeys_using(row)
    if not campaigns and not journeys:
        return
    told = [
        words
        % {"names": _now("、").join(_now("“%(name)s”") % {"name": name} for name in names[:_MOST_NAMED])}
        for words, names in ((_now("活动%(names)s"), campaigns), (_now("旅程%(names)s"), journeys))
        if names
    ]
    count = len(campaigns) + len(journeys)
    named = min(len(campaigns), _MOST_NAMED) + min(len(journeys), _MOST_NAMED)
    more = _now("等 %(n)s 个") % {"n": count} if count > named else ""
    words = _now("%(who)s%(more)s还在用它，请先停止它们，再停用人群")
    raise SegmentHeld(
        words % {"who": _now("、").join(told), "more": more}, campaigns=campaigns, journeys=journeys
    )


def refresh_segment(*, public_id: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """Its members are worked out anew within seconds: a snapshot is of now. Refuses a list."""
    at = at or clock.now()
    with transaction.atomic():
        row = locked_segment(public_id)
        if row.kind == SegmentKind.LISTED:
            raise SegmentHasNoRule
        row.due_at, row.fault = at, ""
        row.save(update_fields=["due_at", "fault"])
        audit.record(action="campaigns.segment_refreshed", subject=row, actor=actor, at=at)
        publish(SegmentDue())


def locked_segment(public_id: str) -> Segment:
    """One that is in use, locked. Raises NoSuchSegment."""
    row = Segment.objects.active().filter(public_id=public_id).first()
    if row is None:
        raise NoSuchSegment
    [row] = Segment.objects.lock_all([row.pk])
    if not row.is_active:
        raise NoSuchSegment
    return row


def one_rule_at_a_time() -> None:
    """Until the transaction ends nobody else changes what a segment or a tag rests on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_RULES])


def _rest(row: Segment, tree: Group) -> None:
    """What it rests on, and that somebody listens from now on. Refuses a rule that leads back to the segment."""
    row.uses, row.facts = list(used_ids(tree)), list(facts_of(tree))
    if row.pk is not None and row.pk in reached_ids(tree):
        is_tag = row.pk not in row.uses
        place = _place_of(tree, row.pk, "/with/tags" if is_tag else "/with/segments")
        raise rule_unfit([Fault(place, "tag_cycle" if is_tag else "segment_cycle")])
    if row.kind == SegmentKind.LIVING:
        row.quiet_xid = None
        SegmentWatch.objects.bulk_create(
            [SegmentWatch(fact=fact) for fact in row.facts], ignore_conflicts=True
        )


def _place_of(node: Any, segment_id: int, field: str, path: str = "") -> str:
    """The field of the first condition through which a rule leads to the segment."""
    for place, part in enumerate(node.parts):
        here = f"{path}/{node.how}/{place}"
        if isinstance(part, Group):
            if found := _place_of(part, segment_id, field, here):
                return found
        elif field[6:] in part.values and segment_id in reached_ids(Group("all", (part,))):
            return f"{here}{field}"
    return ""


def name_segment(row: Segment, *, name: str, note: str) -> None:
    """The row is written under this name and note. Refuses a name that is empty, too long or taken."""
    words = " ".join(name.split())
    if not 0 < len(words) <= _NAME or not words.isprintable():
        raise SegmentNameUnusable
    row.name, row.note = words, " ".join(note.replace("\0", "").split())[:_NOTE]
    try:
        with transaction.atomic():
            if row._state.adding:
                Segment.objects.bulk_create([row])
            else:
                row.save(update_fields=_CHANGED)
    except IntegrityError as error:
        if violated(error) == "segment_one_active_per_name":
            raise SegmentNameUnusable from None
        raise


_CHANGED: Final[Sequence[str]] = (
    "name", "note", "rule", "facts", "uses", "version", "due_at", "fault", "quiet_xid", "changed_at",
)  # fmt: skip


def tell_users(*, segment_id: int, at: dt.datetime) -> None:
    """Segments that use this one are worked out anew, for its members are others. Inside the caller's transaction."""
    users = Segment.objects.active().filter(uses__contains=[segment_id]).exclude(kind=SegmentKind.LISTED)
    # Nearer ones first: what a further one rests on is read from their rows.
    for user in sorted(users.lock_rows(), key=lambda user: len(user.uses)):
        tree = node_of(user.rule)
        _rest(user, tree)
        fields = ["uses", "facts", "quiet_xid"]
        if user.kind == SegmentKind.LIVING:
            user.due_at = at
            fields.append("due_at")
        user.save(update_fields=fields)
