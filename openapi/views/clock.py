"""The server's clock, and whether the key works."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from openapi import services
from openapi.api import KeyView, Limit, OpenView
from openapi.schema import documented


class ClockOut(serializers.Serializer[Any]):
    """What time it is here."""

    time = serializers.DateTimeField()
    unix = serializers.IntegerField(help_text="seconds, as signatures have them")


class PingOut(ClockOut):
    """Whose key this is."""

    key = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=("till", "partner"))
    store = serializers.CharField(
        allow_blank=True, help_text="number of the key's own store; empty: more than one"
    )
    scopes = serializers.ListField(child=serializers.CharField())


def _now() -> dict[str, Any]:
    at = clock.now()
    return {"time": at.astimezone(clock.SHANGHAI).isoformat(), "unix": int(at.timestamp())}


class ClockView(OpenView):
    """`GET clock`"""

    limits = {"get": (Limit("ip", 120, 60),)}

    @documented(
        summary="The server's clock / 服务器时间",
        words="Without a signature: a till that was told openapi.clock_skewed sets its clock by it.",
        answer=ClockOut,
        example={"time": "2026-11-21T18:05:00+08:00", "unix": 1795255500},
        is_open=True,
    )
    def get(self, request: Request) -> Response:
        return Response(_now())


class PingView(KeyView):
    """`GET ping`"""

    @documented(
        summary="Does the key work / 检查密钥",
        answer=PingOut,
        example={
            "time": "2026-11-21T18:05:00+08:00",
            "unix": 1795255500,
            "key": "Q7M2KXH4TBNW9CAY",
            "name": "南京东路店 1 号收银机",
            "kind": "till",
            "store": "S01",
            "scopes": ["price", "redeem", "return", "verify"],
        },
    )
    def get(self, request: Request) -> Response:
        client = self.client
        return Response(
            {
                **_now(),
                "key": client.key_id,
                "name": client.name,
                "kind": client.kind,
                "store": services.store_code_of(caller=client),
                "scopes": sorted(client.scopes),
            }
        )
