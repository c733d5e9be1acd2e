"""Her inbox: what the chain told her, what of it she has not read."""

from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import selectors as campaign_selectors
from campaigns import services as campaign_services
from campaigns.contracts import InboxLine
from campaigns.errors import NoSuchInboxMessage
from miniapp.api import MemberView, open_cursor, seal_cursor
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.pages import PageQuery
from rest.throttles import Limit

_MESSAGE: Final[dict[str, Any]] = {
    "id": "W9CAYQ7M2KXH4TBN",
    "topic": "coupon_expiring",
    "topic_label": "券到期",
    "title": "您有 2 张券快到期了",
    "text": "您有 2 张券用到2026年12月1日为止，过期就用不了了，有空来店里看看。",
    "page": "pages/coupons/list",
    "sent_at": "2026-11-28T10:05:00+08:00",
    "is_read": False,
}


class InboxMessageOut(serializers.Serializer[Any]):
    """One message."""

    id = serializers.CharField()
    topic = serializers.CharField()
    topic_label = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    page = serializers.CharField(
        allow_blank=True, help_text="the mini-program's page it leads to; empty: none"
    )
    sent_at = serializers.DateTimeField()
    is_read = serializers.BooleanField()


class InboxOut(serializers.Serializer[Any]):
    """One page, newest first."""

    messages = InboxMessageOut(many=True)
    unread_count = serializers.IntegerField(help_text="on all pages")
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")
    read_mark = serializers.CharField(help_text="of the newest message shown; send it to inbox/read-all")


class InboxUnreadOut(serializers.Serializer[Any]):
    """How many she has not read."""

    unread_count = serializers.IntegerField()


class InboxReadAllIn(StrictInput):
    """How far she has seen."""

    read_mark = StrictText(max_length=200, help_text="of the answer that was shown")


def show_message(line: InboxLine) -> dict[str, Any]:
    """The answer's form of a message."""
    return {
        "id": line.public_id,
        "topic": line.topic,
        "topic_label": line.topic_label,
        "title": line.title,
        "text": line.text,
        "page": line.page,
        "sent_at": line.sent_at,
        "is_read": line.read_at is not None,
    }


class InboxView(MemberView):
    """`GET inbox`"""

    @documented(
        summary="Her inbox / 站内信",
        words="Looking reads nothing: tell by inbox/{id}/read or inbox/read-all what she has read.",
        query=PageQuery,
        answer=InboxOut,
        example={
            "messages": [_MESSAGE],
            "unread_count": 1,
            "next_cursor": None,
            "read_mark": "WzcsMTJd:1vMk…",
        },
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(PageQuery)
        before = open_cursor(given["cursor"], owner=self.member_id) if given.get("cursor") else None
        found = campaign_selectors.list_inbox(self.member_id, before_id=before, limit=given["limit"])
        shown = found[: given["limit"]]
        more = len(found) > len(shown)
        newest = shown[0].id if shown else 0
        return Response(
            InboxOut(
                {
                    "messages": [show_message(line) for line in shown],
                    "unread_count": campaign_selectors.count_unread_inbox(self.member_id),
                    "next_cursor": seal_cursor(shown[-1].id, owner=self.member_id) if more else None,
                    "read_mark": seal_cursor(newest, owner=self.member_id),
                }
            ).data
        )


class InboxUnreadView(MemberView):
    """`GET inbox/unread`"""

    @documented(
        summary="How many she has not read / 未读数", answer=InboxUnreadOut, example={"unread_count": 3}
    )
    def get(self, request: Request) -> Response:
        count = campaign_selectors.count_unread_inbox(self.member_id)
        return Response(InboxUnreadOut({"unread_count": count}).data)


class ReadInboxView(MemberView):
    """`POST inbox/{message_id}/read`"""

    @documented(
        summary="She has read one / 标记已读",
        words="Twice is once.",
        answer=InboxUnreadOut,
        example={"unread_count": 2},
        refuses=(NoSuchInboxMessage,),
    )
    def post(self, request: Request, message_id: str) -> Response:
        campaign_services.read_inbox_message(member_id=self.member_id, public_id=message_id)
        count = campaign_selectors.count_unread_inbox(self.member_id)
        return Response(InboxUnreadOut({"unread_count": count}).data)


class ReadAllInboxView(MemberView):
    """`POST inbox/read-all`"""

    limits: ClassVar = {"post": (Limit("member", 60, 3600),)}

    @documented(
        summary="She has read all of them / 全部已读",
        words="Up to the message of `read_mark`; what came since stays unread.",
        body=InboxReadAllIn,
        body_example={"read_mark": "WzcsMTJd:1vMk…"},
        answer=InboxUnreadOut,
        example={"unread_count": 0},
    )
    def post(self, request: Request) -> Response:
        newest = open_cursor(self.read(InboxReadAllIn)["read_mark"], owner=self.member_id)
        campaign_services.read_whole_inbox(member_id=self.member_id, up_to_id=newest or 0)
        count = campaign_selectors.count_unread_inbox(self.member_id)
        return Response(InboxUnreadOut({"unread_count": count}).data)
