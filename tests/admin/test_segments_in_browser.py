"""The segment builder in a real browser: a condition is added, the number follows, the rule is saved."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from campaigns import services
from campaigns.models import Segment
from core import clock
from tests.assistant.test_browser import chromium  # noqa: F401
from tests.browser import needs_browser
from tests.cast import Cast
from tests.members.behaviours_kit import now_deed, tell

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


def test_a_segment_is_put_together_counted_and_saved(page: Page, cast: Cast) -> None:
    page.goto("/admin/campaigns/segment/add/")
    expect(page.locator("#segment-count")).to_contain_text("加上条件")
    page.select_option("select[name='new.r']", "members.following")
    expect(page.locator("#segment-count")).to_contain_text(re.compile(r"2\s*位会员"))
    page.select_option("select[name='new.r']", "any")
    page.select_option("select[name='new.r-1']", "guides.store")
    expect(page.locator("#segment-count")).to_contain_text("条件填完整后")
    stores = page.locator("[data-picker='v.r-1-0.stores.key']")
    stores.locator(".xe-chips > input").fill("南京")
    expect(stores.locator(".xe-found button")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(stores.locator(".xe-found button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(stores.locator(".xe-chip")).to_have_count(1)
    expect(page.locator("#segment-count")).to_contain_text(re.compile(r"1\s*位会员"))
    expect(page.locator("#segment-count")).to_contain_text(cast.xiaomei.code)
    page.fill("input[name=who]", cast.xiaoli.code)
    page.locator("button", has_text="查看").click()
    expect(page.locator("#segment-why")).to_contain_text("不在这个人群里")
    page.fill("#segment-name", "南京东路店的粉丝")
    page.locator("button[type=submit]", has_text="保存").click()
    page.wait_for_url(re.compile(r"/change/"))
    services.work_segments()
    assert Segment.objects.get().member_count == 1
    page.reload()
    expect(page.locator("#segment-pivots")).to_contain_text("南京东路店")


def test_what_was_searched_for_is_found_once_the_behaviour_is_chosen(page: Page, cast: Cast) -> None:
    searches = [now_deed(kind="searched", words=words) for words in ("羊绒大衣", "羊绒大衣", "围巾")]
    assert tell(cast.xiaomei.id, *searches, at=clock.now()).kept_count == 3
    page.goto("/admin/campaigns/segment/add/")
    page.select_option("select[name='new.r']", "members.behaviour")
    subjects = page.locator("[data-picker='v.r-0.subjects.key']")
    typed = subjects.locator(".xe-chips > input")
    typed.click()
    expect(subjects.locator(".xe-found")).to_have_text("请先选行为")
    page.locator("select[name='v.r-0.kind.key']").focus()
    page.select_option("select[name='v.r-0.whether.key']", "did")
    page.select_option("select[name='v.r-0.kind.key']", "searched")
    typed.click()
    expect(subjects.locator(".xe-found button")).to_have_text(["羊绒大衣", "围巾"])
    subjects.locator(".xe-found button").first.click()
    typed.fill("灯芯绒")
    expect(subjects.get_by_text("按回车就照填的加入")).to_be_visible()
    typed.press("Enter")
    expect(subjects.locator(".xe-chip")).to_have_count(2)
    expect(page.locator("#segment-count")).to_contain_text(re.compile(r"1\s*位会员"))
    page.fill("#segment-name", "搜过羊绒的人")
    page.locator("button[type=submit]", has_text="保存").click()
    page.wait_for_url(re.compile(r"/change/"))
    # The page that says it is being counted tells the number by itself.
    expect(page.locator("#segment-head")).to_contain_text("正在计算")
    services.work_segments()
    expect(page.locator("#segment-head")).to_contain_text(re.compile(r"1\s*位会员"))
    assert Segment.objects.get().rule["all"][0]["with"]["subjects"] == ["羊绒大衣", "灯芯绒"]


def test_a_part_without_an_answer_says_so_until_the_next_has_one(page: Page, cast: Cast) -> None:
    page.goto("/admin/campaigns/segment/add/")
    expect(page.locator("#segment-count")).to_contain_text("加上条件")
    page.context.set_offline(True)
    page.select_option("select[name='new.r']", "members.following")
    expect(page.locator("[role=alert]")).to_contain_text("没有读出来")
    page.context.set_offline(False)
    page.select_option("select[name='new.r']", "any")
    expect(page.locator("#segment-count")).to_contain_text("条件填完整后")
    expect(page.locator("[role=alert]")).to_have_count(0)
