"""Campaigns while they are written: made, changed, copied, given up."""

import datetime as dt
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _now

from campaigns.contracts.campaigns import LETTERS, CampaignDraft, VariantDraft
from campaigns.contracts.faults import Fault
from campaigns.errors import CampaignChangedMeanwhile, CampaignNotInState, CampaignUnfit, NoSuchCampaign
from campaigns.models import Campaign, CampaignState, CampaignVariant
from campaigns.selectors.campaigns import draft_of, read_draft, scope_campaigns
from campaigns.services.campaign_steps import lock_campaign, move_campaign, note_move, staff_of
from core import audit, clock
from core.actor import Actor
from core.models import changed_fields

DROPPED: Final = "dropped"
_LONGEST_NAME: Final = 40
# What a copy does not take over: it is another campaign with a life of its own.
_COPIED: Final = (
    "note", "kind", "region_id", "store_id", "segment_id", "excluded_segment_id", "goal", "measure", "window_days",
    "holdout_bp", "starts_at", "ends_at", "recurrence", "send_from", "send_until", "budget_fen",
)  # fmt: skip


def create_campaign(*, draft: CampaignDraft, actor: Actor, at: dt.datetime | None = None) -> int:
    """There is a draft that says this; its id.

    Refuses (CampaignUnfit) with every fault at once; what is only missing yet is asked for when it is submitted. Refuses
    (CampaignNotPermitted) who may not write campaigns.
    """
    now = at or clock.now()
    staff = staff_of(actor, "add")
    read = read_draft(draft, staff=staff)
    if read.faults:
        raise campaign_unfit(read.faults)
    with transaction.atomic():
        campaign = Campaign.objects.create(
            author=staff, writers=[staff.pk], created_at=now, changed_at=now, **read.values
        )
        _keep_variants(campaign, read.variants)
        note_move(campaign=campaign, was="", actor=actor, at=now)
        audit.record(action="campaigns.campaign_created", subject=campaign, actor=actor, at=now)
    return campaign.pk


def change_campaign(
    *, campaign_id: int, revision: int, draft: CampaignDraft, actor: Actor, at: dt.datetime | None = None
) -> int:
    """The draft says this instead; its new revision.

    Refuses what `create_campaign` refuses, another revision than `revision` (CampaignChangedMeanwhile), what is no draft
    (CampaignNotInState), and what the account does not see (NoSuchCampaign).
    """
    now = at or clock.now()
    staff = staff_of(actor, "change")
    read = read_draft(draft, staff=staff)
    with transaction.atomic():
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        if campaign.state != CampaignState.DRAFT:
            raise CampaignNotInState(state=campaign.state)
        if campaign.revision != revision:
            raise CampaignChangedMeanwhile
        if read.faults:
            raise campaign_unfit(read.faults)
        values: dict[str, Any] = {
            **read.values,
            "revision": revision + 1,
            "changed_at": now,
            "expected_count": None,
            "expected_fen": None,
            "writers": sorted({*campaign.writers, staff.pk}),
        }
        campaign.save(update_fields=changed_fields(campaign, **values))
        _keep_variants(campaign, read.variants)
        audit.record(
            action="campaigns.campaign_changed",
            subject=campaign,
            actor=actor,
            at=now,
            version=campaign.revision,
        )
    return campaign.revision


def copy_campaign(
    *, campaign_id: int, starts_on: dt.date | None = None, actor: Actor, at: dt.datetime | None = None
) -> int:
    """A new draft says the same, begins on that Shanghai day (None: on the same) and lasts as long; its id.

    What it names may be gone: that is said when it is submitted. Refuses what the account does not see (NoSuchCampaign).
    """
    now = at or clock.now()
    staff = staff_of(actor, "add")
    source = scope_campaigns(staff, Campaign.objects.filter(pk=campaign_id)).first()
    if source is None:
        raise NoSuchCampaign
    suffix = _now("（副本）")
    values = {name: getattr(source, name) for name in _COPIED}
    if starts_on is not None and source.starts_at is not None:
        shift = starts_on - clock.business_day(source.starts_at)
        for name in ("starts_at", "ends_at"):
            values[name] = values[name] and values[name] + shift
    with transaction.atomic():
        campaign = Campaign.objects.create(
            name=source.name.removesuffix(suffix)[: _LONGEST_NAME - len(suffix)] + suffix,
            author=staff,
            writers=[staff.pk],
            created_at=now,
            changed_at=now,
            **values,
        )
        _keep_variants(campaign, draft_of(source).variants)
        note_move(campaign=campaign, was="", actor=actor, at=now)
        audit.record(
            action="campaigns.campaign_copied", subject=campaign, actor=actor, at=now, copied_id=source.pk
        )
    return campaign.pk


def drop_campaign(*, campaign_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The draft is given up; its row and its life stay. Refuses what is no draft (CampaignNotInState)."""
    now = at or clock.now()
    staff = staff_of(actor, "change")
    with transaction.atomic():
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        if campaign.state != CampaignState.DRAFT:
            raise CampaignNotInState(state=campaign.state)
        move_campaign(
            campaign=campaign,
            to=CampaignState.ENDED,
            deed="campaigns.campaign_dropped",
            actor=actor,
            at=now,
            code=DROPPED,
        )


def campaign_unfit(faults: tuple[Fault, ...] | list[Fault]) -> CampaignUnfit:
    """The refusal that tells these faults."""
    return CampaignUnfit(
        faults=[{"path": fault.path, "code": fault.code, "words": fault.words} for fault in faults]
    )


def _keep_variants(campaign: Campaign, variants: tuple[VariantDraft, ...]) -> None:
    campaign.variants.all().delete()
    CampaignVariant.objects.bulk_create(
        CampaignVariant(campaign=campaign, letter=letter, weight=one.weight, acts=list(one.acts))
        for letter, one in zip(LETTERS, variants, strict=False)
    )
