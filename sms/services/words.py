"""Codes of what became of texts, in words; and what a person has to mend where a lane is stopped."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PREFIX: Final = "sms."
WORDS: Final[dict[str, str | Promise]] = {
    "": _("服务商已接收"),
    "app_disabled": _("短信应用被停用，已停止发送"),
    "bad_phone": _("号码不对"),
    "bad_sign": _("短信签名没有通过审核"),
    "bad_template": _("短信模板没有通过审核，或变量对不上"),
    "blacklisted": _("号码在服务商的免打扰名单里"),
    "busy": _("服务商系统繁忙，不知道有没有发出"),
    "connection": _("连接中断，不知道有没有发出"),
    "day_limit": _("今天的条数用完了"),
    "http_trouble": _("服务商出错，不知道有没有发出"),
    "ip_refused": _("服务器的 IP 不在白名单里，已停止发送"),
    "lease_expired": _("发送中断，不知道有没有发出"),
    "marketing_hours": _("营销短信只能在 8 点到 22 点发，早上再发"),
    "misconfigured": _("密钥或应用 ID 不对，已停止发送"),
    "no_balance": _("短信余量不足或欠费，已停止发送"),
    "no_connection": _("连不上服务商，稍后再试"),
    "no_permission": _("密钥没有短信权限，已停止发送"),
    "not_delivered": _("运营商回报没有送达"),
    "not_set_up": _("短信服务没有开通"),
    "number_limit": _("这个号码今天收到的短信到上限了"),
    "number_pace": _("同一号码发得太密，稍后再试"),
    "opted_out": _("对方回复了退订"),
    "param_too_long": _("变量超过了服务商允许的字数"),
    "param_unfit": _("变量内容不符合服务商的要求"),
    "sensitive_word": _("内容里有敏感词"),
    "template_off": _("短信模板已停用"),
    "text_unfit": _("内容填不进短信模板"),
    "too_fast": _("发得太快，稍后再试"),
    "too_late": _("过了有效期，没有发"),
    "too_long": _("短信太长"),
    "unreadable": _("服务商的回答读不懂，不知道有没有发出"),
}
REMEDIES: Final[dict[str, str | Promise]] = {
    "app_disabled": _("请在服务商控制台查看停用原因，处理后再恢复"),
    "day_limit": _("零点自动恢复；可在服务商控制台调高每日上限"),
    "ip_refused": _("请在服务商控制台的 IP 白名单里加上服务器的 IP，再恢复"),
    "misconfigured": _("请核对 SMS_APP_ID、SMS_KEY_ID、SMS_KEY_SECRET 和服务器时间，再恢复"),
    "no_balance": _("请在服务商控制台购买套餐包或充值，再恢复"),
    "no_permission": _("请在服务商控制台给密钥开通短信权限，再恢复"),
}

# Why texts were sent, in the words of those who send them.
_REASONS: dict[str, str | Promise] = {
    "": _("以前的短信"),
    "trial": _("试发"),
    "verification_code": _("验证码"),
}


def name_reasons(words: Mapping[str, str | Promise]) -> None:
    """What a sender files texts under is called so on the page of costs."""
    _REASONS.update(words)


def reason_words(filed_under: str) -> str:
    """A reason in words; an unknown one as it is."""
    return str(_REASONS.get(filed_under, filed_under))


def words_of(code: str) -> str:
    """An outcome in words, with or without its prefix; an unknown code as it is."""
    return str(WORDS.get(code.removeprefix(PREFIX), code.removeprefix(PREFIX)))


def remedy_of(code: str) -> str:
    """What a person has to do before sending again is of use; empty where we do not know."""
    return str(REMEDIES.get(code.removeprefix(PREFIX), ""))
