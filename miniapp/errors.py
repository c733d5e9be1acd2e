"""The refusals of the mini-program's API."""

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput, NotFound, Refusal, TooMany, Unavailable


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


class TooManyRequests(TooMany):
    """`details["retry_after_s"]`, also in Retry-After."""

    code = "miniapp.too_many_requests"


class NoSuchDevice(NotFound):
    code = "miniapp.no_such_device"
    sentence = _("没有找到这台设备")


class NoGuideYet(NotFound):
    code = "miniapp.no_guide_yet"
    sentence = _("您还没有专属导购")


class NoSuchPath(NotFound):
    """There is no such address in this API."""

    code = "miniapp.no_such_path"
    sentence = _("没有这个接口")


class MethodNotAllowed(Refusal):
    code = "miniapp.method_not_allowed"
    http_status = 405
    sentence = _("这个接口不支持这种请求方式")


class NotJson(InvalidInput):
    """The body is not one JSON object in UTF-8, or is nested too deeply."""

    code = "miniapp.not_json"
    sentence = _("请求内容要是 JSON 对象")


class WrongContentType(InvalidInput):
    code = "miniapp.wrong_content_type"
    sentence = _("请求要用 application/json")


class BodyTooLarge(InvalidInput):
    """Over 64 KiB."""

    code = "miniapp.body_too_large"
    sentence = _("请求内容太大")


class NotText(InvalidInput):
    """A NUL character or half a surrogate pair: nothing people write."""

    code = "miniapp.not_text"
    sentence = _("内容里有不能识别的字符")


class NumberTooLarge(InvalidInput):
    """A number that no field of ours can hold."""

    code = "miniapp.number_too_large"
    sentence = _("数字超出了范围")


class Crashed(Unavailable):
    """A mistake of ours; it is in the log."""

    code = "miniapp.crashed"
    http_status = 500
    sentence = _("系统出了点问题，请稍后再试")
