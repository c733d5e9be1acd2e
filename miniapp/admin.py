"""Words for the audit trail."""

from django.utils.translation import gettext_lazy as _

from core.admin import name_actions, name_values
from miniapp.models import RevokeReason

name_actions(
    {
        "miniapp.device_opened": _("登录小程序"),
        "miniapp.device_revoked": _("退出小程序登录"),
        "miniapp.device_erased": _("删除登录设备"),
        "miniapp.sms_code_requested": _("获取短信验证码"),
    }
)
name_values("reason", RevokeReason.choices, within="miniapp.device_revoked")
