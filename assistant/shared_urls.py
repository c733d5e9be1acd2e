"""What guides share, below /m/: pages for anybody."""

from django.urls import path

from assistant.views import shared

app_name = "shared"
urlpatterns = [
    path("signature/", shared.signature, name="signature"),
    path("<str:token>/", shared.material, name="material"),
    path("<str:token>/back/", shared.back, name="back"),
    path("<str:token>/seen/", shared.seen, name="seen"),
    path("<str:token>/guide.png", shared.guide_code, name="guide-code"),
    path("<str:token>/mini.jpg", shared.mini_code, name="mini-code"),
]
