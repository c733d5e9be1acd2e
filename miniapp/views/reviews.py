"""What she thinks of her purchases: invitations to rate them, and her answers."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members.errors import NoSuchMember
from miniapp.api import MemberView, open_cursor, seal_cursor
from miniapp.schema import documented
from rest.bodies import StrictInput, StrictText
from rest.pages import PageQuery
from rest.throttles import Limit
from sales import selectors as sale_selectors
from sales import services as sale_services
from sales.contracts.reviews import ReviewCard
from sales.errors import NoSuchReview, ReviewAnswered, ReviewOver, ReviewUnusable

_REVIEW: dict[str, Any] = {
    "id": "W9CAYQ7M2KXH4TBN",
    "state": "open",
    "order_no": "P20261127-0041",
    "store_name": "南京东路店",
    "guide_name": "李娜",
    "sold_at": "2026-11-27T18:05:00+08:00",
    "amount_fen": 128_000,
    "goods": ["羊绒大衣"],
    "expires_at": "2026-12-12T18:05:00+08:00",
    "score": None,
    "words": "",
    "answered_at": None,
}
_ANSWERED: dict[str, Any] = {
    **_REVIEW,
    "state": "answered",
    "score": 5,
    "words": "李娜很耐心",
    "answered_at": "2026-11-28T20:10:00+08:00",
}


class ReviewOut(serializers.Serializer[Any]):
    """One order she may rate, or has rated."""

    id = serializers.CharField()
    state = serializers.ChoiceField(
        choices=("open", "answered", "over"), help_text="`over`: its time ended without an answer"
    )
    order_no = serializers.CharField()
    store_name = serializers.CharField()
    guide_name = serializers.CharField(allow_blank=True)
    sold_at = serializers.DateTimeField()
    amount_fen = serializers.IntegerField()
    goods = serializers.ListField(child=serializers.CharField(), help_text="the first five")
    expires_at = serializers.DateTimeField(help_text="until then she may answer")
    score = serializers.IntegerField(allow_null=True, help_text="1 to 5 once she has answered")
    words = serializers.CharField(allow_blank=True)
    answered_at = serializers.DateTimeField(allow_null=True)


class ReviewsOut(serializers.Serializer[Any]):
    """One page, the newest first."""

    reviews = ReviewOut(many=True)
    open_count = serializers.IntegerField(help_text="orders she may rate now, on all pages")
    next_cursor = serializers.CharField(allow_null=True, help_text="null on the last page")


class AnswerIn(StrictInput):
    """What she says."""

    score = serializers.IntegerField(min_value=1, max_value=5)
    words = StrictText(required=False, default="", allow_blank=True, max_length=1000)


def show_review(card: ReviewCard) -> dict[str, Any]:
    """The answer's form of a review."""
    return {
        "id": card.public_id,
        "state": card.state,
        "order_no": card.order_no,
        "store_name": card.store_name,
        "guide_name": card.guide_name,
        "sold_at": card.sold_at,
        "amount_fen": card.amount_fen,
        "goods": list(card.goods),
        "expires_at": card.expires_at,
        "score": card.score,
        "words": card.words,
        "answered_at": card.answered_at,
    }


class ReviewsView(MemberView):
    """`GET reviews`"""

    @documented(
        summary="Orders she may rate, and what she said / 我的评价",
        query=PageQuery,
        answer=ReviewsOut,
        example={"reviews": [_REVIEW], "open_count": 1, "next_cursor": None},
    )
    def get(self, request: Request) -> Response:
        given = self.read_query(PageQuery)
        before = open_cursor(given["cursor"], owner=self.member_id) if given.get("cursor") else None
        page = sale_selectors.list_member_reviews(self.member_id, before_id=before, limit=given["limit"])
        return Response(
            ReviewsOut(
                {
                    "reviews": [show_review(card) for card in page.reviews],
                    "open_count": sale_selectors.count_open_reviews(self.member_id),
                    "next_cursor": None
                    if page.next_id is None
                    else seal_cursor(page.next_id, owner=self.member_id),
                }
            ).data
        )


class ReviewView(MemberView):
    """`GET reviews/{review_id}`"""

    @documented(
        summary="One order she may rate / 评价详情",
        answer=ReviewOut,
        example=_REVIEW,
        refuses=(NoSuchReview,),
    )
    def get(self, request: Request, review_id: str) -> Response:
        card = sale_selectors.access_member_review(self.member_id, review_id)
        return Response(ReviewOut(show_review(card)).data)


class AnswerReviewView(MemberView):
    """`POST reviews/{review_id}/answer`"""

    limits: ClassVar = {"post": (Limit("member", 60, 3600),)}

    @documented(
        summary="Rate the purchase / 提交评价",
        words="1 to 5 and, if she likes, words. The same again gets the same answer; another answer is refused.",
        body=AnswerIn,
        body_example={"score": 5, "words": "李娜很耐心"},
        answer=ReviewOut,
        example=_ANSWERED,
        refuses=(NoSuchReview, ReviewAnswered, ReviewOver, ReviewUnusable, NoSuchMember),
    )
    def post(self, request: Request, review_id: str) -> Response:
        given = self.read(AnswerIn)
        card = sale_services.answer_review(
            member_id=self.member_id,
            public_id=review_id,
            score=given["score"],
            words=given["words"],
            actor=self.actor,
        )
        return Response(ReviewOut(show_review(card)).data)
