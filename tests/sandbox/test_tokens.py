"""Access tokens: two isolated families, overlap, force, death."""

import pytest

from tests.sandbox.callback import APP
from tests.sandbox.world import Driver

PATH = "/cgi-bin/getcallbackip"


def code_of(driver: Driver, token: str) -> int:
    return int(driver.get(PATH, token=token).get("errcode", 0))


def test_success_has_no_errcode_and_a_long_token(driver: Driver) -> None:
    for answer in (driver.stable(), driver.classic()):
        assert answer.keys() == {"access_token", "expires_in"}
        assert answer["expires_in"] == 7200
        assert len(answer["access_token"]) > 130


def test_every_classic_call_gives_a_new_token_and_the_old_one_lives_five_minutes(driver: Driver) -> None:
    first, second = driver.classic()["access_token"], driver.classic()["access_token"]
    assert first != second
    driver.advance(299)
    assert (code_of(driver, first), code_of(driver, second)) == (0, 0)
    driver.advance(2)
    assert (code_of(driver, first), code_of(driver, second)) == (40001, 0)


def test_stable_token_is_the_same_until_five_minutes_before_its_end(driver: Driver) -> None:
    first = driver.token()
    driver.advance(6890)
    assert driver.token() == first
    driver.advance(20)
    renewed = driver.stable()
    assert renewed["access_token"] != first
    assert renewed["expires_in"] == 7200
    assert code_of(driver, first) == 0
    driver.advance(300)
    assert code_of(driver, first) == 42001
    assert code_of(driver, renewed["access_token"]) == 0


def test_neither_family_kills_the_other(driver: Driver) -> None:
    stable, classic = driver.token(), driver.classic()["access_token"]
    driver.stable(force=True)
    driver.advance(301)
    assert code_of(driver, classic) == 0
    driver.classic()
    driver.advance(301)
    assert code_of(driver, classic) == 40001
    assert code_of(driver, stable) == 40001
    assert code_of(driver, driver.token()) == 0


def test_force_kills_at_once_but_not_within_thirty_seconds(driver: Driver) -> None:
    first = driver.token()
    second = driver.stable(force=True)["access_token"]
    assert code_of(driver, first) == 40001
    assert driver.stable(force=True)["access_token"] == second
    driver.advance(31)
    assert driver.stable(force=True)["access_token"] != second


def test_force_is_ignored_after_twenty_times_a_day(driver: Driver) -> None:
    seen = set()
    for _ in range(20):
        seen.add(driver.stable(force=True)["access_token"])
        driver.advance(31)
    assert len(seen) == 20
    assert driver.stable(force=True)["access_token"] in seen
    driver.advance(86_400)
    assert driver.stable(force=True)["access_token"] not in seen


def test_expired_token_answers_42001(driver: Driver) -> None:
    driver.script("PATCH", f"/accounts/{APP}", {"token_lifetime": 10})
    token = driver.token()
    driver.advance(11)
    assert code_of(driver, token) == 42001


def test_killed_tokens_answer_40001_and_the_next_one_works(driver: Driver) -> None:
    token, classic = driver.token(), driver.classic()["access_token"]
    assert driver.script("POST", f"/accounts/{APP}/kill-tokens") == {"killed": 2}
    assert (code_of(driver, token), code_of(driver, classic)) == (40001, 40001)
    assert code_of(driver, driver.token()) == 0


def test_sticky_kill_needs_a_forced_refresh(driver: Driver) -> None:
    token = driver.token()
    driver.script("POST", f"/accounts/{APP}/kill-tokens", {"sticky": True})
    assert driver.token() == token
    assert code_of(driver, token) == 40001
    assert code_of(driver, driver.stable(force=True)["access_token"]) == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"grant_type": "password"}, 40002),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"appid": "wxunknown"}, 40013),
        ({"secret": "wrong"}, 40125),
    ],
)
def test_refused_credentials(driver: Driver, query: dict[str, str], code: int) -> None:
    assert driver.classic(**query)["errcode"] == code
    body = {"grant_type": "client_credential", "appid": APP, "secret": "x", **query}
    if code not in (41004,):
        answer = driver.http.post("/api/cgi-bin/stable_token", json=body).json()
        assert answer["errcode"] == (40125 if query.get("secret") == "wrong" else code)


def test_address_outside_the_whitelist_is_refused(driver: Driver) -> None:
    driver.script("PATCH", f"/accounts/{APP}", {"ip_whitelist": ["203.0.113.9"]})
    assert driver.classic()["errcode"] == 40164
    driver.script("PATCH", f"/accounts/{APP}", {"ip_whitelist": ["127.0.0.1"]})
    assert "access_token" in driver.stable()


def test_stable_token_takes_post_only(driver: Driver) -> None:
    assert driver.http.get("/api/cgi-bin/stable_token").json()["errcode"] == 43002


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("nonsense", 40014), ("12_" + "a" * 140, 40001)])
def test_tokens_nobody_gave_out(driver: Driver, token: str, code: int) -> None:
    assert code_of(driver, token) == code
