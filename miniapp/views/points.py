"""Her points."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import selectors as member_selectors
from miniapp.api import MemberView, open_cursor, seal_cursor
from miniapp.schema import documented
from rest.pages import PageQuery

KINDS = ("earn", "spend", "expire", "reverse", "adjust", "freeze", "release")


class PointsOut(serializers.Serializer[Any]):
    """What she has. A negative balance is a debt that the next points pay."""

    balance = serializers.IntegerField()
    frozen = serializers.IntegerField(help_text="set aside for an order under way, not in the balance")
    expiring = serializers.IntegerField(help_text="points that go at the end of `expires_on`")
    expires_on = serializers.DateField(allow_null=True)


class PointsEntryOut(serializers.Serializer[Any]):
    """One line of her ledger."""

    kind = serializers.ChoiceField(choices=KINDS)
    kind_label = serializers.CharField()
    delta = serializers.IntegerField()
    balance_after = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class PointsEntriesOut(serializers.Serializer[Any]):
    """One page, newest first."""

    entries = PointsEntryOut(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


class PointsView(MemberView):
    """`GET points`"""

    @documented(
        summary="Her points / 我的积分",
        answer=PointsOut,
        example={"balance": 1280, "frozen": 0, "expiring": 200, "expires_on": "2026-12-31"},
    )
    def get(self, request: Request) -> Response:
        return Response(PointsOut(member_selectors.get_points_summary(self.member_id)).data)


class PointsEntriesView(MemberView):
    """`GET points/entries`"""

    @documented(
        summary="What happened to her points / 积分明细",
        query=PageQuery,
        answer=PointsEntriesOut,
        example={
            "entries": [
                {
                    "kind": "earn",
                    "kind_label": "获得",
                    "delta": 100,
                    "balance_after": 1280,
                    "reason": "完善资料",
                    "at": "2026-11-21T18:05:00+08:00",
                }
            ],
            "next_cursor": None,
        },
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(PageQuery)
        cursor = open_cursor(given.get("cursor"), owner=self.member_id)
        page = member_selectors.list_points_entries(self.member_id, cursor=cursor, limit=given["limit"])
        following = seal_cursor(page.next_cursor, owner=self.member_id)
        return Response(PointsEntriesOut({"entries": page.lines, "next_cursor": following}).data)
