"""Tags that follow a segment: who is in it has the tag, whoever leaves it has it no more, in the same transaction."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _now

from campaigns.errors import SegmentNotLiving, TagCircle, TagFollowsAlready, TagFollowsNone
from campaigns.events import SegmentDue
from campaigns.models import Segment, SegmentKind, SegmentMember, SegmentTag
from campaigns.selectors.conditions.segments import asked_tag_ids
from campaigns.selectors.segments import node_of
from campaigns.services.segments import locked_segment, one_rule_at_a_time
from core import audit, clock
from core.actor import Actor
from core.events import publish
from members import selectors as member_selectors
from members import services as member_services


def follow_segment(*, tag_id: int, public_id: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The tag follows the segment: within seconds its members and nobody else have it, and it stays so.

    Refuses a segment that is not living, a tag that follows one already or is asked for by the segment's rule (itself or
    through others), and what `bind_tag_to_rule` refuses.
    """
    at = at or clock.now()
    with transaction.atomic():
        one_rule_at_a_time()
        row = locked_segment(public_id)
        if row.kind != SegmentKind.LIVING:
            raise SegmentNotLiving
        if SegmentTag.objects.filter(tag_id=tag_id).exists():
            raise TagFollowsAlready
        if tag_id in asked_tag_ids(node_of(row.rule)):
            raise TagCircle
        tag = member_services.bind_tag_to_rule(tag_id=tag_id, actor=actor, at=at)
        SegmentTag.objects.create(tag_id=tag_id, segment=row, bound_at=at)
        row.due_at = at
        row.save(update_fields=["due_at"])
        audit.record(action="campaigns.tag_followed", subject=row, actor=actor, at=at, tag=tag.name)
        publish(SegmentDue())


def leave_segment(*, tag_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """The tag follows nothing: people give it and take it off again, and who has it keeps it; how many. Refuses
    (TagFollowsNone) one that follows nothing."""
    at = at or clock.now()
    with transaction.atomic():
        one_rule_at_a_time()
        bound = SegmentTag.objects.filter(tag_id=tag_id).first()
        if bound is None:
            raise TagFollowsNone
        # Whoever works it out holds it while the tag's rows are written.
        row = Segment.objects.lock(bound.segment_id)
        bound.delete()
        kept = member_services.free_tag_of_rule(tag_id=tag_id, actor=actor, at=at)
        name = member_selectors.get_tag_card(tag_id).name
        audit.record(action="campaigns.tag_left", subject=row, actor=actor, at=at, tag=name)
    return kept


def settle_tags(row: Segment, *, among: Sequence[int] | None, at: dt.datetime) -> None:
    """Tags that follow the segment are on exactly its members, of all or of these. The row is locked, and its members are
    as they are to be."""
    inside = SegmentMember.objects.filter(segment=row).values_list("member_id", flat=True)
    if among is not None:
        inside = inside.filter(member_id__any_of=among)
    for tag_id in SegmentTag.objects.filter(segment=row).order_by("tag_id").values_list("tag_id", flat=True):
        member_services.settle_ruled_tag(
            tag_id=tag_id,
            members=inside,
            among=among,
            by=_now("人群“%(name)s”") % {"name": row.name},
            at=at,
        )
