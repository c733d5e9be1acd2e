"""The assistant's own refusals."""

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput, NotAllowed, Unavailable


class LoginStale(InvalidInput):
    """The state of the OAuth answer is unknown to this browser, too old, or was used before."""

    code = "assistant.login_stale"
    sentence = _("这次登录已经过期，请重新进入")


class LoginDenied(NotAllowed):
    code = "assistant.login_denied"
    sentence = _("您没有同意授权，同意后才能进入导购助手")


class ActivationCodeMissing(InvalidInput):
    code = "assistant.activation_code_missing"
    sentence = _("请填写总部给您的激活码")


class DatabaseAway(Unavailable):
    code = "assistant.database_away"
    sentence = _("系统正忙，请稍后再试")


class CodeNotReady(Unavailable):
    """WeChat has not given the ticket of the guide's code yet; it comes within seconds."""

    code = "assistant.code_not_ready"
    sentence = _("二维码正在准备，请过几秒再试")
