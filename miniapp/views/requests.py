"""What she asks of the chain: opening, following and ending service requests."""

from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.crypto import digest
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import RequestCard, RequestDetail, RequestStepLine
from guides.errors import (
    NoSuchRequest,
    RequestKeyReused,
    RequestKindClosed,
    RequestMovedOn,
    RequestStoreMissing,
    RequestTimeUnusable,
    RequestWordsUnusable,
    TooManyRequests,
)
from members.errors import NoSuchMember
from miniapp.api import MemberView, open_cursor, seal_cursor
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.pages import PageQuery
from rest.throttles import Limit

STATES = ("open", "accepted", "in_progress", "done", "closed", "cancelled", "refused")
# No row has this id: a store that is unknown or closed is as none at all.
_NO_STORE: Final = 0
_KIND = {"code": "visit", "name": "预约到店", "wants_time": True, "accept_within_hours": 4}
_REQUEST: dict[str, Any] = {
    "id": "W9CAYQ7M2KXH4TBN",
    "kind": "visit",
    "kind_name": "预约到店",
    "words": "想试试那件驼色大衣",
    "wanted_at": "2026-11-23T15:00:00+08:00",
    "scheduled_at": None,
    "store_name": "南京东路店",
    "guide_name": "李娜",
    "state": "open",
    "state_label": "待接单",
    "opened_at": "2026-11-21T18:05:00+08:00",
    "state_at": "2026-11-21T18:05:00+08:00",
    "unread_count": 0,
    "may_cancel": True,
    "may_confirm": False,
}
_DETAIL = {
    **_REQUEST,
    "steps": [
        {
            "act": "opened",
            "title": "已提交",
            "words": "想试试那件驼色大衣",
            "guide_name": "李娜",
            "store_name": "南京东路店",
            "scheduled_at": None,
            "at": "2026-11-21T18:05:00+08:00",
            "is_own": True,
            "is_unread": False,
        }
    ],
    "read_mark": "WzcsMTJd:1vMk…",
}


class RequestKindOut(serializers.Serializer[Any]):
    """One thing she may ask for."""

    code = serializers.CharField()
    name = serializers.CharField()
    wants_time = serializers.BooleanField(help_text="`wanted_at` has to be given, words need not")
    accept_within_hours = serializers.IntegerField(help_text="opening hours of the store")


class RequestKindsOut(serializers.Serializer[Any]):
    """What she may ask for now."""

    kinds = RequestKindOut(many=True)


class RequestIn(StrictInput):
    """What she asks for. `request_key`: made by the mini-program for this request, so that repeating it opens no
    second one."""

    kind = StrictText(max_length=20, help_text="a code of requests/kinds")
    words = StrictText(required=False, default="", allow_blank=True, max_length=1000)
    wanted_at = serializers.DateTimeField(
        required=False, default=None, help_text="without an offset it is Shanghai time"
    )
    store_id = StrictText(
        required=False, default="", allow_blank=True, max_length=16, help_text="empty: the store of her guide"
    )
    request_key = serializers.RegexField(r"^[0-9A-Za-z_-]{8,64}$", max_length=64)


class ReadIn(StrictInput):
    """How far she has seen."""

    read_mark = StrictText(max_length=200, help_text="of the answer that was shown")


class RequestOut(serializers.Serializer[Any]):
    """One request of hers."""

    id = serializers.CharField()
    kind = serializers.CharField()
    kind_name = serializers.CharField()
    words = serializers.CharField(allow_blank=True)
    wanted_at = serializers.DateTimeField(allow_null=True)
    scheduled_at = serializers.DateTimeField(allow_null=True, help_text="what the guide agreed with her")
    store_name = serializers.CharField()
    guide_name = serializers.CharField(allow_blank=True, help_text="empty: nobody has it yet")
    state = serializers.ChoiceField(choices=STATES)
    state_label = serializers.CharField()
    opened_at = serializers.DateTimeField()
    state_at = serializers.DateTimeField()
    unread_count = serializers.IntegerField(help_text="steps she has not seen")
    may_cancel = serializers.BooleanField()
    may_confirm = serializers.BooleanField()


class RequestStepOut(serializers.Serializer[Any]):
    """One thing that happened."""

    act = serializers.CharField()
    title = serializers.CharField()
    words = serializers.CharField(allow_blank=True)
    guide_name = serializers.CharField(allow_blank=True)
    store_name = serializers.CharField()
    scheduled_at = serializers.DateTimeField(allow_null=True)
    at = serializers.DateTimeField()
    is_own = serializers.BooleanField(help_text="she did it herself")
    is_unread = serializers.BooleanField()


class RequestDetailOut(RequestOut):
    """One request with its history, the oldest step first."""

    steps = RequestStepOut(many=True)
    read_mark = serializers.CharField(help_text="send to requests/{id}/read when this was shown")


class RequestsOut(serializers.Serializer[Any]):
    """One page, newest first."""

    requests = RequestOut(many=True)
    unread_count = serializers.IntegerField(help_text="requests with news, on all pages")
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


def show_request(card: RequestCard) -> dict[str, Any]:
    """The answer's form of a request; deadlines are the chain's own affair."""
    return {
        "id": card.public_id,
        "kind": card.kind.code,
        "kind_name": card.kind.name,
        "words": card.words,
        "wanted_at": card.wanted_at,
        "scheduled_at": card.scheduled_at,
        "store_name": card.store_name,
        "guide_name": card.guide_name,
        "state": card.state,
        "state_label": card.state_label,
        "opened_at": card.opened_at,
        "state_at": card.state_at,
        "unread_count": card.unread_count,
        "may_cancel": "cancelled" in card.acts,
        "may_confirm": "closed" in card.acts,
    }


