"""The reveal under a thumb: a reason is asked, the number stands half a minute and goes by itself."""

import pytest
from playwright.sync_api import Page, expect

from guides import services as guide_services
from members import services
from members.models import PhoneReveal
from tests.assistant.test_browser import chromium, phone  # noqa: F401
from tests.browser import needs_browser
from tests.cast import DIRECTOR, Cast

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(cast: Cast, phone: Page) -> Page:  # noqa: F811
    """The page of a member with a phone on 李娜's phone, whose clock the test moves."""
    card = services.register_member(name="小雅", phone="13912345678", source="pos", actor=DIRECTOR)
    guide_services.bind_member(member_id=card.id, guide_id=cast.lina.id, source="staff", actor=DIRECTOR)
    phone.clock.install()
    phone.goto(f"/a/members/{card.public_id}/")
    return phone


def test_it_is_asked_why_shown_for_half_a_minute_and_gone(page: Page) -> None:
    page.locator(".facts__do").click()
    page.locator(".pick__one", has_text="回访老会员").click()
    page.locator(".sheet__form .weui-btn").click()
    expect(page.locator(".reveal__number")).to_have_text("139 1234 5678")
    expect(page.locator(".reveal .weui-btn")).to_have_attribute("href", "tel:13912345678")
    page.clock.run_for(20_000)
    expect(page.locator("[data-seconds]")).to_have_text("10")
    page.clock.run_for(11_000)
    expect(page.locator(".sheet")).to_have_count(0)
    assert "1234 5678" not in page.content()
    assert PhoneReveal.objects.count() == 1


def test_without_a_reason_nothing_is_asked_of_the_server(page: Page) -> None:
    page.locator(".facts__do").click()
    page.locator(".sheet__form .weui-btn").click()
    expect(page.locator(".sheet__form")).to_be_visible()
    assert PhoneReveal.objects.count() == 0


@pytest.mark.parametrize("width", [320, 375])
def test_the_dialogs_fit_and_their_targets_are_large(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    page.locator(".facts__do").click()
    expect(page.locator(".sheet")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    heights: list[float] = page.eval_on_selector_all(
        ".sheet button, .pick__one, .sheet__field",
        "all => all.map(one => one.getBoundingClientRect().height)",
    )
    assert round(min(heights)) >= 44
