"""A campaign in a real browser: from nothing to submitted, with its numbers and its phone beside the form."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Campaign
from core import clock
from core.models import StaffAccount
from tests.assistant.test_browser import chromium  # noqa: F401
from tests.browser import needs_browser
from tests.campaigns.campaign_kit import Desk, make_desk
from tests.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, needs_browser]
_FORM = "%Y-%m-%dT%H:%M"


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return make_desk(cast)


@pytest.fixture
def page(desk: Desk, live_server: Any, client: Any, chromium: Any) -> Iterator[Page]:  # noqa: F811
    client.force_login(StaffAccount.objects.get(username="writer"))
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    yield page
    context.close()


def test_a_campaign_is_made_from_nothing_and_submitted(page: Page, desk: Desk) -> None:
    begins = dt.datetime.combine(
        clock.business_day(clock.now()) + dt.timedelta(days=1), dt.time(10), clock.SHANGHAI
    )
    page.goto("/admin/campaigns/campaign/add/")
    look = page.locator("#campaign-look")
    expect(look).to_contain_text("选好人群就会算出人数")
    page.fill("[name=name]", "双十二预热")
    page.select_option("[name=kind]", "reach")
    page.select_option("[name=segment]", desk.segment)
    page.fill("[name=starts_at]", begins.strftime(_FORM))
    page.fill("[name=ends_at]", (begins + dt.timedelta(days=3)).strftime(_FORM))
    page.fill("[name=A-title]", "双十二到了")
    page.fill("[name=A-text]", "{member}，您好\n到店有礼")
    expect(look).to_contain_text("双十二到了")
    expect(look).to_contain_text("人群里、属于这个范围的会员")
    page.locator("button", has_text="保存草稿").click()
    page.wait_for_url("**/change/")
    page.locator("a", has_text="提交审批").click()
    page.locator("button", has_text="提交审批").click()
    expect(page.locator("body")).to_contain_text("已提交，等待审批")
    row = Campaign.objects.get()
    assert row.state == "submitted"
    [variant] = row.variants.all()
    assert variant.acts == [
        {"do": "reach", "with": {"title": "双十二到了", "text": "{member}，您好\n到店有礼"}}
    ]
