"""Refusals of `campaigns`."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Refusal, TooMany, Unavailable


class ReachUnfit(InvalidInput):
    """`details["field"]` names the part that cannot be used."""

    code = "campaigns.reach_unfit"
    sentence = _("通知的内容不完整，请检查标题、正文和事项")


class NoSuchInboxMessage(NotFound):
    code = "campaigns.no_such_inbox_message"
    sentence = _("没有这条消息，可能已经过期")


class NoSuchScene(NotFound):
    code = "campaigns.no_such_scene"
    sentence = _("没有这个场景")


class QuietHoursUnusable(InvalidInput):
    code = "campaigns.quiet_hours_unusable"
    sentence = _("免打扰的开始和结束不能是同一个时间")


class CapUnusable(InvalidInput):
    code = "campaigns.cap_unusable"
    sentence = _("频次上限填 1 到 100，同一通道、重要程度和周期只能有一条")


class ChannelsUnusable(InvalidInput):
    code = "campaigns.channels_unusable"
    sentence = _("请至少选择一个通道")


class TopicIsMarketing(InvalidInput):
    code = "campaigns.topic_is_marketing"
    sentence = _("营销活动只发给同意接收营销消息的会员，重要程度不能改")


class MappingUnfit(Refusal):
    """`details["faults"]` says which keyword and why."""

    code = "campaigns.mapping_unfit"
    sentence = _("模板字段没有配好，请按提示修改")


class TextPurposeUnfit(InvalidInput):
    code = "campaigns.text_purpose_unfit"
    sentence = _("验证码模板不能用来发通知，请选通知或营销模板")


class RuleUnfit(InvalidInput):
    """`details["faults"]` lists what is wrong: path, code and words of each."""

    code = "campaigns.rule_unfit"
    sentence = _("人群条件有误，请按提示修改")


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


class JourneyUnfit(InvalidInput):
    """`details["faults"]` lists what is wrong: path, code and words of each."""

    code = "campaigns.journey_unfit"
    sentence = _("旅程没有写好，请按提示修改")


class NoSuchJourney(NotFound):
    code = "campaigns.no_such_journey"
    sentence = _("没有这个旅程，可能已经结束")


class JourneyNameUnusable(InvalidInput):
    code = "campaigns.journey_name_unusable"
    sentence = _("名称填 1 到 40 个字，不能和没有结束的旅程同名")


class JourneyChangedMeanwhile(Conflict):
    code = "campaigns.journey_changed_meanwhile"
    sentence = _("别人刚刚改过这个旅程，请刷新后再改")


class JourneyNotInThisState(Refusal):
    code = "campaigns.journey_not_in_this_state"
    sentence = _("旅程现在的状态不能这样操作，请刷新页面再看")


class JourneyNotRunning(Refusal):
    code = "campaigns.journey_not_running"
    sentence = _("旅程没有在运行，现在不能进入")


class JourneyNotOpen(Refusal):
    """It does not begin by the API."""

    code = "campaigns.journey_not_open"
    sentence = _("这个旅程不是由开放接口送进来的")


class JourneyNotForHer(Refusal):
    """She is under way in it, was in it and may not enter again yet, or does not meet its condition."""

    code = "campaigns.journey_not_for_her"
    sentence = _("会员正在这个旅程里、还不能再进，或者不符合进入条件")


class EnrolmentNotParked(Refusal):
    code = "campaigns.enrolment_not_parked"
    sentence = _("只有出错停住的会员可以重试")


class EnrolmentOver(Refusal):
    code = "campaigns.enrolment_over"
    sentence = _("会员已经不在旅程里")


class WebhookUnusable(InvalidInput):
    """`details["field"]` names the part that cannot be used."""

    code = "campaigns.webhook_unusable"
    sentence = _("地址要以 https:// 开头、指向公网的域名，不能带账号密码；代号用小写字母、数字和短横线")


class WebhookCodeTaken(Conflict):
    code = "campaigns.webhook_code_taken"
    sentence = _("这个代号已经有了")


class SegmentTooSlow(Unavailable):
    code = "campaigns.segment_too_slow"
    sentence = _("符合条件的人太多或条件太复杂，没有在限定时间内算完；可以先减少条件再试")


class ReachNotResendable(Refusal):
    """It did not fail, its words were cleared, or its member is gone."""

    code = "campaigns.reach_not_resendable"
    sentence = _("只有没发出去、内容还在的触达才能重发")


class NoSuchSegment(NotFound):
    code = "campaigns.no_such_segment"
    sentence = _("没有这个人群，可能已经停用")


class SegmentNameUnusable(InvalidInput):
    code = "campaigns.segment_name_unusable"
    sentence = _("名称填 1 到 40 个字，不能和使用中的人群同名")


class SegmentChangedMeanwhile(Conflict):
    code = "campaigns.segment_changed_meanwhile"
    sentence = _("别人刚刚改过这个人群，请刷新后再改")


class SegmentInUse(Refusal):
    """`details["names"]` says by which others."""

    code = "campaigns.segment_in_use"
    sentence = _("别的人群用到了它，请先把它从那些人群的条件里去掉")


class SegmentHeld(Refusal):
    """`details["campaigns"]` and `details["journeys"]` say by which; its sentence names them."""

    code = "campaigns.segment_held"
    sentence = _("有营销活动或自动化旅程还在用它，请先停止它们")


class SegmentHasTags(Refusal):
    """`details["names"]` says which."""

    code = "campaigns.segment_has_tags"
    sentence = _("有标签跟随着它，请先在标签页解除跟随")


class SegmentNotLiving(Refusal):
    """A list or a snapshot stands still: a tag that followed it would be a tag that a file gave."""

    code = "campaigns.segment_not_living"
    sentence = _("标签只能跟随持续更新的人群")


class TagFollowsAlready(Conflict):
    code = "campaigns.tag_follows_already"
    sentence = _("这个标签已经跟随着一个人群，请先解除")


class TagFollowsNone(Conflict):
    code = "campaigns.tag_follows_none"
    sentence = _("这个标签没有跟随任何人群")


class TagCircle(Refusal):
    """The segment's rule asks for the tag, itself or through others."""

    code = "campaigns.tag_circle"
    sentence = _("这个人群的条件用到了这个标签，标签不能再跟随它")


class SegmentHasNoRule(Refusal):
    code = "campaigns.segment_has_no_rule"
    sentence = _("名单没有条件，也不会自己变化；请重新上传名单")


class SegmentIsNoList(Refusal):
    code = "campaigns.segment_is_no_list"
    sentence = _("只有名单可以加人和去人，其他人群由条件决定")


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
