"""Mini-programs: login, phone, session, open data."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.sandbox.callback import APP, SECRET, Callback
from tests.sandbox.world import Driver
from tests.sandbox_process import running_sandbox

MINI = "wxmini0000000001"
OTHER = "wxmini0000000002"
PHONE = "/wxa/business/getuserphonenumber"
SESSION = "/wxa/checksession"
SEALED = "/wxa/business/checkencryptedmsg"


@pytest.fixture
def mini(driver: Driver) -> Driver:
    driver.account(app_id=MINI, name="小二商城", kind="mini_program")
    return driver


def token(mini: Driver, app_id: str = MINI) -> str:
    return str(mini.stable(app_id=app_id)["access_token"])


def log_in(mini: Driver, person: dict[str, Any], app_id: str = MINI) -> str:
    return str(mini.act(person, "mini/login", app_id=app_id)["code"])


def exchange(mini: Driver, code: str, **changes: str) -> dict[str, Any]:
    query = {"appid": MINI, "secret": SECRET, "js_code": code, "grant_type": "authorization_code", **changes}
    answer = mini.http.get("/api/sns/jscode2session", params=query)
    assert answer.status_code == 200
    return dict(answer.json())


def share(mini: Driver, person: dict[str, Any], **body: Any) -> dict[str, Any]:
    return mini.act(person, "mini/phone", app_id=MINI, **body)


def fetch_phone(mini: Driver, code: object, *, app_id: str = MINI, **more: Any) -> dict[str, Any]:
    return dict(mini.post(PHONE, {"code": code, **more}, token=token(mini, app_id)))


def unseal(given: dict[str, Any], session_key: str) -> dict[str, Any]:
    """Open it as the official sample code does."""
    key, iv = base64.b64decode(session_key), base64.b64decode(given["iv"])
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    plain = decryptor.update(base64.b64decode(given["encryptedData"])) + decryptor.finalize()
    assert 1 <= plain[-1] <= 16
    assert plain.endswith(bytes([plain[-1]]) * plain[-1])
    return dict(json.loads(plain[: -plain[-1]]))


def test_a_login_code_becomes_openid_unionid_and_session_key(mini: Driver) -> None:
    person = mini.person()
    answer = exchange(mini, log_in(mini, person))
    assert answer["openid"] == person["openids"][MINI] != person["openids"][APP]
    assert answer["unionid"] == person["unionid"]
    assert len(base64.b64decode(answer["session_key"], validate=True)) == 16
    assert "errcode" not in answer
    mini.account(app_id=MINI, kind="mini_program", open_platform=None)
    assert "unionid" not in exchange(mini, log_in(mini, person))


def test_login_codes_are_single_use_five_minutes_and_bound_to_the_app(mini: Driver) -> None:
    mini.account(app_id=OTHER, kind="mini_program")
    person = mini.person()
    code = log_in(mini, person)
    assert exchange(mini, code, appid=OTHER)["errcode"] == 40029
    assert "openid" in exchange(mini, code)
    assert exchange(mini, code)["errcode"] == 40163
    late = log_in(mini, person)
    mini.advance(301)
    assert exchange(mini, late)["errcode"] == 40029
    assert exchange(mini, "nonsense")["errcode"] == 40029
    phone = share(mini, person)["code"]
    assert exchange(mini, phone)["errcode"] == 40029


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"appid": ""}, 41002),
        ({"appid": "wxnone"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "wrong"}, 40125),
        ({"js_code": ""}, 41008),
        ({"grant_type": "x"}, 40002),
    ],
)
def test_refused_logins(mini: Driver, changes: dict[str, str], errcode: int) -> None:
    assert exchange(mini, "c", **changes)["errcode"] == errcode


def test_a_person_held_to_be_a_risk_cannot_log_in(mini: Driver) -> None:
    person = mini.person(is_high_risk=True)
    assert exchange(mini, log_in(mini, person))["errcode"] == 40226
    mini.script("PATCH", f"/people/{person['id']}", {"is_high_risk": False})
    assert "openid" in exchange(mini, log_in(mini, person))


def test_more_than_a_hundred_logins_a_minute_are_too_many_for_one_person(mini: Driver) -> None:
    person, other = mini.person(), mini.person("小丽")
    code = log_in(mini, person)
    answers = [exchange(mini, code) for _ in range(100)]
    assert [answer.get("errcode") for answer in answers] == [None, *[40163] * 99]
    assert exchange(mini, log_in(mini, person))["errcode"] == 45011
    assert "openid" in exchange(mini, log_in(mini, other))
    mini.advance(61)
    assert "openid" in exchange(mini, log_in(mini, person))


def test_a_phone_code_becomes_the_number_once(mini: Driver) -> None:
    person = mini.person(phone="13800138000")
    code = share(mini, person)["code"]
    assert code != log_in(mini, person)
    answer = fetch_phone(mini, code, openid=person["openids"][MINI])
    info = answer["phone_info"]
    assert (answer["errcode"], info["phoneNumber"], info["purePhoneNumber"]) == (0, *["13800138000"] * 2)
    assert (info["countryCode"], info["watermark"]["appid"]) == ("86", MINI)
    assert fetch_phone(mini, code)["errcode"] == 40029


def test_the_country_code_may_be_a_number_and_the_phone_foreign(mini: Driver) -> None:
    mini.script("PATCH", "/settings", {"country_code": "number"})
    person = mini.person()
    info = fetch_phone(mini, share(mini, person, phone="61234567", country_code="852")["code"])["phone_info"]
    assert (info["phoneNumber"], info["purePhoneNumber"]) == ("85261234567", "61234567")
    assert info["countryCode"] == 852
    refused = mini.script("PATCH", "/settings", {"country_code": "roman"}, status=400)
    assert refused["error"] == "bad_field"


def test_phone_codes_of_others_foreign_and_old_ones_are_refused(mini: Driver) -> None:
    mini.account(app_id=OTHER, kind="mini_program")
    person, other = mini.person(), mini.person("小丽")
    code = share(mini, person)["code"]
    assert fetch_phone(mini, code, openid=other["openids"][MINI])["errcode"] == 40029
    assert fetch_phone(mini, code, app_id=OTHER)["errcode"] == 40029
    assert fetch_phone(mini, log_in(mini, person))["errcode"] == 40029
    assert fetch_phone(mini, None)["errcode"] == 40029
    assert fetch_phone(mini, code, openid=7)["errcode"] == 47001
    mini.advance(301)
    assert fetch_phone(mini, code)["errcode"] == 40029
    assert mini.post(PHONE, {"code": code})["errcode"] == 48001


def test_encrypted_data_opens_with_the_newest_session_key(mini: Driver) -> None:
    person = mini.person(phone="13800138000")
    first = exchange(mini, log_in(mini, person))["session_key"]
    second = exchange(mini, log_in(mini, person))["session_key"]
    assert first != second
    data = unseal(share(mini, person), second)
    assert (data["purePhoneNumber"], data["watermark"]["appid"]) == ("13800138000", MINI)
    stale = share(mini, person, script={"stale_session": True})
    assert unseal(stale, first)["purePhoneNumber"] == "13800138000"


def test_encrypted_data_can_be_given_a_bad_watermark(mini: Driver) -> None:
    person = mini.person()
    key = exchange(mini, log_in(mini, person))["session_key"]
    foreign = unseal(share(mini, person, script={"wrong_appid": True}), key)["watermark"]
    assert foreign["appid"] != MINI
    named = unseal(share(mini, person, script={"wrong_appid": APP}), key)["watermark"]
    assert named["appid"] == APP
    fresh = unseal(share(mini, person), key)["watermark"]["timestamp"]
    old = unseal(share(mini, person, script={"old_watermark_s": 3600}), key)["watermark"]["timestamp"]
    assert 3595 <= fresh - old <= 3600


@pytest.mark.parametrize("body", [{"phone": "12a"}, {"country_code": "0"}, {"script": {"copies": 2}}])
def test_a_phone_no_one_could_have_is_refused(mini: Driver, body: dict[str, Any]) -> None:
    path = f"/people/{mini.person()['id']}/mini/phone"
    assert mini.script("POST", path, {"app_id": MINI, **body}, status=400)["error"] == "bad_field"


def check(mini: Driver, openid: str, key: str, **changes: str) -> Any:
    proof = hmac.new(key.encode(), b"", hashlib.sha256).hexdigest()
    query = {"openid": openid, "signature": proof, "sig_method": "hmac_sha256", **changes}
    return mini.get(SESSION, token=token(mini), **query)["errcode"]


def test_only_the_newest_session_passes_the_check(mini: Driver) -> None:
    person = mini.person()
    openid = person["openids"][MINI]
    assert check(mini, openid, "") == 87009
    first = exchange(mini, log_in(mini, person))["session_key"]
    assert check(mini, openid, first) == 0
    exchange(mini, log_in(mini, person))
    assert check(mini, openid, first) == 87009
    assert check(mini, "oNobody", first) == 40003
    assert check(mini, openid, first, sig_method="md5") == 40097


def test_the_platform_knows_its_own_encrypted_data_for_three_days(mini: Driver) -> None:
    sealed = share(mini, mini.person())["encryptedData"]

    def known(text: str, app_id: str = MINI) -> dict[str, Any]:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return dict(mini.post(SEALED, {"encrypted_msg_hash": digest}, token=token(mini, app_id)))

    assert known(sealed)["vaild"] is True
    assert known(sealed)["create_time"] > 0
    assert known("made up")["vaild"] is False
    mini.account(app_id=OTHER, kind="mini_program")
    assert known(sealed, OTHER)["vaild"] is False
    mini.advance(3 * 86_400 + 1)
    assert known(sealed)["vaild"] is False
    assert mini.post(SEALED, {}, token=token(mini))["errcode"] == 40097


def test_opening_leaves_a_line_and_is_remembered(mini: Driver) -> None:
    person = mini.person()
    done = mini.act(person, "mini/open", app_id=MINI, page="/pages/me/me?from=card&x=1")
    assert (done["page"], done["query"], done["scene"]) == ("pages/me/me", {"from": "card", "x": "1"}, 1001)
    assert mini.act(person, "mini/open", app_id=MINI, page="pages/me/me", scene=1074)["scene"] == 1074
    chat = mini.script("GET", f"/people/{person['id']}/chat?app_id={MINI}")
    assert chat["mini"]["opening"]["page"] == "pages/me/me"
    assert (chat["mini"]["logged_in_at"], chat["mini"]["phone_shared_at"]) == (None, None)
    assert "小二商城" in chat["bubbles"][0]["text"]
    exchange(mini, log_in(mini, person))
    fetch_phone(mini, share(mini, person)["code"])
    told = mini.script("GET", f"/people/{person['id']}/chat?app_id={MINI}")["mini"]
    assert told["logged_in_at"]
    assert told["phone_shared_at"]


def test_only_mini_programs_are_opened(mini: Driver) -> None:
    path = f"/people/{mini.person()['id']}/mini/"
    for act in ("login", "phone", "open"):
        refused = mini.script("POST", path + act, {"app_id": APP}, status=400)
        assert refused["error"] == "not_a_mini_program"


def test_keys_and_codes_are_in_no_log_and_no_answer(mini: Driver) -> None:
    person = mini.person(phone="13912345678")
    login = log_in(mini, person)
    key = exchange(mini, login)["session_key"]
    phone = share(mini, person)["code"]
    fetch_phone(mini, phone)
    shown = json.dumps(
        [
            mini.script("GET", "/calls"),
            mini.script("GET", f"/people/{person['id']}/chat?app_id={MINI}"),
            mini.script("GET", f"/people/{person['id']}"),
            mini.script("GET", "/accounts"),
        ]
    ).replace(SECRET, "")
    for secret in (login, key, phone):
        assert secret not in shown
    assert "13912345678" not in json.dumps(mini.script("GET", "/calls"))


def test_codes_keys_and_openings_survive_a_restart(tmp_path: Path, callback: Callback) -> None:
    state = tmp_path / "state.json"
    with running_sandbox(state=state) as url:
        driver = Driver(url, callback)
        driver.account(app_id=MINI, kind="mini_program", pages=["pages/me/me"])
        person = driver.person(key="m-1", is_high_risk=False)
        used, waiting = log_in(driver, person), log_in(driver, person)
        key = exchange(driver, used)["session_key"]
        given = share(driver, person)
        driver.act(person, "mini/open", app_id=MINI)
        driver.http.close()
    with running_sandbox(state=state) as url:
        driver = Driver(url, callback)
        assert exchange(driver, used)["errcode"] == 40163
        assert check(driver, person["openids"][MINI], key) == 0
        assert fetch_phone(driver, given["code"])["errcode"] == 0
        assert "openid" in exchange(driver, waiting)
        chat = driver.script("GET", f"/people/{person['id']}/chat?app_id={MINI}")
        assert chat["mini"]["opening"]["page"] == "pages/me/me"
        driver.http.close()


def test_a_state_saved_before_there_were_mini_programs_is_read(tmp_path: Path, callback: Callback) -> None:
    state = tmp_path / "state.json"
    with running_sandbox(state=state) as url:
        driver = Driver(url, callback)
        driver.account()
        driver.person("小美")
        driver.http.close()
    saved = json.loads(state.read_text(encoding="utf-8"))
    for name in ("login_codes", "phone_codes", "sealed"):
        del saved[name]
    for person in saved["people"].values():
        del person["is_high_risk"]
    state.write_text(json.dumps(saved), encoding="utf-8")
    with running_sandbox(state=state) as url:
        driver = Driver(url, callback)
        assert driver.script("GET", "/people")["people"][0]["is_high_risk"] is False
        driver.http.close()
