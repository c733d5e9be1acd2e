"""What a member finds when she opens a campaign's message: only of campaigns that gave her something."""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from campaigns.contracts.acts import PLACEHOLDERS
from campaigns.errors import NoSuchCampaignPage
from campaigns.models import CampaignMember, CampaignMemberState, Reach
from campaigns.selectors.acts import PLACE, act_of
from campaigns.selectors.campaign_clicks import find_place_id


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignPage:
    """One campaign as it is for her. `coupon_id`: the coupon it gave her, which may have gone to somebody else since."""

    public_id: str
    name: str
    title: str
    text: str
    page: str
    ends_at: dt.datetime | None
    coupon_id: int | None
    opened_at: dt.datetime | None


def get_campaign_page(*, member_id: int, public_id: str = "", token: str = "") -> CampaignPage:
    """The campaign with this id, or that the token of her message is of, as the newest run that gave her something has it.
    Raises NoSuchCampaignPage where she got nothing, for another's token and for what is not there: all alike."""
    rows = CampaignMember.objects.filter(member_id=member_id, state=CampaignMemberState.DONE)
    if token:
        rows = rows.filter(pk=find_place_id(token) or 0)
    else:
        rows = rows.filter(run__campaign__public_id=public_id)
    row = rows.select_related("run__campaign").order_by("-pk").first()
    if row is None:
        raise NoSuchCampaignPage
    campaign = row.run.campaign
    asked = _asked(row)
    told = _told(row) or {name: _impersonal(asked.get(name, "")) for name in ("title", "text")}
    return CampaignPage(
        public_id=campaign.public_id,
        name=campaign.name,
        title=told.get("title") or campaign.name,
        text=told.get("text", ""),
        page=asked.get("page", ""),
        ends_at=campaign.ends_at,
        coupon_id=row.coupon_id,
        opened_at=row.clicked_at,
    )


def _asked(row: CampaignMember) -> Mapping[str, Any]:
    """What her version's message is, as it was written for everybody."""
    kept = row.run.campaign.variants.filter(letter=row.letter).values_list("acts", flat=True).first() or []
    return next((act.values for act in map(act_of, kept) if act.kind == "reach"), {})


def _told(row: CampaignMember) -> dict[str, Any]:
    """What her message said to her; empty when it is kept no more."""
    if row.reach_id is None:
        return {}
    content = Reach.objects.filter(pk=row.reach_id).values_list("content", flat=True).first()
    return dict(json.loads(content)) if content else {}


def _impersonal(text: str) -> str:
    return PLACE.sub(
        lambda found: str(PLACEHOLDERS[found[1]][1]) if found[1] in PLACEHOLDERS else found[0], text
    )
