"""The refusals of `sms`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, Refusal, Unavailable


class SmsNotSetUp(Unavailable):
    """No gateway is configured (SMS_GATEWAY is empty), or no approved template says this."""

    code = "sms.not_set_up"
    sentence = _("短信服务还没有开通，请用微信授权手机号")


class SmsHalted(Unavailable):
    """The provider takes no texts of this purpose at the moment."""

    code = "sms.halted"
    sentence = _("短信暂时发不出去，请用微信授权手机号")


class SmsUnfit(InvalidInput):
    """Not a mobile number of mainland China, or the template's fields are not those given."""

    code = "sms.unfit"
    sentence = _("短信内容或手机号有误")


class TextUnfit(Refusal):
    """`details`: `gap`, the place that cannot be filled so (0: the text as a whole), and `rule`."""

    code = "sms.text_unfit"
    sentence = _("短信内容不符合服务商的要求")


class TextGone(Conflict):
    code = "sms.text_gone"
    sentence = _("这个短信模板已经不在了，请重新选择")


class TemplateUnusable(InvalidInput):
    """`details["field"]` names the field."""

    code = "sms.template_unusable"
    sentence = _("短信模板填写有误")


class SignUnusable(InvalidInput):
    code = "sms.sign_unusable"
    sentence = _("签名要 2 到 12 个字，只能用中文、字母和数字，不带【】")


class NotHalted(Conflict):
    code = "sms.not_halted"
    sentence = _("现在没有停发")


class ProviderAway(Unavailable):
    code = "sms.provider_away"
    sentence = _("短信服务商没有回答，请稍后再试")


class ProviderRefuses(Refusal):
    """`details["code"]` is the provider's."""

    code = "sms.provider_refuses"
    sentence = _("短信服务商不让查询")


class TextUnusable(Conflict):
    """`details["code"]` says why, a code of `services.words`."""

    code = "sms.text_unusable"
    sentence = _("这个短信模板或签名没有通过审核，或已停用，发不出去")


class NumberTakesNone(Refusal):
    code = "sms.number_takes_none"
    sentence = _("这个号码退订过，或在服务商的免打扰名单里，不能给它发")


class TooManyTrials(Refusal):
    code = "sms.too_many_trials"
    sentence = _("试发太多：每人一小时最多 10 条，同一个号码一天最多 3 条")
