"""A face-to-face scan while Redis is gone: the coupon comes when it is back, once."""

import pytest

from tests.coupons.stack_offer import offer_source
from tests.stack import Stack, wait_until
from tests.wechat import push_kit

pytestmark = pytest.mark.faults


def test_an_event_lost_with_the_broker_is_made_up_for(stack: Stack) -> None:
    stack.start_sandbox()
    stack.start_web()
    scene = stack.run_in_django(offer_source(stack.facts["guides"][0]))
    stack.stop_redis()
    scan = push_kit.event(
        "subscribe", EventKey=f"qrscene_{scene}", Ticket="T", FromUserName="oOFFER_0000000000000000000001"
    )
    for _twice in range(2):
        assert stack.push(scan)[0] == 200
    stack.run_in_django("from wechat.services import inbox; inbox.drain_inbox()")
    assert stack.value("SELECT count(*) FROM guides_channelscan") == 1
    assert stack.value("SELECT count(*) FROM coupons_coupon") == 0
    stack.start_engines()
    stack.start_worker()
    wait_until(
        lambda: stack.value("SELECT count(*) FROM coupons_coupon") == 1, within_s=60, what="her coupon"
    )
    assert stack.rows("SELECT outcome FROM coupons_facetofaceclaim") == [("issued",)]
    assert (
        stack.value("SELECT count(*) FROM wechat_outboundmessage WHERE starts_with(reason_key, 'coupon:')")
        == 1
    )
