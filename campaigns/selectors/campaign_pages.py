"""What a member finds when she opens a campaign's message: only of campaigns that gave her something."""

import dataclasses
import datetime as dt

from campaigns.errors import NoSuchCampaignPage
from campaigns.models import CampaignMember, CampaignMemberState
from campaigns.selectors.acts import act_of
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
    kept = campaign.variants.filter(letter=row.letter).values_list("acts", flat=True).first() or []
    said = next((act.values for act in map(act_of, kept) if act.kind == "reach"), {})
    return CampaignPage(
        public_id=campaign.public_id,
        name=campaign.name,
        title=said.get("title", campaign.name),
        text=said.get("text", ""),
        page=said.get("page", ""),
        ends_at=campaign.ends_at,
        coupon_id=row.coupon_id,
        opened_at=row.clicked_at,
    )
