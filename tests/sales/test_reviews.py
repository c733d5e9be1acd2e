"""A member rates her purchase: asked once, answered once, and a low score finds somebody who helps."""

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.apps import apps

from core import clock
from core.errors import Refusal
from guides import services as guide_services
from guides.models import RequestKind, ServiceRequest
from members import services as member_services
from sales import selectors, services
from sales.models import PurchaseCare, Review, Sale
from sales.services.holdings_reviews import ReviewHoldings
from tests.cast import Cast
from tests.guides.requests_kit import make_kinds
from tests.sales.kit import TILL, back, key_of, line, order, tell
from tests.sales.reviews_kit import ask_at_once, make_review
from tests.sales.test_purchase_care import texts
from tests.sales.test_purchase_gifts import work
from tests.threads import at_once

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db


def rate(cast: Cast, review: Review, score: Any = 5, words: str = "", **other: Any) -> Any:
    asked: dict[str, Any] = {"member_id": cast.xiaomei.id, "public_id": review.public_id} | other
    return services.answer_review(score=score, words=words, actor=TILL, **asked)


def refused(call: Any) -> str:
    with pytest.raises(Refusal) as told:
        call()
    return told.value.code


def test_she_is_asked_in_time_once_for_an_order_and_told_while_she_may_be(cast: Cast) -> None:
    ask_at_once(review_after_hours=3, review_open_days=2)
    sold_at = clock.now() - HOUR
    tell(order("O1", member=key_of(cast.xiaomei), sold_at=sold_at))
    for _again in range(2):
        work()
    review = Review.objects.get()
    assert (review.due_at, review.expires_at) == (sold_at + 3 * HOUR, sold_at + 3 * HOUR + 2 * DAY)
    assert (review.guide_id, review.store_id, review.state) == (cast.lina.id, cast.store.id, "planned")
    assert services.work_reviews() == 0
    assert refused(partial(rate, cast, review)) == "sales.no_such_review"
    assert selectors.list_member_reviews(cast.xiaomei.id).reviews == ()
    later = clock.now() + 3 * HOUR
    assert (services.work_reviews(at=later), services.work_reviews(at=later)) == (1, 0)
    [text] = texts("review:")
    assert text.startswith("您在南京东路店买的还满意吗？")
    tell(order("O1", line("A1", 9_000), member=key_of(cast.xiaomei), revision=1, sold_at=sold_at))
    work()
    review = Review.objects.get()
    assert review.sale_id == Sale.objects.current().get().pk
    [card] = selectors.list_member_reviews(cast.xiaomei.id).reviews
    assert (card.state, card.amount_fen, card.goods, card.guide_name) == ("open", 9_000, ("针织衫",), "李娜")


@pytest.mark.parametrize("what", ["off", "other store", "old", "nobody's"])
def test_who_is_not_asked(cast: Cast, what: str) -> None:
    ask_at_once(
        is_review_on=what != "off", review_store_ids=[cast.other_store.id] if what == "other store" else []
    )
    sold_at = clock.now() - (3 * DAY if what == "old" else HOUR)
    tell(order("O1", member=None if what == "nobody's" else key_of(cast.xiaomei), sold_at=sold_at))
    work()
    assert not Review.objects.exists()


def test_a_region_counts_with_all_below_it(cast: Cast) -> None:
    ask_at_once(review_region_ids=[cast.root.id])
    make_review(cast.xiaomei)
    PurchaseCare.objects.update(review_region_ids=[cast.south.id])
    tell(order("O2", member=key_of(cast.xiaomei)))
    work()
    assert Review.objects.count() == 1


def test_her_answer_stands_and_the_guide_sees_it(cast: Cast) -> None:
    ask_at_once()
    review = make_review(cast.xiaomei)
    told = rate(cast, review, 4, "  很好\x07 ")
    assert (told.state, told.score, told.words) == ("answered", 4, "很好")
    assert rate(cast, review, 4, "很好") == told
    assert refused(partial(rate, cast, review, 5, "很好")) == "sales.review_answered"
    assert refused(partial(rate, cast, review, 4, "")) == "sales.review_answered"
    rating = selectors.get_sale_card(review.sale_id).rating
    assert rating is not None
    assert (rating.score, rating.words) == (4, "很好")
    day = selectors.span_of("day", clock.business_day(clock.now()))
    [line_of_hers] = selectors.list_guide_sales(cast.lina.id, day).lines
    assert line_of_hers.rating == rating
    assert not ServiceRequest.objects.exists()


@pytest.mark.parametrize(
    ("score", "words"), [(0, ""), (6, ""), (-1, ""), (True, ""), ("5", ""), (2.5, ""), (5, "长" * 281)]
)
def test_what_is_no_rating(cast: Cast, score: Any, words: str) -> None:
    ask_at_once()
    review = make_review(cast.xiaomei)
    assert refused(partial(rate, cast, review, score, words)) == "sales.review_unusable"
    assert Review.objects.get().state == "open"


