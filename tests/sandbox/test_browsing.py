"""A mini-program's front end: it logs in at the account's server, tells what she did, and shows a campaign's page."""

from typing import Any

from tests.sandbox.front_end import CAMPAIGN, CAMPAIGN_PAGE, COUPON, FrontEnd, letter
from tests.sandbox.world import Driver

MINI = "wxmini0000000001"


def browse(driver: Driver, **account: Any) -> Any:
    driver.account(app_id=MINI, name="小二商城", kind="mini_program", **account)
    person = driver.person()
    return driver.http.post(f"/_/people/{person['id']}/mini/browse", json={"app_id": MINI})


def test_she_is_logged_in_and_what_she_did_is_told(driver: Driver, front_end: FrontEnd) -> None:
    answer = browse(driver, api_url=front_end.url, goods=["A1", "B2"]).json()
    assert (answer["outcome"], answer["sent"], answer["answer"]) == ("browsed", 5, {"kept_count": 5})
    (login, _none, given), (told, token, batch) = front_end.asked
    assert (login, told, token) == ("/v1/login", "/v1/behaviours", "Bearer token-1")
    assert (given["app_id"], bool(given["code"])) == (MINI, True)
    kinds = [one["kind"] for one in batch["events"]]
    assert kinds == ["page_viewed", "searched", "product_viewed", "product_viewed", "cart_added"]
    assert len({one["key"] for one in batch["events"]}) == 5
    assert {one["with"]["product"] for one in batch["events"] if "product" in one["with"]} == {"A1", "B2"}


def test_without_a_server_and_with_one_that_refuses_or_is_away_it_is_said(
    driver: Driver, front_end: FrontEnd
) -> None:
    assert (browse(driver).status_code, browse(driver).json()["error"]) == (409, "no_api_url")
    front_end.status = 500
    assert browse(driver, api_url=front_end.url).json()["error"] == "api_refused"
    front_end.close()
    assert browse(driver, api_url=front_end.url).json()["error"] == "api_away"


def open_page(driver: Driver, page: str = CAMPAIGN_PAGE, **account: Any) -> dict[str, Any]:
    """The page as it stands on her phone afterwards."""
    driver.account(app_id=MINI, name="小二商城", kind="mini_program", **account)
    person = driver.person()
    done = driver.act(person, "mini/open", app_id=MINI, page=page, scene=1014)
    assert done["outcome"] == "opened"
    kept = driver.script("GET", f"/people/{person['id']}/chat?app_id={MINI}")["mini"]["opening"]
    assert kept["campaign"] == done.get("campaign")
    return dict(kept)


def test_a_campaigns_page_asks_with_its_token_and_shows_text_and_coupon(
    driver: Driver, front_end: FrontEnd
) -> None:
    shown = open_page(driver, api_url=front_end.url)["campaign"]
    (login, _none, given), (asked, token, body) = front_end.asked
    assert (login, given["app_id"]) == ("/v1/login", MINI)
    assert (asked, token, body) == ("/v1/campaigns/open", "Bearer token-1", {"token": "AAAAAAAqxk2d1vMk9QeT"})
    said = {name: CAMPAIGN[name] for name in ("name", "title", "text", "ends_at")}
    assert shown == {**said, "coupon": COUPON, "refused": ""}
    front_end.campaign = {**CAMPAIGN, "ends_at": None, "coupon": None}
    shown = open_page(driver, api_url=front_end.url)["campaign"]
    assert (shown["ends_at"], shown["coupon"]) == ("", None)


def test_a_page_without_a_token_or_without_a_server_asks_nothing(driver: Driver, front_end: FrontEnd) -> None:
    for page in ("pages/campaign", "pages/me/me?from=card", "pages/campaign?c="):
        assert open_page(driver, page, api_url=front_end.url)["campaign"] is None
    assert open_page(driver)["campaign"] is None
    assert front_end.asked == []


def test_a_page_that_is_refused_or_whose_server_is_away_opens_and_says_why(
    driver: Driver, front_end: FrontEnd
) -> None:
    front_end.status = 404
    front_end.campaign = {"code": "campaigns.no_such_campaign_page", "message": "没有这个活动"}
    assert open_page(driver, api_url=front_end.url)["campaign"]["refused"] == "没有这个活动"
    front_end.campaign = {}
    assert open_page(driver, api_url=front_end.url)["campaign"]["refused"] == "小程序后台回答 HTTP 404"
    front_end.close()
    shown = open_page(driver, api_url=front_end.url)["campaign"]
    assert (shown["title"], shown["coupon"]) == ("", None)
    assert shown["refused"].startswith("连不上小程序后台")


def test_her_inbox_is_the_servers_and_what_she_reads_is_told(driver: Driver, front_end: FrontEnd) -> None:
    front_end.letters = [letter(1, "pages/coupons/list"), letter(2), letter(3)]
    driver.account(app_id=MINI, name="小二商城", kind="mini_program", api_url=front_end.url)
    person = driver.person()

    def look(**body: Any) -> dict[str, Any]:
        return driver.act(person, "mini/inbox", app_id=MINI, **body)

    told = look()
    assert (told["unread_count"], told["read_mark"]) == (3, "mark-1")
    assert told["messages"][0] == {
        "id": "L1", "topic_label": "券到期", "title": "第 1 封", "text": "快到期了", "page": "pages/coupons/list",
        "sent_at": "2026-11-28T10:05:00+08:00", "is_read": False,
    }  # fmt: skip
    assert [one["is_read"] for one in look(read="L2")["messages"]] == [False, True, False]
    assert look(read_mark=told["read_mark"])["unread_count"] == 0
    paths = [path for path, _token, _body in front_end.asked]
    assert paths.count("/v1/login") == 1
    look(read="../../x")
    assert "/v1/inbox/..%2F..%2Fx/read" in [path for path, _token, _body in front_end.asked]


def test_who_was_logged_out_is_logged_in_again(driver: Driver, front_end: FrontEnd) -> None:
    front_end.letters = [letter(1)]
    driver.account(app_id=MINI, name="小二商城", kind="mini_program", api_url=front_end.url)
    person = driver.person()
    driver.act(person, "mini/inbox", app_id=MINI)
    front_end.token = "token-2"
    assert driver.act(person, "mini/inbox", app_id=MINI)["unread_count"] == 1
    assert [path for path, _token, _body in front_end.asked].count("/v1/login") == 2


def test_an_inbox_that_cannot_be_shown_says_why(driver: Driver, front_end: FrontEnd) -> None:
    def look(**account: Any) -> Any:
        driver.account(app_id=MINI, name="小二商城", kind="mini_program", **account)
        person = driver.person()
        return driver.http.post(f"/_/people/{person['id']}/mini/inbox", json={"app_id": MINI})

    assert look().json()["error"] == "no_api_url"
    front_end.status = 503
    refused = look(api_url=front_end.url).json()
    assert (refused["error"], refused["message"]) == ("api_refused", "小程序后台回答 HTTP 503")
    front_end.close()
    assert look(api_url=front_end.url).json()["error"] == "api_away"
