"""The assistant in a real browser: what only a browser can show."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from core import clock
from core.actor import Actor
from guides import services as guide_services
from tests.assistant.test_pages import give_members, give_ticket
from tests.browser import ARGUMENTS, CHROMIUM, PATIENCE_MS, needs_browser
from tests.cast import Cast, make_follower, openid_of
from tests.sales.kit import line, order, tell

pytestmark = [
    pytest.mark.browser,
    needs_browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # Playwright's loop makes Django believe that every thread with it is asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def phone(cast: Cast, log_in: Any, live_server: Any, chromium: Any) -> Iterator[Page]:
    """李娜's phone, logged in; a script error or a refused resource fails the test."""
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": 375, "height": 812},
        locale="zh-CN",
        is_mobile=True,
        has_touch=True,
    )
    session = log_in(cast.lina).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if "Content Security" in line.text else None)
    yield page
    context.close()
    assert troubles == []


def join(cast: Cast, name: str, key: str) -> Any:
    """A new member of 李娜, of whom she has been told."""
    member = make_follower(name, openid_of(key))
    binding = guide_services.bind_member(
        member_id=member.id, guide_id=cast.lina.id, source="scan", actor=Actor.wechat()
    )
    guide_services.tell_of_new_member(binding_id=binding.id)
    return member


def test_a_new_member_appears_at_home_without_a_reload(cast: Cast, phone: Page) -> None:
    phone.goto("/a/")
    before = phone.locator(".numbers__value").first.inner_text()
    phone.evaluate("window.stayed = true")

    member = join(cast, "沈知夏", "shen")

    expect(phone.locator(f"#card-{member.public_id}")).to_be_visible()
    expect(phone.locator(".notice")).to_be_visible()
    expect(phone.locator(".numbers__value").first).to_have_text(str(int(before) + 1))
    expect(phone.locator(".notice")).to_have_count(0)
    assert phone.evaluate("window.stayed") is True


def test_a_sale_is_said_once_also_when_she_goes_on_to_another_page(cast: Cast, phone: Page) -> None:
    phone.goto("/a/")
    expect(phone.locator("#pulse-deals")).not_to_have_value("")
    known = phone.locator("#pulse-deals").input_value()
    tell(order("O1", line("A1", 128_000), sold_at=clock.now()))
    phone.goto("/a/me/")  # before this page was told
    expect(phone.locator(".notice_deal")).to_have_text("刚刚成交 ¥1,280")
    expect(phone.locator("#pulse-deals")).not_to_have_value(known)
    phone.goto("/a/members/")
    assert phone.locator("#pulse-deals").input_value() != known
    with phone.expect_response(lambda answer: "/a/pulse/" in answer.url) as pulse:
        pass
    assert pulse.value.status == 204


def test_a_new_member_appears_on_top_of_the_list_once(cast: Cast, phone: Page) -> None:
    phone.goto("/a/members/")

    member = join(cast, "沈知夏", "shen")

    expect(phone.locator(".row").first).to_have_id(f"m-{member.public_id}")
    expect(phone.locator(f"[id=m-{member.public_id}]")).to_have_count(1)
    expect(phone.locator("#today-badge")).to_have_class(re.compile("weui-badge"))
    phone.locator(".row").first.click()
    expect(phone).to_have_title("沈知夏")
    phone.go_back()
    expect(phone.locator(".row")).to_have_count(2)


def test_the_list_grows_while_scrolling_and_is_there_again_after_going_back(cast: Cast, phone: Page) -> None:
    give_members(cast.lina, 65)
    phone.goto("/a/members/")
    expect(phone.locator(".row")).to_have_count(20)

    for rows in (40, 60, 66):
        phone.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        expect(phone.locator(".row")).to_have_count(rows)
    expect(phone.locator(".end")).to_be_visible()
    phone.locator(".row").nth(50).click()
    expect(phone.locator(".facts")).to_be_visible()
    phone.go_back()

    expect(phone.locator(".row")).to_have_count(66)
    expect(phone.locator(".row").nth(50)).to_be_in_viewport()


def test_search_follows_typing_and_can_be_cleared(cast: Cast, phone: Page) -> None:
    give_members(cast.lina, 25)
    phone.goto("/a/members/")

    phone.locator("#search-words").press_sequentially("xiaomei", delay=20)
    expect(phone.locator(".row")).to_have_count(1)
    assert phone.url.endswith("?q=xiaomei")
    phone.locator("[data-clear]").click()

    expect(phone.locator(".row")).to_have_count(20)
    assert phone.url.endswith("/a/members/")


def test_a_stretch_that_fails_can_be_asked_again(cast: Cast, phone: Page) -> None:
    give_members(cast.lina, 30)
    phone.goto("/a/members/")
    phone.route("**/members/rows/**", lambda route: route.abort())
    phone.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(phone.locator(".stretch__failed")).to_be_visible()

    phone.unroute("**/members/rows/**")
    phone.locator(".stretch").click()

    expect(phone.locator(".row")).to_have_count(31)


def test_a_phone_without_network_is_told_and_recovers(cast: Cast, phone: Page) -> None:
    phone.goto("/a/")
    phone.clock.install(time=clock.now())
    phone.reload()
    phone.route("**/a/pulse/**", lambda route: route.abort())
    for _ in range(4):
        phone.clock.run_for(9_000)
        phone.wait_for_timeout(100)
    expect(phone.locator("#offline")).to_be_visible()

    phone.unroute("**/a/pulse/**")
    phone.clock.run_for(40_000)

    expect(phone.locator("#offline")).to_be_hidden()


def test_a_double_tap_sends_once(cast: Cast, phone: Page) -> None:
    sent: list[str] = []
    phone.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    phone.goto("/a/me/")

    phone.evaluate(
        "() => { const tap = document.querySelector('form[data-once] button'); tap.click(); tap.click() }"
    )

    phone.wait_for_url("**/a/signed-out/")
    assert len(sent) == 1


@pytest.mark.parametrize("width", [320, 375, 430, 1280])
def test_no_page_is_wider_than_the_screen_and_targets_are_large(cast: Cast, phone: Page, width: int) -> None:
    give_ticket(cast.lina)
    join(cast, "一个名字特别特别特别特别长的会员", "long")
    phone.set_viewport_size({"width": width, "height": 700})

    for path in ("/a/", "/a/members/", f"/a/members/{cast.xiaomei.public_id}/", "/a/my-code/", "/a/me/"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") == width, path
        heights = phone.eval_on_selector_all(
            "a, button, input:not([type=hidden])",
            "all => all.filter(one => one.offsetParent).map(one => one.getBoundingClientRect().height)",
        )
        assert min(heights) >= 44, path
