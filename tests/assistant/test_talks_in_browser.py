"""A member's message under a thumb: the tile of 今日, the list, a ready answer looked over and sent, what came of it."""

import pytest
from playwright.sync_api import Page, expect

from core.actor import Actor
from guides import services
from guides.models import ConversationMessage
from tests.assistant.test_browser import chromium, phone  # noqa: F401
from tests.assistant.test_talks import write
from tests.browser import needs_browser
from tests.cast import Cast
from wechat.models import OutboundMessage

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


def test_from_the_tile_to_an_answer_that_arrived(cast: Cast, phone: Page) -> None:  # noqa: F811
    for title, text in (("尺码", "{会员}，您平时穿什么码？"), ("营业时间", "{门店}每天十点开门")):
        services.save_quick_reply(
            reply_id=None,
            group="常用",
            title=title,
            text=text,
            is_active=True,
            order=1,
            actor=Actor.system("test"),
        )
    write(cast, "有没有 M 码？")
    phone.goto("/a/")
    phone.get_by_text("1 位会员等您回复").click()
    phone.locator("#talk-list .row").click()
    expect(phone.locator(".talk__bubble")).to_have_text(["有没有 M 码？"])

    phone.get_by_role("button", name="话术").click()
    expect(phone.locator(".ready")).to_have_count(2)
    phone.locator(".sheet .search__input").fill("尺码")
    expect(phone.locator(".ready")).to_have_count(1)
    assert phone.evaluate("document.querySelector('.sheet').scrollWidth") <= 375
    phone.locator(".ready").click()
    expect(phone.locator(".sheet")).to_have_count(0)
    expect(phone.locator("#talk-text")).to_have_value("小美，您平时穿什么码？")
    expect(phone.locator("#talk-text")).to_be_focused()

    phone.locator("#talk-text").press("End")
    phone.locator("#talk-text").type("都有现货")
    phone.evaluate("() => { const send = document.querySelector('.talk__send'); send.click(); send.click() }")
    expect(phone.locator(".talk__line_mine .talk__bubble")).to_have_text(["小美，您平时穿什么码？都有现货"])
    expect(phone.locator("#talk-text")).to_have_value("")
    assert ConversationMessage.objects.filter(speaker="guide").count() == 1

    OutboundMessage.objects.filter(reason_key__startswith="talk:").update(
        state="dropped", outcome="window_closed"
    )
    expect(phone.locator(".talk__trouble")).to_have_text("超过微信允许回复的时间，没有发送")
    write(cast, "还在吗？")
    expect(phone.locator(".talk__bubble")).to_have_count(3)  # without a reload
    assert phone.evaluate("document.documentElement.scrollWidth") == 375
    heights = phone.eval_on_selector_all(
        "main a, main button", "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert round(min(heights)) >= 44
