"""Which templates a mini-program may ask consent for, and when."""

from collections.abc import Mapping
from typing import Final

from campaigns.contracts import TOPICS, OfferedTemplate
from campaigns.errors import NoSuchScene
from campaigns.models import MappingKind, SubscriptionGrant, TopicTemplate
from wechat.services import accounts, templates

# WeChat's pop-up takes three at once.
MOST_ASKED: Final = 3
# What a member most likely wants to hear of at that moment, the dearest first.
SCENES: Final[Mapping[str, tuple[str, ...]]] = {
    "home": ("coupon_expiring", "points_expiring", "tier_at_risk"),
    "coupon_claimed": ("coupon_expiring", "coupon_issued", "marketing"),
    "points": ("points_expiring", "points_changed", "tier_up"),
    "tier": ("tier_at_risk", "tier_up", "points_changed"),
    "order": ("sale", "return", "review"),
    "request_opened": ("request_step", "guide_changed"),
    "guide": ("guide_changed", "request_step", "marketing"),
}


def list_offered_templates(*, app_id: str, openid: str, scene: str) -> tuple[OfferedTemplate, ...]:
    """At most three templates to ask her consent for in this scene, those she has fewest consents for first.

    Raises NoSuchScene, and NoAccount for a mini-program that is none of ours.
    """
    topics = SCENES.get(scene)
    if topics is None:
        raise NoSuchScene
    account = accounts.get_mini_program(app_id)
    live = {card.template_id for card in templates.list_templates(account_id=account.id)}
    rows = TopicTemplate.objects.filter(
        account_id=account.id, kind=MappingKind.SUBSCRIPTION, is_on=True, topic__in=topics
    )
    mapped = {row.topic: row.template_id for row in rows if row.template_id in live}
    counts = dict(
        SubscriptionGrant.objects.filter(
            account_id=account.id, openid=openid, template_id__in=mapped.values()
        ).values_list("template_id", "count")
    )
    offered = [
        OfferedTemplate(
            template_id=mapped[topic],
            topic=topic,
            topic_label=str(TOPICS[topic].label),
            grant_count=counts.get(mapped[topic], 0),
        )
        for topic in topics
        if topic in mapped
    ]
    return tuple(sorted(offered, key=lambda one: one.grant_count)[:MOST_ASKED])


def known_template_ids(account_id: int) -> set[str]:
    """Templates of the mini-program that a topic is said by: consents to others are none of ours."""
    rows = TopicTemplate.objects.filter(account_id=account_id, kind=MappingKind.SUBSCRIPTION)
    return set(rows.values_list("template_id", flat=True))
