"""Bent pushes, bad pushes, the clock, and refusals of the scripting API."""

import threading
from typing import Any

import pytest

from sandbox.rawpushes import MUTATIONS
from tests.sandbox.callback import APP, KEY, ORIGINAL, Received
from tests.sandbox.world import Driver


def test_copies_go_out_together_and_are_the_same_message(driver: Driver) -> None:
    person = driver.person()
    driver.act(person, "follow")
    barrier = threading.Barrier(3, timeout=25)
    driver.callback.answer = lambda push: (barrier.wait(), (200, b"success"))[1]
    result = driver.act(person, "write", text="在吗", script={"copies": 3})
    assert [push["status"] for push in result["pushes"]] == ["delivered"] * 3
    received = driver.callback.received[1:]
    assert len({push.fields["MsgId"] for push in received}) == 1
    assert len({push.query["nonce"] for push in received}) == 3


def test_repeats_come_later(driver: Driver) -> None:
    person = driver.person()
    result = driver.act(person, "follow", script={"repeat_after_s": [0.05, 0.1]})
    first, *later = result["pushes"]
    waited = [push["attempts"][0]["at"] - first["created_at"] for push in later]
    assert (waited[0] >= 0.04, waited[1] >= 0.09) == (True, True)
    assert len({push.fields["CreateTime"] for push in driver.callback.received}) == 1


def test_two_people_in_the_same_second(driver: Driver) -> None:
    for name in ("小美", "小丽"):
        driver.act(driver.person(name), "follow", script={"create_time": 1_700_000_000})
    assert [push.fields["CreateTime"] for push in driver.callback.received] == ["1700000000"] * 2


@pytest.mark.parametrize(
    ("order", "expected"), [("forward", ["subscribe", "text"]), ("reverse", ["text", "subscribe"])]
)
def test_held_pushes_are_released_in_either_order(driver: Driver, order: str, expected: list[str]) -> None:
    person = driver.person()
    for act, body in (("follow", {}), ("write", {"text": "在吗"})):
        held = driver.act(person, act, script={"hold": True}, **body)
        assert held["pushes"][0]["status"] == "held"
    assert driver.callback.received == []
    released = driver.script("POST", "/pushes/release", {"order": order})
    assert [push["status"] for push in released["pushes"]] == ["delivered"] * 2
    assert driver.callback.events() == expected


def test_any_event_can_be_pushed(driver: Driver) -> None:
    fields = {"MsgType": "event", "Event": "user_authorization_revoke", "OpenID": "oX", "RevokeInfo": "205"}
    result = driver.script("POST", "/push", {"app_id": APP, "openid": "oPlatform", "fields": fields})
    assert result["pushes"][0]["status"] == "delivered"
    seen = driver.callback.received[0].fields
    assert (seen["FromUserName"], seen["OpenID"], seen["ToUserName"]) == ("oPlatform", "oX", ORIGINAL)


def test_lists_are_repeated_elements(driver: Driver) -> None:
    driver.account(mode="plain")
    items = [{"TemplateId": "a"}, {"TemplateId": "b"}]
    fields = {
        "MsgType": "event",
        "Event": "subscribe_msg_popup_event",
        "SubscribeMsgPopupEvent": {"List": items},
    }
    driver.script("POST", "/push", {"app_id": APP, "openid": "oX", "fields": fields})
    raw = driver.callback.received[0].raw.decode()
    assert raw.count("<List>") == 2
    assert "<List><TemplateId><![CDATA[b]]></TemplateId></List>" in raw


REFUSED_BY_ANY = [
    name for name in MUTATIONS if name not in ("stale_timestamp", "plain_downgrade", "entities", "deep")
]


@pytest.mark.parametrize("mutation", REFUSED_BY_ANY)
def test_bad_pushes_are_refused_by_a_careful_callback(driver: Driver, mutation: str) -> None:
    answer = driver.script("POST", "/push-raw", {"app_id": APP, "mutate": mutation})
    if mutation == "double_encrypt":
        assert answer["status"] in (200, 403)
    else:
        assert answer["status"] == 403
        assert driver.callback.received == []


def test_bad_pushes_that_look_right_at_first(driver: Driver) -> None:
    stale = driver.script("POST", "/push-raw", {"app_id": APP, "mutate": "stale_timestamp"})
    now = driver.script("GET", "/clock")["now"]
    assert stale["status"] == 200
    assert now - int(driver.callback.received[0].query["timestamp"]) > 86_000
    driver.script("POST", "/push-raw", {"app_id": APP, "mutate": "plain_downgrade"})
    assert "encrypt_type" not in driver.callback.received[1].query
    driver.script("POST", "/push-raw", {"app_id": APP, "mutate": "replay"})
    first, second = driver.callback.received[2:]
    assert (first.query, first.raw) == (second.query, second.raw)


