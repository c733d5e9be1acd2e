"""Logging in: who she is, what binds her, what WeChat refuses."""

import logging
from typing import Any

import pytest

from core.actor import Actor
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from members import services as member_services
from members.models import Member, MemberIdentity
from miniapp.models import BearerToken, Device
from tests.miniapp.kit import SECRET, Mini, Phone, codes
from tests.threads import at_once

LOGIN = "/sns/jscode2session"


def test_a_stranger_becomes_a_prospect_who_came_through_the_mini_program(mini: Mini) -> None:
    phone = mini.phone_of()
    answer = phone.log_in()
    assert answer.status_code == 200
    assert answer.data["is_new"] is True
    member = Member.objects.get()
    assert (member.stage, member.source) == ("prospect", "mini_program")
    kinds = set(MemberIdentity.objects.values_list("kind", "app_id", "value"))
    assert kinds == {
        ("mini_openid", mini.app_id, phone.openid),
        ("unionid", "", mini.unionid(phone.person)),
    }


def test_logging_in_again_is_the_same_member(mini: Mini) -> None:
    phone = mini.phone_of()
    phone.log_in()
    assert phone.log_in().data["is_new"] is False
    assert Member.objects.count() == 1


def test_a_follower_with_the_same_unionid_is_the_same_member(mini: Mini) -> None:
    phone = mini.phone_of()
    openid = phone.person["openids"][mini.official_id]
    follower = member_services.register_follower(
        app_id=mini.official_id, openid=openid, unionid=mini.unionid(phone.person), actor=Actor.wechat()
    )
    assert phone.log_in().data["is_new"] is False
    assert phone.get("/profile").data["id"] == follower.public_id
    assert member_selectors.find_member_id("mini_openid", mini.app_id, phone.openid) == follower.id


def test_a_follower_whose_unionid_is_told_late_is_merged_and_the_token_goes_on_working(mini: Mini) -> None:
    phone = mini.phone_of()
    openid = phone.person["openids"][mini.official_id]
    follower = member_services.register_follower(app_id=mini.official_id, openid=openid, actor=Actor.wechat())
    phone.log_in()
    before = phone.get("/profile").data["id"]
    member_services.identify_follower(
        app_id=mini.official_id, openid=openid, unionid=mini.unionid(phone.person), actor=Actor.wechat()
    )
    after = phone.get("/profile").data["id"]
    assert Member.objects.living().count() == 1
    assert after == Member.objects.living().get().public_id
    assert {before, follower.public_id} >= {after}
    assert [line["is_this"] for line in phone.get("/devices").data["devices"]] == [True]


def test_the_tokens_are_kept_as_digests_and_the_session_key_sealed(mini: Mini) -> None:
    phone = mini.phone_of()
    answer = phone.log_in()
    assert set(answer.data) == {
        "access_token", "expires_in", "refresh_token", "refresh_expires_in", "device_id", "is_new",
        "pending_consents",
    }  # fmt: skip
    assert len(answer.data["access_token"]) == 47
    stored = set(BearerToken.objects.values_list("digest", flat=True))
    assert not stored & {phone.access, phone.refresh}
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT session_key FROM miniapp_device")
        (sealed,) = cursor.fetchone()
    plain = Device.objects.get().session_key
    assert len(plain) == 24
    assert plain not in sealed


def test_the_code_of_a_guide_binds_her(mini: Mini, cast: Any) -> None:
    code = guide_selectors.get_guide_code(cast.wangfang.id).code
    phone = mini.phone_of()
    phone.log_in(scene=code)
    mine = phone.get("/guide")
    assert mine.data["name"] == "王芳"
    assert mine.data["store"]["name"] == "南京东路店"
    member = Member.objects.get(public_id=phone.get("/profile").data["id"])
    assert member.source_scene == code
    history = guide_selectors.list_binding_history(member.pk)
    assert [line.source_label for line in history] == ["小程序码"]


@pytest.mark.parametrize("scene", ["NOSUCHCODE", "", "有中文", "x" * 64, "a b"])
def test_a_scene_that_is_no_code_of_ours_binds_nobody(mini: Mini, scene: str) -> None:
    phone = mini.phone_of()
    assert phone.log_in(scene=scene).status_code == 200
    assert codes(phone.get("/guide")) == (404, "miniapp.no_guide_yet")


# Codes WeChat refuses --------------------------------------------------------------------------------------


