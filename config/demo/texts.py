"""Signs and templates of text messages that the demo's chain has at the provider, and which topic says what by them."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from django.apps import apps

SIGN: Final = "素衣"
SIGN_ID: Final = "90101"


@dataclasses.dataclass(frozen=True)
class DemoTemplate:
    """One template. `topic` is said by it, `places` fill {1}, {2} …"""

    code: str
    title: str
    purpose: str
    text: str
    topic: str = ""
    places: tuple[str, ...] = ()
    gap_limit: int = 20
    is_rejected: bool = False


TEMPLATES: Final = (
    DemoTemplate(
        "1001", "验证码", "code", "您的验证码是{1}，5 分钟内有效。如果不是您本人操作，请忽略。", gap_limit=6
    ),
    DemoTemplate(
        "1002",
        "券到期提醒",
        "notice",
        "您有{1}张券{2}到期，请在到期前到店使用。",
        "coupon_expiring",
        ("count", "day"),
    ),
    DemoTemplate(
        "1003",
        "积分到期提醒",
        "notice",
        "您有{1}积分将在{2}到期，请尽快使用。",
        "points_expiring",
        ("points", "day"),
    ),
    DemoTemplate(
        "1004",
        "服务进展",
        "notice",
        "您的{1}：{2}。如有疑问请联系您的专属导购{3}。",
        "request_step",
        ("kind", "step", "guide"),
    ),
    DemoTemplate(
        "1005",
        "换季上新",
        "marketing",
        "{1}换季上新，会员到店有礼。拒收请回复R",
        gap_limit=12,
        is_rejected=True,
    ),
)
# Topics that go on to a text where nothing in WeChat takes them.
BY_TEXT: Final[Mapping[str, str]] = {
    "coupon_expiring": "subscription,template,service_message,sms,follow_up,inbox",
    "request_step": "subscription,template,service_message,sms,inbox",
}


def seed_texts() -> None:
    """Written once; the provider's reviews are asked for by the first synchronisation."""
    sign_model = apps.get_model("sms", "SmsSign")
    template_model = apps.get_model("sms", "SmsTemplate")
    if template_model.objects.exists():
        return
    sign_model.objects.create(name=SIGN, provider_id=SIGN_ID, is_default=True, state="approved")
    for one in TEMPLATES:
        row = template_model.objects.create(
            code=one.code,
            title=one.title,
            purpose=one.purpose,
            text=one.text,
            gap_limit=one.gap_limit,
            state="rejected" if one.is_rejected else "approved",
            review_note="内容与用途不符" if one.is_rejected else "",
        )
        if one.topic:
            apps.get_model("campaigns", "TopicText").objects.create(
                topic=one.topic,
                template_id=row.pk,
                fields={str(gap): {"value": name} for gap, name in enumerate(one.places, start=1)},
            )
    for topic, channels in BY_TEXT.items():
        apps.get_model("campaigns", "TopicRule").objects.get_or_create(
            topic=topic,
            defaults={
                "channels": channels,
                "importance": "must" if topic == "request_step" else "normal",
            },
        )
