"""What texts cost, and what is kept under a number: its owner's copy and her erasure."""

import datetime as dt
from collections import Counter

import pytest

from campaigns import services
from campaigns.models import Reach
from campaigns.services.holdings_texts import TextHoldings
from core import clock
from core.actor import Actor
from members import services as member_services
from sms import services as sms_services
from sms.contracts import Spending
from sms.models import SmsBlock, SmsMessage, SmsReply, SmsSpend, SmsTrial
from sms.services.blocks import list_blocked
from tests.campaigns.text_kit import CHAIN, STAFF, Desk
from tests.threads import at_once


def spent() -> list[tuple[str, str, str, int, int]]:
    names = ("purpose", "template_code", "filed_under", "text_count", "cost_hundredths")
    return list(SmsSpend.objects.order_by("purpose", "template_code", "filed_under").values_list(*names))


def code_to(phone: str) -> None:
    sms_services.queue_sms(
        phone=phone,
        template="verification_code",
        params={"code": "402816"},
        reason_key=f"code:{phone}",
        send_before=clock.now() + dt.timedelta(minutes=5),
    )
    sms_services.send_due_messages()


def test_the_sum_of_all_texts_stands_by_day_topic_and_template(desk: Desk) -> None:
    order, before = desk.world.order, clock.today()
    services.queue_reaches(
        orders=[order(f"r{number}", channels=CHAIN, importance="must") for number in range(3)]
    )
    services.send_due_reaches()
    desk.provider.fault("accept_then_drop", times=1)
    assert desk.send("doubt", importance="must").state == "uncertain"
    code_to(desk.phone)
    assert spent() == [
        ("code", "1001", "verification_code", 1, 450),
        ("notice", "1002", "coupon_expiring", 4, 1_800),
    ]
    costs = list(Reach.objects.values_list("cost_hundredths", flat=True))
    assert sum(costs) == SmsSpend.objects.get(purpose="notice").cost_hundredths
    # The day may have ended meanwhile.
    assert SmsSpend.objects.get(purpose="notice").on in {before, clock.today()}


def test_what_is_refused_costs_nothing(desk: Desk) -> None:
    desk.provider.set_up(blacklist=[desk.phone])
    desk.send()
    assert spent() == []


@pytest.mark.django_db(transaction=True)
def test_a_sum_is_whole_when_eight_add_to_it_in_any_order() -> None:
    lines = [Spending("notice", code, topic, 1, 450) for code in ("a", "b") for topic in ("sale", "return")]
    at_once(
        [
            lambda: sms_services.note_spending(spent=lines),
            lambda: sms_services.note_spending(spent=lines[::-1]),
        ]
        * 4
    )
    assert [(one[3], one[4]) for one in spent()] == [(8, 3_600)] * 4


def test_her_copy_names_codes_replies_and_the_block_and_erasing_leaves_a_fingerprint(desk: Desk) -> None:
    other = "138" + desk.phone[3:]  # the same end, another person
    code_to(desk.phone)
    sms_services.try_text(
        template_id=desk.notice.pk, phone=desk.phone, values=("2", "明天"), actor=Actor.staff(1, "总部")
    )
    desk.report(desk.answered("请问几点开门"))
    desk.report(desk.answered("T", clock.now() + dt.timedelta(seconds=2)))
    desk.report({**desk.answered("别人的话"), "mobile": other})
    [lines] = TextHoldings().export(desk.member_id).values()
    assert Counter(line["类型"] for line in lines) == {
        "发给您的验证码": 1,
        "您的回复": 2,
        "不再给您发短信": 1,
    }
    assert {line["内容"] for line in lines} == {None, "请问几点开门", "T", "对方回复了退订"}
    member_services.erase_member(member_id=desk.member_id, reason="own_wish", actor=STAFF)
    assert [row.text for row in SmsReply.objects.all()] == ["别人的话"]
    assert (SmsMessage.objects.count(), SmsTrial.objects.get().phone_tail) == (0, "")
    block = SmsBlock.objects.get()
    assert (block.phone_tail, block.reason) == ("", "opted_out")
    assert list_blocked({1: desk.phone}, at=clock.now()) == {1: "sms.opted_out"}
