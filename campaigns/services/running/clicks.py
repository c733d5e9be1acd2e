"""Who opened what a campaign's message led to, once each."""

import datetime as dt

from django.db import transaction
from django.db.models import F

from campaigns.models import CampaignMember, CampaignRun
from campaigns.selectors.campaign_clicks import find_place_id
from core import clock


def note_click(*, token: str, member_id: int, at: dt.datetime | None = None) -> bool:
    """She opened the message of this token; whether it is the first time. A token that is another's, or nobody's, changes
    nothing: a message may be forwarded."""
    place_id = find_place_id(token)
    if place_id is None:
        return False
    with transaction.atomic():
        rows = CampaignMember.objects.filter(pk=place_id, member_id=member_id, clicked_at__isnull=True)
        run_ids = list(rows.values_list("run_id", flat=True))
        if not run_ids or not rows.update(clicked_at=at or clock.now()):
            return False
        CampaignRun.objects.filter(pk=run_ids[0]).update(clicked_count=F("clicked_count") + 1)
    return True
