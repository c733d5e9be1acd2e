"""Mini-programs behind their APIs: login, phone and session, after the official pages "mini-program login",
"get phone number" and "verify and decrypt open data".

The page leaves open when a session key changes. Here each exchanged login brings a new one, and the phone
seals with the key of the newest exchange; whoever never logged in seals with a key that nobody holds.
"""

import base64
import hashlib
import json
import os
import secrets
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.errors import ScriptError, WeChatRefusal
from sandbox.models import DAY_S, Account, MiniCode, MiniTie, Opening, Person, QrCode, SealedData
from sandbox.state import World

CODE_LIFE_S = 300
KEPT_S = 3600  # a used or expired code is told from an unknown one for so long
LOGINS_PER_MINUTE = 100
SEALED_LIFE_S = 3 * DAY_S
HOME = "pages/index/index"
ENTRY, BY_CODE = 1001, 1047  # WeChat's scene numbers: from the list of mini-programs, by scanning a code


def mini_program(world: World, app_id: object) -> Account:
    """Return the mini-program or refuse the script's request."""
    account = world.account(app_id)
    if account.kind != "mini_program":
        raise ScriptError("not_a_mini_program", "这个账号不是小程序")
    return account


def home_of(account: Account) -> str:
    """Return the page that opens when none is named."""
    return account.pages[0] if account.pages else HOME


def publish_mini(world: World, person: Person, account: Account) -> None:
    """Tell the consoles how person and mini-program stand."""
    told = describe_mini(world.tie(person, account.app_id).mini)
    world.touch()
    world.hub.publish("mini", {"person_id": person.id, "app_id": account.app_id, "mini": told})


def describe_mini(mini: MiniTie) -> dict[str, Any]:
    """Return what the scripting API shows; never a session key."""
    return {
        "opening": asdict(mini.opening) if mini.opening else None,
        "logged_in_at": mini.logged_in_at or None,
        "phone_shared_at": mini.phone_shared_at or None,
        "consents": mini.consents,
        "always": mini.always,
    }


# Opening


def open_mini(
    world: World, person: Person, account: Account, page: str, query: dict[str, str], scene: int
) -> Opening:
    """She opens the mini-program; a line in the chat says so."""
    opening = Opening(page, query, scene, world.now())
    world.tie(person, account.app_id).mini.opening = opening
    text = f"打开了小程序「{account.name}」"
    world.add_bubble(person, account.app_id, side="system", via="notice", kind="text", text=text)
    publish_mini(world, person, account)
    return opening


def open_by_code(world: World, person: Person, account: Account, code: QrCode) -> Opening:
    """She scanned a mini-program code: its scene arrives as query.scene, as encodeURIComponent writes it."""
    query = {"scene": quote(code.scene, safe="!'()*-._~")}
    return open_mini(world, person, account, code.page or home_of(account), query, BY_CODE)


def describe_opening(opening: Opening) -> dict[str, Any]:
    """Return the opening as an act's answer shows it."""
    told = {"page": opening.page, "query": opening.query, "scene": opening.scene}
    return told if opening.campaign is None else {**told, "campaign": asdict(opening.campaign)}


# Codes


def _keep(world: World, codes: dict[str, MiniCode], code: MiniCode) -> str:
    gone = world.now() - KEPT_S
    for value in [value for value, old in codes.items() if old.expires_at < gone]:
        del codes[value]
    codes[code.code] = code
    world.touch()
    return code.code


def issue_login_code(world: World, account: Account, person: Person) -> str:
    """wx.login: return a code for the mini-program's server. The tie begins here."""
    world.tie(person, account.app_id)
    expires_at = world.now() + CODE_LIFE_S
    code = MiniCode(f"0{secrets.token_hex(16)[1:]}", account.app_id, person.id, expires_at)
    return _keep(world, world.login_codes, code)


