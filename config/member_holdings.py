"""Who keeps what about members: one dotted path per part, in the order in which their rows are locked.

Merging, parting, exporting and erasing a member go through every part named here (`members.services.holdings`);
an architecture test fails when a table with a member's key is in none of them.
"""

# The gateway is erased by her openids, so it comes before her identities; her own row is the last.
HOLDINGS: tuple[str, ...] = (
    "members.services.holdings_people.MergeHoldings",
    "guides.services.holdings_gateway.GatewayHoldings",
    "campaigns.services.holdings.GrantHoldings",
    "campaigns.services.holdings_mass.MassHoldings",
    # Finds everything by her number, so it comes before her profile.
    "campaigns.services.holdings_texts.TextHoldings",
    "members.services.holdings_people.AddressHoldings",
    "sales.services.holdings.SaleHoldings",
    "sales.services.holdings_reviews.ReviewHoldings",
    # Counts what SaleHoldings moved.
    "sales.services.holdings_metrics.MetricsHoldings",
    "sales.services.holdings_nine.MemberDayHoldings",
    # These look for what is kept under her openids, so they come before her identities.
    "members.services.holdings_behaviours.BehaviourHoldings",
    "campaigns.services.holdings_materials.MaterialHoldings",
    "members.services.holdings_people.IdentityHoldings",
    "members.services.holdings_codes.MemberCodeHoldings",
    # Whoever works a segment out holds it while the tags that follow it are written.
    "campaigns.services.holdings_segments.SegmentHoldings",
    "members.services.holdings_people.TagHoldings",
    "members.services.holdings_imports.ImportHoldings",
    "members.services.holdings_privacy.PrivacyHoldings",
    "members.services.holdings_tiers.TierHoldings",
    "guides.services.holdings.BindingHoldings",
    "guides.services.holdings.NoteHoldings",
    "guides.services.holdings.ScanHoldings",
    "guides.services.holdings_requests.RequestHoldings",
    "guides.services.holdings_follow_ups.FollowUpHoldings",
    "guides.services.holdings_conversations.ConversationHoldings",
    "coupons.services.holdings.CouponHoldings",
    "coupons.services.holdings_doors.FaceToFaceHoldings",
    "coupons.services.holdings_doors.StandingHoldings",
    "coupons.services.holdings_member_doors.ExchangeHoldings",
    "coupons.services.holdings_member_doors.UnlockHoldings",
    "coupons.services.holdings_member_doors.ReferralHoldings",
    "campaigns.services.holdings.ReachHoldings",
    "campaigns.services.holdings_campaigns.CampaignHoldings",
    "campaigns.services.holdings_webhooks.WebhookHoldings",
    "campaigns.services.holdings_outcomes.OutcomeHoldings",
    "campaigns.services.holdings_journeys.JourneyHoldings",
    "members.services.holdings_points.PointsHoldings",
    "miniapp.services.holdings.DeviceHoldings",
    "members.services.holdings_privacy.ProfileHoldings",
)
