"""The same path as people walk it: console, scan, greeting; assistant, new member."""

from typing import Any

import pytest

from tests.browser import browser_pages, needs_browser
from tests.e2e.test_first_light import code_url
from tests.stack import Stack

pytestmark = [pytest.mark.browser, needs_browser]


@pytest.fixture(scope="module")
def open_page() -> Any:
    with browser_pages() as open_page:
        yield open_page


def test_scan_in_the_console_greeting_in_the_chat_member_in_the_assistant(
    stack: Stack, open_page: Any
) -> None:
    code_url(stack, 0)
    li_na = stack.person("李娜")
    stack.person("路人甲")
    phone = open_page(width=375, height=812)
    phone.goto(f"{stack.web_url}/a/")
    phone.get_by_text("李娜", exact=True).first.click()
    phone.get_by_role("button", name="以李娜的身份继续").click()
    phone.locator("input[name=code]").fill(stack.new_activation_code(0).lower())
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/a/")
    assert "今日" in phone.title()
    assert li_na["openids"]

    console = open_page(width=1440, height=900)
    console.goto(stack.sandbox_url)
    console.locator(".row", has_text="路人甲").click()
    console.get_by_role("button", name="扫一扫", exact=True).click()
    console.locator("dialog .code", has_text=stack.facts["codes"][0]).click()
    console.locator(".theirs .bubble", has_text="李娜").wait_for()

    phone.get_by_text("成为您的会员").first.wait_for()  # without a reload
    phone.get_by_role("link", name="会员", exact=True).click()
    phone.get_by_text("微信会员").first.click()
    phone.get_by_text("扫导购码").first.wait_for()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 375


def test_the_admin_shows_the_push_and_the_binding(stack: Stack, open_page: Any) -> None:
    person = stack.person("后台")
    stack.scan(person, code_url(stack, 0))
    page = open_page(width=1440, height=900)
    stack.run_in_django(
        "from core.models import StaffAccount; StaffAccount.objects.filter(username='boss').exists() or "
        "StaffAccount.objects.create_superuser('boss', 'boss@example.com', 'first-light-9')"
    )
    page.goto(f"{stack.web_url}/admin/")
    page.locator("input[name=username]").fill("boss")
    page.locator("input[name=password]").fill("first-light-9")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)
    page.goto(f"{stack.web_url}/admin/guides/binding/")
    page.get_by_text("李娜").first.wait_for()
    page.goto(f"{stack.web_url}/admin/wechat/inboundevent/")
    assert "event.subscribe" in page.content() or "关注" in page.content()
    assert person["openids"][next(iter(person["openids"]))] not in page.content()
