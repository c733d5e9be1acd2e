"""Mini-programs: login, phone, encrypted data, codes."""

import base64
import hashlib
import io
import json
import logging
import pickle
import uuid
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from PIL import Image
from wechatpy.crypto import WeChatWxaCrypto
from wechatpy.exceptions import InvalidAppIdException

from core import clock
from core.errors import InvalidInput, NotFound, Refusal
from tests.wechat.gateway_out import APP_ID, OPENID, PHONE, SECRET, Sandbox, open_account
from tests.wechat.scripted_server import DROP, HTML, Reply, ScriptedServer, error, ok
from wechat.contracts import MiniSession
from wechat.errors import (
    HighRiskUser,
    LoginCodeUnusable,
    MiniPageUnknown,
    MiniSessionStale,
    NoAccount,
    PhoneCodeUnusable,
    TooManyLogins,
    WatermarkWrong,
    WeChatAway,
    WeChatRefused,
)
from wechat.models import AccessToken, Account, OutboundCall
from wechat.services import accounts, mini_program

VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parents[1] / "fixtures" / "wechat_vectors.json").read_text())
}
LOGIN = "/sns/jscode2session"
GET_PHONE = "/wxa/business/getuserphonenumber"
CHECK_SESSION = "/wxa/checksession"
CHECK_DATA = "/wxa/business/checkencryptedmsg"
DRAW = "/wxa/getwxacodeunlimit"
KEY = base64.b64encode(b"planted-key-0016").decode()
IV = base64.b64encode(b"planted-iv-00016").decode()
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 96


def log_in(account: Account, code: str = "code-1") -> MiniSession:
    return mini_program.exchange_login_code(account_id=account.pk, code=code)


def fetch(account: Account, code: str = "code-1", openid: str | None = None) -> str:
    return mini_program.fetch_phone(account_id=account.pk, code=code, openid=openid)


# Login ----------------------------------------------------------------------------------------------------


def test_a_login_code_becomes_a_session_and_no_token_is_fetched(
    account: Account, server: ScriptedServer
) -> None:
    server.script(LOGIN, ok(openid=OPENID, session_key=KEY, unionid="u1"))
    session = log_in(account)
    assert (session.app_id, session.openid, session.unionid) == (APP_ID, OPENID, "u1")
    assert session.session_key == KEY
    assert [seen.path for seen in server.seen] == [LOGIN]
    expected = {"appid": APP_ID, "secret": SECRET, "js_code": "code-1", "grant_type": "authorization_code"}
    assert server.seen[0].query == expected
    assert not AccessToken.objects.exists()


def test_a_success_may_say_errcode_0_and_have_no_unionid(account: Account, server: ScriptedServer) -> None:
    server.script(LOGIN, ok(errcode=0, errmsg="ok", openid=OPENID, session_key=KEY))
    assert log_in(account).unionid is None


@pytest.mark.parametrize(
    ("errcode", "refusal"),
    [
        (40029, LoginCodeUnusable),
        (40163, LoginCodeUnusable),
        (41008, LoginCodeUnusable),
        (40226, HighRiskUser),
        (45011, TooManyLogins),
        (40125, WeChatRefused),
        (40013, WeChatRefused),
    ],
)
def test_every_refused_login_has_its_name(
    account: Account, server: ScriptedServer, errcode: int, refusal: type[Refusal]
) -> None:
    server.script(LOGIN, error(errcode))
    with pytest.raises(refusal):
        log_in(account)
    assert len(server.calls(LOGIN)) == 1


@pytest.mark.parametrize(
    "reply",
    [
        DROP,
        HTML,
        error(-1),
        Reply(b"", 500),
        ok(),
        ok(openid=OPENID),
        ok(openid="", session_key=KEY),
        ok(openid=OPENID, session_key="short"),
        ok(openid=OPENID, session_key=7),
    ],
)
def test_a_login_without_an_answer_is_not_repeated(
    account: Account, server: ScriptedServer, reply: Reply
) -> None:
    server.script(LOGIN, reply)
    with pytest.raises(WeChatAway):
        log_in(account)
    assert len(server.calls(LOGIN)) == 1


