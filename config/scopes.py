"""Which function narrows which table to the part of the chain a staff account sees.

Each function takes (staff, queryset) and returns the narrowed queryset; `core.admin.ScopedAdmin` applies it to
every admin page. A table that is not named here is shown to head office (superusers) only when its admin is
scoped, so forgetting an entry hides rows rather than showing them.
"""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "core.ExportJob": "core.admin.export_pages.scope_export_jobs",
    "members.Member": "guides.selectors.scope_members",
    "members.MemberMerge": "guides.selectors.scopes.scope_merges",
    "members.ConsentEntry": "guides.selectors.scopes.scope_member_rows",
    "members.DataRequest": "guides.selectors.scopes.scope_member_rows",
    "members.PhoneReveal": "guides.selectors.scopes.scope_member_rows",
    "members.Behaviour": "guides.selectors.scopes.scope_member_rows",
    "members.PointsEntry": "guides.selectors.scopes.scope_points",
    "members.PointsAdjustment": "guides.selectors.scopes.scope_points",
    "members.TierChange": "guides.selectors.scopes.scope_tier_changes",
    "guides.Store": "guides.selectors.scope_stores",
    "guides.Guide": "guides.selectors.scope_guides",
    "guides.Binding": "guides.selectors.scope_bindings",
    "guides.ChannelCode": "guides.selectors.scope_channel_codes",
    "guides.ChannelScan": "guides.selectors.scope_channel_scans",
    "guides.ServiceRequest": "guides.selectors.scope_requests",
    "guides.FollowUp": "guides.selectors.scopes.scope_follow_ups",
    "guides.Conversation": "guides.selectors.scopes.scope_conversations",
    "campaigns.Campaign": "campaigns.selectors.campaigns.scope_campaigns",
    "campaigns.CampaignMove": "campaigns.selectors.campaigns.scope_campaign_rows",
    "campaigns.CampaignRun": "campaigns.selectors.campaigns.scope_campaign_rows",
    "campaigns.CampaignMember": "campaigns.selectors.campaigns.scope_run_rows",
    "campaigns.CampaignBook": "campaigns.selectors.proof_sums.scope_books",
    "campaigns.MassMessage": "campaigns.selectors.mass.scope_mass_messages",
    "campaigns.Reach": "guides.selectors.scopes.scope_member_rows",
    "campaigns.Enrolment": "guides.selectors.scopes.scope_member_rows",
    "campaigns.WebhookDelivery": "guides.selectors.scopes.scope_member_rows",
    "campaigns.SegmentMember": "guides.selectors.scopes.scope_member_rows",
    "campaigns.InboxMessage": "guides.selectors.scopes.scope_member_rows",
    "sales.MemberMetrics": "guides.selectors.scopes.scope_member_rows",
    "coupons.FaceToFaceOffer": "coupons.selectors.scopes.scope_offers",
    "coupons.StandingIssue": "guides.selectors.scopes.scope_member_rows",
    "coupons.Coupon": "coupons.selectors.scope_coupons",
    "coupons.ExchangeCode": "coupons.selectors.scopes.scope_exchange_codes",
    "coupons.UnlockShare": "coupons.selectors.scopes.scope_unlock_shares",
    "coupons.VoidJob": "coupons.selectors.voiding.scope_void_jobs",
    "coupons.IssueJob": "coupons.selectors.scope_issue_jobs",
    "coupons.Redemption": "coupons.selectors.scope_redemptions",
    "coupons.CouponDay": "coupons.selectors.scope_coupon_days",
    "coupons.SettlementLine": "coupons.selectors.scope_settlement_lines",
    "sales.Target": "sales.selectors.target_scope.scope_targets",
    "sales.Sale": "sales.selectors.staff_scopes.scope_by_store",
    "sales.SaleReturn": "sales.selectors.staff_scopes.scope_returns",
    "sales.PerformanceEntry": "sales.selectors.staff_scopes.scope_by_store",
    "sales.CommissionLine": "sales.selectors.staff_scopes.scope_commission_lines",
    "sales.HeldDocument": "sales.selectors.staff_scopes.scope_held",
    "sales.Review": "sales.selectors.staff_scopes.scope_by_store",
    "sales.DeskJob": "sales.selectors.staff_scopes.scope_jobs",
}
