"""The refusals of the mini-program's API; those that every API has are in `rest.errors`."""

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput, NotFound, Refusal, TooMany


class NotLoggedIn(Refusal):
    """The base of all that end in "log in again" (or refresh)."""

    code = "miniapp.not_logged_in"
    http_status = 401
    sentence = _("请重新登录")


class TokenMissing(NotLoggedIn):
    """No `Authorization: Bearer …`."""

    code = "miniapp.token_missing"


class TokenUnknown(NotLoggedIn):
    """Not one of ours, or forgotten since."""

    code = "miniapp.token_unknown"


class TokenExpired(NotLoggedIn):
    """Use the refresh token."""

    code = "miniapp.token_expired"
    sentence = _("登录已过期，请刷新")


class DeviceRevoked(NotLoggedIn):
    """Logged out here, from another device, or after a theft."""

    code = "miniapp.device_revoked"
    sentence = _("这台设备已退出登录，请重新登录")


class RefreshUnknown(NotLoggedIn):
    code = "miniapp.refresh_unknown"


class RefreshExpired(NotLoggedIn):
    code = "miniapp.refresh_expired"


class RefreshReused(NotLoggedIn):
    """A refresh token came twice: one of the two who sent it stole it, so the device is logged out."""

    code = "miniapp.refresh_reused"
    sentence = _("登录状态异常，已退出登录，请重新登录")


class NotFromWeChat(InvalidInput):
    """WeChat says that it did not make this encrypted data."""

    code = "miniapp.not_from_wechat"
    sentence = _("手机号授权没有通过微信验证，请再点一次授权")


class SmsCodeWrong(InvalidInput):
    """`details["tries_left"]` says how often she may still try."""

    code = "miniapp.sms_code_wrong"
    sentence = _("验证码不对，请再看一下短信")


class SmsCodeUnusable(InvalidInput):
    """There is none for this device and number, or it is used, expired or tried too often."""

    code = "miniapp.sms_code_unusable"
    sentence = _("验证码已失效，请重新获取")


class SmsTooSoon(TooMany):
    """One text a minute for a number, ten a day; `details["retry_after_s"]`."""

    code = "miniapp.sms_too_soon"
    sentence = _("短信发得太频繁了，请稍后再试")


class NoSuchDevice(NotFound):
    code = "miniapp.no_such_device"
    sentence = _("没有找到这台设备")


class NoGuideYet(NotFound):
    code = "miniapp.no_guide_yet"
    sentence = _("您还没有专属导购")
