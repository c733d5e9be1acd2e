"""Where she is logged in."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from miniapp import services
from miniapp.api import MemberView
from miniapp.errors import NoSuchDevice
from miniapp.schema import documented
from rest.bodies import StrictInput


class DeviceOut(serializers.Serializer[Any]):
    """One device. Where it was used is not kept."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField(allow_blank=True)
    opened_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(help_text="to a few minutes")
    is_this = serializers.BooleanField()


class DevicesOut(serializers.Serializer[Any]):
    """Her devices, the one used last first."""

    devices = DeviceOut(many=True)


class RevokeIn(StrictInput):
    """Whether the device that asks stays logged in."""

    spare_this = serializers.BooleanField(required=False, default=True)


class RevokedOut(serializers.Serializer[Any]):
    """How many devices were logged out."""

    revoked_count = serializers.IntegerField()


class DevicesView(MemberView):
    """`GET devices`"""

    @documented(
        summary="Where she is logged in / 登录设备",
        answer=DevicesOut,
        example={
            "devices": [
                {
                    "id": "7KQ2MHX4TBNW9CAY",
                    "name": "iPhone 15",
                    "opened_at": "2026-11-01T10:20:00+08:00",
                    "last_used_at": "2026-11-21T18:05:00+08:00",
                    "is_this": True,
                }
            ]
        },
    )
    def get(self, request: Request) -> Response:
        return Response(DevicesOut({"devices": services.list_devices(session=self.session)}).data)


class DeviceView(MemberView):
    """`DELETE devices/{device_id}`"""

    @documented(summary="Log one device out / 退出某台设备", answer=None, status=204, refuses=(NoSuchDevice,))
    def delete(self, request: Request, device_id: str) -> Response:
        services.revoke_device(session=self.session, public_id=device_id)
        return Response(status=204)


class RevokeDevicesView(MemberView):
    """`POST devices/revoke`"""

    @documented(
        summary="Log all devices out / 退出全部设备",
        body=RevokeIn,
        body_example={"spare_this": True},
        answer=RevokedOut,
        example={"revoked_count": 2},
    )
    def post(self, request: Request) -> Response:
        given = self.read(RevokeIn)
        count = services.revoke_devices(session=self.session, spares_this=given["spare_this"])
        return Response({"revoked_count": count})
