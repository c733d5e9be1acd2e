"""Messages of the outbox, and what became of them."""

import datetime as dt
from pathlib import Path
from typing import Any

from core import clock
from tests.wechat.gateway_out import OPENID
from wechat.models import Account, OutboundMessage
from wechat.services import outbox

SEND = "/cgi-bin/message/custom/send"
UPLOAD = "/cgi-bin/media/upload"
STABLE = "/cgi-bin/stable_token"
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 96


def queue(account: Account, text: str = "您好", reason: str = "greet:1", **more: Any) -> OutboundMessage:
    window_until = more.pop("window_until", clock.now() + dt.timedelta(minutes=1))
    outbox.queue_text(
        account_id=account.pk, openid=OPENID, text=text, reason_key=reason, window_until=window_until, **more
    )
    return OutboundMessage.objects.get(reason_key=reason)


def outcome_of(message: OutboundMessage) -> tuple[str, str, int | None]:
    message.refresh_from_db()
    return message.state, message.outcome, message.errcode


def make_due(message: OutboundMessage) -> None:
    OutboundMessage.objects.filter(pk=message.pk).update(not_before=clock.now() - dt.timedelta(seconds=1))


def queue_card(account: Account, thumb: Path, reason: str = "card") -> OutboundMessage:
    outbox.queue_card(
        account_id=account.pk,
        openid=OPENID,
        title="会员码",
        card_app_id="wxmini",
        page="/pages/code",
        thumb_path=str(thumb),
        reason_key=reason,
    )
    return OutboundMessage.objects.get(reason_key=reason)
