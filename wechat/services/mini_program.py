"""Mini-programs: who logs in, her phone, data from her phone, and codes that open a page.

A phone code proves a phone, not who sends it: pass the openid of our own session along with it.
"""

import re
from typing import Any, Final, Literal

from core import clock
from core.errors import InvalidInput, Refusal
from wechat.client.errors import WeChatError
from wechat.contracts import MiniSession
from wechat.errors import (
    HighRiskUser,
    LoginCodeUnusable,
    MiniPageUnknown,
    MiniSessionStale,
    PhoneCodeUnusable,
    TooManyLogins,
    WatermarkWrong,
    WeChatAway,
)
from wechat.services import session_crypto
from wechat.services.accounts import get_account
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal

Version = Literal["release", "trial", "develop"]

# Wrong, foreign or expired code; used; missing.
_LOGIN_CODE_TROUBLE: Final = frozenset({40029, 40163, 41008})
_PHONE_CODE_TROUBLE: Final = frozenset({40029, 40163})
_HIGH_RISK: Final = 40226
_TOO_OFTEN: Final = 45011
_WRONG_SIGNATURE: Final = 87009
_UNKNOWN_PAGE: Final = 41030
# Real codes have 32 and 64 characters; what comes from a phone goes into a URL.
_CODE: Final = re.compile(r"[!-~]{1,256}")
# The page allows more, but "&" has been refused, and the rest is quoted on its way to the page.
_SCENE: Final = re.compile(r"[0-9A-Za-z_=-]{1,32}")
_PAGE: Final = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z_/-]{0,127}")
_WIDTHS: Final = range(280, 1281)
_CHINA: Final = "86"
_CHINESE_MOBILE: Final = re.compile(r"1[0-9]{10}")
_FOREIGN_NUMBER: Final = re.compile(r"[0-9]{4,14}")
_COUNTRY_CODE: Final = re.compile(r"[1-9][0-9]{0,3}")
# Somebody waits with the phone in hand: pauses on "system busy" add up to no more than this.
_PATIENCE_S: Final = 1
# WeChat's clock and ours may differ by this much.
_SKEW_S: Final = 300


def exchange_login_code(*, account_id: int, code: str) -> MiniSession:
    """Who logs in, for the code of `wx.login`. Official page "code2Session".

    No access token is fetched for it. The newest login makes every earlier session key of hers useless. The
    caller seals the key before keeping it. Raises LoginCodeUnusable for a wrong, foreign, used or old code;
    HighRiskUser; TooManyLogins; WeChatAway or WeChatRefused.
    """
    if not _CODE.fullmatch(code):
        raise LoginCodeUnusable
    client = client_for(account_id)
    try:
        answer = client.wxa.code_to_session(code)
    except WeChatError as error:
        raise _login_refusal(error) from error
    session = _read_session(client.appid, answer)
    if session is None:
        raise WeChatAway
    return session


def _login_refusal(error: WeChatError) -> Refusal:
    if error.errcode in _LOGIN_CODE_TROUBLE:
        return LoginCodeUnusable()
    if error.errcode == _HIGH_RISK:
        return HighRiskUser()
    if error.errcode == _TOO_OFTEN:
        return TooManyLogins()
    return to_refusal(error)


def _read_session(app_id: str, answer: dict[str, Any]) -> MiniSession | None:
    openid, key, unionid = answer.get("openid"), answer.get("session_key"), answer.get("unionid")
    if not isinstance(openid, str) or not openid or not isinstance(key, str):
        return None
    try:
        session_crypto.decode_key(key)
    except session_crypto.DataUnreadable:
        return None
    return MiniSession(
        app_id=app_id,
        openid=openid,
        unionid=unionid if isinstance(unionid, str) and unionid else None,
        session_key=key,
    )


def is_session_current(*, account_id: int, openid: str, session_key: str) -> bool:
    """Is this her newest session key? Official page "checkSessionKey". Raises WeChatAway or WeChatRefused."""
    try:
        client_for(account_id, busy_patience_s=_PATIENCE_S).wxa.check_session(openid, session_key)
    except WeChatError as error:
        if error.errcode == _WRONG_SIGNATURE:
            return False
        raise to_refusal(error) from error
    return True