def test_unknown_mutation_lists_the_known_ones(driver: Driver) -> None:
    answer = driver.script("POST", "/push-raw", {"app_id": APP, "mutate": "x"}, status=400)
    assert "bad_padding" in answer["message"]


def test_the_clock_moves_both_ways_and_comes_back(driver: Driver) -> None:
    start = driver.script("GET", "/clock")["now"]
    assert driver.script("POST", "/clock", {"advance": 3600})["now"] - start >= 3600
    assert driver.script("POST", "/clock", {"set": 1_700_000_000})["now"] < 1_700_000_005
    driver.act(driver.person(), "follow")
    push: Received = driver.callback.received[0]
    assert abs(int(push.fields["CreateTime"]) - 1_700_000_000) < 60
    assert abs(int(push.query["timestamp"]) - 1_700_000_000) < 60
    assert abs(driver.script("POST", "/clock", {"reset": True})["now"] - start) < 60


def test_putting_an_account_twice_changes_nothing_else(driver: Driver) -> None:
    token = driver.token()
    assert driver.account() == driver.account()
    assert "ip_list" in driver.get("/cgi-bin/getcallbackip", token=token)
    assert [one["app_id"] for one in driver.script("GET", "/accounts")["accounts"]] == [APP]
    assert driver.script("GET", f"/accounts/{APP}")["aes_key"] == KEY


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "secret"},
        {"kind": "shop"},
        {"format": "yaml"},
        {"aes_key": "short"},
        {"aes_key": ""},
        {"token_lifetime": 0},
        {"quota": []},
        {"oauth_domains": "a.example"},
        {"calback_url": "http://a.example/"},
    ],
)
def test_impossible_settings_are_refused(driver: Driver, changes: dict[str, Any]) -> None:
    before = driver.script("GET", f"/accounts/{APP}")
    answer = driver.script("PATCH", f"/accounts/{APP}", changes, status=400)
    assert answer["error"] == "bad_field"
    assert driver.script("GET", f"/accounts/{APP}") == before


def test_unknown_things(driver: Driver) -> None:
    person = driver.person()
    assert driver.script("GET", "/people/pnobody", status=404)["error"] == "unknown_person"
    assert driver.script("GET", "/accounts/wxnone", status=404)["error"] == "unknown_account"
    url = f"/people/{person['id']}"
    assert driver.script("POST", f"{url}/dance", {}, status=404)["error"] == "unknown_act"
    assert driver.script("POST", f"{url}/follow", {}, status=404)["error"] == "unknown_account"
    assert driver.script("POST", f"{url}/write", {"app_id": APP}, status=400)["error"] == "bad_field"
    assert driver.http.post("/_/people", content=b"{").json()["error"] == "bad_json"


def test_people_can_be_changed_and_deleted(driver: Driver) -> None:
    person = driver.person("小美", phone="13800000000")
    changed = driver.script("PATCH", f"/people/{person['id']}", {"name": "小美美", "is_snapshot": True})
    assert (changed["name"], changed["phone"], changed["is_snapshot"]) == ("小美美", "13800000000", True)
    driver.script("DELETE", f"/people/{person['id']}")
    assert driver.script("GET", "/people") == {"people": []}


def test_links_and_menus(driver: Driver) -> None:
    person = driver.person()
    driver.act(person, "follow")
    assert driver.act(person, "open-link", url="http://a.example/")["pushes"] == []
    driver.act(person, "open-link", url="http://a.example/", from_menu=True)
    driver.act(person, "tap-menu", key="POINTS")
    assert [(p.fields["Event"], p.fields["EventKey"]) for p in driver.callback.received[1:]] == [
        ("VIEW", "http://a.example/"),
        ("CLICK", "POINTS"),
    ]


def test_push_log_can_be_read_from_a_point(driver: Driver) -> None:
    person = driver.person()
    first = driver.act(person, "follow")["pushes"][0]
    second = driver.act(person, "unfollow")["pushes"][0]
    assert driver.script("GET", f"/pushes?after={first['id']}")["pushes"] == [second]
    assert driver.script("GET", "/pushes?limit=1")["pushes"] == [second]


def test_reset_forgets_everything(driver: Driver) -> None:
    driver.act(driver.person(), "follow")
    driver.advance(1000)
    driver.script("POST", "/faults", {"target": "calls", "kind": "busy"})
    driver.script("POST", "/reset")
    for path, name in (
        ("/people", "people"),
        ("/accounts", "accounts"),
        ("/pushes", "pushes"),
        ("/calls", "calls"),
    ):
        assert driver.script("GET", path) == {name: []}
    assert driver.script("GET", "/faults")["faults"] == []
    assert abs(driver.script("GET", "/clock")["offset"]) < 1
