"""Messages to members, topics and what says them."""

from django.utils.translation import gettext_lazy as _

from core.errors import InvalidInput, NotFound, Refusal


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


class ReachOfPastRun(Refusal):
    """The campaign was stopped or is over, or the run's purchases are counted no more."""

    code = "campaigns.reach_of_past_run"
    sentence = _("这条消息所属的活动已经停止或截止，不能再发了")


class ReachOverBudget(Refusal):
    code = "campaigns.reach_over_budget"
    sentence = _("活动剩下的预算不够这条的短信费，加预算或等在途消息的费用退回来再重发")


class ReachNotResendable(Refusal):
    """It did not fail, its words were cleared, or its member is gone."""

    code = "campaigns.reach_not_resendable"
    sentence = _("只有没发出去、内容还在的触达才能重发")
