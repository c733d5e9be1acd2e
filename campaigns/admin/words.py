"""Codes of the reach layer in words."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import CHANNEL_LABELS, REACH_WORDS, TOPICS
from campaigns.contracts.campaigns import LETTERS
from campaigns.models import CampaignState, Importance, MassAudienceKind, SegmentKind
from core.admin import name_actions, name_details, name_values
from sms.services import words as sms_words
from wechat.services import verdicts

name_actions(
    {
        "campaigns.reachpolicy.change": _("修改触达规则"),
        "campaigns.reach_resent": _("重发触达"),
        "campaigns.reach_exported": _("导出触达记录"),
        "campaigns.topic_rule_set": _("设置触达事项"),
        "campaigns.topic_template_set": _("设置通知模板"),
        "campaigns.segment_created": _("新建人群"),
        "campaigns.segment_changed": _("修改人群"),
        "campaigns.list_changed": _("修改名单"),
        "campaigns.segment_read": _("合作方读取人群会员"),
        "campaigns.segment_retired": _("停用人群"),
        "campaigns.segment_refreshed": _("重新计算人群"),
        "campaigns.tag_followed": _("标签开始跟随人群"),
        "campaigns.tag_left": _("标签不再跟随人群"),
        "campaigns.segmentmember_exported": _("导出人群会员"),
        "campaigns.mass_written": _("写群发消息"),
        "campaigns.mass_changed": _("修改群发消息"),
        "campaigns.mass_previewed": _("预览群发消息"),
        "campaigns.mass_confirmed": _("确认群发消息"),
        "campaigns.mass_copied": _("复制群发消息"),
        "campaigns.mass_recalled": _("撤回群发消息"),
        "campaigns.mass_dropped": _("作废群发消息"),
        "campaigns.mass_asked_again": _("再问一次微信"),
        "campaigns.mass_deleted": _("删除群发图文"),
        "campaigns.topic_text_set": _("设置短信内容"),
        "campaigns.journey_created": _("新建自动化旅程"),
        "campaigns.journey_changed": _("修改自动化旅程"),
        "campaigns.journey_published": _("发布自动化旅程"),
        "campaigns.journey_started": _("启用自动化旅程"),
        "campaigns.journey_paused": _("暂停自动化旅程"),
        "campaigns.journey_ended": _("结束自动化旅程"),
        "campaigns.journey_retried": _("重试停住的会员"),
        "campaigns.enrolment_exited": _("让会员退出旅程"),
        "campaigns.enrolment_retried": _("重试停住的会员"),
        "campaigns.webhook_created": _("登记外部系统"),
        "campaigns.webhook_changed": _("修改外部系统"),
        "campaigns.webhook_secret_renewed": _("更换外部系统的签名密钥"),
        "campaigns.webhook_retried": _("重发外部通知"),
        "campaigns.campaignpolicy.change": _("修改活动规则"),
        "campaigns.campaignpolicy.add": _("设置活动规则"),
        "campaigns.campaign_created": _("新建活动"),
        "campaigns.campaign_changed": _("修改活动"),
        "campaigns.campaign_copied": _("复制活动"),
        "campaigns.campaign_dropped": _("作废活动草稿"),
        "campaigns.campaign_submitted": _("提交活动审批"),
        "campaigns.campaign_approved": _("审批通过活动"),
        "campaigns.campaign_returned": _("退回活动"),
        "campaigns.campaign_recalled": _("撤回活动修改"),
        "campaigns.campaign_paused": _("暂停活动"),
        "campaigns.campaign_resumed": _("继续活动"),
        "campaigns.budget_raised": _("增加活动预算"),
        "campaigns.campaign_stopped": _("停止活动"),
        "campaigns.campaign_tried": _("试发活动消息"),
        "campaigns.campaign_exported": _("导出活动"),
        "campaigns.campaign_ended": _("活动结束"),
        "campaigns.campaign_begun": _("活动开始"),
        "campaigns.campaignmember_exported": _("导出活动会员"),
        "campaigns.run_launched": _("活动名单定格"),
    }
)
name_details(
    {
        "reach_id": _("新触达编号"),
        "tag": _("标签"),
        "added_count": _("加入人数"),
        "removed_count": _("移出人数"),
        "is_other_rule": _("条件有改动"),
        "is_on": _("启用"),
        "topic": _("事项"),
        "importance": _("重要程度"),
        "channels": _("通道"),
    }
)
name_values("kind", SegmentKind.choices, within="campaigns.")
name_values("topic", [(topic.code, topic.label) for topic in TOPICS.values()], within="campaigns.")
name_values("importance", Importance.choices, within="campaigns.")
name_details(
    {"audience": _("发给谁"), "expected_count": _("预计人数"), "copied_id": _("复制自"), "outcome": _("结果")}
)
name_details({"letter": _("活动版本")})
name_details({"from_fen": _("原预算（分）"), "to_fen": _("新预算（分）")})
name_values("letter", {letter: letter for letter in LETTERS}, within="campaigns.campaign_")
name_details({"from_state": _("原状态"), "to_state": _("新状态")})
name_details({"member_count": _("人数"), "control_count": _("对照组人数")})
name_values("from_state", CampaignState.choices, within="campaigns.campaign_")
name_values("to_state", CampaignState.choices, within="campaigns.campaign_")
name_values("audience", MassAudienceKind.choices, within="campaigns.mass_")
_OUTCOMES = {f"{verdicts.PREFIX}{code}": words for code, words in verdicts.WORDS.items()}
name_values("outcome", _OUTCOMES | {"sent": _("微信已收下")}, within="campaigns.mass_previewed")
name_values("channels", list(CHANNEL_LABELS.items()), within="campaigns.")


def why_words(code: str, errcode: int | None = None) -> str:
    """Why a reach went no further, with WeChat's own code where there is one."""
    if not code:
        return ""
    if code in REACH_WORDS:
        words = str(REACH_WORDS[code])
    else:
        words = (sms_words if code.startswith(sms_words.PREFIX) else verdicts).words_of(code)
    return _now("%(words)s（%(code)s）") % {"words": words, "code": errcode} if errcode else words
