"""What a till redeemed while it was offline: each entry is accepted or refused by itself."""

import json
from typing import Any, Final

from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput, Refusal
from coupons import errors
from coupons import services as coupon_services
from coupons.contracts import ToldCoupon
from openapi.api import KeyView, StrictInput, StrictText
from openapi.contracts import Answer
from openapi.errors import IdempotencyKeyMissing, IdempotencyKeyReused, InFlight
from openapi.schema import documented
from openapi.views.coupons import lock_key_of
from openapi.views.orders import purchase_of
from openapi.views.shapes import MOST_FEN, ORDER, CodeField, LineIn, OrderOut, PlaceIn, show_order
from rest.views import body_of

MOST: Final = 100


class QueueCouponIn(StrictInput):
    """A coupon, and what the till took off for it where it told no lines."""

    code = CodeField()
    discount_fen = serializers.IntegerField(required=False, min_value=0, max_value=MOST_FEN)


class QueueEntryIn(PlaceIn):
    """One redemption. With lines it is priced as orders/redeem does; else `amount_fen` and each discount count."""

    key = StrictText(max_length=60, help_text="as Idempotency-Key, one for each entry")
    order_no = StrictText(max_length=64)
    redeemed_at = serializers.DateTimeField(help_text="the till's time, at most 24 hours ago")
    coupons = QueueCouponIn(many=True)
    lines = LineIn(many=True, required=False)
    amount_fen = serializers.IntegerField(required=False, min_value=0, max_value=MOST_FEN)
    payable_fen = serializers.IntegerField(required=False, min_value=0, max_value=MOST_FEN)
    till = StrictText(required=False, default="", allow_blank=True, max_length=40)
    channel = StrictText(required=False, default="store", max_length=16)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "lines" not in attrs:
            missing = [] if "amount_fen" in attrs else ["amount_fen"]
            missing += ["coupons"] if any("discount_fen" not in one for one in attrs["coupons"]) else []
            if missing:
                raise serializers.ValidationError(
                    {name: [exceptions.ErrorDetail("required", code="required")] for name in missing}
                )
        return attrs


class QueueIn(StrictInput):
    """What waited, oldest first."""

    redemptions = serializers.ListField(
        child=serializers.DictField(), min_length=1, max_length=MOST, help_text="entries, see QueueEntry"
    )


class QueueLineOut(serializers.Serializer[Any]):
    """What became of one entry: an order, or why not."""

    key = serializers.CharField(allow_blank=True)
    is_accepted = serializers.BooleanField()
    is_replay = serializers.BooleanField(help_text="this entry was answered before, with the same")
    order = OrderOut(allow_null=True)
    code = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True, help_text="Chinese, for the cashier")
    details = serializers.DictField()


class QueueOut(serializers.Serializer[Any]):
    """In the order of the entries."""

    accepted_count = serializers.IntegerField()
    refused_count = serializers.IntegerField()
    results = QueueLineOut(many=True)


class QueueView(KeyView):
    """`POST queue/redeem`"""

    scope = "redeem"

    @documented(
        summary="Redemptions of a till that was offline / 补传离线核销",
        words=(
            "Up to 100; each is done or refused by itself, and may be sent again under its key: the answer is the first "
            "one. An entry has key, order_no, redeemed_at (at most 24 hours ago), coupons, and lines as in "
            "orders/redeem; or, without lines, amount_fen and a discount_fen for each coupon. "
            "Refusals of entries are those of orders/redeem."
        ),
        body=QueueIn,
        body_example={
            "redemptions": [
                {
                    "key": "till-1-20261121-0042",
                    "order_no": "20261121-0042",
                    "redeemed_at": "2026-11-21T17:20:00+08:00",
                    "amount_fen": 52800,
                    "coupons": [{"code": "K7PW2MHT9XCQ4RBA", "discount_fen": 5000}],
                }
            ]
        },
        answer=QueueOut,
        example={
            "accepted_count": 1,
            "refused_count": 1,
            "results": [
                {
                    "key": "till-1-20261121-0042",
                    "is_accepted": True,
                    "is_replay": False,
                    "order": ORDER,
                    "code": "",
                    "message": "",
                    "details": {},
                },
                {
                    "key": "till-1-20261121-0043",
                    "is_accepted": False,
                    "is_replay": False,
                    "order": None,
                    "code": "coupons.coupon_redeemed",
                    "message": "这张券已经用过了",
                    "details": {"coupon": "K7PW2MHT9XCQ4RBA"},
                },
            ],
        },
        refuses=(
            IdempotencyKeyMissing, IdempotencyKeyReused, InFlight, errors.RedeemedAtUnusable, errors.AmountUnusable,
        ),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        entries = self.read(QueueIn)["redemptions"]
        results = [self._settle(entry) for entry in entries]
        accepted = sum(result["is_accepted"] for result in results)
        return Response(
            {"accepted_count": accepted, "refused_count": len(results) - accepted, "results": results}
        )

    def _settle(self, entry: dict[str, Any]) -> dict[str, Any]:
        """One entry in a transaction of its own. What is no fault of the entry (the database is away) ends the
        request: what was done before is answered when the queue is sent again."""
        key = entry.get("key")
        told = key if isinstance(key, str) else ""
        try:
            given = self.read(QueueEntryIn, entry)
            content = json.dumps(entry, sort_keys=True, ensure_ascii=False).encode()
            answer = self.once(lambda name: self._redeem(given, name), key=told, content=content)
        except Refusal as refusal:
            if refusal.http_status >= 500:
                raise
            answer = Answer(refusal.http_status, body_of(refusal, api=self.api))
        is_accepted = answer.status < 400
        return {
            "key": told[:60],
            "is_accepted": is_accepted,
            "is_replay": answer.is_replay,
            "order": answer.body if is_accepted else None,
            "code": "" if is_accepted else answer.body["code"],
            "message": "" if is_accepted else answer.body["message"],
            "details": {} if is_accepted else answer.body["details"],
        }

    def _redeem(self, given: dict[str, Any], name: str) -> dict[str, Any]:
        purchase = purchase_of(self, given)
        lock_key = lock_key_of(self, given["order_no"])
        if "lines" in given:
            card = coupon_services.redeem_order(
                purchase=purchase,
                codes=[one["code"] for one in given["coupons"]],
                request_id=name,
                lock_key=lock_key,
                actor=self.actor,
            )
        else:
            if given.get("payable_fen") is not None:
                raise InvalidInput(fields={"payable_fen": ["unknown"]})
            card = coupon_services.redeem_told_order(
                purchase=purchase,
                amount_fen=given["amount_fen"],
                told=[ToldCoupon(one["code"], one["discount_fen"]) for one in given["coupons"]],
                request_id=name,
                lock_key=lock_key,
                actor=self.actor,
            )
        return show_order(card)
