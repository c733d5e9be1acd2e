"""A reply rule that gives a coupon: once a push, within the batch's limits, said once."""

from typing import Any

import pytest

from core.actor import Actor
from coupons import handlers
from coupons.events import CouponIssued
from coupons.models import Coupon, CouponBatch
from coupons.services.reply_kinds import GiveCoupon
from members.models import Member
from tests.cast import Cast, openid_of
from tests.coupons.kit import check_counters, make_batch, make_template, terms
from tests.wechat import push_kit
from tests.wechat.reply_kit import make_rule
from wechat.models import Account, InboundEvent, OutboundMessage
from wechat.services import accounts
from wechat.services.callback import answer
from wechat.services.inbox import drain_inbox, replay


@pytest.fixture(autouse=True)
def _fresh_account_cache() -> Any:
    accounts.forget_cached()
    yield
    accounts.forget_cached()


def write(cast: Cast, text: str, openid: str) -> bytes:
    account = Account.objects.get(pk=cast.account_id)
    account.push_mode, account.push_token = "plain", push_kit.TOKEN
    account.save(update_fields=["push_mode", "push_token"])
    accounts.forget_cached()
    message = push_kit.text_message(text) | {"FromUserName": openid}
    return answer(account.slug, "POST", push_kit.plain_query(), push_kit.xml(message).encode()).body


def give(cast: Cast, batch_id: int, **fields: Any) -> None:
    target = CouponBatch.objects.get(pk=batch_id).public_id
    parts = ({"text": "送您一张券"}, {"kind": "coupon", "target": target}, {"text": "到店出示就行"})
    make_rule(cast.account_id, "领券", *parts, **({"trigger": "keyword", "keyword": "领券"} | fields))


def told() -> list[str]:
    return [row.payload["text"] for row in OutboundMessage.objects.order_by("pk")]


def test_the_word_brings_one_coupon_however_often_the_push_is_worked_off(cast: Cast) -> None:
    batch = make_batch(template_id=make_template(title="见面礼"))
    give(cast, batch)
    assert "送您一张券".encode() in write(cast, "领券", openid_of("xiaomei"))
    drain_inbox()
    replay(event_ids=list(InboundEvent.objects.values_list("pk", flat=True)), actor=Actor.system("test"))
    drain_inbox()
    coupon = Coupon.objects.get()
    assert coupon.member_id == cast.xiaomei.id
    assert coupon.door == "system"
    handlers.on_coupon_issued(CouponIssued(coupon.pk, coupon.member_id, batch))
    first, second = told()
    assert first.startswith("「见面礼」已经放进您的券包")
    assert second == "到店出示就行"
    check_counters(batch)


def test_the_limits_of_the_batch_hold_and_she_hears_why_not(cast: Cast) -> None:
    batch = make_batch(2, member_limit=1)
    give(cast, batch)
    for who in ("xiaomei", "xiaomei", "xiaoli", "stranger"):
        write(cast, "领券", openid_of(who))
        drain_inbox()
    assert Coupon.objects.count() == 2
    assert told()[2] == "已经达到每人限领的张数"
    assert told()[6] == "券已经领完了"
    check_counters(batch)


def test_a_stranger_who_writes_is_a_prospect_with_her_coupon(cast: Cast) -> None:
    give(cast, make_batch())
    write(cast, "领券", "oNEVERSEENBEFORE000000000001")
    drain_inbox()
    assert Member.objects.get(pk=Coupon.objects.get().member_id).stage == "prospect"


def test_what_cannot_be_given_is_refused_in_the_editor(cast: Cast) -> None:
    kind = GiveCoupon()
    claim_only = make_batch(doors=("claim",))
    ended = make_batch(is_open=False)
    public = dict(CouponBatch.objects.values_list("pk", "public_id"))
    assert "系统发放" in kind.fault(public[claim_only])
    assert "没有开放" in kind.fault(public[ended])
    assert kind.fault("")
    assert kind.fault("nosuchbatch")
    good = make_batch()
    public = dict(CouponBatch.objects.values_list("pk", "public_id"))
    assert kind.fault(public[good]) == ""
    assert public[good] in dict(kind.choices())
    assert public[claim_only] not in dict(kind.choices())
    assert terms().title in kind.preview(public[good])
