"""The admin's side menu, grouped by job. Each entry: title, icon (Material Symbols), admin URL name."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _item(title: Any, icon: str, url_name: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{url_name}")}


SIDEBAR: list[dict[str, Any]] = [
    {
        "title": _("会员"),
        "separator": True,
        "items": [
            _item(_("会员"), "group", "members_member_changelist"),
            _item(_("合并会员"), "merge", "members_merge_desk"),
            _item(_("合并记录"), "call_merge", "members_membermerge_changelist")
            | {
                "active": lambda request: (
                    "/membermerge/" in request.path and "/membermerge/desk/" not in request.path
                )
            },
            _item(_("导入会员"), "upload_file", "members_importjob_changelist"),
            _item(_("标签"), "sell", "members_tag_changelist"),
            _item(_("标签组"), "category", "members_taggroup_changelist"),
            _item(_("会员行为"), "ads_click", "members_behaviour_changelist"),
            _item(_("行为设置"), "tune", "members_behaviourpolicy_changelist"),
            _item(_("专属导购绑定"), "handshake", "guides_binding_changelist"),
            _item(_("服务请求"), "concierge", "guides_servicerequest_changelist"),
            _item(_("服务类型"), "room_service", "guides_requestkind_changelist"),
        ],
    },
    {
        "title": _("积分与等级"),
        "separator": True,
        "items": [
            _item(_("积分流水"), "loyalty", "members_pointsentry_changelist"),
            _item(_("积分调整"), "published_with_changes", "members_pointsadjustment_changelist"),
            _item(_("积分获取规则"), "calculate", "members_earningrule_changelist"),
            _item(_("积分倍数"), "celebration", "members_multiplierrule_changelist"),
            _item(_("积分设置"), "tune", "members_pointssettings_changelist"),
            _item(_("积分抵扣"), "toll", "coupons_pointspayment_changelist"),
            _item(_("会员等级"), "military_tech", "members_tier_changelist"),
            _item(_("等级变动"), "trending_up", "members_tierchange_changelist"),
            _item(_("等级设置"), "settings_suggest", "members_tiersettings_changelist"),
        ],
    },
    {
        "title": _("隐私"),
        "separator": True,
        "items": [
            _item(_("资料申请"), "shield_person", "members_datarequest_changelist"),
            _item(_("手机号查看记录"), "visibility", "members_phonereveal_changelist"),
            _item(_("授权记录"), "fact_check", "members_consententry_changelist"),
            _item(_("授权文本"), "description", "members_consenttext_changelist"),
            _item(_("授权项目"), "checklist", "members_consentkind_changelist"),
            _item(_("隐私设置"), "tune", "members_privacysettings_changelist"),
        ],
    },
    {
        "title": _("导购与门店"),
        "separator": True,
        "items": [
            _item(_("导购"), "badge", "guides_guide_changelist"),
            _item(_("门店"), "store", "guides_store_changelist"),
            _item(_("经销商"), "domain", "guides_dealer_changelist"),
            _item(_("区域"), "map", "guides_region_changelist"),
            _item(_("渠道码"), "qr_code_2", "guides_channelcode_changelist"),
            _item(_("扫码记录"), "qr_code_scanner", "guides_channelscan_changelist"),
            _item(_("绑定规则"), "rule", "guides_bindingpolicy_changelist"),
        ],
    },
    {
        "title": _("销售"),
        "separator": True,
        "items": [
            _item(_("销售单"), "receipt", "sales_sale_changelist"),
            _item(_("退货单"), "assignment_return", "sales_salereturn_changelist"),
            _item(_("导入订单"), "upload_file", "sales_intakejob_changelist"),
            _item(_("待处理单据"), "rule_folder", "sales_helddocument_changelist"),
            _item(_("购物评价"), "reviews", "sales_review_changelist"),
            _item(_("购后设置"), "tune", "sales_purchasecare_changelist"),
            _item(_("编号对应"), "link", "sales_codealias_changelist"),
            _item(_("会员对应"), "person_search", "sales_memberalias_changelist"),
            _item(_("商品"), "apparel", "sales_product_changelist"),
            _item(_("商品类目"), "category", "sales_category_changelist"),
        ],
    },
    {
        "title": _("业绩"),
        "separator": True,
        "items": [
            _item(_("排行榜"), "leaderboard", "sales_boardfreeze_changelist"),
            _item(_("目标与达成"), "flag", "sales_target_changelist"),
            _item(_("提成结算"), "payments", "sales_commissionmonth_changelist"),
            _item(_("提成明细"), "receipt_long", "sales_commissionline_changelist"),
            _item(_("提成规则"), "percent", "sales_commissionrule_changelist"),
            _item(_("归属规则"), "alt_route", "sales_attributionrule_changelist"),
            _item(_("业绩流水"), "menu_book", "sales_performanceentry_changelist"),
            _item(_("业绩关账"), "lock_clock", "sales_periodclose_changelist"),
            _item(_("业绩核对"), "verified", "sales_totalsproof_changelist"),
            _item(_("批量处理"), "pending_actions", "sales_deskjob_changelist"),
        ],
    },
    {
        "title": _("券"),
        "separator": True,
        "items": [
            _item(_("券模板"), "confirmation_number", "coupons_coupontemplate_changelist"),
            _item(_("券批次"), "inventory_2", "coupons_couponbatch_changelist"),
            _item(_("会员的券"), "local_activity", "coupons_coupon_changelist"),
            _item(_("核销记录"), "receipt_long", "coupons_redemption_changelist"),
            _item(_("作废任务"), "block", "coupons_voidjob_changelist"),
        ],
    },
    {
        "title": _("发券方式"),
        "separator": True,
        "items": [
            _item(_("批量发券"), "outbox", "coupons_issuejob_changelist"),
            _item(_("自动发券规则"), "redeem", "coupons_standingrule_changelist"),
            _item(_("自动发券记录"), "history_edu", "coupons_standingissue_changelist"),
            _item(_("面对面发券"), "qr_code_2_add", "coupons_facetofaceoffer_changelist"),
            _item(_("兑换码"), "qr_code", "coupons_exchangeset_changelist"),
            _item(_("兑换记录"), "password", "coupons_exchangecode_changelist"),
            _item(_("分享裂变"), "share", "coupons_unlockoffer_changelist"),
            _item(_("助力记录"), "group_add", "coupons_unlockshare_changelist"),
        ],
    },
    {
        "title": _("券数据与结算"),
        "separator": True,
        "items": [
            _item(_("券数据"), "monitoring", "coupons_couponday_changelist"),
            _item(_("数据核对"), "verified", "coupons_statsproof_changelist"),
            _item(_("跨店结算"), "account_balance", "coupons_settlementmonth_changelist"),
            _item(_("结算规则"), "percent", "coupons_settlementpolicy_changelist"),
        ],
    },
    {
        "title": _("营销"),
        "separator": True,
        "items": [
            _item(_("营销活动"), "celebration", "campaigns_campaign_changelist")
            | {"active": lambda request: "/campaign/" in request.path and "/calendar/" not in request.path},
            _item(_("营销日历"), "calendar_month", "campaigns_calendar"),
            _item(_("活动执行"), "play_circle", "campaigns_campaignrun_changelist"),
            _item(_("活动会员"), "how_to_reg", "campaigns_campaignmember_changelist"),
            _item(_("活动效果"), "trophy", "campaigns_campaignbook_changelist"),
            _item(_("人群"), "groups", "campaigns_segment_changelist"),
            _item(_("人群会员"), "person_check", "campaigns_segmentmember_changelist"),
            _item(_("沟通矩阵"), "forum", "campaigns_contactmonth_changelist"),
            _item(_("素材"), "perm_media", "campaigns_material_changelist"),
            _item(_("活动规则"), "rule_settings", "campaigns_campaignpolicy_changelist"),
            _item(_("自动化旅程"), "account_tree", "campaigns_journey_changelist"),
            _item(_("旅程会员"), "conversion_path", "campaigns_enrolment_changelist"),
            _item(_("外部系统"), "webhook", "campaigns_webhookendpoint_changelist"),
            _item(_("外部通知"), "outbound", "campaigns_webhookdelivery_changelist"),
        ],
    },
    {
        "title": _("触达"),
        "separator": True,
        "items": [
            _item(_("触达记录"), "campaign", "campaigns_reach_changelist"),
            _item(_("触达事项"), "list_alt", "campaigns_topicrule_changelist"),
            _item(_("通知模板"), "article", "campaigns_topictemplate_changelist"),
            _item(_("触达规则"), "bedtime", "campaigns_reachpolicy_changelist"),
            _item(_("站内信"), "mark_email_unread", "campaigns_inboxmessage_changelist"),
            _item(_("跟进任务"), "task_alt", "guides_followup_changelist"),
            _item(_("任务派发"), "assignment_ind", "guides_followupround_changelist"),
        ],
    },
    {
        "title": _("短信"),
        "separator": True,
        "items": [
            _item(_("短信内容"), "textsms", "campaigns_topictext_changelist"),
            _item(_("短信模板"), "description", "sms_smstemplate_changelist"),
            _item(_("短信签名"), "draw", "sms_smssign_changelist"),
            _item(_("短信通道"), "speed", "sms_smslane_changelist"),
            _item(_("短信费用"), "payments", "sms_smsspend_changelist"),
            _item(_("短信回执"), "mark_email_read", "sms_smsreceipt_changelist"),
            _item(_("短信回复"), "reply", "sms_smsreply_changelist"),
            _item(_("不发短信的号码"), "do_not_disturb_on", "sms_smsblock_changelist"),
            _item(_("验证码短信"), "sms", "sms_smsmessage_changelist"),
        ],
    },
    {
        "title": _("数据"),
        "separator": True,
        "items": [
            _item(_("九宫格"), "apps", "sales_ninefold_changelist"),
            _item(_("RFM 分析"), "grid_view", "sales_membermetrics_changelist"),
            _item(_("RFM 设置"), "tune", "sales_rfmsettings_changelist"),
            _item(_("指标计算记录"), "update", "sales_metricsrun_changelist"),
        ],
    },
    {
        "title": _("公众号与小程序"),
        "separator": True,
        "items": [
            _item(_("账号"), "chat", "wechat_account_changelist"),
            _item(_("会话"), "forum", "guides_conversation_changelist"),
            _item(_("话术"), "speaker_notes", "guides_quickreply_changelist"),
            _item(_("自动回复"), "quickreply", "wechat_replyrule_changelist"),
            _item(_("自定义菜单"), "dock_to_bottom", "wechat_menuversion_changelist"),
            _item(_("群发消息"), "send_and_archive", "campaigns_massmessage_changelist"),
            _item(_("模板消息"), "notifications", "wechat_messagetemplate_changelist"),
            _item(_("收件箱"), "inbox", "wechat_inboundevent_changelist"),
            _item(_("发件箱"), "outbox", "wechat_outboundmessage_changelist"),
            _item(_("粉丝"), "person_add", "wechat_follower_changelist"),
            _item(_("粉丝同步"), "sync", "wechat_followersync_changelist"),
            _item(_("粉丝标签"), "sell", "wechat_followertag_changelist"),
            _item(_("标签对应"), "sync_alt", "guides_taglink_changelist"),
            _item(_("接口调用"), "swap_vert", "wechat_outboundcall_changelist")
            | {"active": lambda request: "/outboundcall/" in request.path and "/quota/" not in request.path},
            _item(_("接口用量"), "monitoring", "wechat_quota"),
        ],
    },
    {
        "title": _("系统"),
        "separator": True,
        "items": [
            _item(_("后台账号"), "manage_accounts", "core_staffaccount_changelist"),
            _item(_("账号权限组"), "lock", "auth_group_changelist"),
            _item(_("操作记录"), "history", "core_auditentry_changelist"),
            _item(_("导出文件"), "download", "core_exportjob_changelist"),
            _item(_("接口密钥"), "vpn_key", "openapi_apiclient_changelist"),
            _item(_("接口请求"), "api", "openapi_apirequest_changelist"),
        ],
    },
]
