"""`/api/mini/v1/`: one line an endpoint, by topic. What is not here answers 404 in the API's own shape."""

from django.urls import URLPattern, path, re_path, register_converter
from django.urls.converters import StringConverter

from miniapp.views import (
    behaviours,
    campaigns,
    claims,
    consents,
    coupons,
    devices,
    docs,
    gifts,
    guide,
    inbox,
    login,
    materials,
    orders,
    own_data,
    phone,
    points,
    profile,
    requests,
    reviews,
    subscriptions,
    tier,
    unlocks,
)


class PublicId(StringConverter):
    """Ids as they are seen outside; anything else is no address."""

    regex = "[2-9A-Z]{16}"


class VeiledId(StringConverter):
    """Ids that are a row's number under a key (`core.crypto.veil`)."""

    regex = "[0-9A-Za-z_-]{22}"


register_converter(PublicId, "public_id")
register_converter(VeiledId, "veiled_id")

urlpatterns: list[URLPattern] = [
    path("login", login.LoginView.as_view(), name="mini_login"),
    path("refresh", login.RefreshView.as_view()),
    path("logout", login.LogoutView.as_view()),
    path("devices", devices.DevicesView.as_view()),
    path("devices/revoke", devices.RevokeDevicesView.as_view()),
    path("devices/<public_id:device_id>", devices.DeviceView.as_view()),
    path("phone/code", phone.PhoneCodeView.as_view()),
    path("phone/encrypted", phone.PhoneDataView.as_view()),
    path("phone/sms", phone.SmsRequestView.as_view()),
    path("phone/sms/confirm", phone.SmsConfirmView.as_view()),
    path("profile", profile.ProfileView.as_view()),
    path("profile/address", profile.AddressView.as_view()),
    path("member-code", profile.MemberCodeView.as_view()),
    path("points", points.PointsView.as_view()),
    path("points/entries", points.PointsEntriesView.as_view()),
    path("behaviours", behaviours.BehavioursView.as_view()),
    path("tier", tier.TierView.as_view()),
    path("tier/history", tier.TierHistoryView.as_view()),
    path("guide", guide.GuideView.as_view()),
    path("guide/change-reasons", guide.ChangeReasonsView.as_view()),
    path("stores", guide.StoresView.as_view()),
    path("stores/<public_id:store_id>/guides", guide.StoreGuidesView.as_view()),
    path("requests", requests.RequestsView.as_view()),
    path("requests/kinds", requests.RequestKindsView.as_view()),
    path("requests/<public_id:request_id>", requests.RequestView.as_view()),
    path("requests/<public_id:request_id>/cancel", requests.CancelRequestView.as_view()),
    path("requests/<public_id:request_id>/confirm", requests.ConfirmRequestView.as_view()),
    path("requests/<public_id:request_id>/read", requests.ReadRequestView.as_view()),
    path("orders", orders.OrdersView.as_view()),
    path("orders/<public_id:order_id>", orders.OrderView.as_view()),
    path("reviews", reviews.ReviewsView.as_view()),
    path("reviews/<public_id:review_id>", reviews.ReviewView.as_view()),
    path("reviews/<public_id:review_id>/answer", reviews.AnswerReviewView.as_view()),
    path("inbox", inbox.InboxView.as_view()),
    path("inbox/unread", inbox.InboxUnreadView.as_view()),
    path("inbox/read-all", inbox.ReadAllInboxView.as_view()),
    path("inbox/<public_id:message_id>/read", inbox.ReadInboxView.as_view()),
    path("campaigns/open", campaigns.OpenCampaignView.as_view()),
    path("materials/open", materials.OpenMaterialView.as_view()),
    path("campaigns/<public_id:campaign_id>", campaigns.CampaignView.as_view()),
    path("subscribe-templates", subscriptions.OfferedTemplatesView.as_view()),
    path("subscribe-answers", subscriptions.SubscribeAnswersView.as_view()),
    path("coupon-batches", claims.BatchesView.as_view()),
    path("coupon-batches/<public_id:batch_id>", claims.BatchView.as_view()),
    path("coupon-batches/<public_id:batch_id>/claim", claims.ClaimView.as_view()),
    path("coupons", coupons.CouponsView.as_view()),
    path("coupons/exchange", claims.ExchangeView.as_view()),
    path("coupons/<veiled_id:coupon_id>", coupons.CouponView.as_view()),
    path("coupons/<veiled_id:coupon_id>/code", coupons.CouponCodeView.as_view()),
    path("coupons/<veiled_id:coupon_id>/gift", gifts.GiftView.as_view()),
    path("coupons/<veiled_id:coupon_id>/gift/return", gifts.ReturnGiftView.as_view()),
    path("gifts/preview", gifts.PreviewGiftView.as_view()),
    path("gifts/accept", gifts.AcceptGiftView.as_view()),
    path("unlocks", unlocks.OffersView.as_view()),
    path("unlocks/<public_id:offer_id>", unlocks.OfferView.as_view()),
    path("unlocks/<public_id:offer_id>/start", unlocks.StartView.as_view()),
    path("unlock-shares/<public_id:share_id>", unlocks.ShareView.as_view()),
    path("unlock-shares/<public_id:share_id>/help", unlocks.HelpView.as_view()),
    path("consents", consents.ConsentsView.as_view()),
    path("consents/texts", consents.ConsentTextsView.as_view()),
    path("consents/agree", consents.AgreeView.as_view()),
    path("consents/withdraw", consents.WithdrawView.as_view()),
    path("data-requests", own_data.DataRequestsView.as_view()),
    path("data-requests/<public_id:request_id>/file", own_data.OwnDataView.as_view()),
    path("data-requests/<public_id:request_id>/withdraw", own_data.WithdrawRequestView.as_view()),
    path("openapi.json", docs.DocumentView.as_view(), name="mini_openapi"),
    path("", docs.reference, name="mini_reference"),
    re_path(r"^.+$", docs.NothingHereView.as_view()),
]
