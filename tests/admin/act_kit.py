"""Every kind of act with everything that may be said of it."""

from typing import Any

from campaigns import services
from core.actor import Actor
from members import services as member_services
from tests.campaigns.campaign_kit import batch_of
from tests.cast import DIRECTOR, Cast
from tests.coupons.kit import make_batch


def act_values(cast: Cast) -> dict[str, dict[str, Any]]:
    """The values by kind; what they name is there."""
    group = member_services.create_tag_group(name="喜好", actor=DIRECTOR)
    tag = member_services.create_tag(group_id=group.id, name="爱丝巾", actor=DIRECTOR)
    services.create_endpoint(
        code="erp", name="ERP", url="https://erp.example.com/x", actor=Actor.system("desk")
    )
    return {
        "reach": {
            "title": "“欢迎” <b>", "text": "第一行\n\n第二行 & {member}", "page": "pages/home?from=a&b=c",
            "topic": "care", "channels": ["sms", "template"],
        },
        "coupon": {"batch": batch_of(make_batch(10))},
        "points": {"points": 1_000_000, "reason": "礼 \"一\""},
        "tag": {"tag": tag.id, "how": "remove", "days": 30},
        "follow_up": {"title": "回访", "script": "您好\n在吗", "days": 0},
        "webhook": {"endpoint": "erp"},
    }  # fmt: skip
