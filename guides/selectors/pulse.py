"""What is new for a guide since she last looked: asked every few seconds by each open assistant page."""

from core import clock
from guides.contracts import BoundMemberLine, NoticeLine
from guides.models import GuideNotice
from guides.selectors.bindings import list_cards_for


def list_notices_since(*, guide_id: int, since_id: int, limit: int = 10) -> tuple[NoticeLine, ...]:
    """The guide's notices after `since_id`, newest first; one index look-up when there is none."""
    notices = list(
        GuideNotice.objects.filter(guide_id=guide_id, pk__gt=since_id)
        .select_related("binding")
        .order_by("-pk")[:limit]
    )
    if not notices:
        return ()
    cards = list_cards_for(guide_id, {notice.member_id for notice in notices})
    today = clock.today()
    return tuple(
        NoticeLine(
            id=notice.pk,
            kind="new_member" if notice.kind == "new_member" else "member_left",
            line=BoundMemberLine(
                member=cards[notice.member_id],
                bound_at=notice.binding.bound_at,
                source_label=str(notice.binding.get_source_display()),
                is_new=clock.business_day(notice.binding.bound_at) == today,
            ),
        )
        for notice in notices
    )