def test_a_login_code_works_once(mini: Mini) -> None:
    phone = mini.phone_of()
    code = phone.login_code()
    assert phone.post("/login", {"code": code}).status_code == 200
    assert codes(phone.post("/login", {"code": code})) == (400, "wechat.login_code_unusable")


def test_an_expired_login_code_is_refused(mini: Mini) -> None:
    phone = mini.phone_of()
    code = phone.login_code()
    mini.script("POST", "/clock", advance=301)
    try:
        assert codes(phone.post("/login", {"code": code})) == (400, "wechat.login_code_unusable")
    finally:
        mini.script("POST", "/clock", reset=True)


def test_another_mini_programs_code_is_refused(mini: Mini) -> None:
    other = Mini(mini.base_url)
    mini.script(
        "PUT", f"/accounts/{other.app_id}", name="别家", kind="mini_program", app_secret=SECRET,
        original_id="gh_x", token="pushtoken", aes_key="A" * 43,
    )  # fmt: skip
    phone = mini.phone_of()
    foreign = mini.act(phone.person, "login", app_id=other.app_id)["code"]
    assert codes(phone.post("/login", {"code": foreign})) == (400, "wechat.login_code_unusable")
    assert not Member.objects.exists()


@pytest.mark.parametrize("code", ["nonsense", "a b", "有", "x" * 256])
def test_a_made_up_code_is_refused(mini: Mini, code: str) -> None:
    assert codes(mini.phone_of().post("/login", {"code": code})) == (400, "wechat.login_code_unusable")


def test_a_person_wechat_holds_to_be_a_risk_cannot_log_in(mini: Mini) -> None:
    phone = mini.phone_of(is_high_risk=True)
    assert codes(phone.log_in()) == (403, "wechat.high_risk_user")


def test_an_unknown_or_switched_off_mini_program_is_not_found(mini: Mini) -> None:
    phone = mini.phone_of()
    assert codes(phone.post("/login", {"code": "x", "app_id": "wxnobody"})) == (404, "wechat.no_account")
    mini.account.is_active = False
    mini.account.save(update_fields=["is_active"])
    assert codes(phone.post("/login", {"code": "x"})) == (404, "wechat.no_account")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("slow", (503, "wechat.away")),
        ("http_500", (503, "wechat.away")),
        ("html", (503, "wechat.away")),
        ("busy", (503, "wechat.away")),
        ("drop", (503, "wechat.away")),
        ("too_often", (429, "wechat.too_many_logins")),
    ],
)
def test_when_wechat_is_away_nothing_is_written_and_the_next_try_works(
    mini: Mini, settings: Any, kind: str, expected: tuple[int, str]
) -> None:
    if kind == "slow":
        settings.WECHAT_TIMEOUT_S = 2
    phone = mini.phone_of()
    mini.fault(kind, LOGIN, delay_s=3 if kind == "slow" else 0, times=1)
    assert codes(phone.log_in()) == expected
    assert not Member.objects.exists()
    assert phone.log_in().status_code == 200


def test_ten_logins_at_once_make_one_member(mini: Mini) -> None:
    person = mini.person()
    phones = [Phone(mini, person) for _ in range(6)]
    answers = at_once([phone.log_in for phone in phones])
    assert [answer.status_code for answer in answers] == [200] * 6
    assert Member.objects.count() == 1
    assert MemberIdentity.objects.count() == 2


def test_who_logs_in_is_in_no_log(mini: Mini, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    phone = mini.phone_of()
    code = phone.login_code()
    phone.post("/login", {"code": code})
    phone.post("/login", {"code": code})
    text = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for planted in (phone.openid, mini.unionid(phone.person), code, SECRET):
        assert planted not in text


# Limits ----------------------------------------------------------------------------------------------------


def test_too_many_logins_from_one_address_are_held_back_and_a_flushed_redis_only_forgets(mini: Mini) -> None:
    import redis
    from django.conf import settings

    phone = mini.phone_of()
    *answers, last = [phone.post("/login", {"code": "a b"}) for _ in range(121)]
    assert {codes(answer)[1] for answer in answers} == {"wechat.login_code_unusable"}
    assert codes(last) == (429, "miniapp.too_many_requests")
    assert 1 <= int(last["Retry-After"]) <= 60
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    assert phone.log_in().status_code == 200


def test_without_redis_nobody_is_held_back(mini: Mini, settings: Any) -> None:
    from rest import throttles

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    throttles.forget_client()
    try:
        assert mini.phone_of().log_in().status_code == 200
    finally:
        throttles.forget_client()
