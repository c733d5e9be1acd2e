"""Guides, stores, codes and bindings in the staff admin, and what they add to others' pages."""

from django.utils.translation import gettext_lazy as _

from core.admin import name_actions, name_details, name_values
from guides.admin import (
    bindings,
    codes,
    conversations,
    duties,
    follow_up_rounds,
    follow_ups,
    member_pages,
    people,
    places,
    policies,
    quick_replies,
    requests,
    staff,
    tag_links,
)
from guides.models import ScanOutcome

__all__ = [
    "bindings",
    "codes",
    "conversations",
    "duties",
    "follow_up_rounds",
    "follow_ups",
    "member_pages",
    "people",
    "places",
    "policies",
    "quick_replies",
    "requests",
    "staff",
    "tag_links",
]

name_actions(
    {
        "guides.region_opened": _("新增区域"),
        "guides.region_renamed": _("修改区域名称"),
        "guides.region_moved": _("移动区域"),
        "guides.dealer_opened": _("新增经销商"),
        "guides.dealer_changed": _("修改经销商"),
        "guides.store_opened": _("新增门店"),
        "guides.store_changed": _("修改门店资料"),
        "guides.store_closed": _("停业"),
        "guides.store_reopened": _("恢复营业"),
        "guides.guide_hired": _("入职"),
        "guides.guide_renamed": _("修改姓名"),
        "guides.guide_moved": _("换店或换岗"),
        "guides.guide_left": _("离职"),
        "guides.guide_returned": _("返岗"),
        "guides.activation_code_issued": _("生成激活码"),
        "guides.guide_activated": _("激活导购助手"),
        "guides.login_removed": _("解除微信登录"),
        "guides.channel_code_opened": _("新增渠道码"),
        "guides.channel_code_published": _("取得微信二维码"),
        "guides.channel_code_closed": _("停用渠道码"),
        "guides.code_scanned": _("扫码"),
        "guides.member_bound": _("绑定专属导购"),
        "guides.member_unbound": _("结束绑定"),
        "guides.binding_imported": _("批量导入绑定"),
        "guides.note_added": _("写私人备注"),
        "guides.note_edited": _("修改私人备注"),
        "guides.note_removed": _("删除私人备注"),
        "guides.note_restored": _("恢复私人备注"),
        "guides.private_tag_given": _("打私人标签"),
        "guides.private_tag_taken": _("去私人标签"),
        "guides.member_remarked": _("改私人称呼"),
        "guides.bindingpolicy.add": _("新增绑定规则"),
        "guides.bindingpolicy.change": _("修改绑定规则"),
        "guides.staffscope.inline": _("修改可见范围"),
        "guides.follow_ups_given": _("交给导购跟进"),
    }
)
name_details(
    {
        "guide_id": _("导购编号"),
        "member_id": _("会员编号"),
        "store_id": _("门店编号"),
        "from_store_id": _("原门店编号"),
        "to_store_id": _("新门店编号"),
        "channel_code_id": _("渠道码编号"),
        "role": _("岗位"),
        "from_path": _("原位置"),
        "to_path": _("新位置"),
        "outcome": _("结果"),
        "term": _("期限"),
        "is_repeat": _("重复"),
        "chosen_count": _("选中会员"),
        "given_count": _("交给导购"),
    }
)
name_values("outcome", ScanOutcome.choices, within="guides.code_scanned")
