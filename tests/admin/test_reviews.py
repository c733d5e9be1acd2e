"""购物评价 and 购后设置: each account sees its part, the rule is written in one form, files say what lists say."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sales import services as sales_services
from sales.models import PurchaseCare, Review
from tests.admin.coupon_desk_kit import sheet_of
from tests.admin.sales_desk_kit import staff_with
from tests.cast import Cast
from tests.guides.requests_kit import make_kinds
from tests.sales.kit import TILL
from tests.sales.reviews_kit import ask_at_once, make_review

pytestmark = pytest.mark.django_db


@pytest.fixture
def rated(cast: Cast) -> Review:
    """小丽 gave two for something she bought in the south."""
    make_kinds()
    ask_at_once()
    review = make_review(cast.xiaoli, "O9", store_code="T02", serving_guide="")
    sales_services.answer_review(
        member_id=cast.xiaoli.id, public_id=review.public_id, score=2, words="掉色", actor=TILL
    )
    make_review(cast.xiaomei, "O1")
    return review


def test_the_list_says_who_what_and_what_became_of_it(desk: Client, cast: Cast, rated: Review) -> None:
    east_desk = staff_with(cast, "view_review")
    listed = reverse("admin:sales_review_changelist")
    text = desk.get(listed).content.decode()
    for words in ("★★☆☆☆", "掉色", "已转服务请求", "天河路店", "小丽", "等待评价"):
        assert words in text
    assert "掉色" not in east_desk.get(listed).content.decode()
    assert "李娜" in east_desk.get(listed).content.decode()
    found = {
        "?score=low": {"O9"},
        "?score=high": set(),
        "?score=nonsense": {"O9", "O1"},
        "?state=open": {"O1"},
        "?q=O9": {"O9"},
        "?q=%00": {"O9", "O1"},
    }
    for query, numbers in found.items():
        rows = desk.get(f"{listed}{query}").context["cl"].queryset
        assert {row.sale.order_no for row in rows} == numbers, query
    page = reverse("admin:sales_review_change", args=[rated.pk])
    assert "掉色" in desk.get(page).content.decode()
    assert east_desk.get(page, follow=True).redirect_chain  # looks like one that is not there


def test_the_file_has_what_the_list_has(desk: Client, rated: Review) -> None:
    rows = sheet_of(desk.get(reverse("admin:sales_review_export")))
    assert {(row[0], row[1], row[4], row[5]) for row in rows[1:]} == {
        ("O9", "天河路店", 2, "掉色"),
        ("O1", "南京东路店", None, None),
    }


def form(**values: Any) -> dict[str, Any]:
    given = {
        "news_hours": 24, "is_notice_on": "on", "is_return_notice_on": "on", "is_review_on": "on",
        "review_after_hours": 2, "review_open_days": 7, "low_score": 3, "low_score_kind": "repair",
    }  # fmt: skip
    return given | values


def test_the_rule_is_one_form(desk: Client, cast: Cast) -> None:
    make_kinds()
    page = reverse("admin:sales_purchasecare_add")
    chosen = form(review_store_ids=[cast.store.id], review_region_ids=[cast.south.id])
    assert desk.post(page, chosen, follow=True).status_code == 200
    row = PurchaseCare.objects.get()
    assert (row.news_hours, row.low_score, row.low_score_kind) == (24, 3, "repair")
    assert (row.review_store_ids, row.review_region_ids) == ([cast.store.id], [cast.south.id])
    page = reverse("admin:sales_purchasecare_change", args=[1])
    desk.post(page, form(low_score_kind=""))
    row.refresh_from_db()
    assert (row.low_score_kind, row.review_store_ids) == ("", [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("news_hours", 0), ("news_hours", 721), ("review_after_hours", -1), ("review_open_days", 0),
        ("low_score", 5), ("low_score_kind", "visit"), ("low_score_kind", "no"), ("review_store_ids", "7777777"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_said_at_its_field(
    desk: Client, cast: Cast, field: str, value: Any
) -> None:
    make_kinds()
    answer = desk.post(reverse("admin:sales_purchasecare_add"), form(**{field: value}))
    assert answer.context["adminform"].form.errors.keys() == {field}
    assert not PurchaseCare.objects.exists()
