"""A journey with 小美 in it, and another system that was told of her."""

from campaigns import services
from campaigns.models import Enrolment, Journey, WebhookDelivery
from campaigns.services import journeys
from core import clock
from core.actor import Actor
from tests.cast import Cast

_DESK = Actor.system("desk")
DRAFT = {
    "trigger": {"on": "api"},
    "first": "gift",
    "steps": {
        "gift": {"kind": "points", "with": {"points": 10, "reason": "旅程礼"}, "next": "wait"},
        "wait": {
            "kind": "wait_event",
            "with": {"event": "bought", "amount": 3, "unit": "days"},
            "next": "thanks",
            "else": "gift",
        },
        "thanks": {"kind": "reach", "with": {"title": "谢谢", "text": "{member}，谢谢您", "topic": "care"}},
    },
}


def fill_journeys(cast: Cast) -> Journey:
    """It runs, and she waits at its second step."""
    row = journeys.create_journey(name="入会旅程", draft=DRAFT, actor=_DESK)
    journeys.start_journey(journey_id=row.pk, actor=_DESK)
    journeys.enrol_member(public_id=row.public_id, member_id=cast.xiaomei.id, key="desk")
    journeys.run_journeys()
    journeys.fold_journey_counts()
    endpoint = services.create_endpoint(
        code="crm", name="客户系统", url="https://crm.example.com/hooks", actor=_DESK
    )
    now = clock.now()
    WebhookDelivery.objects.create(
        key="desk", endpoint=endpoint, member_id=cast.xiaomei.id, content="{}", state="failed", code="status",
        status_code=500, attempt_count=11, not_before=now, created_at=now, finished_at=now,
    )  # fmt: skip
    assert Enrolment.objects.get(journey=row).step == "wait"
    row.refresh_from_db()
    return row
