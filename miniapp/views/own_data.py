"""A copy of all that is kept about her, and being erased."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import selectors as member_selectors
from members import services as member_services
from members.contracts import DataRequestCard
from members.errors import DataRequestClosed, NoSuchDataRequest, NoSuchMember
from miniapp.api import MemberView
from miniapp.schema import documented
from rest.bodies import StrictInput
from rest.throttles import Limit

KINDS = ("export", "erase")
STATES = ("open", "done", "withdrawn")
_ERASURE = {
    "id": "TBNW9CAYQ7M2KXH4",
    "kind": "erase",
    "state": "open",
    "state_label": "待处理",
    "asked_at": "2026-11-21T18:05:00+08:00",
    "due_on": "2026-12-06",
    "free_until": "2026-11-28T18:05:00+08:00",
    "closed_at": None,
}


class DataRequestIn(StrictInput):
    """What she asks for."""

    kind = serializers.ChoiceField(choices=KINDS)


class DataRequestOut(serializers.Serializer[Any]):
    """One request."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    state = serializers.ChoiceField(choices=STATES)
    state_label = serializers.CharField()
    asked_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    free_until = serializers.DateTimeField(
        allow_null=True, help_text="of an erasure: until then she may take it back; then she is erased"
    )
    closed_at = serializers.DateTimeField(allow_null=True)


class DataRequestsOut(serializers.Serializer[Any]):
    """Her requests, newest first."""

    requests = DataRequestOut(many=True)


def show_request(request: DataRequestCard) -> dict[str, Any]:
    """The answer's form of a request."""
    return {
        "id": request.public_id,
        "kind": request.kind,
        "state": request.state,
        "state_label": request.state_label,
        "asked_at": request.asked_at,
        "due_on": request.due_on,
        "free_until": request.not_before,
        "closed_at": request.closed_at,
    }


class DataRequestsView(MemberView):
    """`GET data-requests`, `POST data-requests`"""

    limits: ClassVar = {"post": (Limit("member", 20, 3600),)}

    @documented(
        summary="What she asked for / 我的资料申请", answer=DataRequestsOut, example={"requests": [_ERASURE]}
    )
    def get(self, request: Request) -> Response:
        found = member_selectors.list_data_requests(self.member_id)
        return Response(DataRequestsOut({"requests": [show_request(one) for one in found]}).data)

    @documented(
        summary="Ask for a copy of her data, or to be erased / 查询复制资料、注销",
        words=(
            "A copy can be fetched at once from data-requests/{id}/file. An erasure waits for the days the chain "
            "decided, until `free_until`, and may be taken back till then; asking again is the same request."
        ),
        body=DataRequestIn,
        body_example={"kind": "erase"},
        answer=DataRequestOut,
        example=_ERASURE,
        refuses=(NoSuchMember,),
    )
    def post(self, request: Request) -> Response:
        given = self.read(DataRequestIn)
        ask = member_services.request_erasure if given["kind"] == "erase" else member_services.request_export
        return Response(DataRequestOut(show_request(ask(member_id=self.member_id, actor=self.actor))).data)


class OwnDataView(MemberView):
    """`GET data-requests/{request_id}/file`"""

    limits: ClassVar = {"get": (Limit("member", 6, 3600),)}

    @documented(
        summary="The copy as a file / 下载我的资料",
        words=(
            "For wx.downloadFile: a ZIP with a page to read and the same as JSON, made at this moment and kept "
            "nowhere. It is all about her, her phone in full: let her save it, and do not keep it."
        ),
        answer=OpenApiTypes.BINARY,
        media_type="application/zip",
        refuses=(NoSuchDataRequest, DataRequestClosed, NoSuchMember),
    )
    def get(self, request: Request, request_id: str) -> HttpResponse:
        asked = member_selectors.access_data_request(member_id=self.member_id, public_id=request_id)
        made = member_services.fulfil_export(request_id=asked.id, actor=self.actor)
        disposition = content_disposition_header(as_attachment=True, filename=made.name)
        return HttpResponse(
            made.content,
            content_type="application/zip",
            headers={"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"},
        )


class WithdrawRequestView(MemberView):
    """`POST data-requests/{request_id}/withdraw`"""

    limits: ClassVar = {"post": (Limit("member", 20, 3600),)}

    @documented(
        summary="Take a request back / 撤回申请",
        words="Twice is once.",
        answer=DataRequestOut,
        example={
            **_ERASURE,
            "state": "withdrawn",
            "state_label": "已撤回",
            "closed_at": "2026-11-22T09:00:00+08:00",
        },
        refuses=(NoSuchDataRequest, DataRequestClosed),
    )
    def post(self, request: Request, request_id: str) -> Response:
        asked = member_selectors.access_data_request(member_id=self.member_id, public_id=request_id)
        done = member_services.withdraw_data_request(request_id=asked.id, actor=self.actor)
        return Response(DataRequestOut(show_request(done)).data)
