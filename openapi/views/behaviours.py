"""What members did, as a server knows it: a shop system's own pages, another mini-program of the chain."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import services as member_services
from openapi.api import KeyView, StrictInput
from openapi.errors import ChainOnly
from openapi.schema import ONCE, WRITES, documented
from rest.bodies import RefusedOut

_WORDS: Final = (
    "Each event is kept or refused by itself, and counts once under its own key, whichever request tells it. An openid that "
    "nobody knows keeps its events until she registers; another unknown name is refused. At most thirty days back. Nothing "
    "is kept of a member who does not agree to 个性化推荐 (`declined_count`). Only for keys of the whole chain. Kinds and their "
    "fields: docs/mini-program.md."
)


class BehavioursIn(StrictInput):
    """A batch. Each event: `key` (8 to 64 letters, digits, _ and -), `member` as in sales/orders, `kind`, `at`, `with`."""

    events = serializers.ListField(
        child=serializers.JSONField(), min_length=1, max_length=member_services.MOST_OF_SERVER
    )


class BehavioursOut(serializers.Serializer[Any]):
    """What became of the batch."""

    kept_count = serializers.IntegerField()
    repeated_count = serializers.IntegerField(help_text="were kept before")
    declined_count = serializers.IntegerField(help_text="fit, but their members do not agree")
    refused = RefusedOut(many=True)


class BehavioursView(KeyView):
    """`POST behaviours`"""

    scope = "behaviours"

    @documented(
        summary="Tell what members did / 上报会员行为",
        words=_WORDS,
        headers=WRITES,
        body=BehavioursIn,
        body_example={
            "events": [
                {
                    "key": "shop-20261128-000001",
                    "member": {"kind": "mini_openid", "value": "oX8s5t0000000000000000000001", "app_id": "wx0a1b2c3d4e5f"},
                    "kind": "cart_added",
                    "at": "2026-11-28T20:14:30+08:00",
                    "with": {"product": "C2041", "quantity": 1},
                }
            ]
        },
        answer=BehavioursOut,
        example={"kept_count": 1, "repeated_count": 0, "declined_count": 0, "refused": []},
        refuses=(*ONCE, ChainOnly),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        if self.client.store_id is not None or self.client.dealer_id is not None:
            raise ChainOnly
        told = self.read(BehavioursIn)["events"]
        return self.write(
            lambda _name: member_services.record_told_behaviours(
                client_id=self.client.client_id, told=told
            ).told()
        )
