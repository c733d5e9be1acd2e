"""The menu editor in a browser: the phone is where a button is chosen, the form beside it where it is changed."""

import pytest
from playwright.sync_api import Page, expect

from tests.admin.test_coupon_builder_in_browser import page  # noqa: F401
from tests.assistant.test_browser import chromium  # noqa: F401
from tests.browser import needs_browser
from tests.cast import Cast
from wechat.models import MenuVersion

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


def test_a_menu_is_built_on_the_phone_corrected_and_kept(page: Page, cast: Cast) -> None:  # noqa: F811
    page.goto(f"/admin/wechat/menuversion/account/{cast.account_id}/edit/")
    form = page.locator("[data-menu-form]")
    page.get_by_label("加一个一级菜单").click()
    form.locator("[data-field=name]").fill("商城")
    expect(page.locator("[data-menu-bar]")).to_contain_text("商城")
    form.locator("[data-field=url]").fill("shop.example.com")
    page.get_by_label("加一个一级菜单").click()
    form.locator("[data-field=name]").fill("一二三四五六")
    expect(form.locator(".xe-menu-error")).to_contain_text("18 / 16 字节")
    form.locator("[data-field=name]").fill("服务")
    page.get_by_label("加一个子菜单").click()
    form.locator("[data-field=name]").fill("积分")
    form.locator("select").select_option("click")
    form.locator("[data-field=key]").fill("POINTS")
    page.get_by_role("button", name="按标签显示的菜单").click()
    page.locator("[data-menu-tag] input").first.fill("100")
    page.locator("[data-menu-bar] button", has_text="服务").click()
    form.get_by_role("button", name="连同子菜单删除").click()

    page.get_by_role("button", name="只保存草稿").click()
    expect(form.locator("[data-problem]")).to_contain_text("网址要以")
    expect(page.locator("[data-menu-bar] .xe-menu-wrong")).to_have_text("商城")
    assert not MenuVersion.objects.exists()
    form.locator("[data-field=url]").fill("https://shop.example.com/")
    page.get_by_role("tab", name="100").click()
    form.locator("[data-field=url]").fill("https://vip.example.com/")
    page.get_by_role("button", name="只保存草稿").click()
    page.get_by_text("草稿已保存").wait_for()
    row = MenuVersion.objects.get()
    assert [button["name"] for button in row.buttons] == ["商城", "服务"]
    assert row.buttons[1]["sub_button"] == [{"type": "click", "name": "积分", "key": "POINTS"}]
    (conditional,) = row.conditionals
    assert (conditional["tag_id"], conditional["buttons"][0]["url"]) == ("100", "https://vip.example.com/")