def show_step(step: RequestStepLine) -> dict[str, Any]:
    """The answer's form of a step."""
    return {
        "act": step.act,
        "title": step.title,
        "words": step.words,
        "guide_name": step.guide_name,
        "store_name": step.store_name,
        "scheduled_at": step.scheduled_at,
        "at": step.at,
        "is_own": step.is_own,
        "is_unread": step.is_unread,
    }


def show_detail(detail: RequestDetail, member_id: int) -> dict[str, Any]:
    """The answer's form of a request with its steps, and the mark of the last of them."""
    return {
        **show_request(detail.request),
        "steps": [show_step(step) for step in detail.steps],
        "read_mark": seal_cursor(detail.steps[-1].id if detail.steps else 0, owner=member_id),
    }


class RequestKindsView(MemberView):
    """`GET requests/kinds`"""

    @documented(summary="What she may ask for / 服务类型", answer=RequestKindsOut, example={"kinds": [_KIND]})
    def get(self, request: Request) -> Response:
        return Response(RequestKindsOut({"kinds": guide_selectors.list_request_kinds()}).data)


class RequestsView(MemberView):
    """`GET requests`, `POST requests`"""

    limits: ClassVar = {"post": (Limit("member", 30, 3600),)}

    @documented(
        summary="Her requests / 我的服务请求",
        query=PageQuery,
        answer=RequestsOut,
        example={"requests": [_REQUEST], "unread_count": 0, "next_cursor": None},
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(PageQuery)
        page = guide_selectors.list_member_requests(self.member_id, given.get("cursor"), given["limit"])
        return Response(
            RequestsOut(
                {
                    "requests": [show_request(card) for card in page.requests],
                    "unread_count": guide_selectors.count_unread_requests(self.member_id),
                    "next_cursor": page.next_cursor,
                }
            ).data
        )

    @documented(
        summary="Ask for something / 提交服务请求",
        words=(
            "Her guide gets it, or the store when she has none or chooses another one. The same request_key again gets "
            "the same request. At most ten may be unfinished."
        ),
        body=RequestIn,
        body_example={
            "kind": "visit",
            "words": "想试试那件驼色大衣",
            "wanted_at": "2026-11-23T15:00:00+08:00",
            "request_key": "b2f0c9a4e1",
        },
        answer=RequestOut,
        example=_REQUEST,
        refuses=(
            RequestKindClosed,
            RequestWordsUnusable,
            RequestTimeUnusable,
            RequestStoreMissing,
            TooManyRequests,
            RequestKeyReused,
            NoSuchMember,
        ),
    )
    def post(self, request: Request) -> Response:
        given = self.read(RequestIn)
        opened = guide_services.open_request(
            member_id=self.member_id,
            kind=given["kind"],
            words=given["words"],
            wanted_at=given["wanted_at"],
            store_id=_store_of(given["store_id"]),
            request_key=f"mini:{digest(given['request_key'])}",
            actor=self.actor,
        )
        return Response(RequestOut(show_request(opened)).data)


class RequestView(MemberView):
    """`GET requests/{request_id}`"""

    @documented(
        summary="One request with its history / 服务请求详情",
        words="Looking changes nothing: tell by requests/{id}/read that she has seen it.",
        answer=RequestDetailOut,
        example=_DETAIL,
        refuses=(NoSuchRequest,),
    )
    def get(self, request: Request, request_id: str) -> Response:
        return _detail(self.member_id, request_id)


class CancelRequestView(MemberView):
    """`POST requests/{request_id}/cancel`"""

    @documented(
        summary="Take a request back / 取消服务请求",
        words="Twice is once.",
        answer=RequestOut,
        example={**_REQUEST, "state": "cancelled", "state_label": "会员已取消", "may_cancel": False},
        refuses=(NoSuchRequest, RequestMovedOn),
    )
    def post(self, request: Request, request_id: str) -> Response:
        done = guide_services.cancel_request(member_id=self.member_id, public_id=request_id, actor=self.actor)
        return Response(RequestOut(show_request(done)).data)


class ConfirmRequestView(MemberView):
    """`POST requests/{request_id}/confirm`"""

    @documented(
        summary="Confirm that it is done / 确认完成",
        words="Twice is once. What she does not confirm is closed by itself some days later.",
        answer=RequestOut,
        example={**_REQUEST, "state": "closed", "state_label": "已结束", "may_cancel": False},
        refuses=(NoSuchRequest, RequestMovedOn),
    )
    def post(self, request: Request, request_id: str) -> Response:
        done = guide_services.close_request(member_id=self.member_id, public_id=request_id, actor=self.actor)
        return Response(RequestOut(show_request(done)).data)


class ReadRequestView(MemberView):
    """`POST requests/{request_id}/read`"""

    @documented(
        summary="She has seen what happened / 标记已读",
        words="Up to the step of `read_mark`; what happened since stays unread.",
        body=ReadIn,
        body_example={"read_mark": "WzcsMTJd:1vMk…"},
        answer=RequestDetailOut,
        example=_DETAIL,
        refuses=(NoSuchRequest,),
    )
    def post(self, request: Request, request_id: str) -> Response:
        seen = open_cursor(self.read(ReadIn)["read_mark"], owner=self.member_id)
        guide_services.read_request(member_id=self.member_id, public_id=request_id, up_to_step_id=seen or 0)
        return _detail(self.member_id, request_id)


def _store_of(public_id: str) -> int | None:
    """The store she chose; None when she chose none."""
    if not public_id:
        return None
    store = guide_selectors.find_open_store(public_id)
    return _NO_STORE if store is None else store.id


def _detail(member_id: int, request_id: str) -> Response:
    found = guide_selectors.access_member_request(member_id, request_id)
    return Response(RequestDetailOut(show_detail(found, member_id)).data)
