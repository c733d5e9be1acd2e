"""The desk of mass messages in a browser: the form shows what its kind needs, and a message goes the whole way."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import MassMessage, ReachPolicy
from core.models import StaffAccount
from tests.assistant.test_browser import chromium  # noqa: F401
from tests.browser import needs_browser
from tests.campaigns import mass_kit as kit
from tests.wechat.gateway_out import Sandbox
from wechat.models import Account, Follower

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(sandbox: Sandbox, live_server: Any, client: Any, chromium: Any) -> Iterator[Page]:  # noqa: F811
    """Head office at a desk that one person may run alone; a script error fails the test."""
    ReachPolicy.objects.update_or_create(
        pk=1,
        defaults={
            "is_quiet_on": False,
            "quiet_from": "22:00",
            "quiet_until": "08:30",
            "mass_needs_second": False,
        },
    )
    client.force_login(StaffAccount.objects.create_superuser("head", first_name="总部"))
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []


def test_an_article_goes_from_the_draft_to_the_chats(
    page: Page, sandbox: Sandbox, sandbox_account: Account
) -> None:
    articles = [{"title": "冬季新款到店", "url": "https://mp.example.com/winter"}]
    drafts = [{"media_id": "D1", "articles": articles}]
    sandbox.ask("PUT", f"/accounts/{sandbox.app_id}/drafts", drafts=drafts)
    people = [sandbox.follower(name) for name in ("小美", "小丽")]
    for _person, openid in people:
        Follower.objects.create(account=sandbox_account, openid=openid)

    page.goto("/admin/campaigns/massmessage/add/")
    phone = page.locator("[data-mass-phone]")
    page.locator("[name=name]").fill("冬季上新")
    text = page.locator("[name=text]")
    text.fill("去看看")
    text.select_text()
    page.get_by_role("button", name="插入网页链接").click()
    expect(text).to_have_value('<a href="https://">去看看</a>')
    expect(phone.locator(".xe-link")).to_have_text("去看看")
    page.locator("[name=kind]").select_option("article")
    expect(page.locator("[name=text]")).to_be_hidden()
    page.locator("[name=article]").select_option(label="冬季新款到店")  # read from WeChat meanwhile
    expect(phone).to_contain_text("冬季新款到店")
    page.locator("[name=audience]").select_option("all")
    expect(page.get_by_text("微信不能从中去掉个别人").first).to_be_visible()
    expect(page.locator("[name=pasted]")).to_be_hidden()
    page.get_by_role("button", name="保存").click()

    expect(page.locator("body")).to_contain_text("全部粉丝，约 2 位")
    page.locator("[name=follower]").fill(people[0][1])
    page.get_by_role("button", name="发送预览").click()
    expect(page.locator("body")).to_contain_text("这一版已经预览过")
    page.get_by_role("link", name="确认发送").click()
    page.get_by_role("button", name="确认发送").click()
    expect(page.locator("body")).to_contain_text("已确认，正在发送")

    kit.work(MassMessage.objects.get())
    page.reload()
    expect(page.locator("body")).to_contain_text("微信已收下")
    for person_id, _openid in people:
        bubbles = sandbox.ask("GET", f"/people/{person_id}/chat?app_id={sandbox.app_id}")["bubbles"]
        assert [one["articles"][0]["title"] for one in bubbles if one["via"] == "mass"] == ["冬季新款到店"]
