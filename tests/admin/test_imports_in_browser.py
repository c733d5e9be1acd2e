"""The import desk in a browser: choices are read at once, progress moves by itself, the queue takes keys."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from members import services
from members.models import ImportCandidate, ImportJob
from tests.assistant.test_browser import chromium  # noqa: F401
from tests.browser import needs_browser
from tests.cast import Cast
from tests.members.import_kit import STAFF, people, person, phone, text_of

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(cast: Cast, live_server: Any, client: Any, chromium: Any) -> Iterator[Page]:  # noqa: F811
    """Head office at a desk, logged in; a script error fails the test."""
    client.force_login(cast.head_office)
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []


def test_from_the_file_to_the_last_question(page: Page) -> None:
    for number in (40, 41):
        services.register_member(name="王小美", phone=phone(number), source="pos", actor=STAFF)
    lines = [*people(6), person(7, 手机号="021-63220118"), person(8, 姓名="王小美", 手机号="13600000040"),
             person(9, 姓名="王小美", 手机号="13600000041")]  # fmt: skip
    page.goto("/admin/members/importjob/add/")
    files: Any = [{"name": "会员名单.csv", "mimeType": "text/csv", "buffer": text_of(lines).encode()}]
    page.locator("input[type=file]").set_input_files(files)
    page.get_by_role("button", name="上传").click()

    page.locator("select[name=column_2]").select_option("phone")
    expect(page.locator(".xe-columns .xe-bad").first).to_be_visible()
    page.locator("select[name=column_2]").select_option("name")
    expect(page.locator(".xe-columns .xe-bad")).to_have_count(0)
    page.get_by_role("button", name="检查这份文件").click()

    job = ImportJob.objects.get()
    services.work_import(job.pk)
    start = page.get_by_role("button", name="开始导入")
    expect(start).to_be_visible()  # the page asked by itself
    start.click()
    expect(page.get_by_role("button", name="暂停")).to_be_visible()
    services.work_import(job.pk)
    questions = page.get_by_role("link", name="是不是同一人")
    expect(questions).to_be_visible()
    questions.click()
    expect(page.locator(".xe-sides")).to_contain_text("王小美")
    page.keyboard.press("1")
    expect(page.locator("[data-keys]")).to_be_visible()
    page.keyboard.press("3")
    expect(page.locator("#import-standing")).to_be_visible()
    assert sorted(ImportCandidate.objects.values_list("state", flat=True)) == ["same", "skipped"]
