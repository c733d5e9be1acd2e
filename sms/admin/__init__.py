"""Text messages in the staff admin: signs, templates, what was sent, what came back, how fast."""

from django.utils.translation import gettext_lazy as _

from core.admin import name_actions, name_details, name_values
from sms.admin import lanes, messages, reports, spending, texts
from sms.models import ReviewState
from sms.models.reports import BlockReason
from sms.services.words import PREFIX, WORDS

__all__ = ["lanes", "messages", "reports", "spending", "texts"]

name_actions(
    {
        "sms.template_added": _("新增短信模板"),
        "sms.template_changed": _("修改短信模板"),
        "sms.sign_added": _("新增短信签名"),
        "sms.sign_changed": _("修改短信签名"),
        "sms.review_changed": _("短信审核状态有变化"),
        "sms.lane.lift": _("恢复发短信"),
        "sms.lane.rate": _("修改短信发送速度"),
        "sms.block.lift": _("允许给号码发短信"),
        "sms.text_tried": _("试发短信"),
        "sms.smsspend_exported": _("导出短信费用"),
    }
)
name_details({"state": _("状态"), "trial_id": _("试发记录")})
name_values("state", ReviewState.choices, within="sms.review_changed")
name_values("halt_code", {PREFIX + code: words for code, words in WORDS.items()}, within="sms.lane.lift")
name_values("reason", BlockReason.choices, within="sms.block.lift")
