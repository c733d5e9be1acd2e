"""The console and the authorization page in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import ARGUMENTS, CHROMIUM, needs_browser
from tests.sandbox.callback import APP, SECRET, seal_reply, text_reply
from tests.sandbox.front_end import CAMPAIGN_PAGE, FrontEnd, letter
from tests.sandbox.world import Driver

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    needs_browser,
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield one
        one.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page whose script errors fail the test."""
    one = browser.new_page(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    one.on("pageerror", lambda error: errors.append(str(error)))
    yield one
    one.context.close()
    assert errors == []


def test_from_nothing_to_a_greeting_by_clicking(driver: Driver, page: Any) -> None:
    driver.callback.answer = lambda push: (200, seal_reply(text_reply(push, "您好，我是导购李娜")))
    code = driver.code("g7Kq2")
    page.goto(driver.base_url)
    assert "不是真的微信" in page.locator(".banner").inner_text()
    page.get_by_role("button", name="小美", exact=True).click()
    page.get_by_role("button", name="扫一扫", exact=True).click()
    page.locator("dialog .code", has_text="g7Kq2").click()
    page.locator(".theirs .bubble", has_text="您好，我是导购李娜").wait_for()
    assert page.locator(".row .tag").inner_text() == "已关注"
    page.locator(".composer input").fill("周末有空吗 <b>")
    page.keyboard.press("Enter")
    page.locator(".mine .bubble", has_text="周末有空吗 <b>").wait_for()
    page.locator("#log .push", has_text="来消息").wait_for()
    assert driver.callback.received[0].fields["Ticket"] == code["ticket"]


def test_a_link_chooses_person_account_and_code(driver: Driver, page: Any) -> None:
    driver.account(app_id="wx2", name="另一个号")
    driver.person("小丽")
    wanted, code = driver.person("小美"), driver.code("g7Kq2")
    driver.person("李先生")
    page.goto(
        f"{driver.base_url}/?person={wanted['id']}&app_id={APP}&scan={code['ticket']}".replace("+", "%2B")
    )
    dialog = page.locator("dialog[open]")
    assert "小美扫一扫" in dialog.inner_text()
    assert page.locator(".title b").inner_text() == "小二服装"
    dialog.get_by_role("button", name="扫", exact=True).click()
    page.locator(".row[aria-current]", has_text="已关注").wait_for()


def test_faults_and_clock_by_clicking(driver: Driver, page: Any) -> None:
    driver.person("小美")
    page.goto(driver.base_url)
    chip = page.locator("#faults").get_by_role("button", name="繁忙 -1")
    chip.click()
    page.locator("#faults .chip[aria-pressed=true]").wait_for()
    assert driver.stable()["errcode"] == -1
    page.locator("#log .call", has_text="-1").wait_for()
    page.locator("#faults .chip[aria-pressed=true]").wait_for(state="detached")
    page.locator("#clock").get_by_role("button", name="过 48 小时").click()
    page.locator("#clock .tag").wait_for()
    assert driver.script("GET", "/clock")["offset"] == pytest.approx(172_801, abs=1)


def test_text_from_the_account_is_never_markup(driver: Driver, page: Any) -> None:
    person = driver.person("小美")
    driver.act(person, "follow")
    text = '<img src=x onerror="window.hit=1"><a href="javascript:window.hit=1">点我</a> http://a.example/x。'
    driver.say(person["openids"][APP], text)
    page.goto(driver.base_url)
    bubble = page.locator(".theirs .bubble").last
    bubble.wait_for()
    assert "<img" in bubble.inner_text()
    assert bubble.locator("a").count() == 1
    assert page.evaluate("window.hit") is None


def test_authorization_page_on_a_phone(driver: Driver, browser: Any) -> None:
    driver.person("小美")
    page = browser.new_page(viewport={"width": 375, "height": 700})
    back = f"{driver.base_url}/_/health"
    query = f"appid={APP}&redirect_uri={back}&response_type=code&scope=snsapi_userinfo&state=S"
    url = f"{driver.base_url}/open/connect/oauth2/authorize?{query}#wechat_redirect"
    page.goto(url)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.get_by_text("小美").click()
    page.get_by_role("button", name="以小美的身份继续").click()
    page.wait_for_url("**/_/health?code=*&state=S*")
    page.goto(url)
    page.get_by_role("button", name="以小美的身份继续").click()
    page.wait_for_url("**/_/health?code=*")
    page.context.close()


def test_a_mini_program_is_opened_by_a_code_and_gives_its_codes(driver: Driver, page: Any) -> None:
    driver.account(app_id="wxmini", name="小二商城", kind="mini_program", mode="plain")
    person = driver.person("小美")
    token = driver.stable(app_id="wxmini")["access_token"]
    page.goto(f"{driver.base_url}/?person={person['id']}&app_id=wxmini")
    page.get_by_role("button", name="扫小程序码").click()
    drawn = driver.http.post(
        "/api/wxa/getwxacodeunlimit", params={"access_token": token}, json={"scene": "g=7Kq2"}
    )
    assert drawn.headers["content-type"] == "image/jpeg"
    tile = page.locator("dialog .code", has_text="g=7Kq2")
    tile.click()
    page.locator(".mini-fact", has_text="g=7Kq2").wait_for()
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("button", name="手机号授权", exact=True).click()
    login, phone = page.locator(".mini-ticket").nth(0), page.locator(".mini-ticket").nth(1)
    phone.wait_for()
    query = {"appid": "wxmini", "secret": SECRET, "grant_type": "authorization_code"}
    code = login.locator("code").first.inner_text()
    answer = driver.http.get("/api/sns/jscode2session", params={**query, "js_code": code}).json()
    assert answer["openid"] == person["openids"]["wxmini"]
    page.locator(".mini-ticket.is-old", has_text="已经用掉了").wait_for()
    given = {"code": phone.locator("code").first.inner_text(), "openid": answer["openid"]}
    shared = driver.post("/wxa/business/getuserphonenumber", given, token=token)
    assert shared["phone_info"]["purePhoneNumber"] == person["phone"]
    page.locator("#log .call", has_text="换手机号").wait_for()


def test_a_card_in_the_chat_opens_its_mini_program(driver: Driver, page: Any) -> None:
    driver.account(app_id="wxmini", name="小二商城", kind="mini_program", mode="plain")
    person = driver.person("小美")
    driver.act(person, "follow")
    upload = driver.http.post(
        "/api/cgi-bin/media/upload",
        params={"access_token": driver.token(), "type": "image"},
        files={"media": ("a.jpg", b"\xff\xd8\xff\xe0" + b"0" * 96, "image/jpeg")},
    ).json()
    card = {"title": "会员中心", "appid": "wxmini", "pagepath": "pages/me/me?from=card"}
    message = {"miniprogrampage": {**card, "thumb_media_id": upload["media_id"]}}
    body = {"touser": person["openids"][APP], "msgtype": "miniprogrampage", **message}
    assert driver.post("/cgi-bin/message/custom/send", body)["errcode"] == 0
    page.goto(f"{driver.base_url}/?person={person['id']}&app_id={APP}")
    page.locator("button.mini", has_text="会员中心").click()
    page.locator(".mini-fact", has_text="点公众号发来的卡片打开").wait_for()
    page.locator(".mini-fact", has_text="pages/me/me").wait_for()
    assert page.locator("#account-pick").input_value() == "wxmini"


def test_a_campaigns_message_opens_its_page_with_the_coupon(
    driver: Driver, page: Any, front_end: FrontEnd
) -> None:
    driver.account(app_id="wxmini", name="小二商城", kind="mini_program", mode="plain", api_url=front_end.url)
    rows = [{"template_id": "T1", "title": "活动提醒", "content": "活动名称:{{thing1.DATA}}"}]
    driver.script("PUT", f"/accounts/{APP}/templates", {"templates": rows})
    person = driver.person("小美")
    driver.act(person, "follow")
    body = {
        "touser": person["openids"][APP],
        "template_id": "T1",
        "data": {"thing1": {"value": "秋季上新"}},
        "miniprogram": {"appid": "wxmini", "pagepath": CAMPAIGN_PAGE},
    }
    assert driver.post("/cgi-bin/message/template/send", body)["errcode"] == 0
    page.goto(f"{driver.base_url}/?person={person['id']}&app_id={APP}")
    page.locator("button.notice-card", has_text="进入小程序查看").click()
    shown = page.locator(".mini-page", has_text="秋装上新，先看为快")
    shown.locator(".mini-coupon", has_text="满 300 减 50").wait_for()
    assert "可用" in shown.inner_text()
    assert "2026-12-31 23:59 截止" in shown.inner_text()
    page.locator(".mini-fact", has_text="点公众号的模板消息打开").wait_for()
    assert page.locator("#account-pick").input_value() == "wxmini"


def test_the_inbox_on_the_phone_counts_what_is_unread(driver: Driver, page: Any, front_end: FrontEnd) -> None:
    front_end.letters = [letter(1, "pages/coupons/list"), letter(2), letter(3)]
    driver.account(app_id="wxmini", name="小二商城", kind="mini_program", mode="plain", api_url=front_end.url)
    person = driver.person("小美")
    page.goto(f"{driver.base_url}/?person={person['id']}&app_id=wxmini")
    page.locator("#phone").get_by_role("button", name="打开小程序").click()
    page.get_by_role("button", name="站内信").click()
    page.locator(".letters-head", has_text="3 条未读").wait_for()
    page.locator(".letter", has_text="第 1 封").click()
    page.locator(".mini-fact", has_text="pages/coupons/list").wait_for()
    page.locator(".mini-deeds .count", has_text="2").wait_for()
    page.get_by_role("button", name="全部已读").click()
    page.locator(".letters-head", has_text="都读过了").wait_for()
    assert page.locator(".mini-deeds .count").count() == 0
    page.get_by_role("button", name="收起").click()
    assert page.locator(".letters").count() == 0
