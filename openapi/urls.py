"""`/openapi/v1/`: one line an endpoint, by topic. What is not here answers 404 in the API's own shape."""

from django.urls import URLPattern, path, re_path

from openapi.views import (
    behaviours,
    catalog,
    clock,
    coupons,
    docs,
    members,
    orders,
    queue,
    returns,
    sales,
    segments,
)

urlpatterns: list[URLPattern] = [
    path("clock", clock.ClockView.as_view(), name="openapi_clock"),
    path("ping", clock.PingView.as_view()),
    path("coupons/verify", coupons.VerifyView.as_view()),
    path("coupons/lock", coupons.LockView.as_view()),
    path("coupons/unlock", coupons.UnlockView.as_view()),
    path("members/read", members.ReadCodeView.as_view()),
    path("members/coupons", members.MemberCouponsView.as_view()),
    path("basket/price", orders.PriceView.as_view()),
    path("orders", orders.OrderView.as_view()),
    path("orders/redeem", orders.RedeemView.as_view()),
    path("orders/reverse", returns.ReverseView.as_view()),
    path("orders/return", returns.ReturnView.as_view()),
    path("sales/orders", sales.SaleOrderView.as_view()),
    path("sales/returns", sales.SaleReturnView.as_view()),
    path("sales/documents", sales.SaleBatchView.as_view()),
    path("sales/products", catalog.ProductsView.as_view()),
    path("sales/categories", catalog.CategoriesView.as_view()),
    path("behaviours", behaviours.BehavioursView.as_view()),
    path("segments", segments.SegmentsView.as_view()),
    path("segments/schema", segments.SchemaView.as_view()),
    path("segments/count", segments.CountView.as_view()),
    path("segments/change", segments.ChangeView.as_view()),
    path("segments/members", segments.MembersView.as_view()),
    path("segments/sizes", segments.SizesView.as_view()),
    path("queue/redeem", queue.QueueView.as_view()),
    path("openapi.json", docs.DocumentView.as_view(), name="openapi_document"),
    path("", docs.reference, name="openapi_reference"),
    re_path(r"^.+$", docs.NothingHereView.as_view()),
]
