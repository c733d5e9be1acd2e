"""Proving a phone through WeChat."""

import base64
import datetime as dt
import logging
from functools import partial

import pytest

from core import clock
from core.actor import Actor
from members import services as member_services
from members.models import Member, MemberIdentity
from miniapp.models import Device
from tests.miniapp.kit import SECRET, Mini, Phone, codes
from tests.threads import at_once

GET_PHONE = "/wxa/business/getuserphonenumber"
CHECK_DATA = "/wxa/business/checkencryptedmsg"
NUMBER = "13800138000"


def test_a_phone_code_makes_her_a_member(phone: Phone) -> None:
    answer = phone.post("/phone/code", {"code": phone.phone_code(phone=NUMBER)})
    assert answer.status_code == 200
    assert (answer.data["stage"], answer.data["masked_phone"]) == ("member", "138 **** 8000")
    assert Member.objects.get().phone == NUMBER


def test_a_phone_code_works_once(phone: Phone) -> None:
    code = phone.phone_code()
    assert phone.post("/phone/code", {"code": code}).status_code == 200
    assert codes(phone.post("/phone/code", {"code": code})) == (400, "wechat.phone_code_unusable")


def test_an_expired_phone_code_is_refused(mini: Mini, phone: Phone) -> None:
    code = phone.phone_code()
    mini.script("POST", "/clock", advance=301)
    try:
        assert codes(phone.post("/phone/code", {"code": code})) == (400, "wechat.phone_code_unusable")
    finally:
        mini.script("POST", "/clock", reset=True)


def test_a_phone_code_of_another_session_is_refused_and_stays_good_for_her(mini: Mini, phone: Phone) -> None:
    victim = mini.phone_of("小丽")
    victim.log_in()
    code = victim.phone_code(phone=NUMBER)
    assert codes(phone.post("/phone/code", {"code": code})) == (400, "wechat.phone_code_unusable")
    assert not MemberIdentity.objects.filter(kind="phone").exists()
    assert victim.post("/phone/code", {"code": code}).status_code == 200


def test_a_login_code_is_no_phone_code(phone: Phone) -> None:
    assert codes(phone.post("/phone/code", {"code": phone.login_code()})) == (
        400,
        "wechat.phone_code_unusable",
    )


def test_a_foreign_number_is_refused(phone: Phone) -> None:
    code = phone.phone_code(phone="5551234567", country_code="1")
    assert codes(phone.post("/phone/code", {"code": code})) == (400, "members.phone_unusable")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("http_500", (503, "wechat.away")), ("busy", (503, "wechat.away")), ("drop", (503, "wechat.away"))],
)
def test_when_wechat_is_away_the_code_can_be_sent_again(
    mini: Mini, phone: Phone, kind: str, expected: tuple[int, str]
) -> None:
    code = phone.phone_code()
    mini.fault(kind, GET_PHONE, times=1)
    assert codes(phone.post("/phone/code", {"code": code})) == expected
    assert phone.post("/phone/code", {"code": code}).status_code == 200


def test_a_quota_of_wechat_is_said_plainly(mini: Mini, phone: Phone) -> None:
    mini.fault("quota", GET_PHONE, times=1)
    assert phone.prove_phone().status_code in {422, 503}
    assert phone.prove_phone().status_code == 200


def test_a_member_of_the_till_with_that_number_is_the_same_person(phone: Phone) -> None:
    till = member_services.register_member(
        name="王小美", phone=NUMBER, source="pos", actor=Actor.system("till")
    )
    answer = phone.post("/phone/code", {"code": phone.phone_code(phone=NUMBER)})
    assert (answer.data["id"], answer.data["name"]) == (till.public_id, "王小美")
    assert Member.objects.living().count() == 1
    assert phone.get("/profile").data["id"] == till.public_id


