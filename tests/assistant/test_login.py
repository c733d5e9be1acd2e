"""Logging in through WeChat, activation, and the end of sessions; WeChat is the sandbox, over real HTTP."""

import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from core.actor import Actor
from guides import services as guide_services
from tests.cast import make_guide, make_store
from tests.wechat.gateway_out import Sandbox

STAFF = Actor.system("test")


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def start(client: Client, next_path: str = "/a/") -> str:
    """Open the login; the address of WeChat's authorization page."""
    answer = client.get("/a/login/", {"next": next_path})
    assert answer.status_code == 302
    return str(answer["Location"])


def agree(page: str, person_id: str, **choices: str) -> str:
    """What WeChat's page does when the person agrees (or not): the path it sends the browser to."""
    address, _hash, _fragment = page.partition("#")
    query = urlencode({"sandbox_person": person_id, **choices})
    try:
        urllib.request.build_opener(_StayHere).open(f"{address}&{query}", timeout=30)
    except urllib.error.HTTPError as redirect:
        target = urlsplit(redirect.headers["Location"])
        redirect.close()
        return f"{target.path}?{target.query}"
    raise AssertionError("WeChat did not send the browser back")


def log_in(client: Client, person_id: str, next_path: str = "/a/", **choices: str) -> Any:
    return client.get(agree(start(client, next_path), person_id, **choices))


