"""The code by text message."""

import datetime as dt
import re
from functools import partial
from typing import Any

import pytest
import time_machine

from core import clock
from core.actor import Actor
from members import services as member_services
from members.models import Member
from miniapp import services
from miniapp.models import SmsCode
from sms import services as sms_services
from sms.models import SmsMessage
from tests.miniapp.kit import Mini, Phone, codes
from tests.threads import at_once

NUMBER = "13800138000"


def sent_code(mini: Mini, number: str = NUMBER) -> str:
    """What the newest text on that phone says."""
    sms_services.send_due_messages()
    found = re.search(r"验证码是 (\d{6})", mini.texts(number)[0])
    assert found is not None
    return found[1]


def request(phone: Phone, number: str = NUMBER) -> Any:
    return phone.post("/phone/sms", {"phone": number})


def confirm(phone: Phone, code: str, number: str = NUMBER) -> Any:
    return phone.post("/phone/sms/confirm", {"phone": number, "code": code})


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_arrives_and_makes_her_a_member(mini: Mini, phone: Phone) -> None:
    asked = request(phone, "138 0013 8000")
    assert asked.data == {"masked_phone": "138 **** 8000", "expires_in": 300, "again_in": 60}
    code = sent_code(mini)
    answer = confirm(phone, code)
    assert (answer.status_code, answer.data["stage"]) == (200, "member")
    assert mini.texts(NUMBER)[0].startswith("【素衣】")


def test_neither_code_nor_number_is_kept_in_clear(mini: Mini, phone: Phone) -> None:
    from django.db import connection

    request(phone)
    code = sent_code(mini)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM miniapp_smscode t UNION ALL SELECT t::text FROM sms_smsmessage t")
        stored = str(cursor.fetchall())
    assert NUMBER not in stored
    assert code not in stored
    assert SmsMessage.objects.get().params == ""  # forgotten once it was sent


def test_a_code_works_once(mini: Mini, phone: Phone) -> None:
    request(phone)
    code = sent_code(mini)
    assert confirm(phone, code).status_code == 200
    assert codes(confirm(phone, code)) == (400, "miniapp.sms_code_unusable")


def test_a_code_ends_after_five_minutes(mini: Mini, phone: Phone) -> None:
    request(phone)
    code = sent_code(mini)
    with time_machine.travel(clock.now() + dt.timedelta(minutes=5), tick=True):
        assert codes(confirm(phone, code)) == (400, "miniapp.sms_code_unusable")


def test_five_wrong_tries_end_it_also_for_the_right_code(mini: Mini, phone: Phone) -> None:
    request(phone)
    code = sent_code(mini)
    left = [confirm(phone, wrong(code)).data["details"]["tries_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert codes(confirm(phone, code)) == (400, "miniapp.sms_code_unusable")


def test_tries_at_once_do_not_get_more_than_five_between_them(mini: Mini, phone: Phone) -> None:
    request(phone)
    code = sent_code(mini)
    answers = at_once([lambda: confirm(phone, wrong(code))] * 12)
    found = [codes(answer)[1] for answer in answers]
    assert found.count("miniapp.sms_code_wrong") == 5
    assert SmsCode.objects.get().try_count == 5


def test_the_right_code_sent_twice_at_once_counts_once(mini: Mini, phone: Phone) -> None:
    request(phone)
    code = sent_code(mini)
    answers = at_once([lambda: confirm(phone, code)] * 4)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


def test_a_code_is_good_on_the_device_that_asked_for_it_only(mini: Mini, phone: Phone) -> None:
    request(phone)
    code = sent_code(mini)
    thief = mini.phone_of("小丽")
    thief.log_in()
    assert codes(confirm(thief, code)) == (400, "miniapp.sms_code_unusable")
    assert confirm(phone, code).status_code == 200


def test_a_code_is_good_for_its_number_only(mini: Mini, phone: Phone) -> None:
    request(phone)
    code = sent_code(mini)
    assert codes(confirm(phone, code, "13900139000")) == (400, "miniapp.sms_code_unusable")


def test_one_text_a_minute_to_a_number_whoever_asks(mini: Mini, phone: Phone) -> None:
    other = mini.phone_of("小丽")
    other.log_in()
    assert request(phone).status_code == 200
    again = request(other)
    assert codes(again) == (429, "miniapp.sms_too_soon")
    assert 1 <= int(again["Retry-After"]) <= 60
    assert SmsMessage.objects.count() == 1


def test_asking_ten_times_at_once_sends_one_text(mini: Mini) -> None:
    phones = [mini.phone_of(f"手机{n}") for n in range(5)]
    for one in phones:
        one.log_in()
    moment = clock.now().replace(second=20, microsecond=0)  # not across a minute
    with time_machine.travel(moment, tick=False):
        answers = at_once([partial(request, one) for one in phones])
    assert sorted(answer.status_code for answer in answers) == [200, 429, 429, 429, 429]
    assert SmsMessage.objects.count() == SmsCode.objects.count() == 1


def test_limits_that_cost_money_hold_with_an_empty_redis(mini: Mini, phone: Phone, settings: Any) -> None:
    import redis

    start = clock.now()
    answers = []
    for n in range(12):
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushdb()
        with time_machine.travel(start + dt.timedelta(minutes=15 * n), tick=False):
            one = Phone(mini, phone.person)
            one.log_in()  # a device has a limit of its own
            answers.append(request(one).status_code)
    assert answers == [200] * 10 + [429] * 2
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    numbers = [f"1390013900{n}" for n in range(6)]
    fresh = Phone(mini, phone.person)
    fresh.log_in()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    assert [request(fresh, number).status_code for number in numbers] == [200] * 5 + [429]


def test_five_texts_an_hour_to_a_number_by_redis(mini: Mini, phone: Phone) -> None:
    found = [codes(request(phone))[1] if n else request(phone).status_code for n in range(7)]
    assert found[0] == 200
    assert found[-1] == "miniapp.too_many_requests"


@pytest.mark.parametrize("number", ["1380013800", "138001380000", "有", "12345678901", "+1 555 1234567"])
def test_what_is_no_mobile_number_gets_no_text(phone: Phone, number: str) -> None:
    assert codes(request(phone, number)) == (400, "members.phone_unusable")
    assert not SmsMessage.objects.exists()


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", "000 00"])
def test_what_is_no_code_is_not_a_try(mini: Mini, phone: Phone, code: str) -> None:
    request(phone)
    assert codes(confirm(phone, code)) == (400, "core.invalid_input")
    assert SmsCode.objects.get().try_count == 0


def test_a_confirmed_number_of_another_member_merges(mini: Mini, phone: Phone) -> None:
    till = member_services.register_member(
        name="王小美", phone=NUMBER, source="pos", actor=Actor.system("till")
    )
    request(phone)
    assert confirm(phone, sent_code(mini)).data["id"] == till.public_id
    assert Member.objects.living().count() == 1


def test_while_no_gateway_is_set_up_the_answer_says_so(phone: Phone, settings: Any) -> None:
    settings.SMS_GATEWAY = ""
    assert codes(request(phone)) == (503, "sms.not_set_up")
    assert not SmsCode.objects.exists()


def test_codes_of_two_days_ago_are_forgotten(mini: Mini, phone: Phone) -> None:
    request(phone)
    services.prune_devices(at=clock.now() + dt.timedelta(days=3))
    assert not SmsCode.objects.exists()
