"""The refusals of `sms`."""

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput, Unavailable


class SmsNotSetUp(Unavailable):
    """No gateway is configured (SMS_GATEWAY is empty)."""

    code = "sms.not_set_up"
    sentence = _("短信服务还没有开通，请用微信授权手机号")


class SmsUnfit(InvalidInput):
    """Not a mobile number of mainland China, or the template's fields are not those given."""

    code = "sms.unfit"
    sentence = _("短信内容或手机号有误")
