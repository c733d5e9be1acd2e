"""Which handler hears which event: to events what `urls.py` is to requests.

What a push announces is delivered inside the inbox worker: its handlers run in the order written here, and the
push counts as processed only when all returned (FollowersIdentified and FollowersListed likewise, inside the job that
asked), and PointsGranted in the transaction that wrote the entry. The handlers of all other events run as Celery tasks,
each by itself.
"""

from collections.abc import Mapping, Sequence

from campaigns import events as campaign_events
from core.events import Event
from coupons import events as coupon_events
from guides import events as guide_events
from members import events as member_events
from sales import events as sale_events
from sms import events as sms_events
from wechat import events as wechat_events

ROUTES: Mapping[type[Event], Sequence[str]] = {
    wechat_events.FollowerGained: ["members.handlers.on_follower_gained"],
    wechat_events.FollowersIdentified: ["members.handlers.on_followers_identified"],
    wechat_events.FollowerLost: ["members.handlers.on_follower_lost"],
    wechat_events.FollowersListed: ["members.handlers.on_followers_listed"],
    wechat_events.CodeScanned: ["guides.handlers.on_code_scanned"],
    wechat_events.MessageReceived: ["guides.handlers.on_message_received"],
    wechat_events.MenuClicked: [],
    wechat_events.InboxFilled: ["wechat.services.inbox.on_inbox_filled"],
    wechat_events.MessageQueued: ["wechat.services.outbox.on_message_queued"],
    wechat_events.AuthorizationRevoked: ["members.handlers.on_authorization_revoked"],
    wechat_events.TemplateDelivered: ["campaigns.handlers.on_template_delivered"],
    wechat_events.MassSettled: ["campaigns.handlers.on_mass_settled"],
    wechat_events.SubscriptionAnswered: ["campaigns.handlers.on_subscription_answered"],
    wechat_events.SubscriptionSettled: ["campaigns.handlers.on_subscription_settled"],
    sms_events.SmsQueued: ["sms.services.outbox.on_sms_queued"],
    sms_events.ReportsArrived: ["sms.services.reports.on_reports_arrived"],
    sms_events.TextReported: ["campaigns.handlers.on_text_reported"],
    sms_events.OptOutReceived: ["campaigns.handlers.on_opt_out_received"],
    member_events.MemberRegistered: [
        "coupons.handlers.on_member_registered",
        "sales.handlers.on_member_joined",
    ],
    member_events.MemberJoined: [
        "members.handlers.on_member_joined",
        "coupons.handlers.on_member_joined",
        "sales.handlers.on_member_joined",
    ],
    member_events.ProfileCompleted: [
        "members.handlers.on_profile_completed",
        "coupons.handlers.on_profile_completed",
    ],
    member_events.IdentityLinked: ["members.handlers.on_identity_linked"],
    member_events.IdentityUnlinked: [],
    member_events.MemberMerged: [
        "members.handlers.on_member_merged",
        "guides.handlers.move_requests_of_merged",
        "guides.handlers.move_follow_ups_of_merged",
        "sales.handlers.on_member_merged",
    ],
    member_events.MemberUnmerged: [
        "guides.handlers.move_requests_of_parted",
        "sales.handlers.on_member_unmerged",
    ],
    member_events.MemberFollowed: [],
    member_events.MemberUnfollowed: [],
    member_events.PointsCredited: [],
    member_events.PointsDebited: [],
    member_events.PointsGranted: ["guides.handlers.on_points_granted"],
    member_events.PointsReversed: [],
    member_events.PointsExpired: [],
    member_events.PointsExpiring: ["guides.handlers.on_points_expiring"],
    member_events.PointsAdjustmentRequested: [],
    member_events.ImportQueued: ["members.handlers.on_import_queued"],
    member_events.MembersTagged: ["guides.handlers.on_tags_changed"],
    member_events.MembersUntagged: ["guides.handlers.on_tags_changed"],
    guide_events.MemberBound: [
        "guides.handlers.on_member_bound",
        "guides.handlers.move_requests_of_bound",
        "guides.handlers.move_follow_ups_of_bound",
        "coupons.handlers.on_member_bound",
        "sales.handlers.on_member_bound",
    ],
    guide_events.MemberUnbound: [
        "guides.handlers.on_member_unbound",
        "guides.handlers.move_requests_of_unbound",
        "guides.handlers.move_follow_ups_of_bound",
        "sales.handlers.on_member_unbound",
    ],
    member_events.ReassessmentRequested: ["members.handlers.on_reassessment_requested"],
    member_events.TierAtRisk: ["guides.handlers.on_tier_at_risk"],
    member_events.TierChanged: ["coupons.handlers.on_tier_changed", "guides.handlers.on_tier_changed"],
    member_events.ConsentAgreed: [],
    member_events.ConsentWithdrawn: [
        "members.handlers.on_consent_withdrawn",
        "campaigns.handlers.on_consent_withdrawn",
    ],
    member_events.ConsentTextPublished: [],
    member_events.AuthorizationForgotten: ["miniapp.handlers.on_authorization_forgotten"],
    member_events.ErasureAsked: [],
    member_events.MemberErased: ["miniapp.handlers.on_member_erased"],
    member_events.RevealRefused: [],
    guide_events.ChannelScanned: ["coupons.handlers.on_channel_scanned"],
    guide_events.GuideLeft: ["guides.handlers.on_guide_left"],
    guide_events.GuideMoved: ["guides.handlers.on_guide_moved"],
    guide_events.RequestStepped: ["guides.handlers.on_request_stepped"],
    guide_events.FollowUpChanged: ["sales.handlers.on_follow_up_changed"],
    guide_events.ChannelCodeOpened: ["guides.handlers.on_channel_code_opened"],
    coupon_events.CouponClaimed: [],
    coupon_events.CouponIssued: ["coupons.handlers.on_coupon_issued"],
    coupon_events.CouponsIssued: ["coupons.handlers.on_coupons_issued"],
    coupon_events.IssueJobConfirmed: ["coupons.handlers.on_issue_job_confirmed"],
    coupon_events.VoidJobStarted: ["coupons.handlers.on_void_job_started"],
    coupon_events.CouponRedeemed: ["sales.handlers.on_redemption_changed"],
    coupon_events.RedemptionReversed: ["sales.handlers.on_redemption_changed"],
    coupon_events.OrderReturned: [],
    coupon_events.CouponsVoided: [],
    coupon_events.CouponsExpired: [],
    coupon_events.CouponsExpiring: ["coupons.handlers.on_coupons_expiring"],
    coupon_events.GiftAccepted: [],
    coupon_events.GiftReturned: ["coupons.handlers.on_gift_returned"],
    sale_events.SaleRecorded: ["sales.handlers.on_sale_recorded"],
    sale_events.SaleCorrected: ["sales.handlers.on_sale_corrected"],
    sale_events.ReturnRecorded: ["sales.handlers.on_return_recorded"],
    sale_events.SaleReattributed: [],
    sale_events.DocumentsHeld: [],
    sale_events.CommissionBegun: ["sales.handlers.on_commission_begun"],
    sale_events.DeskJobStarted: ["sales.handlers.on_desk_job_started"],
    sale_events.MonthWasClosed: ["sales.handlers.on_month_was_closed"],
    sale_events.IntakeQueued: ["sales.handlers.on_intake_queued"],
    coupon_events.UnlockReached: [],
    campaign_events.CampaignDue: ["campaigns.handlers.on_campaign_due"],
    campaign_events.CampaignMoved: ["campaigns.handlers.on_campaign_moved"],
    campaign_events.MassConfirmed: ["campaigns.handlers.on_mass_confirmed"],
    campaign_events.MaterialShared: ["campaigns.handlers.on_material_shared"],
    campaign_events.ReachesQueued: ["campaigns.handlers.on_reaches_queued"],
    campaign_events.SegmentDue: ["campaigns.handlers.on_segment_due"],
    campaign_events.SegmentMoved: [],
}
