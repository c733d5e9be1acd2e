"""The gateway in the staff admin: accounts, inbox, outbox, calls and quota, followers, reply rules."""

from django.utils.translation import gettext_lazy as _

from core.admin import name_actions, name_details, name_values
from wechat.admin import (
    accounts,
    follower_syncs,
    follower_tags,
    inbox,
    lanes,
    menus,
    outbox,
    replies,
    templates,
)
from wechat.models.inbox import InboundState
from wechat.models.menus import MenuState
from wechat.services import verdicts

__all__ = [
    "accounts",
    "follower_syncs",
    "follower_tags",
    "inbox",
    "lanes",
    "menus",
    "outbox",
    "replies",
    "templates",
]

name_actions(
    {
        "wechat.account.add": _("新增微信账号"),
        "wechat.account.change": _("修改微信账号"),
        "wechat.account.drop_key": _("停用上一个密钥"),
        "wechat.replyrule.add": _("新增自动回复"),
        "wechat.replyrule.change": _("修改自动回复"),
        "wechat.replyrule.delete": _("删除自动回复"),
        "wechat.replypart.inline": _("修改回复内容"),
        "wechat.replyholiday.inline": _("修改特别日子"),
        "wechat.replyhours.add": _("设置营业时间"),
        "wechat.replyhours.change": _("修改营业时间"),
        "wechat.replay": _("重新处理推送"),
        "wechat.messagetemplates.sync": _("同步消息模板"),
        "wechat.template.try": _("试发模板消息"),
        "wechat.followersync.start": _("开始同步粉丝"),
        "wechat.followersync.pause": _("暂停同步粉丝"),
        "wechat.followersync.resume": _("继续同步粉丝"),
        "wechat.followersync.stop": _("停止同步粉丝"),
        "wechat.followertags.sync": _("同步粉丝标签"),
        "wechat.followertag.add": _("新建粉丝标签"),
        "wechat.followertag.rename": _("粉丝标签改名"),
        "wechat.followertag.delete": _("删除粉丝标签"),
        "wechat.menu.draft": _("保存菜单草稿"),
        "wechat.menu.restore": _("恢复菜单版本"),
        "wechat.menu.publish": _("发布菜单"),
        "wechat.menu.remove": _("删除微信里的菜单"),
        "wechat.quota.clear": _("清零接口用量"),
        "wechat.lane.lift": _("恢复发送"),
        "wechat.lane.rate": _("修改发送速度"),
    }
)
name_details(
    {"outcome": _("结果"), "new_count": _("新增"), "changed_count": _("有变化"), "gone_count": _("已消失")}
)
name_details({"halt_code": _("停发原因"), "was_count": _("之前每秒"), "rate_count": _("每秒最多")})
name_values("was", InboundState.choices, within="wechat.replay")
_WORDS = {
    **{f"{verdicts.PREFIX}{code}": words for code, words in verdicts.WORDS.items()},
    "sent": _("微信已收下"),
}
name_values("outcome", _WORDS, within="wechat.template.try")
name_values("halt_code", _WORDS)
name_details({"from_version": _("恢复自版本")})
name_values("outcome", MenuState.choices, within="wechat.menu.publish")
name_values("outcome", [("removed", _("已删除")), ("unclear", _("结果未知"))], within="wechat.menu.remove")
