"""素材 in a real browser: one tap copies and is noted, and a customer's page says once that she sees it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from campaigns.models import MaterialShare, MaterialVisit
from campaigns.services import materials
from campaigns.services.material_pictures import store_picture
from tests.assistant.test_browser import chromium, phone  # noqa: F401
from tests.browser import needs_browser
from tests.campaigns.material_kit import DESK, draft, picture, share_of
from tests.cast import Cast
from tests.stack import wait_until

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def material(cast: Cast, settings: Settings, tmp_path: Any, live_server: Any) -> int:
    settings.MEDIA_ROOT = tmp_path
    settings.PUBLIC_BASE_URL = live_server.url
    pk = materials.save_material(
        draft=draft(words="{门店}到了新款"), pictures=[store_picture(stream=picture(900, 1_200))], actor=DESK
    )
    materials.publish_material(material_id=pk, actor=DESK)
    return pk


def test_one_tap_copies_words_and_link_and_is_noted(cast: Cast, material: int, phone: Page) -> None:  # noqa: F811
    phone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    phone.goto("/a/me/")
    phone.get_by_role("link", name="素材").click()
    phone.get_by_role("link", name="初秋通勤三件套").click()
    phone.get_by_role("button", name="复制话术和链接").click()
    expect(phone.get_by_text("已复制，去发给顾客吧")).to_be_visible()
    token = share_of(material, cast.lina).token
    copied = phone.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("南京东路店到了新款\n")
    assert copied.endswith(f"/m/{token}/")
    wait_until(
        lambda: MaterialShare.objects.filter(token=token, shared_at__isnull=False).exists(),
        within_s=30,
        what="the note that she took it",
    )
    phone.goto("/a/materials/?mine=1")
    expect(phone.get_by_text("还没有人打开")).to_be_visible()


def test_a_customers_page_says_once_that_she_sees_it(
    cast: Cast,
    material: int,
    chromium: Any,  # noqa: F811
    live_server: Any,
) -> None:
    token = share_of(material, cast.lina).token
    hers = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": 375, "height": 812},
        user_agent="Mozilla/5.0 (iPhone) Safari/604.1",
    )
    page = hers.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if "Content Security" in line.text else None)
    for _turn in range(2):
        with page.expect_response(f"**/m/{token}/seen/") as told:
            page.goto(f"/m/{token}/")
        assert told.value.status == 204
    expect(page.get_by_role("heading", name="初秋通勤三件套")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= 375")
    hers.close()
    assert troubles == []
    [visit] = MaterialVisit.objects.all()
    assert (visit.view_count, visit.carries) == (1, False)
