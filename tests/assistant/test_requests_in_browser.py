"""A service request under a thumb and under a keyboard: it arrives, is accepted, answered and finished."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from guides import services
from guides.models import ServiceRequestStep
from tests.assistant.test_browser import chromium, phone  # noqa: F401
from tests.browser import needs_browser
from tests.cast import Cast
from tests.guides.requests_kit import ask, make_kinds, row

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


def tell_all() -> None:
    for step in ServiceRequestStep.objects.filter(told_at=None):
        services.tell_of_request_step(step_id=step.pk)


def test_a_request_comes_by_itself_and_is_brought_to_its_end(cast: Cast, phone: Page) -> None:  # noqa: F811
    make_kinds()
    phone.goto("/a/requests/")
    expect(phone.locator(".empty")).to_be_visible()
    request = ask(cast.xiaomei)
    tell_all()
    expect(phone.locator("#request-list .row")).to_have_count(1)
    expect(phone.locator(".segments__item.is-on .segments__count")).to_have_text("1")
    phone.locator("#request-list .row").click()

    phone.locator(".doing .weui-btn_primary").click()
    expect(phone.locator(".notice")).to_be_visible()
    expect(phone.locator(".timeline__item")).to_have_count(2)
    assert row(request).state == "accepted"

    phone.get_by_role("button", name="给会员留言").focus()
    phone.keyboard.press("Enter")
    expect(phone.locator("#request-words")).to_be_focused()
    phone.keyboard.press("Escape")
    expect(phone.locator(".sheet")).to_have_count(0)
    phone.get_by_role("button", name="给会员留言").click()
    phone.locator("#request-words").fill("料子到了")
    phone.evaluate(
        "() => { const save = document.querySelector('.sheet__form .weui-btn'); save.click(); save.click() }"
    )
    expect(phone.locator(".sheet")).to_have_count(0)
    expect(phone.locator(".timeline__words").first).to_have_text("料子到了")
    assert row(request).steps.filter(act="said").count() == 1

    phone.get_by_role("button", name="完成").click()
    phone.locator(".sheet__form .weui-btn").click()
    expect(phone.locator(".timeline__item")).to_have_count(4)
    assert row(request).state == "done"


def test_without_network_the_words_stay(cast: Cast, phone: Page) -> None:  # noqa: F811
    make_kinds()
    request = ask(cast.xiaomei)
    phone.goto(f"/a/requests/{request.public_id}/")
    phone.get_by_role("button", name="不受理").click()
    phone.locator("#request-words").fill("这款停产了")
    phone.route("**/refuse/", lambda route: route.abort())
    phone.locator(".sheet__form .weui-btn").click()
    expect(phone.locator(".notice")).to_be_visible()
    expect(phone.locator("#request-words")).to_have_value("这款停产了")
    phone.unroute("**/refuse/")
    phone.locator(".sheet__form .weui-btn").click()
    expect(phone.locator(".doing")).to_have_count(0)
    assert row(request).state == "refused"


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_pages_and_dialogs_fit_the_screen_and_targets_are_large(
    cast: Cast,
    phone: Page,  # noqa: F811
    width: int,
) -> None:
    make_kinds()
    request = ask(cast.xiaomei, words="一个特别长的词" * 40)
    services.accept_request(guide_id=cast.lina.id, public_id=request.public_id, actor=_actor(cast))
    phone.set_viewport_size({"width": width, "height": 700})
    for path in ("/a/requests/?tab=doing", f"/a/requests/{request.public_id}/"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") == width
        sizes: list[Any] = phone.eval_on_selector_all(
            "main a, main button", "all => all.map(one => one.getBoundingClientRect().height)"
        )
        assert round(min(sizes)) >= 44
    for name in ("约时间", "给会员留言", "转交", "不受理", "完成"):
        phone.get_by_role("button", name=name).click()
        expect(phone.locator(".sheet")).to_be_visible()
        assert phone.evaluate("document.querySelector('.sheet').scrollWidth") <= width
        phone.keyboard.press("Escape")


def _actor(cast: Cast) -> Any:
    from core.actor import Actor

    return Actor.guide(cast.lina.id, cast.lina.name)
