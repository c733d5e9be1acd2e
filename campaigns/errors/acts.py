"""Acts, and the outside systems they tell."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound, Refusal


class ActUnfit(InvalidInput):
    """`details["faults"]` lists what is wrong: path, code and words of each."""

    code = "campaigns.act_unfit"
    sentence = _("动作没有填好，请按提示修改")


class ActMemberGone(NotFound):
    code = "campaigns.act_member_gone"
    sentence = _("会员已注销或不存在")


class ActNoConsent(Refusal):
    code = "campaigns.act_no_consent"
    sentence = _("会员不愿意收到营销内容")


class ActNoGuide(Refusal):
    code = "campaigns.act_no_guide"
    sentence = _("会员没有在职的专属导购")


class ActTopicOff(Refusal):
    code = "campaigns.act_topic_off"
    sentence = _("这个事项已停用")


class ActThingGone(NotFound):
    """The batch, the tag or the endpoint of an act is gone, or gives nothing any more."""

    code = "campaigns.act_thing_gone"
    sentence = _("动作用到的券批次、标签或外部系统已经没有或停用了")


class WebhookUnusable(InvalidInput):
    """`details["field"]` names the part that cannot be used."""

    code = "campaigns.webhook_unusable"
    sentence = _("地址要以 https:// 开头、指向公网的域名，不能带账号密码；代号用小写字母、数字和短横线")


class WebhookCodeTaken(Conflict):
    code = "campaigns.webhook_code_taken"
    sentence = _("这个代号已经有了")
