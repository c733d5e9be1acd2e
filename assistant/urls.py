"""The assistant, below /a/."""

from django.urls import path

from assistant.views import home, login, me, member_words, members, my_code, requests, reveals

app_name = "assistant"
urlpatterns = [
    path("", home.home, name="home"),
    path("pulse/", home.pulse, name="pulse"),
    path("notices/read/", home.read_notices, name="read-notices"),
    path("members/", members.members, name="members"),
    path("members/rows/", members.member_rows, name="member-rows"),
    path("members/<str:public_id>/", members.member, name="member"),
    path("members/<str:public_id>/points/rows/", members.points_rows, name="member-points-rows"),
    path("members/<str:public_id>/tags/", member_words.tags, name="member-tags"),
    path("members/<str:public_id>/tags/found/", member_words.found_tags, name="member-tags-found"),
    path("members/<str:public_id>/tags/add/", member_words.add_tag, name="member-tag-add"),
    path("members/<str:public_id>/tags/remove/", member_words.remove_tag, name="member-tag-remove"),
    path("members/<str:public_id>/notes/", member_words.write_note, name="member-note"),
    path("members/<str:public_id>/notes/save/", member_words.save_note, name="member-note-save"),
    path("members/<str:public_id>/notes/remove/", member_words.remove_note, name="member-note-remove"),
    path("members/<str:public_id>/notes/restore/", member_words.restore_note, name="member-note-restore"),
    path("members/<str:public_id>/remark/", member_words.remark, name="member-remark"),
    path("members/<str:public_id>/remark/save/", member_words.save_remark, name="member-remark-save"),
    path("members/<str:public_id>/phone/", reveals.ask_reason, name="member-phone"),
    path("members/<str:public_id>/phone/show/", reveals.show_phone, name="member-phone-show"),
    path("my-code/", my_code.my_code, name="my-code"),
    path("my-code/qr.png", my_code.qr_png, name="my-code-qr"),
    path("my-code/poster/", my_code.poster_page, name="poster"),
    path("my-code/poster.png", my_code.poster_png, name="poster-png"),
    path("requests/", requests.requests, name="requests"),
    path("requests/rows/", requests.request_rows, name="request-rows"),
    path("requests/<str:public_id>/", requests.request, name="request"),
    path("requests/<str:public_id>/<str:act>/", requests.act, name="request-act"),
    path("me/", me.me, name="me"),
    path("login/", login.login, name="login"),
    path("login/callback/", login.login_callback, name="login-callback"),
    path("activate/", login.activate, name="activate"),
    path("logout/", login.logout, name="logout"),
    path("signed-out/", login.signed_out, name="signed-out"),
    path("ended/", login.ended, name="ended"),
]
