"""Mass messages."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, Refusal


class MassUnfit(InvalidInput):
    """`details["field"]` names the part that cannot be used."""

    code = "campaigns.mass_unfit"
    sentence = _("群发内容不完整，请检查标出的地方")


class MassChanged(Conflict):
    """Somebody saved, confirmed or sent it meanwhile."""

    code = "campaigns.mass_changed"
    sentence = _("您打开以后，这条群发有变化，请刷新页面再看")


class MassNeedsSecond(NotAllowed):
    code = "campaigns.mass_needs_second"
    sentence = _("编写的人不能自己确认，请另一位有权限的同事确认")


class MassNobody(Refusal):
    code = "campaigns.mass_nobody"
    sentence = _("没有可以发的人：名单至少要有 2 位能发的粉丝，标签里要有粉丝")


class MassTagGone(Refusal):
    code = "campaigns.mass_tag_gone"
    sentence = _("微信里已经没有这个标签，请撤回后换一个")


class MassListTooLong(InvalidInput):
    """WeChat takes 10,000 in a call."""

    code = "campaigns.mass_list_too_long"
    sentence = _("一次最多 100,000 位，请分成几条，或者按标签群发")


class MassListEmpty(InvalidInput):
    code = "campaigns.mass_list_empty"
    sentence = _("请上传名单，或把名单贴在下面")


class MassAtNight(InvalidInput):
    code = "campaigns.mass_at_night"
    sentence = _("这个时间在免打扰时段里，请换一个时间")


class MassTimeUnusable(InvalidInput):
    code = "campaigns.mass_time_unusable"
    sentence = _("发送时间要在现在以后、90 天以内")


class MassForHeadOffice(NotAllowed):
    code = "campaigns.mass_for_head_office"
    sentence = _("发给全部粉丝或标签要由总部来写；您可以按名单发给自己范围里的会员")


class MassNotDeletable(Refusal):
    code = "campaigns.mass_not_deletable"
    sentence = _("微信只能删除已经发出的图文，文字和图片发出后不能删除")


class MassNoLongerKnown(Refusal):
    """WeChat looks for an id for a day only."""

    code = "campaigns.mass_no_longer_known"
    sentence = _("超过 23 小时，再问可能会重复发送，请到微信后台查看")
