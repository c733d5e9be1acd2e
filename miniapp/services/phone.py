"""Proving a phone through WeChat."""

import datetime as dt

from core import clock
from members import services as member_services
from members.contracts import MemberCard
from members.errors import PhoneUnusable
from miniapp.contracts import DeviceSession
from miniapp.errors import NotFromWeChat
from miniapp.models import Device
from wechat.errors import MiniSessionStale
from wechat.services import accounts, mini_program


def prove_phone_by_code(*, session: DeviceSession, code: str, at: dt.datetime | None = None) -> MemberCard:
    """The number behind a phone code is hers.

    A phone code proves a phone, not who sends it, so WeChat is told the openid of this session and refuses a code
    that another person got (PhoneCodeUnusable, as for a wrong, used or expired one). Also raises WatermarkWrong,
    WeChatAway, WeChatRefused, PhoneUnusable for a foreign number.
    """
    account = accounts.get_mini_program(session.app_id)
    phone = mini_program.fetch_phone(account_id=account.id, code=code, openid=session.openid)
    return member_services.verify_phone(
        member_id=session.member_id, phone=phone, how="wechat", actor=session.actor, at=at
    )


def prove_phone_by_data(
    *, session: DeviceSession, encrypted_data: str, iv: str, at: dt.datetime | None = None
) -> MemberCard:
    """The number in data that her phone sealed with the session key of this device is hers.

    The scheme has no seal against change, so the number counts only after WeChat said that it made this very data
    (NotFromWeChat). Raises MiniSessionStale when it does not open: log in again; WatermarkWrong for another app's
    or old data; WeChatAway, WeChatRefused, PhoneUnusable.
    """
    at = at or clock.now()
    account = accounts.get_mini_program(session.app_id)
    device = Device.objects.filter(pk=session.device_id).first()
    if device is None or not device.session_key:
        raise MiniSessionStale
    data = mini_program.open_encrypted(
        account_id=account.id, session_key=device.session_key, encrypted_data=encrypted_data, iv=iv
    )
    phone = mini_program.read_phone(data)
    if phone is None:
        raise PhoneUnusable(field="encrypted_data")
    if not mini_program.is_from_wechat(account_id=account.id, encrypted_data=encrypted_data):
        raise NotFromWeChat
    return member_services.verify_phone(
        member_id=session.member_id, phone=phone, how="wechat_sealed", actor=session.actor, at=at
    )
