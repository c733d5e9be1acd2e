"""A campaign's report on paper: nothing cut off, nothing dark, no page left empty because a long table would not be parted."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from campaigns.models import CampaignRun
from core import clock
from guides.models import Guide
from tests.assistant.test_browser import chromium  # noqa: F401
from tests.browser import needs_browser
from tests.campaigns.outcome_kit import DAY, make_campaign, make_members, make_run, put_in, sell, work
from tests.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, needs_browser]
# A sheet of A4 between its margins, in pixels.
_WIDTH = 703
_ANSWER = """() => {
  const width = document.documentElement.clientWidth;
  const shown = [...document.querySelectorAll("#content *")].filter((one) => one.getClientRects().length);
  return {
    cut: shown.filter((one) => one.getBoundingClientRect().right > width + 1).map((one) => one.outerHTML.slice(0, 80)),
    // What may be said on screen alone.
    buttons: shown.filter((one) => one.matches("button, .xe-tabs, .xe-buttons")).length,
    dark: document.documentElement.classList.contains("dark"),
    parted: getComputedStyle(document.querySelector(".xe-card:has(.xe-proof-lines)")).breakInside,
    together: getComputedStyle(document.querySelector(".xe-card")).breakInside,
    head: getComputedStyle(document.querySelector(".xe-proof-lines thead")).display,
    chart: document.querySelector(".xe-chart-paper").getBoundingClientRect().width,
    card: document.querySelector(".xe-card:has(.xe-chart-paper) > h2").getBoundingClientRect().width,
    drawn: document.querySelector(".xe-chart-paper").naturalWidth,
    canvases: shown.filter((one) => one.matches("canvas")).length,
    said: document.querySelector("#content").innerText,
  };
}"""


@pytest.fixture
def run(cast: Cast) -> CampaignRun:
    """Of sixty guides, each with a long name, some members."""
    run = make_run(make_campaign(name="双旦满减", window_days=14), launched_at=clock.now() - 15 * DAY)
    people = make_members(240)
    guides = [
        Guide.objects.create(
            name=f"欧阳锦绣{n:02d}",
            number=f"LONG{n:04d}",
            store_id=cast.store.id,
            joined_on=clock.today(),
        ).pk
        for n in range(60)
    ]
    for place, guide_id in enumerate(guides):
        hers = people[place * 4 : place * 4 + 4]
        put_in(run, hers[:3], store_id=cast.store.id, guide_id=guide_id)
        put_in(run, hers[3:], letter="", store_id=cast.store.id, guide_id=guide_id)
    sell(people[:60], cast.store.id, at=clock.now() - 13 * DAY)
    work()
    return run


@pytest.fixture
def page(cast: Cast, run: CampaignRun, live_server: Any, client: Any, chromium: Any) -> Iterator[Page]:  # noqa: F811
    client.force_login(cast.head_office)
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def test_it_is_whole_white_and_parted_where_it_may_be(page: Page, run: CampaignRun) -> None:
    page.goto(reverse("admin:campaigns_proof_of_campaign", args=[run.campaign_id]) + "?by=guide")
    page.locator("[data-proof] canvas").first.wait_for()
    page.evaluate("document.documentElement.classList.add('dark')")
    pages = len(re.findall(rb"/Type /Page\b", page.pdf(format="A4", prefer_css_page_size=True)))
    assert 3 <= pages <= 5
    assert page.evaluate("document.documentElement.classList.contains('dark')"), "as it was after printing"
    page.emulate_media(media="print")
    page.set_viewport_size({"width": _WIDTH, "height": 1000})
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    paper = page.evaluate(_ANSWER)
    assert paper["cut"] == []
    assert (paper["buttons"], paper["dark"]) == (0, False)
    assert (paper["parted"], paper["together"]) == ("auto", "avoid")
    assert paper["head"] == "table-header-group"
    assert 550 < paper["chart"] == paper["card"] < _WIDTH, "the chart is as wide as its card"
    assert (paper["drawn"], paper["canvases"]) == (1980, 0)
    assert "按导购，第 1–50 行，共 60 行；全部在导出的表里" in paper["said"]
    assert f"{clock.today():%Y-%m-%d}" in paper["said"]