def fetch_phone(*, account_id: int, code: str, openid: str | None = None) -> str:
    """The phone for a phone code: 11 digits for China, else `+<country code><number>`. Official page
    "getPhoneNumber".

    Each success costs the chain money, so limit it before calling. Raises PhoneCodeUnusable for a wrong,
    foreign, used or old code, or one that is not of `openid`; WatermarkWrong when the answer names another
    app; WeChatAway or WeChatRefused. Not repeated after a broken connection: the code may be used up.
    """
    if not _CODE.fullmatch(code):
        raise PhoneCodeUnusable
    client = client_for(account_id)
    try:
        info = client.wxa.fetch_phone(code, openid)
    except WeChatError as error:
        if error.errcode in _PHONE_CODE_TROUBLE:
            raise PhoneCodeUnusable from error
        raise to_refusal(error) from error
    if _watermark_of(info).get("appid") != client.appid:
        raise WatermarkWrong
    phone = read_phone(info)
    if phone is None:
        raise WeChatAway
    return phone


def read_phone(info: dict[str, Any]) -> str | None:
    """The phone in what WeChat says of one, 11 digits for China, else `+<country code><number>`; None when
    there is none.

    The page documents `countryCode` as text and shows it as a number; either is taken.
    """
    number = str(info.get("purePhoneNumber", ""))
    country = str(info.get("countryCode", "")).removeprefix("+")
    if country == _CHINA:
        return number if _CHINESE_MOBILE.fullmatch(number) else None
    if not _COUNTRY_CODE.fullmatch(country) or not _FOREIGN_NUMBER.fullmatch(number):
        return None
    return f"+{country}{number}"


def _watermark_of(data: dict[str, Any]) -> dict[str, Any]:
    mark = data.get("watermark")
    return mark if isinstance(mark, dict) else {}


def open_encrypted(
    *, account_id: int, session_key: str, encrypted_data: str, iv: str, max_age_s: int = 600
) -> dict[str, Any]:
    """What a phone sealed with the session key. Official page "verify and decrypt open data".

    Raises MiniSessionStale when it does not open (a newer login has replaced the key, or the data is broken:
    nobody can tell); WatermarkWrong when it was made for another app, more than `max_age_s` seconds ago, or
    in the future; NotFound for no account. The scheme has no seal against change: before a phone from it
    counts as verified, ask `is_from_wechat`.
    """
    app_id = get_account(account_id).app_id
    try:
        data = session_crypto.SessionCipher(session_key, iv).open(encrypted_data)
    except session_crypto.DataUnreadable as problem:
        raise MiniSessionStale from problem
    mark = _watermark_of(data)
    made_at = mark.get("timestamp")
    if mark.get("appid") != app_id or isinstance(made_at, bool) or not isinstance(made_at, int):
        raise WatermarkWrong
    age_s = int(clock.now().timestamp()) - made_at
    if not -_SKEW_S <= age_s <= max_age_s:
        raise WatermarkWrong
    return data


def is_from_wechat(*, account_id: int, encrypted_data: str) -> bool:
    """Did WeChat itself make this data, in the last three days? Official page "checkEncryptedData".

    Only its hash leaves us. Raises WeChatAway or WeChatRefused.
    """
    try:
        is_valid: bool = client_for(account_id, busy_patience_s=_PATIENCE_S).wxa.check_encrypted(
            encrypted_data
        )
    except WeChatError as error:
        raise to_refusal(error) from error
    return is_valid


def is_raw_data_signed(*, session_key: str, raw_data: str, signature: str) -> bool:
    """Does the signature of `rawData` fit the session key? Official page "verify and decrypt open data"."""
    return session_crypto.is_same(signature, session_crypto.raw_data_signature(raw_data, session_key))


def fetch_mini_code(
    *,
    account_id: int,
    scene: str,
    page: str = "",
    check_path: bool = True,
    env_version: Version = "release",
    width: int = 430,
    is_hyaline: bool = False,
) -> bytes:
    """The picture (JPEG, PNG when `is_hyaline`) of a code that opens `page` with `scene`; "" is the home page.

    Such codes cost nothing and never end. Refuses (InvalidInput) a scene that is not 1–32 of letters, digits,
    `_`, `=`, `-`, a page with a leading slash or a query, and a width outside 280–1280 pixels. Raises
    MiniPageUnknown when `check_path` and the published version has no such page; WeChatAway or WeChatRefused.
    """
    if not _SCENE.fullmatch(scene):
        raise InvalidInput(field="scene")
    if page and not _PAGE.fullmatch(page):
        raise InvalidInput(field="page")
    if width not in _WIDTHS:
        raise InvalidInput(field="width")
    options: dict[str, Any] = {"check_path": check_path, "env_version": env_version, "width": width}
    options |= {"is_hyaline": is_hyaline, **({"page": page} if page else {})}
    try:
        picture: bytes = client_for(account_id).wxa.draw_unlimited(scene, **options)
    except WeChatError as error:
        if error.errcode == _UNKNOWN_PAGE:
            raise MiniPageUnknown from error
        raise to_refusal(error) from error
    return picture
