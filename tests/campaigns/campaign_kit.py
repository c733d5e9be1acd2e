"""A segment of everybody, accounts that write and approve, and drafts that are ready but for what a test changes."""

import dataclasses
import datetime as dt
from typing import Any, Final

import pytest
from django.contrib.auth.models import Permission

from campaigns import services
from campaigns.contracts.campaigns import CampaignDraft, VariantDraft
from campaigns.errors import CampaignUnfit
from campaigns.models import Campaign, CampaignPolicy
from core.actor import Actor
from core.clock import SHANGHAI
from core.models import StaffAccount
from coupons.selectors import get_batch
from guides.models import StaffScope
from tests.cast import Cast
from tests.coupons.kit import make_batch

# A Tuesday, ten in the morning in Shanghai.
NOW: Final = dt.datetime(2026, 12, 1, 10, tzinfo=SHANGHAI)
REACH: Final[dict[str, Any]] = {
    "do": "reach",
    "with": {"title": "双十二会员日", "text": "{member}，满 300 减 60", "page": "pages/coupons"},
}
FOLLOW_UP: Final[dict[str, Any]] = {
    "do": "follow_up",
    "with": {"title": "双十二邀约", "script": "您好，{member}", "days": 3},
}


@dataclasses.dataclass(repr=False)
class Desk:
    """Who writes, who approves at head office, who heads the east; a segment of all who are living, and a coupon's batch."""

    cast: Cast
    writer: Actor
    approver: Actor
    head: Actor
    segment: str
    batch: str

    def draft(self, **changes: Any) -> CampaignDraft:
        """A message to everybody, tomorrow, ready to be submitted."""
        values: dict[str, Any] = {
            "name": "双十二预热",
            "kind": "reach",
            "segment": self.segment,
            "starts_at": NOW + dt.timedelta(days=1),
            "ends_at": NOW + dt.timedelta(days=3),
            "variants": (VariantDraft(1, [REACH]),),
        }
        return CampaignDraft(**(values | changes))

    def store_draft(self, **changes: Any) -> CampaignDraft:
        return self.draft(**({"store_id": self.cast.store.id, "budget_fen": 10_000} | changes))

    def made(self, actor: Actor | None = None, **changes: Any) -> Campaign:
        """That draft, kept."""
        pk = services.create_campaign(draft=self.draft(**changes), actor=actor or self.writer, at=NOW)
        return Campaign.objects.get(pk=pk)

    def submitted(self, actor: Actor | None = None, **changes: Any) -> Campaign:
        actor = actor or self.writer
        row = self.made(actor, **changes)
        services.submit_campaign(campaign_id=row.pk, revision=row.revision, actor=actor, at=NOW)
        return row

    def approved(self, **changes: Any) -> Campaign:
        row = self.submitted(**changes)
        services.approve_campaign(campaign_id=row.pk, revision=row.revision, actor=self.approver, at=NOW)
        row.refresh_from_db()
        return row


def make_desk(cast: Cast) -> Desk:
    writer = StaffAccount.objects.create_superuser("writer")
    approver = StaffAccount.objects.create_superuser("approver")
    grant(cast.regional, "add", "change", "approve", "view")
    listed = services.create_list(
        name="都在里面", member_ids=[cast.xiaomei.id, cast.xiaoli.id], actor=Actor.system("test")
    )
    batch_id = make_batch(100, budget_fen=100_000, cost_fen=3_000)
    return Desk(cast, of(writer), of(approver), of(cast.regional), listed, batch_of(batch_id))


def batch_of(batch_id: int) -> str:
    return get_batch(batch_id).public_id


def coupon_act(batch: str) -> dict[str, Any]:
    return {"do": "coupon", "with": {"batch": batch}}


def of(staff: StaffAccount) -> Actor:
    return Actor.staff(staff.pk, staff.username)


def grant(staff: StaffAccount, *verbs: str) -> None:
    codes = [f"{verb}_campaign" for verb in verbs]
    staff.user_permissions.add(*Permission.objects.filter(codename__in=codes))


def make_staff(name: str, *verbs: str, **part: int) -> Actor:
    """An account with these rights over this part (region_id, store_id or dealer_id)."""
    staff = StaffAccount.objects.create_user(name, is_staff=True)
    StaffScope.objects.create(staff=staff, **part)
    grant(staff, *verbs)
    return of(staff)


def set_policy(**values: Any) -> None:
    hours = {"earliest": dt.time(9), "latest": dt.time(21)}
    CampaignPolicy.objects.get_or_create(pk=1, defaults=hours)
    CampaignPolicy.objects.filter(pk=1).update(**values)


def faults_of(call: Any, *args: Any, **values: Any) -> dict[str, str]:
    """Path → code of what it was refused for."""
    with pytest.raises(CampaignUnfit) as caught:
        call(*args, **values)
    return {fault["path"]: fault["code"] for fault in caught.value.details["faults"]}
