"""What waited while the till was offline: good, bad and repeated entries, each by itself."""

import datetime as dt
from functools import partial
from typing import Any

import pytest

from core import clock
from coupons.models import Coupon, CouponOrder
from openapi.views import queue
from tests.coupons.kit import make_members
from tests.coupons.test_orders import coupon_of
from tests.openapi.kit import LINES, Till, codes, new_key
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def entry(
    code: str, order_no: str, *, ago: dt.timedelta = dt.timedelta(minutes=40), **change: Any
) -> dict[str, Any]:
    given = {
        "key": new_key(),
        "order_no": order_no,
        "redeemed_at": (clock.now() - ago).isoformat(),
        "amount_fen": 20_000,
        "coupons": [{"code": code, "discount_fen": 3_000}],
    }
    return {name: value for name, value in (given | change).items() if value is not None}


def old_coupon(member: int = 0) -> str:
    """The code of a coupon that was good yesterday already."""
    coupon = coupon_of(member or make_members(1)[0])
    Coupon.objects.filter(pk=coupon.id).update(valid_from=clock.now() - dt.timedelta(days=2))
    return str(coupon.code)


def send(till: Till, *entries: Any) -> Any:
    return till.post("/queue/redeem", {"redemptions": list(entries)}, key=None)


def told(answer: Any) -> list[str]:
    return [line["code"] or "ok" for line in answer.data["results"]]


def test_each_entry_is_accepted_or_refused_by_itself_and_may_come_again(till: Till) -> None:
    a, b, c, d = (old_coupon() for _ in range(4))
    entries = [
        entry(a, "Q1"),
        entry(b, "Q2", amount_fen=None, coupons=[{"code": b}], lines=LINES),
        entry(a, "Q3"),
        entry("nonsense", "Q4"),
        entry(c, "Q5", coupons=[{"code": c, "discount_fen": 3_001}]),
        entry(c, "Q6", ago=dt.timedelta(hours=25)),
        entry(c, "Q7", ago=-dt.timedelta(hours=1)),
        entry(c, "Q8", amount_fen=None),
        entry(c, "Q9", amount_fen=-1),
        entry(c, "Q10", key="a b"),
        entry(c, "Q11", key=None),
        entry(c, "Q1"),
        entry(d, "Q12", store="nowhere"),
        entry(d, "Q13", surprise=1),
        entry(d, "Q14"),
    ]
    answer = send(till, *entries)
    assert told(answer) == [
        "ok", "ok", "coupons.coupon_redeemed", "coupons.no_such_coupon", "coupons.amount_unusable",
        "coupons.redeemed_at_unusable", "coupons.redeemed_at_unusable", "core.invalid_input", "core.invalid_input",
        "openapi.idempotency_key_missing", "core.invalid_input", "coupons.order_number_taken",
        "openapi.no_such_store", "core.invalid_input", "ok",
    ]  # fmt: skip
    assert (answer.data["accepted_count"], answer.data["refused_count"]) == (3, 12)
    assert answer.data["results"][7]["details"] == {"fields": {"amount_fen": ["required"]}}
    again = send(till, *entries)
    assert told(again) == told(answer)
    assert [line["order"] for line in again.data["results"]] == [
        line["order"] for line in answer.data["results"]
    ]
    assert [line["is_replay"] for line in again.data["results"][:4]] == [True] * 4
    assert CouponOrder.objects.count() == 3
    # The coupon of the refused entries is untouched.
    assert Coupon.objects.get(code=c).state == "issued"


def test_a_coupon_that_was_good_then_is_good_now(till: Till) -> None:
    coupon = coupon_of(make_members(1)[0], valid_days=1)
    Coupon.objects.update(
        valid_from=clock.now() - dt.timedelta(days=2), valid_until=clock.now() - dt.timedelta(minutes=30)
    )
    late, good = entry(coupon.code, "Q1", ago=dt.timedelta(minutes=20)), entry(coupon.code, "Q2")
    answer = send(till, late, good)
    assert told(answer) == ["coupons.coupon_expired", "ok"]


def test_the_same_key_in_one_queue_with_another_content_is_refused(till: Till) -> None:
    a, b = (old_coupon() for _ in range(2))
    first = entry(a, "Q1", key="same")
    answer = send(till, first, first, entry(b, "Q2", key="same"))
    assert told(answer) == ["ok", "ok", "openapi.idempotency_key_reused"]
    assert answer.data["results"][1]["is_replay"]


def test_an_online_call_whose_answer_was_lost_may_go_into_the_queue(till: Till) -> None:
    """Under another key it would be another order; what the number says stops that."""
    code = coupon_of(make_members(1)[0]).code
    till.redeem(code, order_no="Q1")
    answer = send(till, entry(code, "Q1", amount_fen=None, coupons=[{"code": code}], lines=LINES))
    assert told(answer) == ["coupons.coupon_redeemed"]
    assert CouponOrder.objects.count() == 1


def test_a_hundred_entries_and_no_more(till: Till) -> None:
    member = make_members(1)[0]
    given = [old_coupon(member) for _ in range(3)]
    many = [entry(given[n], f"Q{n}") if n < 3 else entry("nonsense", f"Q{n}") for n in range(100)]
    answer = send(till, *many)
    assert (answer.data["accepted_count"], answer.data["refused_count"]) == (3, 97)
    assert codes(send(till, *many, entry("x", "Q101"))) == (400, "core.invalid_input")
    assert codes(send(till)) == (400, "core.invalid_input")
    assert codes(send(till, "x")) == (400, "core.invalid_input")


def test_two_tills_send_queues_with_the_same_coupons_in_opposite_order(till: Till, shop: int) -> None:
    from tests.openapi.kit import make_till

    given = [old_coupon() for _ in range(8)]
    other = make_till(shop)
    answers = at_once(
        [
            partial(send, till, *(entry(code, f"A{code}") for code in given)),
            partial(send, other, *(entry(code, f"B{code}") for code in reversed(given))),
        ]
    )
    assert sum(answer.data["accepted_count"] for answer in answers) == 8
    assert CouponOrder.objects.count() == 8


def test_when_the_database_goes_away_the_queue_is_sent_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    from openapi.views.shapes import show_order as show

    a, b = (old_coupon() for _ in range(2))
    entries = [entry(a, "Q1"), entry(b, "Q2")]

    def away(card: Any) -> Any:
        if card.order_no == "Q2":
            raise OperationalError("away")
        return show(card)

    with monkeypatch.context() as patch:
        patch.setattr(queue, "show_order", away)
        assert codes(send(till, *entries)) == (503, "core.unavailable")
    answer = send(till, *entries)
    assert told(answer) == ["ok", "ok"]
    assert [line["is_replay"] for line in answer.data["results"]] == [True, False]
