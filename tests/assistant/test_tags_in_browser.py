"""The dialogs of a member's page under a thumb: opened, closed, tapped twice, without network."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from guides.models import GuideNote
from members import services
from members.models import MemberTag
from tests.assistant.test_browser import chromium, phone  # noqa: F401
from tests.browser import needs_browser
from tests.cast import DIRECTOR, Cast

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(cast: Cast, phone: Page) -> Page:  # noqa: F811
    """小美's page on 李娜's phone; the chain has two tags."""
    group = services.create_tag_group(name="风格", actor=DIRECTOR)
    for name in ("素色", "一个特别特别特别特别长的风格标签"):
        services.create_tag(group_id=group.id, name=name, actor=DIRECTOR)
    phone.goto(f"/a/members/{cast.xiaomei.public_id}/")
    return phone


def open_tags(page: Page) -> None:
    page.locator("#member-tags .section__do").click()
    expect(page.locator(".sheet")).to_be_visible()


def open_notes(page: Page) -> None:
    page.locator(".segments__item", has_text="备注").click()
    page.locator("#member-notes .section__do").click()


def test_a_tag_is_given_in_the_dialog_seen_at_once_and_undone(page: Page) -> None:
    open_tags(page)
    page.locator(".chip_choice", has_text="素色").first.click()
    expect(page.locator(".chip_choice.is-on").first).to_have_text("素色")
    expect(page.locator("#member-tags .chip")).to_have_text("素色")

    page.locator(".notice__undo").click()

    expect(page.locator(".chip_choice.is-on")).to_have_count(0)
    expect(page.locator("#member-tags .chip")).to_have_count(0)


def test_a_word_of_her_own_is_made_by_typing_it(page: Page) -> None:
    open_tags(page)
    page.locator("#tag-words").press_sequentially("爱聊天")
    page.locator(".choices__new").click()
    expect(page.locator("#member-tags .chip_own")).to_have_text("爱聊天")
    expect(page.locator("#tag-words")).to_have_value("爱聊天")


def test_the_dialog_closes_by_key_cross_and_the_ground_behind_it(page: Page) -> None:
    for close in (
        lambda: page.keyboard.press("Escape"),
        lambda: page.locator(".sheet__close").click(),
        lambda: page.locator(".weui-mask").click(position={"x": 20, "y": 20}),
    ):
        open_tags(page)
        assert page.evaluate("document.querySelector('main').inert")
        close()
        expect(page.locator(".sheet")).to_have_count(0)
        assert not page.evaluate("document.querySelector('main').inert")
        expect(page.locator("#member-tags .section__do")).to_be_focused()


def test_a_double_tap_on_save_is_one_note_and_closes_the_dialog(page: Page) -> None:
    open_notes(page)
    page.locator("#note-text").fill("喜欢素色")
    page.evaluate(
        "() => { const save = document.querySelector('.sheet__form .weui-btn'); save.click(); save.click() }"
    )
    expect(page.locator(".jot__text")).to_have_text("喜欢素色")
    expect(page.locator(".sheet")).to_have_count(0)
    assert GuideNote.objects.count() == 1

    page.locator(".jot form button").click()
    expect(page.locator(".jot")).to_have_count(0)
    page.locator(".notice__undo").click()
    expect(page.locator(".jot__text")).to_have_text("喜欢素色")


def test_without_network_what_was_typed_stays_and_can_be_sent_again(page: Page) -> None:
    open_notes(page)
    page.locator("#note-text").fill("喜欢素色")
    page.route("**/notes/save/", lambda route: route.abort())
    page.locator(".sheet__form .weui-btn").click()
    expect(page.locator(".notice")).to_be_visible()
    expect(page.locator("#note-text")).to_have_value("喜欢素色")

    page.unroute("**/notes/save/")
    page.locator(".sheet__form .weui-btn").click()

    expect(page.locator(".jot__text")).to_have_text("喜欢素色")


def test_a_double_tap_on_a_tag_is_one_tagging(page: Page) -> None:
    open_tags(page)
    page.evaluate("() => { const chip = document.querySelector('.chip_choice'); chip.click(); chip.click() }")
    expect(page.locator(".chip_choice.is-on").first).to_be_visible()
    assert MemberTag.objects.count() == 1


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_dialogs_fit_the_screen_and_targets_are_large(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    for open_sheet in (open_tags, open_notes):
        open_sheet(page)
        expect(page.locator(".sheet")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate("document.querySelector('.sheet').scrollWidth") <= width
        sizes: list[Any] = page.eval_on_selector_all(
            ".sheet button, .sheet input:not([type=hidden]), .sheet textarea",
            "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])",
        )
        assert round(min(min(size) for size in sizes)) >= 44  # it may still be sliding in
        page.keyboard.press("Escape")
