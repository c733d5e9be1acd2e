"""The gateway in the staff admin: accounts, inbox, outbox, calls and quota, followers, reply rules."""

from django.utils.translation import gettext_lazy as _

from core.admin import name_actions, name_values
from wechat.admin import accounts, inbox, outbox, replies
from wechat.models.inbox import InboundState

__all__ = ["accounts", "inbox", "outbox", "replies"]

name_actions(
    {
        "wechat.account.add": _("新增微信账号"),
        "wechat.account.change": _("修改微信账号"),
        "wechat.account.drop_key": _("停用上一个密钥"),
        "wechat.replyrule.add": _("新增自动回复"),
        "wechat.replyrule.change": _("修改自动回复"),
        "wechat.replyrule.delete": _("删除自动回复"),
        "wechat.replay": _("重新处理推送"),
    }
)
name_values("was", InboundState.choices, within="wechat.replay")