def test_two_wechat_accounts_with_one_number_are_one_person(mini: Mini, phone: Phone) -> None:
    second = mini.phone_of("小美的另一个微信")
    second.log_in()
    for one in (phone, second):
        assert one.post("/phone/code", {"code": one.phone_code(phone=NUMBER)}).status_code == 200
    assert phone.get("/profile").data["id"] == second.get("/profile").data["id"]
    assert MemberIdentity.objects.filter(kind="phone").count() == 1


def test_a_number_the_operator_gave_to_somebody_else_does_not_open_its_former_owner(
    mini: Mini, phone: Phone
) -> None:
    phone.post("/phone/code", {"code": phone.phone_code(phone=NUMBER)})
    former = phone.get("/profile").data["id"]
    MemberIdentity.objects.filter(kind="phone").update(proved_at=clock.now() - dt.timedelta(days=91))
    newcomer = mini.phone_of("新机主")
    newcomer.log_in()
    told = newcomer.post("/phone/code", {"code": newcomer.phone_code(phone=NUMBER)})
    assert (told.status_code, told.data["masked_phone"]) == (200, "138 **** 8000")
    assert told.data["id"] != former
    # The former owner stays logged in as herself, and is asked for her number again.
    mine = phone.get("/profile").data
    assert (mine["id"], mine["masked_phone"], "phone" in mine["missing"]) == (former, "", True)


def test_two_devices_that_join_with_one_number_at_the_same_moment_are_one_member(mini: Mini) -> None:
    for _round in range(3):
        number = f"1390013{_round:04d}"
        phones = [mini.phone_of(f"手机{n}") for n in range(3)]
        for one in phones:
            one.log_in()
        given = [one.phone_code(phone=number) for one in phones]
        answers = at_once(
            [
                partial(one.post, "/phone/code", {"code": code})
                for one, code in zip(phones, given, strict=True)
            ]
        )
        assert [answer.status_code for answer in answers] == [200] * 3, [answer.data for answer in answers]
        assert len({one.get("/profile").data["id"] for one in phones}) == 1
        assert MemberIdentity.objects.filter(kind="phone", member__phone_tail=number[-4:]).count() == 1


def test_another_number_replaces_the_first_which_is_free_again(mini: Mini, phone: Phone) -> None:
    phone.post("/phone/code", {"code": phone.phone_code(phone=NUMBER)})
    phone.post("/phone/code", {"code": phone.phone_code(phone="13900139000")})
    assert Member.objects.get().phone == "13900139000"
    newcomer = mini.phone_of("新机主")
    newcomer.log_in()
    newcomer.post("/phone/code", {"code": newcomer.phone_code(phone=NUMBER)})
    assert newcomer.get("/profile").data["id"] != phone.get("/profile").data["id"]


# The older way ---------------------------------------------------------------------------------------------


def test_encrypted_data_makes_her_a_member(phone: Phone) -> None:
    answer = phone.post("/phone/encrypted", phone.sealed_phone(phone=NUMBER))
    assert (answer.status_code, answer.data["masked_phone"]) == (200, "138 **** 8000")


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        ({"wrong_appid": True}, "wechat.watermark_wrong"),
        ({"old_watermark_s": 601}, "wechat.watermark_wrong"),
        ({"old_watermark_s": -3600}, "wechat.watermark_wrong"),
    ],
)
def test_foreign_or_old_data_is_refused(phone: Phone, bend: dict[str, object], code: str) -> None:
    assert codes(phone.post("/phone/encrypted", phone.sealed_phone(script=bend))) == (400, code)
    assert not MemberIdentity.objects.filter(kind="phone").exists()


def test_data_sealed_under_an_older_login_is_stale(phone: Phone) -> None:
    phone.log_in()
    sealed = phone.sealed_phone(script={"stale_session": True})
    assert codes(phone.post("/phone/encrypted", sealed)) == (400, "wechat.session_stale")


def test_another_persons_data_does_not_open(mini: Mini, phone: Phone) -> None:
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    assert codes(phone.post("/phone/encrypted", stranger.sealed_phone())) == (400, "wechat.session_stale")


