"""The life of a campaign: which steps there are, and that each is written down."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.db.models import Exists, OuterRef

from campaigns.errors import (
    CampaignNeedsReason,
    CampaignNotInState,
    CampaignNotPermitted,
    NoSuchCampaign,
)
from campaigns.events import CampaignMoved
from campaigns.models import Campaign, CampaignMove, CampaignRun, CampaignState
from campaigns.selectors.campaigns import draft_of, scope_campaigns
from campaigns.selectors.campaigns.kept import pack_draft
from core import audit, events
from core.actor import Actor
from core.models import StaffAccount

LONGEST_NOTE: Final = 200
UNDER_WAY: Final = (CampaignState.APPROVED, CampaignState.RUNNING, CampaignState.PAUSED)
_STEPS: Final[Mapping[str, frozenset[str]]] = {
    CampaignState.DRAFT: frozenset({CampaignState.SUBMITTED, CampaignState.ENDED}),
    CampaignState.SUBMITTED: frozenset({CampaignState.DRAFT, CampaignState.APPROVED, CampaignState.ENDED}),
    CampaignState.APPROVED: frozenset({CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.ENDED}),
    CampaignState.RUNNING: frozenset({CampaignState.PAUSED, CampaignState.ENDED}),
    CampaignState.PAUSED: frozenset({CampaignState.RUNNING, CampaignState.ENDED}),
    CampaignState.ENDED: frozenset(),
}


def move_campaign(
    *,
    campaign: Campaign,
    to: CampaignState,
    deed: str,
    actor: Actor,
    at: dt.datetime,
    note: str = "",
    code: str = "",
) -> None:
    """The campaign, whose row the caller has locked in this transaction, is in that state from now on, and its life says so.

    `deed` is the audit's code; `code` is why it stands still or ended by itself. The caller saves what else it changed on the
    row. Refuses (CampaignNotInState) a step that its life does not have.
    """
    was = campaign.state
    if to not in _STEPS[was]:
        raise CampaignNotInState(state=was)
    campaign.state, campaign.code = to, code
    if to == CampaignState.ENDED:
        campaign.ended_at = at
    if to in (CampaignState.ENDED, CampaignState.DRAFT):
        campaign.next_run_at = None
    campaign.save(update_fields=["state", "code", "ended_at", "next_run_at"])
    note_move(campaign=campaign, was=was, actor=actor, at=at, note=note or code)
    audit.record(
        action=deed,
        subject=campaign,
        actor=actor,
        at=at,
        version=campaign.revision,
        from_state=was,
        to_state=to,
    )
    events.publish(CampaignMoved(campaign_id=campaign.pk, state=to))


def note_move(*, campaign: Campaign, was: str, actor: Actor, at: dt.datetime, note: str = "") -> None:
    """A line in the life of a campaign; what was approved is kept with it."""
    is_approval = campaign.state == CampaignState.APPROVED
    CampaignMove.objects.create(
        campaign=campaign,
        from_state=was,
        to_state=campaign.state,
        revision=campaign.revision,
        actor=actor.label[:80],
        actor_id=actor.id if actor.kind == "staff" else None,
        note=note[:LONGEST_NOTE],
        content=pack_draft(draft_of(campaign)) if is_approval else None,
        at=at,
    )


def lock_campaign(*, campaign_id: int, staff: StaffAccount) -> Campaign:
    """The row, locked, of a campaign that the account sees. What is not there and what is not its own look the same
    (NoSuchCampaign)."""
    if not scope_campaigns(staff, Campaign.objects.filter(pk=campaign_id)).exists():
        raise NoSuchCampaign
    [campaign] = Campaign.objects.lock_all([campaign_id])
    return campaign


def staff_of(actor: Actor, *permissions: str) -> StaffAccount:
    """The account that does it. Refuses (CampaignNotPermitted) everybody else, and one with none of these permissions."""
    staff = (
        StaffAccount.objects.filter(pk=actor.id, is_active=True).first()
        if actor.kind == "staff" and actor.id is not None
        else None
    )
    if staff is None or not any(staff.has_perm(f"campaigns.{one}_campaign") for one in permissions):
        raise CampaignNotPermitted
    return staff


def without_open_runs(at: dt.datetime) -> Exists:
    """Nothing of a campaign's runs is still to be done, nor counted."""
    runs = CampaignRun.objects.filter(campaign=OuterRef("pk"))
    return ~Exists(runs.open()) & ~Exists(runs.filter(window_ends_at__gt=at))  # type: ignore[return-value]


def reason_of(note: str) -> str:
    """What she said, in one line. Refuses (CampaignNeedsReason) nothing, and too much."""
    words = " ".join(note.split())
    if not 0 < len(words) <= LONGEST_NOTE or not words.isprintable():
        raise CampaignNeedsReason(field="note")
    return words