def test_anothers_review_is_an_unknown_one(cast: Cast) -> None:
    ask_at_once()
    review = make_review(cast.xiaomei)
    for other in ({"member_id": cast.xiaoli.id}, {"public_id": "2" * 16}, {"public_id": "\0"}):
        assert refused(partial(rate, cast, review, **other)) == "sales.no_such_review"
    with pytest.raises(Refusal):
        selectors.access_member_review(cast.xiaoli.id, review.public_id)


def test_a_low_score_goes_to_her_guide_once(cast: Cast) -> None:
    make_kinds()
    ask_at_once()
    review = make_review(cast.xiaomei)
    for _again in range(2):
        rate(cast, review, 2, "掉色")
    request = ServiceRequest.objects.get()
    assert (request.guide_id, request.kind.code) == (cast.lina.id, "repair")
    assert request.words == "订单 O1 评价 2 分：掉色"
    assert Review.objects.get().request_outcome == "opened"


def test_without_a_guide_it_goes_to_the_store_that_sold(cast: Cast) -> None:
    make_kinds()
    ask_at_once()
    review = make_review(cast.xiaoli)
    rate(cast, review, 1, "慢" * 280, member_id=cast.xiaoli.id)
    request = ServiceRequest.objects.get()
    assert (request.guide_id, request.store_id, len(request.words)) == (None, cast.store.id, 293)


@pytest.mark.parametrize("what", ["off", "wants time", "closed store", "none", "too many"])
def test_an_answer_is_kept_when_no_request_can_be_opened(cast: Cast, what: str) -> None:
    make_kinds()
    ask_at_once(low_score_kind={"wants time": "visit", "none": ""}.get(what, "repair"))
    review = make_review(cast.xiaoli)
    if what == "off":
        RequestKind.objects.filter(code="repair").update(is_active=False)
    elif what == "closed store":
        apps.get_model("guides", "Store").objects.filter(pk=cast.store.id).update(is_active=False)
    elif what == "too many":
        for number in range(10):
            guide_services.open_request(
                member_id=cast.xiaoli.id, kind="other", words="x", store_id=cast.store.id,
                request_key=f"k{number}", actor=TILL,
            )  # fmt: skip
    rate(cast, review, 1, member_id=cast.xiaoli.id)
    found = Review.objects.get()
    assert (found.state, found.score) == ("answered", 1)
    assert (
        found.request_outcome
        == {
            "off": "guides.request_kind_closed",
            "wants time": "guides.request_time_unusable",
            "closed store": "guides.store_closed",
            "none": "",
            "too many": "guides.too_many_requests",
        }[what]
    )


def test_time_over_goods_back_and_switched_off_end_it(cast: Cast) -> None:
    ask_at_once()
    over, returned, planned = (make_review(cast.xiaomei, f"O{number}") for number in range(3))
    Review.objects.filter(pk=over.pk).update(expires_at=clock.now() + HOUR)
    assert refused(partial(rate, cast, over, at=clock.now() + HOUR)) == "sales.review_over"
    services.work_reviews(at=clock.now() + HOUR)
    tell(back("R1", order_no="O1"))
    Review.objects.filter(pk=planned.pk).update(state="planned")
    PurchaseCare.objects.update(is_review_on=False)
    services.work_reviews()
    states = Review.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["over", "dropped", "dropped"]
    for review in (over, returned, planned):
        assert refused(partial(rate, cast, review)) == "sales.review_over"


def test_merged_and_parted_they_go_with_their_order_and_erased_without_words(cast: Cast) -> None:
    ask_at_once()
    mine, theirs = make_review(cast.xiaomei), make_review(cast.xiaoli, "O2")
    rate(cast, theirs, 3, "一般", member_id=cast.xiaoli.id)
    living = member_services.merge_members(first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, actor=TILL).id
    assert set(Review.objects.values_list("member_id", flat=True)) == {living}
    assert [row["评价内容"] for row in ReviewHoldings().export(living)["购物评价"]] == ["一般"]
    member_services.erase_member(member_id=living, reason="own_wish", actor=TILL)
    left = {row.pk: (row.state, row.score, row.words) for row in Review.objects.all()}
    assert left == {mine.pk: ("dropped", None, ""), theirs.pk: ("answered", 3, "")}


@pytest.mark.django_db(transaction=True)
def test_two_devices_answer_at_once_and_one_answer_stands(cast: Cast) -> None:
    make_kinds()
    ask_at_once()
    review = make_review(cast.xiaomei)
    answers = at_once([partial(rate, cast, review, score) for score in (1, 2, 1, 2)])
    codes = sorted(one.code if isinstance(one, Refusal) else "ok" for one in answers)
    assert codes == ["ok", "ok", "sales.review_answered", "sales.review_answered"]
    assert ServiceRequest.objects.count() == 1