class House:
    """A guide, and a person of the sandbox who will be her."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        region = guide_services.open_region(name="华东", actor=STAFF)
        self.store = make_store("S1", "南京东路店", region.id)
        self.guide = make_guide("G1", "李娜", self.store.id)
        self.person, self.openid = sandbox.follower("李娜")

    def activate(self) -> None:
        code = guide_services.issue_activation_code(guide_id=self.guide.id, actor=STAFF)
        guide_services.activate_guide(app_id=self.sandbox.app_id, openid=self.openid, code=code)


@pytest.fixture
def house(sandbox: Sandbox, settings: Any) -> House:
    settings.PUBLIC_BASE_URL = "http://testserver"
    return House(sandbox)


def is_logged_in(client: Client) -> bool:
    return bool(client.get("/a/me/").status_code == 200)


# The way in -----------------------------------------------------------------------------------------------


def test_a_page_without_a_session_leads_to_wechat_and_back_to_that_page(house):
    house.activate()
    client = Client()

    first = client.get("/a/members/?q=x")
    assert first.status_code == 302
    assert first["Location"] == "/a/login/?next=%2Fa%2Fmembers%2F%3Fq%3Dx"

    page = start(client, "/a/members/?q=x")
    asked = parse_qs(urlsplit(page).query)
    assert asked["scope"] == ["snsapi_base"]
    assert asked["redirect_uri"] == ["http://testserver/a/login/callback/"]
    assert page.endswith("#wechat_redirect")

    back = client.get(agree(page, house.person))
    assert (back.status_code, back["Location"]) == (302, "/a/members/?q=x")
    assert is_logged_in(client)


def test_the_session_key_changes_at_login(house):
    house.activate()
    client = Client()
    session = client.session
    session["planted"] = "x"
    session.save()
    planted = session.session_key or ""
    client.cookies["sessionid"] = planted

    log_in(client, house.person)

    assert client.cookies["sessionid"].value != planted
    assert not Client(headers={"Cookie": f"sessionid={planted}"}).session.get("assistant_guide")


@pytest.mark.parametrize(
    "next_path",
    ["https://evil.example/a/", "//evil.example/a/", "/\\evil.example", "/admin/", "/a/login/?next=/a/"],
)
def test_a_login_never_leads_elsewhere(house, next_path):
    house.activate()

    assert log_in(Client(), house.person, next_path)["Location"] == "/a/"


def test_two_tabs_can_log_in_at_once_in_any_order(house):
    house.activate()
    client = Client()
    first, second = start(client, "/a/members/"), start(client, "/a/me/")

    assert client.get(agree(second, house.person))["Location"] == "/a/me/"
    assert client.get(agree(first, house.person))["Location"] == "/a/members/"


def test_a_state_of_another_browser_is_refused(house):
    house.activate()
    victim = Client()

    answer = victim.get(agree(start(Client()), house.person))

    assert (answer.status_code, answer["X-Refusal"]) == (400, "assistant.login_stale")
    assert not is_logged_in(victim)


@pytest.mark.parametrize("state", ["", "x", "a" * 300, "../..", "\0"])
def test_a_made_up_state_is_refused(house, state):
    client = Client()
    start(client)

    answer = client.get("/a/login/callback/", {"code": "x", "state": state})

    assert (answer.status_code, answer["X-Refusal"]) == (400, "assistant.login_stale")


def test_a_state_is_good_for_one_use(house):
    client = Client()
    callback = agree(start(client), house.person)
    assert client.get(callback)["Location"] == "/a/activate/"

    answer = client.get(callback)

    assert (answer.status_code, answer["X-Refusal"]) == (400, "assistant.login_stale")


def test_going_back_to_a_used_address_when_logged_in_leads_home(house):
    house.activate()
    client = Client()
    callback = agree(start(client), house.person)
    client.get(callback)

    assert client.get(callback)["Location"] == "/a/"


def test_a_used_code_is_refused_with_a_way_to_try_again(house):
    house.activate()
    used = parse_qs(urlsplit(agree(page := start(Client()), house.person)).query)["code"][0]
    first = Client()
    state = parse_qs(urlsplit(start(first)).query)["state"][0]
    assert first.get("/a/login/callback/", {"code": used, "state": state}).status_code == 302

    client = Client()
    state = parse_qs(urlsplit(start(client, "/a/me/")).query)["state"][0]
    answer = client.get("/a/login/callback/", {"code": used, "state": state})

    assert page
    assert (answer.status_code, answer["X-Refusal"]) == (400, "wechat.login_code_unusable")
    assert 'href="/a/login/?next=%2Fa%2Fme%2F"' in answer.content.decode()
    assert not is_logged_in(client)


def test_a_snapshot_user_is_refused(house):
    house.activate()
    client = Client()

    answer = log_in(client, house.person, sandbox_snapshot="1")

    assert (answer.status_code, answer["X-Refusal"]) == (403, "wechat.snapshot_user")
    assert not is_logged_in(client)


def test_a_person_who_does_not_agree_is_told_what_to_do(house):
    client = Client()

    answer = log_in(client, house.person, sandbox_decision="deny")

    assert (answer.status_code, answer["X-Refusal"]) == (403, "assistant.login_denied")


def test_wechat_away_is_a_page_with_a_retry_and_the_retry_works(house):
    house.activate()
    client = Client()
    house.sandbox.fault("html", "/sns/oauth2/access_token")

    answer = log_in(client, house.person, "/a/me/")

    assert (answer.status_code, answer["X-Refusal"]) == (503, "wechat.away")
    assert 'href="/a/login/?next=%2Fa%2Fme%2F"' in answer.content.decode()
    house.sandbox.ask("DELETE", "/faults")
    assert log_in(client, house.person, "/a/me/")["Location"] == "/a/me/"


@pytest.mark.django_db
def test_without_an_account_the_login_says_so():
    answer = Client().get("/a/login/")

    assert (answer.status_code, answer["X-Refusal"]) == (404, "wechat.no_account")


# The first time -------------------------------------------------------------------------------------------


def test_a_new_guide_types_her_code_once_and_is_logged_in_from_then_on(house):
    code = guide_services.issue_activation_code(guide_id=house.guide.id, actor=STAFF)
    client = Client()
    assert log_in(client, house.person, "/a/my-code/")["Location"] == "/a/activate/"
    assert client.get("/a/activate/").status_code == 200

    typed = f" {code[:4].lower()}-{code[4:]}　"
    answer = client.post("/a/activate/", {"code": typed})

    assert (answer.status_code, answer["Location"]) == (302, "/a/my-code/")
    assert is_logged_in(client)
    assert log_in(Client(), house.person)["Location"] == "/a/"


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", "assistant.activation_code_missing"),
        (" - ", "assistant.activation_code_missing"),
        ("ABCDEFGHJK", "guides.activation_code_unusable"),
        ("激活码", "guides.activation_code_unusable"),
        ("x" * 5000, "guides.activation_code_unusable"),
    ],
)
def test_a_wrong_code_keeps_what_was_typed_and_says_what_to_do(house, typed, refusal):
    client = Client()
    log_in(client, house.person)

    answer = client.post("/a/activate/", {"code": typed})

    assert (answer.status_code, answer["X-Refusal"]) == (400, refusal)
    assert f'value="{typed[:40]}"' in answer.content.decode()
    assert not is_logged_in(client)


def test_a_code_works_for_one_wechat_account_only(house):
    code = guide_services.issue_activation_code(guide_id=house.guide.id, actor=STAFF)
    first, second = Client(), Client()
    log_in(first, house.person)
    assert first.post("/a/activate/", {"code": code}).status_code == 302
    other, _openid = house.sandbox.follower("路人")
    log_in(second, other)

    answer = second.post("/a/activate/", {"code": code})

    assert answer["X-Refusal"] == "guides.activation_code_unusable"
    assert not is_logged_in(second)


def test_guessing_codes_is_stopped(house):
    client = Client()
    log_in(client, house.person)
    for _ in range(5):
        client.post("/a/activate/", {"code": "ABCDEFGHJK"})

    answer = client.post("/a/activate/", {"code": "ABCDEFGHJK"})

    assert (answer.status_code, answer["X-Refusal"]) == (429, "guides.too_many_activation_tries")


def test_activation_without_a_login_starts_the_login(house):
    answer = Client().post("/a/activate/", {"code": "ABCDEFGHJK"})

    assert (answer.status_code, answer["Location"]) == (302, "/a/")


# The way out ----------------------------------------------------------------------------------------------


def test_a_session_ends_when_the_guide_leaves(house):
    house.activate()
    client = Client()
    log_in(client, house.person)
    guide_services.leave_guide(guide_id=house.guide.id, actor=STAFF)

    answer = client.get("/a/members/")

    assert (answer.status_code, answer["X-Refusal"]) == (403, "assistant.ended")
    assert client.get("/a/members/").status_code == 302
    assert log_in(client, house.person)["Location"] == "/a/activate/"


def test_an_open_page_of_a_guide_who_left_is_sent_to_the_explanation(house):
    house.activate()
    client = Client()
    log_in(client, house.person)
    guide_services.leave_guide(guide_id=house.guide.id, actor=STAFF)

    answer = client.get("/a/pulse/", {"since": "0"}, headers={"HX-Request": "true"})

    assert answer["HX-Redirect"] == "/a/ended/"
    assert client.get("/a/ended/")["X-Refusal"] == "assistant.ended"


def test_a_guide_who_came_back_is_not_told_that_she_is_gone(house):
    house.activate()
    client = Client()
    log_in(client, house.person)
    guide_services.leave_guide(guide_id=house.guide.id, actor=STAFF)
    guide_services.return_guide(guide_id=house.guide.id, store_id=house.store.id, actor=STAFF)

    assert client.get("/a/").status_code == 302
    assert log_in(client, house.person)["Location"] == "/a/activate/"


def test_a_removed_login_ends_the_session(house):
    house.activate()
    client = Client()
    log_in(client, house.person)

    guide_services.remove_login(guide_id=house.guide.id, actor=STAFF)

    assert client.get("/a/me/")["Location"].startswith("/a/login/")


def test_an_open_page_without_a_session_goes_to_the_login_and_returns_to_itself(house):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/a/members/?q=xm"}

    answer = Client().get("/a/members/rows/", headers=headers)

    assert answer["HX-Redirect"] == "/a/login/?next=%2Fa%2Fmembers%2F%3Fq%3Dxm"


def test_logging_out_ends_the_session_and_does_not_log_in_again_by_itself(house):
    house.activate()
    client = Client()
    log_in(client, house.person)

    assert client.post("/a/logout/")["Location"] == "/a/signed-out/"

    assert client.get("/a/signed-out/").status_code == 200
    assert not is_logged_in(client)
    assert client.get("/a/logout/").status_code == 405


@pytest.mark.django_db
def test_logging_out_of_the_assistant_leaves_the_staff_login_of_the_same_browser(cast, log_in):
    client = log_in(cast.lina)
    client.force_login(cast.head_office)
    session = client.session
    session["assistant_guide"] = {"guide_id": cast.lina.id, "epoch": cast.lina.session_epoch}
    session.save()

    client.post("/a/logout/")

    assert client.session["_auth_user_id"] == str(cast.head_office.pk)
    assert "assistant_guide" not in client.session


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/a/logout/", "/a/activate/", "/a/notices/read/"])
def test_a_write_without_a_csrf_token_is_refused(path):
    answer = Client(enforce_csrf_checks=True).post(path)

    assert answer.status_code == 403
