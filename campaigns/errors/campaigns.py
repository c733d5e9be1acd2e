"""Campaigns: written, approved, run."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Refusal, TooMany, Unavailable


class NoSuchCampaign(NotFound):
    code = "campaigns.no_such_campaign"
    sentence = _("没有这个活动，或不归您查看")


class CampaignUnfit(InvalidInput):
    """`details["faults"]` lists what is wrong: path, code and words of each."""

    code = "campaigns.campaign_unfit"
    sentence = _("活动还有要改的地方，请按提示修改")


class CampaignChangedMeanwhile(Conflict):
    """It is another revision than the one that was seen."""

    code = "campaigns.campaign_changed_meanwhile"
    sentence = _("您打开以后，这个活动有改动，请刷新页面再看")


class CampaignNotInState(Conflict):
    """`details["state"]` is the one it is in."""

    code = "campaigns.campaign_not_in_state"
    sentence = _("活动现在的状态不能这样做，请刷新页面再看")


class CampaignNotPermitted(NotAllowed):
    code = "campaigns.campaign_not_permitted"
    sentence = _("您没有这项活动权限，请找总部开通")


class CampaignByItsAuthor(NotAllowed):
    code = "campaigns.campaign_by_its_author"
    sentence = _("写过这个活动的人不能审批它，请另一位有权限的同事审批")


class CampaignForHeadOffice(NotAllowed):
    """It is the chain's, the chain reserves approval, or it is for too many."""

    code = "campaigns.campaign_for_head_office"
    sentence = _("这个活动要由总部审批")


class CampaignNeedsReason(InvalidInput):
    code = "campaigns.campaign_needs_reason"
    sentence = _("请写明原因，最多 200 个字")


class CampaignOverMonthBudget(Refusal):
    """`details["left_fen"]` is what the month has left."""

    code = "campaigns.campaign_over_month_budget"
    sentence = _("超出了总部规定的每月活动预算")


class CampaignTooSlow(Unavailable):
    code = "campaigns.campaign_too_slow"
    sentence = _("人数没有在限定时间内算完，不能判断是否要总部审批；请稍后再试，或请总部审批")


class NoSuchCampaignPage(NotFound):
    code = "campaigns.no_such_campaign_page"
    sentence = _("没有这个活动，可能已经结束，或不是给您的")


class CampaignHasNoMessage(Refusal):
    code = "campaigns.campaign_has_no_message"
    sentence = _("这个版本没有消息，没有可以试发的内容")


class CampaignTriedTooOften(TooMany):
    code = "campaigns.campaign_tried_too_often"
    sentence = _("一个活动一小时最多试发 10 次，请稍后再试")


class CampaignTryRefused(Refusal):
    code = "campaigns.campaign_try_refused"
    sentence = _("没有发出：这位会员撤回过营销同意或已注销，或营销活动这个事项停用了")


class CampaignBudgetNotRaised(InvalidInput):
    """It is not more than now, or there is no limit that could be raised."""

    code = "campaigns.campaign_budget_not_raised"
    sentence = _("新的预算要比现在的多；没有设预算的活动不用加")
