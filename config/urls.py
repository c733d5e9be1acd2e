"""Requests to views. WeChat's callback is served before these by `wechat.views.CallbackMount`."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from django.views.static import serve

from config.health import health
from sms.views import take_report
from wechat.views import callback

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/a/")),
    path("healthz", health),
    path("wechat/callback/<slug:slug>/", callback, name="wechat_callback"),
    path("sms/reports/<str:key>/", take_report, name="sms_reports"),
    path("admin/", admin.site.urls),
    path("a/", include("assistant.urls")),
    # What guides share, for anybody.
    path("m/", include("assistant.shared_urls")),
    path("api/mini/v1/", include("miniapp.urls")),
    path("openapi/v1/", include("openapi.urls")),
    # Pictures that staff upload for replies; WeChat's servers and phones fetch them too.
    path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
]

handler400 = "config.error_pages.bad_request"
handler403 = "config.error_pages.permission_denied"
handler404 = "config.error_pages.not_found"
handler500 = "config.error_pages.server_error"