def issue_phone_code(world: World, account: Account, person: Person, *, phone: str, country_code: str) -> str:
    """She allows the mini-program her number: return the code of that event, 64 characters long."""
    expires_at = world.now() + CODE_LIFE_S
    code = MiniCode(secrets.token_hex(32), account.app_id, person.id, expires_at)
    code.phone, code.country_code = phone, country_code
    return _keep(world, world.phone_codes, code)


def _find(
    codes: dict[str, MiniCode], world: World, account: Account, value: object
) -> tuple[MiniCode, Person]:
    """Return a code of this app and its person: 40029 unknown, another app's, or of someone deleted."""
    code = codes.get(value) if isinstance(value, str) else None
    person = world.people.get(code.person_id) if code else None
    if code is None or person is None or code.app_id != account.app_id:
        raise WeChatRefusal(40029)
    return code, person


def redeem_login_code(world: World, account: Account, value: str) -> tuple[Person, str]:
    """Exchange a login code once for a new session key, which replaces the one before.

    40029 unknown, foreign or too old; 45011 more than 100 a minute for one person; 40163 used; 40226 she is
    held to be a risk.
    """
    code, person = _find(world.login_codes, world, account, value)
    mini, now = world.tie(person, account.app_id).mini, world.now()
    mini.logins = [moment for moment in mini.logins if now - 60 < moment <= now]
    if len(mini.logins) >= LOGINS_PER_MINUTE:
        raise WeChatRefusal(45011)
    mini.logins.append(now)
    if code.is_used:
        raise WeChatRefusal(40163)
    if code.expires_at <= now:
        raise WeChatRefusal(40029)
    if person.is_high_risk:
        raise WeChatRefusal(40226)
    code.is_used = True
    mini.old_session_key, mini.session_key = mini.session_key, _new_key()
    mini.logged_in_at = now
    publish_mini(world, person, account)
    return person, mini.session_key


def redeem_phone_code(
    world: World, account: Account, value: object, openid: str | None
) -> tuple[Person, MiniCode]:
    """Exchange a phone code once: 40029 unknown, foreign, used, too old, or not of the person named."""
    code, person = _find(world.phone_codes, world, account, value)
    if code.is_used or code.expires_at <= world.now():
        raise WeChatRefusal(40029)
    if openid is not None and world.person_by_openid(account.app_id, openid) is not person:
        raise WeChatRefusal(40029)
    code.is_used = True
    world.tie(person, account.app_id).mini.phone_shared_at = world.now()
    publish_mini(world, person, account)
    return person, code


# Open data


def _new_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def describe_phone(world: World, app_id: str, phone: str, country_code: str, at: float) -> dict[str, Any]:
    """Return the phone as the platform writes it, with its watermark."""
    is_number = world.settings.country_code == "number"
    return {
        "phoneNumber": phone if country_code == "86" else f"{country_code}{phone}",
        "purePhoneNumber": phone,
        "countryCode": int(country_code) if is_number else country_code,
        "watermark": {"timestamp": int(at), "appid": app_id},
    }


def seal(
    world: World, account: Account, person: Person, data: dict[str, Any], *, is_stale: bool
) -> dict[str, str]:
    """Return `encryptedData` and `iv` as the phone gets them: AES-128-CBC, PKCS#7 with blocks of 16.

    `is_stale` seals with the key before the present one.
    """
    mini = world.tie(person, account.app_id).mini
    key = base64.b64decode((mini.old_session_key if is_stale else mini.session_key) or _new_key())
    iv = os.urandom(16)
    padder = padding.PKCS7(128).padder()
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    body = encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()
    sealed = base64.b64encode(body).decode()
    now = world.now()
    for digest in [digest for digest, old in world.sealed.items() if old.created_at < now - SEALED_LIFE_S]:
        del world.sealed[digest]
    world.sealed[hashlib.sha256(sealed.encode()).hexdigest()] = SealedData(account.app_id, now)
    world.touch()
    return {"encryptedData": sealed, "iv": base64.b64encode(iv).decode()}
