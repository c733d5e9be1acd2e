"""小美 with a number, a topic that is said by text, and the provider."""

import datetime as dt
import json
from typing import Any

from django.test import Client

from campaigns import services
from campaigns.models import Reach, TopicText
from core import clock
from core.actor import Actor
from members import selectors as member_selectors
from members import services as member_services
from sms import services as sms_services
from tests.campaigns.kit import World
from tests.members import privacy_kit
from tests.sms.kit import (
    CALLBACK_KEY,
    CODE_TEMPLATE,
    MARKETING_TEMPLATE,
    NOTICE_TEMPLATE,
    Provider,
    add_sign,
    add_template,
    new_phone,
)

STAFF = Actor.staff(1, "总部")
CHAIN: Any = ("sms", "inbox")
FIELDS = {"1": {"value": "count"}, "2": {"value": "day"}}
TEXT = "【素衣】您有2张券2026-12-01到期，请到店使用。"
SERIAL = "2640:1234567890"


class Desk:
    """小美 with a number, a topic that is said by text, and the provider."""

    def __init__(self, world: World, provider: Provider) -> None:
        self.world = world
        self.provider = provider
        self.phone = new_phone()
        self.member_id = world.cast.xiaomei.id
        member_services.verify_phone(member_id=self.member_id, phone=self.phone, how="sms", actor=STAFF)
        add_sign()
        add_template(**CODE_TEMPLATE)
        self.notice = add_template(**NOTICE_TEMPLATE)
        self.marketing = add_template(**MARKETING_TEMPLATE)
        TopicText.objects.create(topic="coupon_expiring", template_id=self.notice.pk, fields=FIELDS)

    def send(self, key: str = "r1", **other: Any) -> Reach:
        return self.world.send(key, **{"channels": CHAIN, **other})

    def again(self, key: str = "r1") -> Reach:
        Reach.objects.filter(state="queued").update(not_before=clock.now())
        services.send_due_reaches()
        return self.world.row(key)

    def texts(self) -> list[str]:
        return self.provider.texts(self.phone)

    def report(self, body: Any, key: str = CALLBACK_KEY) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = Client().post(f"/sms/reports/{key}/", raw, content_type="application/json")
        sms_services.work_reports()
        return answer

    def receipt(self, message_id: str, *, is_delivered: bool = True) -> dict[str, Any]:
        return {
            "user_receive_time": "2026-11-28 08:03:04", "nationcode": "86", "mobile": self.phone,
            "report_status": "SUCCESS" if is_delivered else "FAIL",
            "errmsg": "DELIVRD" if is_delivered else "MK:0001", "description": "", "sid": message_id,
        }  # fmt: skip

    def answered(self, text: str, at: dt.datetime | None = None) -> dict[str, Any]:
        moment = int((at or clock.now()).timestamp())
        return {
            "extend": "",
            "mobile": self.phone,
            "nationcode": "86",
            "sign": "素衣",
            "text": text,
            "time": moment,
        }


def agree(desk: Desk) -> None:
    privacy_kit.publish("marketing", "我们会告诉您新品。")
    version = member_selectors.list_pending_consents(desk.member_id)
    [text] = [one for one in version if one.kind == "marketing"]
    member_services.agree_consent(
        member_id=desk.member_id, kind="marketing", version=text.version, door="pos", actor=STAFF
    )
