"""What is new for a guide since she last looked: asked every few seconds by each open assistant page."""

import datetime as dt
import functools
from typing import cast

from django.db.models import QuerySet

from core import clock
from core.compiled import Compiled, Given, compiled
from core.labels import label_of
from guides.contracts import BoundMemberLine, NoticeKindName, NoticeLine
from guides.models import GuideNotice
from guides.selectors.bindings import list_cards_for
from members.contracts import MemberCard


def list_notices_since(*, guide_id: int, since_id: int, limit: int = 10) -> tuple[NoticeLine, ...]:
    """The guide's notices after `since_id`, newest first; one index look-up when there is none."""
    notices = _since(limit)(guide_id=guide_id, since_id=since_id)
    if not notices:
        return ()
    cards = list_cards_for(guide_id, {notice.member_id for notice in notices})
    today = clock.today()
    return tuple(_line(notice, cards[notice.member_id], today) for notice in notices)


@functools.lru_cache(maxsize=16)
def _since(limit: int) -> Compiled[GuideNotice]:
    def since(*, guide_id: Given, since_id: Given) -> QuerySet[GuideNotice]:
        rows = GuideNotice.objects.filter(guide_id=guide_id, pk__gt=since_id)
        return rows.select_related("binding", "step__request__kind").order_by("-pk")[:limit]

    return compiled(since)


def _line(notice: GuideNotice, member: MemberCard, today: dt.date) -> NoticeLine:
    kind = cast("NoticeKindName", str(notice.kind))
    if notice.step is not None:
        request = notice.step.request
        return NoticeLine(
            notice.pk, kind, member, request_id=request.public_id, request_kind=request.kind.name
        )
    if notice.binding is None:  # a message
        return NoticeLine(notice.pk, kind, member)
    line = BoundMemberLine(
        member=member,
        bound_at=notice.binding.bound_at,
        source_label=label_of(notice.binding, "source"),
        is_new=clock.business_day(notice.binding.bound_at) == today,
    )
    return NoticeLine(notice.pk, kind, member, line)
