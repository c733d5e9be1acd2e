"""The editor of journeys in a real browser: a step is added, the picture follows, the journey is saved and switched on."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Journey
from tests.assistant.test_browser import chromium  # noqa: F401
from tests.browser import needs_browser
from tests.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, needs_browser]


@pytest.fixture
def page(cast: Cast, live_server: Any, client: Any, chromium: Any) -> Iterator[Page]:  # noqa: F811
    client.force_login(cast.head_office)
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    yield page
    context.close()


def test_a_journey_is_written_with_its_picture_beside_it(page: Page, cast: Cast) -> None:
    page.goto("/admin/campaigns/journey/add/")
    boxes = page.locator("svg .xe-jour-box")
    expect(boxes).to_have_count(2)
    page.locator("button", has_text="在后面加一步").click()
    expect(boxes).to_have_count(3)
    page.select_option("select[name='s.1.kind']", "points")
    # The form is drawn once more by the choice: only then are these fields there.
    page.fill("input[name='s.1.p.points']", "100")
    page.fill("input[name='s.1.p.reason']", "入会礼")
    expect(page.locator("svg")).to_contain_text("送 100 积分")
    page.fill("#journey-name", "入会送积分")
    page.press("#journey-name", "Enter")
    page.wait_for_url("**/change/")
    page.locator("button", has_text="启用").click()
    expect(page.locator("body")).to_contain_text("旅程已启用")
    row = Journey.objects.get()
    assert row.state == "running"
    assert [step["kind"] for step in row.draft["steps"].values()] == ["wait", "points"]


def test_what_was_typed_for_a_kind_comes_back_with_it(page: Page, cast: Cast) -> None:
    page.goto("/admin/campaigns/journey/add/")
    kind = page.locator("select[name='s.0.kind']")
    page.fill("input[name='s.0.p.amount']", "3")
    page.fill("input[name='s.0.p.at']", "11:30")
    expect(page.locator("svg")).to_contain_text("等到 3 天后的 11:30")
    kind.select_option("reach")
    page.fill("input[name='s.0.p.title']", "新款到店")
    page.fill("textarea[name='s.0.p.text']", "{member}，来看看")
    page.check("input[name='s.0.p.channels'][value='sms']")
    kind.select_option("branch_rule")
    page.select_option("select[name='s.0.p.rule']", "own")
    page.select_option("select[name='new.s_0_p_rule']", "members.following")
    page.locator("[name='n.s_0_p_rule-0']").wait_for(state="attached")
    kind.select_option("wait")
    expect(page.locator("input[name='s.0.p.amount']")).to_have_value("3")
    expect(page.locator("input[name='s.0.p.at']")).to_have_value("11:30")
    kind.select_option("reach")
    expect(page.locator("input[name='s.0.p.title']")).to_have_value("新款到店")
    expect(page.locator("textarea[name='s.0.p.text']")).to_have_value("{member}，来看看")
    expect(page.locator("input[name='s.0.p.channels'][value='sms']")).to_be_checked()
    kind.select_option("branch_rule")
    expect(page.locator("[name='n.s_0_p_rule-0']")).to_have_value("members.following")
    # The hour of a day is not asked for beside hours.
    kind.select_option("wait")
    page.select_option("select[name='s.0.p.unit']", "hours")
    expect(page.locator("input[name='s.0.p.at']")).to_be_hidden()
    page.fill("#journey-name", "只等几个小时")
    page.press("#journey-name", "Enter")
    page.wait_for_url("**/change/")
    assert Journey.objects.get().draft["steps"]["s1"]["with"] == {"amount": 3, "unit": "hours"}