@pytest.mark.parametrize("code", ["", "x" * 257, "a b", "a\n", "有"])
def test_a_code_that_cannot_be_one_is_not_even_asked_about(
    account: Account, server: ScriptedServer, code: str
) -> None:
    with pytest.raises(LoginCodeUnusable):
        log_in(account, code)
    with pytest.raises(PhoneCodeUnusable):
        fetch(account, code)
    assert server.seen == []


def test_the_session_key_is_shown_and_pickled_nowhere(
    account: Account, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script(LOGIN, ok(openid=OPENID, session_key=KEY), ok(session_key=KEY), error(40029, f"no {KEY}"))
    session = log_in(account)
    assert KEY not in repr(session)
    with pytest.raises(TypeError):
        pickle.dumps(session)
    for refusal in (WeChatAway, LoginCodeUnusable):
        with pytest.raises(refusal) as caught:
            log_in(account, "a-planted-login-code")
        texts = [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
        texts.append(pickle.dumps(caught.value).decode("latin-1"))
        for secret in (SECRET, "a-planted-login-code"):
            assert not any(secret in text for text in texts)
    for secret in (SECRET, KEY, "a-planted-login-code"):
        assert secret not in caplog.text
    rows = " ".join(f"{row.path} {row.outcome}" for row in OutboundCall.objects.all())
    assert "planted" not in rows


def test_members_log_in_through_the_oldest_active_mini_program(account: Account) -> None:
    with pytest.raises(NoAccount):
        accounts.get_default_mini_program()
    open_account(slug="old", kind="mini_program", app_id="wxold", is_active=False)
    wanted = open_account(slug="mini", kind="mini_program", app_id="wxmini")
    open_account(slug="young", kind="mini_program", app_id="wxyoung")
    card = accounts.get_default_mini_program()
    assert (card.id, card.kind) == (wanted.pk, "mini_program")


# Phone ----------------------------------------------------------------------------------------------------


def phone_reply(pure: object = PHONE, country: object = "86", app_id: str = APP_ID, **more: object) -> Reply:
    info = {"phoneNumber": f"{pure}", "purePhoneNumber": pure, "countryCode": country}
    mark = {"timestamp": 1637744274, "appid": app_id}
    return ok(errcode=0, errmsg="ok", phone_info={**info, "watermark": mark, **more})


@pytest.mark.parametrize(
    ("pure", "country", "phone"),
    [
        (PHONE, "86", PHONE),
        (PHONE, 86, PHONE),
        (int(PHONE), "+86", PHONE),
        ("61234567", "852", "+85261234567"),
        ("2015550123", 1, "+12015550123"),
    ],
)
def test_a_phone_code_becomes_a_phone(
    account: Account, server: ScriptedServer, pure: object, country: object, phone: str
) -> None:
    server.script(GET_PHONE, phone_reply(pure, country))
    assert fetch(account, openid=OPENID) == phone
    assert server.calls(GET_PHONE)[0].json() == {"code": "code-1", "openid": OPENID}


def test_without_an_openid_none_is_sent(account: Account, server: ScriptedServer) -> None:
    server.script(GET_PHONE, phone_reply())
    fetch(account)
    assert server.calls(GET_PHONE)[0].json() == {"code": "code-1"}


@pytest.mark.parametrize("errcode", [40029, 40163])
def test_a_phone_code_that_is_wrong_used_or_old_asks_for_a_new_one(
    account: Account, server: ScriptedServer, errcode: int
) -> None:
    server.script(GET_PHONE, error(errcode))
    with pytest.raises(PhoneCodeUnusable):
        fetch(account)


@pytest.mark.parametrize("more", [{"app_id": "wxother"}, {"watermark": None}, {"watermark": []}])
def test_a_phone_with_another_apps_watermark_is_refused(
    account: Account, server: ScriptedServer, more: dict[str, Any]
) -> None:
    server.script(GET_PHONE, phone_reply(**more))
    with pytest.raises(WatermarkWrong):
        fetch(account)


@pytest.mark.parametrize(
    "reply",
    [
        DROP,
        error(-1),
        error(45009),
        ok(),
        phone_reply("123"),
        phone_reply("1380013800a"),
        phone_reply(country="x"),
        ok(phone_info=None),
    ],
)
def test_a_phone_that_does_not_come_is_not_asked_for_twice(
    account: Account, server: ScriptedServer, reply: Reply
) -> None:
    server.script(GET_PHONE, reply)
    with pytest.raises(WeChatAway):
        fetch(account)
    assert len(server.calls(GET_PHONE)) == 1


def test_a_refusal_holds_no_phone(
    account: Account, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script(GET_PHONE, phone_reply(app_id="wxother"), error(47001, f"{PHONE} {OPENID}"))
    for refusal in (WatermarkWrong, WeChatRefused):
        with pytest.raises(refusal) as caught:
            fetch(account, openid=OPENID)
        assert PHONE not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"


# Encrypted data -------------------------------------------------------------------------------------------


def seal(data: object, *, key: str = KEY, iv: str = IV, pad: int | None = None) -> str:
    """What a phone would hand over; `data` may be bytes."""
    plain = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    size = 16 - len(plain) % 16
    plain += bytes([size if pad is None else pad]) * size
    encryptor = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(base64.b64decode(iv))).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def marked(age_s: int = 0, app_id: str = APP_ID, **data: object) -> dict[str, Any]:
    moment = int(clock.now().timestamp()) - age_s
    return {"purePhoneNumber": PHONE, **data, "watermark": {"appid": app_id, "timestamp": moment}}


def open_data(account: Account, encrypted: str, **changes: Any) -> dict[str, Any]:
    options = {"session_key": KEY, "iv": IV, "encrypted_data": encrypted, **changes}
    return mini_program.open_encrypted(account_id=account.pk, **options)


def test_the_official_sample_opens(transactional_db: None) -> None:
    vector = VECTORS["mp-encrypted"]
    sample = open_account(app_id=vector["app_id"])
    keys = {"session_key": vector["session_key"], "iv": vector["iv"]}
    data = open_data(sample, vector["encrypted_data"], max_age_s=2**31, **keys)
    assert (data["openId"], data["unionId"]) == (vector["open_id"], vector["union_id"])
    assert (data["nickName"], data["watermark"]) == (vector["nick_name"], vector["watermark"])
    with pytest.raises(WatermarkWrong):
        open_data(sample, vector["encrypted_data"], **keys)


def test_the_official_signature_of_raw_data_fits_and_no_other(transactional_db: None) -> None:
    vector = VECTORS["mp-rawdata"]
    given = {name: vector[name] for name in ("session_key", "raw_data", "signature")}
    assert mini_program.is_raw_data_signed(**given)
    for name, value in given.items():
        assert not mini_program.is_raw_data_signed(**{**given, name: value + "x"})
    assert not mini_program.is_raw_data_signed(**{**given, "signature": "有\ud800"})


def test_fresh_data_opens_and_holds_a_phone(account: Account) -> None:
    data = open_data(account, seal(marked(countryCode="86", name="小美")))
    assert data["name"] == "小美"
    assert mini_program.read_phone(data) == PHONE


@pytest.mark.parametrize(
    "encrypted",
    [
        seal(marked(), key=base64.b64encode(b"another-key-0016").decode()),
        seal(marked(), pad=0),
        seal(marked(), pad=17),
        seal(b"\xff\xfe not utf-8"),
        seal(b"not json"),
        seal(b"[" * 20_000),
        seal([1, 2]),
        seal(b""),
        "",
        "AAAA",
        "not base64!",
        "有",
        base64.b64encode(b"x" * 17).decode(),
        base64.b64encode(b"x" * 80_000).decode(),
    ],
)
def test_data_that_does_not_open_is_a_stale_session(account: Account, encrypted: str) -> None:
    with pytest.raises(MiniSessionStale) as caught:
        open_data(account, encrypted)
    assert caught.value.code == "wechat.session_stale"
    chain: BaseException | None = caught.value
    while chain is not None:
        assert KEY not in repr(chain)
        chain = chain.__cause__ or chain.__context__


@pytest.mark.parametrize(
    "changes", [{"session_key": ""}, {"session_key": "AAAA"}, {"iv": "AAAA"}, {"iv": "!"}]
)
def test_a_key_or_iv_of_the_wrong_shape_is_a_stale_session(account: Account, changes: dict[str, str]) -> None:
    with pytest.raises(MiniSessionStale):
        open_data(account, seal(marked()), **changes)


@pytest.mark.parametrize(
    "data",
    [
        # Made when the test runs: the suite is collected long before.
        lambda: marked(app_id="wxother"),
        lambda: marked(age_s=700),
        lambda: marked(age_s=-900),
        {"watermark": {"appid": APP_ID}},
        {"watermark": {"appid": APP_ID, "timestamp": "1700000000"}},
        {"watermark": {"appid": APP_ID, "timestamp": True}},
        {"watermark": {"appid": APP_ID, "timestamp": 10**400}},
        {"watermark": [APP_ID]},
        {"phoneNumber": PHONE},
    ],
)
def test_a_watermark_of_another_app_or_time_is_refused(account: Account, data: Any) -> None:
    made = data() if callable(data) else data
    with pytest.raises(WatermarkWrong) as caught:
        open_data(account, seal(made))
    assert caught.value.code == "wechat.watermark_wrong"


def test_an_account_that_is_not_there_opens_nothing(transactional_db: None) -> None:
    with pytest.raises(NotFound):
        mini_program.open_encrypted(account_id=0, session_key=KEY, encrypted_data="", iv=IV)


def test_plain_wechatpy_raises_anything_and_takes_old_data(account: Account) -> None:
    """What the cipher of ours closes; when an upgrade changes this, the subclass may lose its reason."""
    plain = WeChatWxaCrypto(KEY, IV, APP_ID)
    assert plain.decrypt_message(seal(marked(age_s=10**8)))["purePhoneNumber"] == PHONE
    assert json.loads(plain.cipher.decrypt(base64.b64decode(seal(b"{}")))[:2]) == {}
    for encrypted, problem in [
        (seal(marked(), pad=0), json.JSONDecodeError),
        ("", IndexError),
        ("AAAA", ValueError),
        (seal([1]), TypeError),
        (seal({}), KeyError),
        (seal(marked(app_id="wxother")), InvalidAppIdException),
    ]:
        with pytest.raises(problem):
            WeChatWxaCrypto(KEY, IV, APP_ID).decrypt_message(encrypted)


def test_wechat_is_asked_for_the_hash_only(account: Account, server: ScriptedServer) -> None:
    server.script(
        CHECK_DATA, ok(errcode=0, vaild=True, create_time=1), ok(errcode=0, vaild=False), ok(valid=1)
    )
    encrypted = seal(marked())
    assert mini_program.is_from_wechat(account_id=account.pk, encrypted_data=encrypted)
    digest = hashlib.sha256(encrypted.encode()).hexdigest()
    assert server.calls(CHECK_DATA)[0].json() == {"encrypted_msg_hash": digest}
    assert not mini_program.is_from_wechat(account_id=account.pk, encrypted_data=encrypted)
    with pytest.raises(WeChatAway):
        mini_program.is_from_wechat(account_id=account.pk, encrypted_data=encrypted)


# Session check --------------------------------------------------------------------------------------------


def test_the_session_key_is_proved_and_not_sent(account: Account, server: ScriptedServer) -> None:
    # Key and signature of the official page "verify and decrypt open data", with an empty body.
    key = "o0q0otL8aEzpcZL/FT9WsQ=="
    server.script(CHECK_SESSION, error(0, "ok"), error(87009), DROP)
    arguments: dict[str, Any] = {"account_id": account.pk, "openid": OPENID, "session_key": key}
    assert mini_program.is_session_current(**arguments)
    query = server.calls(CHECK_SESSION)[0].query
    assert query["signature"] == "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"
    assert key not in query.values()
    assert not mini_program.is_session_current(**arguments)
    with pytest.raises(WeChatAway):
        mini_program.is_session_current(**arguments)


def test_busy_is_asked_once_more_only_since_a_person_waits(account: Account, server: ScriptedServer) -> None:
    server.script(CHECK_DATA, error(-1))
    with pytest.raises(WeChatAway):
        mini_program.is_from_wechat(account_id=account.pk, encrypted_data="x")
    assert len(server.calls(CHECK_DATA)) == 2


# Codes ----------------------------------------------------------------------------------------------------


def draw(account: Account, scene: str = "g=7Kq2", **options: Any) -> bytes:
    return mini_program.fetch_mini_code(account_id=account.pk, scene=scene, **options)


def test_a_code_is_a_picture(account: Account, server: ScriptedServer) -> None:
    server.script(DRAW, Reply(JPEG, content_type="image/jpeg"))
    assert draw(account, page="pages/me/me", check_path=False, env_version="trial") == JPEG
    assert server.calls(DRAW)[0].json() == {
        "scene": "g=7Kq2",
        "page": "pages/me/me",
        "check_path": False,
        "env_version": "trial",
        "width": 430,
        "is_hyaline": False,
    }
    draw(account)
    assert "page" not in server.calls(DRAW)[1].json()


@pytest.mark.parametrize("scene", ["", "x" * 33, "a%20", "有", "a&b", "a\n"])
def test_a_scene_wechat_would_refuse_is_refused_here(account: Account, scene: str) -> None:
    with pytest.raises(InvalidInput):
        draw(account, scene)


@pytest.mark.parametrize(
    "options", [{"page": "/pages/me"}, {"page": "a?b=1"}, {"width": 279}, {"width": 1281}]
)
def test_a_page_or_width_wechat_would_refuse_is_refused_here(
    account: Account, options: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        draw(account, **options)


@pytest.mark.parametrize(
    ("reply", "refusal"),
    [
        (error(41030), MiniPageUnknown),
        (error(40169), WeChatRefused),
        (error(48001), WeChatRefused),
        (error(45009), WeChatAway),
        (HTML, WeChatAway),
        (ok(errcode=0), WeChatAway),
        (DROP, WeChatAway),
    ],
)
def test_a_code_that_does_not_come_says_why(
    account: Account, server: ScriptedServer, reply: Reply, refusal: type[Refusal]
) -> None:
    server.script(DRAW, reply)
    with pytest.raises(refusal):
        draw(account)


# Against the stand-in -------------------------------------------------------------------------------------


class Phone:
    """A person of the sandbox and her phone, on which the mini-program runs."""

    def __init__(self, sandbox: Sandbox, app_id: str) -> None:
        self.sandbox, self.app_id = sandbox, app_id
        made = sandbox.ask("POST", "/people", name="小美", phone=PHONE)
        self.path, self.openid = f"/people/{made['id']}", made["openids"][app_id]

    def do(self, act: str, **body: Any) -> dict[str, Any]:
        return self.sandbox.ask("POST", f"{self.path}/{act}", app_id=self.app_id, **body)

    def sealed(self, **script: Any) -> dict[str, str]:
        given = self.do("mini/phone", script=script)
        return {"encrypted_data": given["encryptedData"], "iv": given["iv"]}


@pytest.fixture
def mini(sandbox: Sandbox) -> Account:
    app_id = f"wx{uuid.uuid4().hex[:16]}"
    sandbox.ask(
        "PUT",
        f"/accounts/{app_id}",
        name="小二商城",
        kind="mini_program",
        app_secret=SECRET,
        mode="plain",
        open_platform="op1",
        pages=["pages/index/index"],
    )
    return open_account(slug="mini", kind="mini_program", app_id=app_id)


@pytest.fixture
def phone(sandbox: Sandbox, mini: Account) -> Phone:
    return Phone(sandbox, mini.app_id)


def test_the_sandbox_logs_her_in_once(mini: Account, phone: Phone) -> None:
    code = phone.do("mini/login")["code"]
    session = log_in(mini, code)
    assert (session.openid, bool(session.unionid)) == (phone.openid, True)
    with pytest.raises(LoginCodeUnusable):
        log_in(mini, code)
    assert not AccessToken.objects.exists()


def test_the_sandbox_turns_a_risk_away(sandbox: Sandbox, mini: Account, phone: Phone) -> None:
    sandbox.ask("PATCH", phone.path, is_high_risk=True)
    with pytest.raises(HighRiskUser):
        log_in(mini, phone.do("mini/login")["code"])


@pytest.mark.parametrize("form", ["text", "number"])
def test_the_sandbox_gives_her_phone_once(sandbox: Sandbox, mini: Account, phone: Phone, form: str) -> None:
    sandbox.ask("PATCH", "/settings", country_code=form)
    try:
        code = phone.do("mini/phone")["code"]
        assert fetch(mini, code, phone.openid) == PHONE
        with pytest.raises(PhoneCodeUnusable):
            fetch(mini, code, phone.openid)
        foreign = phone.do("mini/phone", phone="61234567", country_code="852")["code"]
        assert fetch(mini, foreign) == "+85261234567"
    finally:
        sandbox.ask("PATCH", "/settings", country_code="text")


def test_the_phone_code_of_another_session_is_refused(sandbox: Sandbox, mini: Account, phone: Phone) -> None:
    other = Phone(sandbox, mini.app_id)
    code = phone.do("mini/phone")["code"]
    with pytest.raises(PhoneCodeUnusable):
        fetch(mini, code, other.openid)
    with pytest.raises(PhoneCodeUnusable):
        fetch(mini, phone.do("mini/login")["code"])


def test_her_encrypted_data_opens_with_her_newest_session_only(mini: Account, phone: Phone) -> None:
    first = log_in(mini, phone.do("mini/login")["code"]).session_key
    second = log_in(mini, phone.do("mini/login")["code"]).session_key
    given = phone.sealed()
    data = open_data(mini, session_key=second, encrypted="", **given)
    assert mini_program.read_phone(data) == PHONE
    with pytest.raises(MiniSessionStale):
        open_data(mini, session_key=first, encrypted="", **given)
    with pytest.raises(MiniSessionStale):
        open_data(mini, session_key=second, encrypted="", **phone.sealed(stale_session=True))
    for bend in ({"wrong_appid": True}, {"old_watermark_s": 601}):
        with pytest.raises(WatermarkWrong):
            open_data(mini, session_key=second, encrypted="", **phone.sealed(**bend))
    check = {"account_id": mini.pk, "openid": phone.openid}
    assert mini_program.is_session_current(**check, session_key=second)
    assert not mini_program.is_session_current(**check, session_key=first)


def test_data_forged_with_her_own_key_is_told_from_wechats(mini: Account, phone: Phone) -> None:
    key = log_in(mini, phone.do("mini/login")["code"]).session_key
    forged = seal(marked(app_id=mini.app_id, purePhoneNumber="13900139000"), key=key)
    assert open_data(mini, forged, session_key=key)["purePhoneNumber"] == "13900139000"
    assert not mini_program.is_from_wechat(account_id=mini.pk, encrypted_data=forged)
    real = phone.sealed()["encrypted_data"]
    assert mini_program.is_from_wechat(account_id=mini.pk, encrypted_data=real)


def test_the_sandboxs_code_opens_the_page_with_the_scene(mini: Account, phone: Phone) -> None:
    picture = draw(mini, "g=7Kq2", page="pages/index/index")
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    opened = phone.do("scan", content=found[0].text)
    assert (opened["outcome"], opened["page"]) == ("opened", "pages/index/index")
    assert opened["query"] == {"scene": "g%3D7Kq2"}
    with pytest.raises(MiniPageUnknown):
        draw(mini, page="pages/no/no")
