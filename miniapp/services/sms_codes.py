"""Proving a phone by a code sent to it: the fallback when WeChat gives no number."""

import datetime as dt
import hmac
import secrets
from typing import Final

from django.db import transaction
from django.db.models import F

from core import audit, clock, crypto, phones
from members import selectors as member_selectors
from members import services as member_services
from members.contracts import MemberCard
from members.errors import PhoneUnusable
from miniapp.contracts import DeviceSession, SmsCodeTicket
from miniapp.errors import SmsCodeUnusable, SmsCodeWrong, SmsTooSoon
from miniapp.models import SmsCode
from sms import services as sms_services

LIFE: Final = dt.timedelta(minutes=5)
PAUSE: Final = dt.timedelta(minutes=1)
MOST_A_DAY: Final = 10  # to one number, whoever asks
MOST_AN_HOUR: Final = 5  # from one device, whatever number
_DAY: Final = dt.timedelta(days=1)
_HOUR: Final = dt.timedelta(hours=1)
_CONTEXT: Final = "miniapp.sms_codes"


def request_sms_code(*, session: DeviceSession, phone: str, at: dt.datetime | None = None) -> SmsCodeTicket:
    """A six-digit code is on its way to this number; this device may confirm it within five minutes.

    The answer is the same whether or not the number is somebody's. Refuses what is no mobile number, a second text
    to a number within a minute, the eleventh in a day, the sixth from a device in an hour (SmsTooSoon), and all
    while no gateway is set up. The outbox's unique reason, one a number and minute, holds when two ask at once.
    """
    at = at or clock.now()
    digits = phones.digits_of(phone)
    if not phones.is_mobile(digits):
        raise PhoneUnusable(field="phone")
    index = member_selectors.phone_index(digits)
    code = f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        _check_pace(session, index, at)
        row = SmsCode.objects.create(
            device_id=session.device_id,
            phone=digits,
            phone_index=index,
            code_index=_index(index, code),
            sent_at=at,
            expires_at=at + LIFE,
        )
        is_new = sms_services.queue_sms(
            phone=digits,
            template="verification_code",
            params={"code": code},
            reason_key=f"code:{index[:40]}:{int(at.timestamp()) // int(PAUSE.total_seconds())}",
            send_before=at + LIFE,
            at=at,
        )
        if not is_new:
            raise SmsTooSoon(retry_after_s=int(PAUSE.total_seconds()))
        audit.record(action="miniapp.sms_code_requested", subject=row, actor=session.actor, at=at)
    return SmsCodeTicket(phones.mask(digits), int(LIFE.total_seconds()), again_in=int(PAUSE.total_seconds()))


def confirm_sms_code(
    *, session: DeviceSession, phone: str, code: str, at: dt.datetime | None = None
) -> MemberCard:
    """The number is hers: she knows the code that was sent to it last, at this device's request.

    Each try is counted before it is looked at, so that tries at once do not get more than five between them. Refuses
    a wrong code (SmsCodeWrong) and one that is used, expired, tried too often or not this device's (SmsCodeUnusable).
    """
    at = at or clock.now()
    index = member_selectors.phone_index(phones.digits_of(phone))
    newest = SmsCode.objects.filter(device_id=session.device_id, phone_index=index).order_by(
        "-sent_at", "-pk"
    )
    row = newest.first()
    if row is None or not SmsCode.objects.open(at).filter(pk=row.pk).update(try_count=F("try_count") + 1):
        raise SmsCodeUnusable
    if not hmac.compare_digest(row.code_index, _index(index, code)):
        raise SmsCodeWrong(tries_left=max(0, SmsCode.MOST_TRIES - row.try_count - 1))
    with transaction.atomic():
        member = member_services.verify_phone(
            member_id=session.member_id, phone=row.phone, how="sms", actor=session.actor, at=at
        )
        if not SmsCode.objects.filter(pk=row.pk, used_at__isnull=True).update(used_at=at):
            raise SmsCodeUnusable
    return member


def _check_pace(session: DeviceSession, index: str, at: dt.datetime) -> None:
    of_phone = SmsCode.objects.filter(phone_index=index)
    newest = of_phone.order_by("-sent_at").values_list("sent_at", flat=True).first()
    if newest is not None and at - newest < PAUSE:
        raise SmsTooSoon(retry_after_s=int((newest + PAUSE - at).total_seconds()) + 1)
    if of_phone.filter(sent_at__gt=at - _DAY).count() >= MOST_A_DAY:
        raise SmsTooSoon(retry_after_s=int(_HOUR.total_seconds()))
    of_device = SmsCode.objects.filter(device_id=session.device_id, sent_at__gt=at - _HOUR)
    if of_device.count() >= MOST_AN_HOUR:
        raise SmsTooSoon(retry_after_s=int(_HOUR.total_seconds()))


def _index(phone_index: str, code: str) -> str:
    return crypto.blind_index(f"{phone_index}:{code}", context=_CONTEXT)
