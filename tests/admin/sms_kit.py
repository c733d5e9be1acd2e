"""Text messages for the pages of the admin."""

import datetime as dt

from campaigns.services.text_mapping import map_topic_to_text
from core import clock
from core.actor import Actor
from sms import services
from sms.contracts import ReceiptTold, ReplyTold, Spending
from sms.models import SmsBlock
from sms.models.reports import BlockReason
from sms.services import lanes
from tests.sms.kit import NOTICE_TEMPLATE, add_sign, add_template


def fill_texts() -> None:
    """A code waits, a topic is said by text, the lane of notices is stopped, reports came in, a number is blocked."""
    now = clock.now()
    services.queue_sms(
        phone="13800138000",
        template="verification_code",
        params={"code": "402816"},
        reason_key="s1",
        send_before=now,
    )
    add_sign()
    template = add_template(**NOTICE_TEMPLATE)
    map_topic_to_text(
        topic="coupon_expiring",
        template_id=template.pk,
        fields=None,
        is_on=True,
        actor=Actor.system("desk"),
    )
    lanes.halt(purpose="notice", code="sms.no_balance", until=None, at=now)
    services.store_receipts(told=[ReceiptTold("2640:1", False, "MK:0001", now)])
    services.store_replies(told=[ReplyTold("13800138000", "R", now)])
    services.note_spending(spent=[Spending("notice", template.code, "coupon_expiring", 2, 900)])
    SmsBlock.objects.create(
        phone_index="x",
        phone_tail="8000",
        reason=BlockReason.OPTED_OUT,
        blocked_at=now - dt.timedelta(days=1),
    )
