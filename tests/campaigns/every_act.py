"""A journey that does everything there is to do for a member, and the proof that it was done once."""

from collections import Counter
from typing import Any, Final

from django.db.models import Count

from campaigns.models import Enrolment, EnrolmentStep, Journey, JourneyCount, Reach, WebhookDelivery
from campaigns.services import create_endpoint, journeys
from core import clock
from coupons.models import Coupon, CouponBatch
from guides.models import Binding, FollowUp, Guide
from members import services as member_services
from members.models import MemberTag, PointsEntry
from tests.campaigns.journey_kit import BOSS, definition, start
from tests.coupons import kit as coupon_kit

# The table that each kind of act writes to, in the order of the steps.
TABLES: Final = {
    "reach": "campaigns_reach",
    "coupon": "coupons_coupon",
    "points": "members_pointsentry",
    "tag": "members_membertag",
    "follow_up": "guides_followup",
    "webhook": "campaigns_webhookdelivery",
}


def make(count: int, guide_id: int) -> Journey:
    """So many members of this guide, each at the first of six acts in a row."""
    guide, at = Guide.objects.get(pk=guide_id), clock.now()
    ids = coupon_kit.make_members(count)
    Binding.objects.bulk_create(
        [
            Binding(member_id=pk, guide=guide, store_id=guide.store_id, bound_at=at, source="staff")
            for pk in ids
        ]
    )
    endpoint = create_endpoint(code="crm", name="外部系统", url="https://crm.example.com/told", actor=BOSS)
    values: dict[str, dict[str, Any]] = {
        "reach": {"title": "{member}，您好", "text": "来看看", "topic": "tier_up"},
        "coupon": {"batch": CouponBatch.objects.get(pk=coupon_kit.make_batch(count)).public_id},
        "points": {"points": 5, "reason": "旅程"},
        "tag": {"tag": _tag()},
        "follow_up": {"title": "打个电话", "script": "问候{member}", "days": 3},
        "webhook": {"endpoint": endpoint.code},
    }
    names = list(TABLES)
    steps = {
        name: {"kind": name, "with": values[name]} | ({"next": following} if following else {})
        for name, following in zip(names, [*names[1:], ""], strict=True)
    }
    row = start(definition(steps), "什么都做")
    entries = [journeys.Entry(pk, "all") for pk in ids]
    assert row.version is not None
    assert len(journeys.let_in(version=row.version, entries=entries, at=at)) == count
    return row


def _tag() -> int:
    group = member_services.create_tag_group(name="旅程", actor=BOSS)
    return int(member_services.create_tag(group_id=group.id, name="走过", actor=BOSS).id)


def written() -> dict[str, int]:
    """Rows of each kind of act."""
    rows = (Reach, Coupon, PointsEntry, MemberTag, FollowUp, WebhookDelivery)
    return {name: model._default_manager.count() for name, model in zip(TABLES, rows, strict=True)}


def assert_each_once() -> None:
    """Everybody has passed each step once and has one of everything; nobody waits."""
    ids = set(Enrolment.objects.values_list("member_id", flat=True))
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"done"}
    for model in (Reach, Coupon, MemberTag, FollowUp, WebhookDelivery):
        counted = model._default_manager.order_by().values_list("member_id").annotate(n=Count("pk"))
        assert dict(counted) == dict.fromkeys(ids, 1), model
    points = Counter(PointsEntry.objects.values_list("account__member_id", "delta"))
    assert points == Counter({(pk, 5): 1 for pk in ids})
    passed = Counter(EnrolmentStep.objects.values_list("step", "way"))
    assert passed == Counter({(name, "next"): len(ids) for name in TABLES})


def assert_counted() -> None:
    """The folded numbers are those of the rows."""
    count = Enrolment.objects.count()
    counted = {
        (step, way): n for step, way, n in JourneyCount.objects.values_list("step", "way", "count") if n
    }
    expected = {(name, "next"): count for name in TABLES}
    assert counted == expected | {("", "entered"): count, ("", "done"): count}
