"""The template builder in a browser: fields by kind, chips, places found by typing, the card beside it, one save."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from coupons.models import CouponTemplate
from sales.models import Category
from tests.assistant.test_browser import chromium  # noqa: F401
from tests.browser import needs_browser
from tests.cast import Cast
from tests.sales.kit import line, order, tell

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(cast: Cast, live_server: Any, client: Any, chromium: Any) -> Iterator[Page]:  # noqa: F811
    """Head office at a desk, logged in; a script error fails the test."""
    client.force_login(cast.head_office)
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []


def test_a_coupon_takes_shape_while_she_types(page: Page, cast: Cast) -> None:
    page.goto("/admin/coupons/coupontemplate/add/")
    card = page.locator("#card-preview")
    expect(page.locator("input[name=rate_bp]")).to_be_hidden()
    page.get_by_text("折扣券", exact=True).first.click()
    expect(page.locator("input[name=off_fen]")).to_be_hidden()
    page.locator("input[name=rate_bp]").fill("8.5")
    page.locator("input[name=min_spend_fen]").fill("300")
    expect(card).to_contain_text("8.5折满 300 元可用")
    expect(card).to_contain_text("300 元的篮子：减 45 元，付 255 元")
    page.locator("[data-chips=include_categories] > input").fill("shoes")
    page.keyboard.press("Enter")
    page.keyboard.type("bags")
    page.locator("[data-picker=store_ids] .xe-chips > input").fill("南京")
    expect(page.locator("[data-pick]")).to_have_count(1)
    page.locator("[data-pick]").click()
    expect(card).to_contain_text("限类目 shoes、bags")
    expect(card).to_contain_text("南京东路店")
    page.locator("[data-add]").click()
    page.locator("input[name=hours_from]").fill("10:00")
    page.locator("input[name=hours_to]").fill("22:00")
    page.get_by_text("固定日期").click()
    expect(page.locator("input[name=valid_days]")).to_be_hidden()
    page.get_by_text("领取当天起若干天").click()
    page.locator("input[name=title]").fill("周末券")
    expect(card).to_contain_text("每天 10:00–22:00")
    page.get_by_role("button", name="建好模板").dblclick()
    page.wait_for_url("**/coupontemplate/")
    row = CouponTemplate.objects.get()
    assert (row.kind, row.rate_bp, row.title, row.store_ids) == ("percent", 8_500, "周末券", [cast.store.id])
    assert (row.include_categories, row.hours) == (["shoes", "bags"], ["10:00-22:00"])


def test_goods_are_found_by_name_and_new_codes_taken_as_typed(page: Page, cast: Cast) -> None:
    tell(order("G1", line("A100"), line("A200")))
    page.goto("/admin/coupons/coupontemplate/add/")
    goods = page.locator("[data-picker=include_products]")
    typed = goods.locator(".xe-chips > input[type=text]")
    chips = goods.locator(".xe-chip")
    typed.fill("针织")
    expect(goods.locator("[data-pick]")).to_have_text(["针织衫（A100）", "针织衫（A200）"])
    goods.locator("[data-pick=A200]").click()
    expect(chips).to_have_text(["针织衫（A200）×"])
    typed.fill("a1")
    expect(goods.locator("[data-pick]")).to_have_text(["针织衫（A100）"])
    typed.press("Enter")
    expect(chips).to_have_text(["针织衫（A200）×", "针织衫（A100）×"])
    typed.fill("NEW-1")
    expect(goods.get_by_text("按回车就照填的加入")).to_be_visible()
    typed.press("Enter")
    typed.fill("B1，B2")
    typed.press("Enter")
    expect(chips).to_have_text(["针织衫（A200）×", "针织衫（A100）×", "NEW-1×", "B1×", "B2×"])
    expect(page.locator("#card-preview")).to_contain_text("限商品 针织衫、NEW-1、B1 等 4 个")
    typed.fill("针织")
    expect(goods.locator("[data-pick]")).to_have_count(2)
    typed.press("ArrowDown")
    goods.locator("[data-pick]").first.press("Escape")
    expect(chips).to_have_count(5)
    expect(typed).to_have_value("针织")


def test_what_was_found_for_another_text_is_not_taken_for_what_stands_there(page: Page, cast: Cast) -> None:
    Category.objects.create(code="bags", name="包袋")
    held: list[Route] = []
    page.goto("/admin/coupons/coupontemplate/add/")
    page.route("**/pick/categories/**", lambda route: held.append(route))
    kinds = page.locator("[data-picker=include_categories]")
    typed = kinds.locator(".xe-chips > input[type=text]")
    with page.expect_request("**/pick/categories/**"):
        typed.focus()
    # The list of everything, asked for at the focus, comes when she has typed already; what was asked since does not.
    typed.fill("shirts")
    held[0].continue_()
    expect(kinds.locator("[data-pick]")).to_have_text(["包袋（bags）"])
    typed.press("Enter")
    expect(kinds.locator(".xe-chip")).to_have_text(["shirts×"])
