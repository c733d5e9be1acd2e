"""The gateway's refusals towards our own code. What WeChat itself answers is `wechat.client.errors`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Refusal, TooMany, Unavailable


class NoAccount(NotFound):
    code = "wechat.no_account"
    sentence = _("还没有可用的公众号，请先在后台「账号」里添加")


class SnapshotUser(NotAllowed):
    """WeChat's snapshot page gives a virtual openid; binding it would bind nobody."""

    code = "wechat.snapshot_user"
    sentence = _("当前是微信快照页，请点右上角「使用完整服务」后再试")


class LoginCodeUnusable(InvalidInput):
    """The code is wrong, used or older than five minutes: ask WeChat for a new one."""

    code = "wechat.login_code_unusable"
    sentence = _("登录凭证已失效，请重新打开页面")


class HighRiskUser(NotAllowed):
    """WeChat holds this person to be a risk and does not say who she is."""

    code = "wechat.high_risk_user"
    sentence = _("微信提示这个账号有风险，暂时不能登录")


class TooManyLogins(TooMany):
    """WeChat takes 100 logins a minute from one person."""

    code = "wechat.too_many_logins"
    sentence = _("登录太频繁了，请过一分钟再试")


class PhoneCodeUnusable(InvalidInput):
    """The phone code is wrong, used, older than five minutes, or not of the person who sent it."""

    code = "wechat.phone_code_unusable"
    sentence = _("手机号授权已失效，请再点一次授权")


class MiniSessionStale(InvalidInput):
    """The data does not open with this session key: the mini-program has to log in again."""

    code = "wechat.session_stale"
    sentence = _("登录已过期，请重新进入小程序")


class WatermarkWrong(InvalidInput):
    """The data is another mini-program's, or too old."""

    code = "wechat.watermark_wrong"
    sentence = _("这次授权已过期，请再点一次授权")


class MiniPageUnknown(InvalidInput):
    """The published mini-program has no such page."""

    code = "wechat.mini_page_unknown"
    sentence = _("已发布的小程序里没有这个页面")


class CodeBudgetSpent(Refusal):
    code = "wechat.code_budget_spent"
    sentence = _("永久二维码额度已用完，请改用临时码")


class ForeignPage(InvalidInput):
    """Signing any page for anybody would lend our account to them."""

    code = "wechat.foreign_page"
    sentence = _("这个页面不在本系统的域名下，不能签名")


class WeChatAway(Unavailable):
    code = "wechat.away"
    sentence = _("微信暂时没有响应，请稍后再试")


class WeChatRefused(Refusal):
    """WeChat said no for good; `details["errcode"]` is its code."""

    code = "wechat.refused"
    sentence = _("微信拒绝了这次请求，请联系管理员")


class MessageUnfit(InvalidInput):
    """WeChat would refuse the message; `details["field"]` names the part, `limit_bytes` the limit it has."""

    code = "wechat.message_unfit"
    sentence = _("消息内容不符合微信的要求，请修改后再发")


class NoPreviousKey(Refusal):
    code = "wechat.no_previous_key"
    sentence = _("没有保留着的上一个密钥")


class NotHalted(Refusal):
    code = "wechat.not_halted"
    sentence = _("这个发送通道没有停发")


class TemplateGone(Refusal):
    """WeChat has the template no more, or the account never had it."""

    code = "wechat.template_gone"
    sentence = _("微信里已经没有这个模板，请重新选择")


class TemplateFieldUnfit(InvalidInput):
    """A value cannot be made to fit: `details` has the field's name, label and kind, and the rule in words."""

    code = "wechat.field_unfit"
    sentence = _("模板字段的内容不符合微信的要求")


class SyncUnderWay(Refusal):
    code = "wechat.sync_under_way"
    sentence = _("这个公众号的粉丝同步还没有结束，请先等它完成或停止它")


class SyncOver(Refusal):
    code = "wechat.sync_over"
    sentence = _("这次粉丝同步的状态已经变了，请刷新页面再看")


class FollowerTagGone(Refusal):
    """WeChat has the tag no more, or the account never had it."""

    code = "wechat.follower_tag_gone"
    sentence = _("微信里已经没有这个标签，请先同步标签")


class FollowerTagNameTaken(Refusal):
    code = "wechat.follower_tag_name_taken"
    sentence = _("这个账号已经有同名的标签")


class FollowerTagNameUnfit(InvalidInput):
    """Empty, or longer than WeChat takes."""

    code = "wechat.follower_tag_name_unfit"
    sentence = _("标签名要有 1 到 30 个字；微信嫌长时请再短一些")


class TooManyFollowerTags(Refusal):
    code = "wechat.too_many_follower_tags"
    sentence = _("一个公众号最多 100 个标签，请先删掉不用的")


class FollowerTagTooPopular(Refusal):
    """WeChat deletes no tag that more than 100,000 followers carry."""

    code = "wechat.follower_tag_too_popular"
    sentence = _("超过 10 万粉丝有这个标签，微信不让直接删除，请先给粉丝去掉标签")


class SystemFollowerTag(Refusal):
    """The tags 0, 1 and 2 are WeChat's own."""

    code = "wechat.system_follower_tag"
    sentence = _("这是微信自带的标签，不能修改或删除")


class NotAnOfficialAccount(InvalidInput):
    code = "wechat.not_an_official_account"
    sentence = _("只有公众号有自定义菜单")


class MenuUnfit(InvalidInput):
    """WeChat would refuse the menus; `details["problems"]` has every one with its menu, path, field, code and message."""

    code = "wechat.menu_unfit"
    sentence = _("菜单不符合微信的要求，请按提示修改")


class MenuBusy(Conflict):
    code = "wechat.menu_busy"
    sentence = _("有人正在发布这个公众号的菜单，请过一分钟再看")


class MenuSuperseded(Refusal):
    """History is not published; it is restored to a draft first."""

    code = "wechat.menu_superseded"
    sentence = _("这是历史版本，请先恢复成草稿再发布")


class ClearsUsedUp(Refusal):
    """WeChat sets an account's counters back ten times a month, the console's among them."""

    code = "wechat.clears_used_up"
    sentence = _("这个月的清零次数已用完（每月 10 次，含在微信后台清零的）")