def test_data_whose_number_was_changed_in_its_blocks_is_not_from_wechat(phone: Phone) -> None:
    """CBC lets whoever knows the plain text change the first block through the IV; WeChat's hash does not."""
    sealed = phone.sealed_phone(phone=NUMBER)
    iv = bytearray(base64.b64decode(sealed["iv"]))
    assert phone.post("/phone/encrypted", sealed).status_code == 200
    # {"phoneNumber":" is 16 bytes: the number stands in the second block, bent through the first block's ciphertext.
    body = bytearray(base64.b64decode(sealed["encrypted_data"]))
    body[0] ^= 1
    bent = {
        "encrypted_data": base64.b64encode(bytes(body)).decode(),
        "iv": base64.b64encode(bytes(iv)).decode(),
    }
    assert phone.post("/phone/encrypted", bent).status_code == 400
    iv[15] ^= 1
    bent = {"encrypted_data": sealed["encrypted_data"], "iv": base64.b64encode(bytes(iv)).decode()}
    assert phone.post("/phone/encrypted", bent).status_code == 400


def test_data_that_opens_but_was_not_made_by_wechat_proves_nothing(phone: Phone) -> None:
    """Whoever got hold of the session key can seal any number; only WeChat knows what it made."""
    import json
    import os

    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    from core import clock

    key = base64.b64decode(Device.objects.get().session_key)
    mark = {"timestamp": int(clock.now().timestamp()), "appid": phone.mini.app_id}
    text = json.dumps(
        {"phoneNumber": NUMBER, "purePhoneNumber": NUMBER, "countryCode": "86", "watermark": mark}
    )
    iv, padder = os.urandom(16), padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    body = encryptor.update(padder.update(text.encode()) + padder.finalize()) + encryptor.finalize()
    forged = {"encrypted_data": base64.b64encode(body).decode(), "iv": base64.b64encode(iv).decode()}
    assert codes(phone.post("/phone/encrypted", forged)) == (400, "miniapp.not_from_wechat")
    assert not MemberIdentity.objects.filter(kind="phone").exists()


@pytest.mark.parametrize(
    "sealed",
    [
        {"encrypted_data": "x", "iv": "y"},
        {"encrypted_data": "有", "iv": "有"},
        {"encrypted_data": "A" * 16000, "iv": "A" * 24},
    ],
)
def test_nonsense_is_refused(phone: Phone, sealed: dict[str, str]) -> None:
    assert codes(phone.post("/phone/encrypted", sealed)) == (400, "wechat.session_stale")


def test_data_cannot_be_checked_while_wechat_is_away(mini: Mini, phone: Phone) -> None:
    sealed = phone.sealed_phone()
    mini.fault("http_500", CHECK_DATA, times=1)
    assert codes(phone.post("/phone/encrypted", sealed)) == (503, "wechat.away")
    assert phone.post("/phone/encrypted", sealed).status_code == 200


# Privacy ---------------------------------------------------------------------------------------------------


def test_numbers_and_codes_are_in_no_log_and_no_refusal(
    mini: Mini, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    number = "13712345678"
    code = phone.phone_code(phone=number)
    sealed = phone.sealed_phone(phone=number)
    bodies = [
        phone.post("/phone/code", {"code": code}).content,
        phone.post("/phone/code", {"code": code}).content,
        phone.post("/phone/encrypted", sealed).content,
        phone.post("/phone/encrypted", {**sealed, "iv": "A" * 24}).content,
        phone.post("/phone/sms", {"phone": number}).content,
        phone.post("/phone/sms", {"phone": f"{number}9"}).content,
    ]
    text = caplog.text + "".join(str(vars(record)) for record in caplog.records) + str(bodies)
    key = Device.objects.get().session_key
    for planted in (number, phone.openid, mini.unionid(phone.person), code, key, SECRET):
        assert planted not in text


def test_ten_proofs_an_hour_are_enough(phone: Phone) -> None:
    for _ in range(10):
        phone.post("/phone/code", {"code": "a b"})
    assert codes(phone.post("/phone/code", {"code": "a b"})) == (429, "miniapp.too_many_requests")
