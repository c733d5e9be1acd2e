"""Pushes a careful callback must refuse: forged, broken, replayed. Sent once, never retried."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from sandbox.crypto import encrypt, pad_message, signature
from sandbox.envelope import Parcel, seal, to_text
from sandbox.errors import ScriptError
from sandbox.models import Account
from sandbox.pushes import Postman
from sandbox.state import World

DAY_S = 86_400
HUGE = 4 * 1024 * 1024
DEEP = 50_000


def _flip(text: str) -> str:
    return ("0" if text[0] != "0" else "1") + text[1:]


def _bad_pad(value: int) -> Callable[[bytes], bytes]:
    def pad(data: bytes) -> bytes:
        good = pad_message(data)
        return good[:-1] + bytes([value])

    return pad


def _pad_33(data: bytes) -> bytes:
    """Pad correctly in form, but by 33 to 48 bytes, more than the block allows."""
    size = 48 - len(data) % 16
    return data + bytes([size]) * size


class Mutator:
    """Makes one kind of bad push at a time."""

    def __init__(self, world: World, account: Account, fields: dict[str, Any], openid: str) -> None:
        self.world = world
        self.account = account
        self.fields = fields
        self.openid = openid

    def seal(self, **changes: Any) -> Parcel:
        """Seal correctly, apart from the changes."""
        changes.setdefault("mode", "safe" if self.account.mode == "plain" else self.account.mode)
        return seal(self.world, self.account, self.fields, openid=self.openid, **changes)

    def with_ciphertext(self, ciphertext: str) -> Parcel:
        """Put that ciphertext into the envelope and sign it correctly."""
        return self.seal(encryptor=lambda message, key, app_id: ciphertext)

    def with_body(self, text: str) -> Parcel:
        """Replace the body and keep the query."""
        return replace(self.seal(), body=text.encode())

    def wrapped(self, inner: str) -> Parcel:
        """Encrypt and sign arbitrary text instead of the message."""
        return self.seal(encryptor=lambda message, key, app_id: encrypt(inner, key, app_id))

    def bad_signature(self) -> Parcel:
        """Both signatures are wrong."""
        parcel = self.seal()
        for name in ("signature", "msg_signature"):
            parcel.query[name] = _flip(parcel.query[name])
        return parcel

    def missing_signature(self) -> Parcel:
        """No signature at all."""
        parcel = self.seal()
        for name in ("signature", "msg_signature"):
            del parcel.query[name]
        return parcel

    def wrong_appid(self) -> Parcel:
        """Signed correctly, but the id inside is another app's."""
        return self.seal(encryptor=lambda message, key, app_id: encrypt(message, key, "wx0000000000000000"))

    def wrong_key(self) -> Parcel:
        """Signed correctly, encrypted with a key nobody has."""
        other = base64.b64encode(secrets.token_bytes(32)).decode()[:43]
        return self.seal(encryptor=lambda message, key, app_id: encrypt(message, other, app_id))

    def bad_padding(self) -> Parcel:
        """The pad value is 0."""
        return self.seal(encryptor=lambda m, key, app_id: encrypt(m, key, app_id, pad=_bad_pad(0)))

    def bad_padding_33(self) -> Parcel:
        """The pad value is greater than 32."""
        return self.seal(encryptor=lambda m, key, app_id: encrypt(m, key, app_id, pad=_pad_33))

    def bad_length(self) -> Parcel:
        """The length field points beyond the end."""
        return self.seal(encryptor=lambda m, key, app_id: encrypt(m, key, app_id, length=2**31))

    def truncated(self) -> Parcel:
        """The ciphertext ends in the middle of a block."""
        return self.seal(
            encryptor=lambda m, key, app_id: base64.b64encode(
                base64.b64decode(encrypt(m, key, app_id))[:31]
            ).decode()
        )

    def empty_ciphertext(self) -> Parcel:
        """The ciphertext is empty."""
        return self.with_ciphertext("")

    def not_base64(self) -> Parcel:
        """The ciphertext is not base64."""
        return self.with_ciphertext("!!!! 不是 base64 !!!!")

    def no_encrypt(self) -> Parcel:
        """Said to be encrypted, but there is no Encrypt element."""
        return self.with_body(to_text(self.account, {"ToUserName": self.account.original_id}))

    def double_encrypt(self) -> Parcel:
        """Encrypt occurs twice."""
        parcel = self.seal()
        evil = encrypt("<xml></xml>", self.account.aes_key, self.account.app_id)
        if self.account.format == "json":
            body = parcel.body.decode().replace('"Encrypt":', f'"Encrypt":"{evil}","Encrypt":', 1)
        else:
            body = parcel.body.decode().replace("</xml>", f"<Encrypt><![CDATA[{evil}]]></Encrypt></xml>")
        return replace(parcel, body=body.encode())

    def plain_downgrade(self) -> Parcel:
        """A plain push with a valid plain signature, to an account that is set to safe."""
        return self.seal(mode="plain")

    def stale_timestamp(self) -> Parcel:
        """Signed correctly a day ago."""
        return self.seal(timestamp=int(self.world.now()) - DAY_S)

    def malformed(self) -> Parcel:
        """The body is neither XML nor JSON."""
        return self.with_body(
            "<xml><ToUserName><![CDATA[" if self.account.format == "xml" else '{"ToUserName":'
        )

    def malformed_inside(self) -> Parcel:
        """Correctly sealed, but what is inside cannot be read."""
        return self.wrapped("<xml><ToUserName>" if self.account.format == "xml" else '{"MsgType":')

    def entities(self) -> Parcel:
        """Correctly sealed XML with an exploding entity."""
        bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
        return self.wrapped(f"{bomb}<xml><MsgType>&b;</MsgType></xml>")

    def deep(self) -> Parcel:
        """Correctly sealed, nested fifty thousand levels deep."""
        if self.account.format == "json":
            return self.wrapped('{"a":' * DEEP + "1" + "}" * DEEP)
        return self.wrapped("<xml>" + "<a>" * DEEP + "</a>" * DEEP + "</xml>")

    def huge(self) -> Parcel:
        """A body of four megabytes."""
        return self.with_body(to_text(self.account, {"ToUserName": "x" * HUGE}))

    def empty_body(self) -> Parcel:
        """No body."""
        return self.with_body("")

    def not_utf8(self) -> Parcel:
        """Bytes that are not UTF-8."""
        return replace(self.seal(), body=b"<xml><ToUserName>\xff\xfe</ToUserName></xml>")


MUTATIONS = sorted(
    name for name, value in vars(Mutator).items() if (value.__doc__ and not name.startswith("_"))
)
MUTATIONS = [name for name in MUTATIONS if name not in ("seal", "with_ciphertext", "with_body", "wrapped")]


async def send_raw(postman: Postman, mutator: Mutator, mutation: str) -> dict[str, Any]:
    """Send one bad push and tell what the callback answered. `replay` sends a good one twice."""
    if mutation == "replay":
        parcel = mutator.seal(mode=mutator.account.mode)
        await _send(postman, mutator.account, parcel)
    elif mutation in MUTATIONS:
        parcel = getattr(mutator, mutation)()
    else:
        raise ScriptError("bad_field", f"mutate 要是其中之一：{', '.join([*MUTATIONS, 'replay'])}")
    return {"mutate": mutation, **await _send(postman, mutator.account, parcel)}


async def _send(postman: Postman, account: Account, parcel: Parcel) -> dict[str, Any]:
    try:
        response = await postman.send(account, parcel)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return {"status": None, "body": "", "error": type(error).__name__}
    return {"status": response.status_code, "body": response.text[:2000], "error": None}


def verification_query(world: World, account: Account) -> dict[str, str]:
    """Return the query of the GET with which the platform verifies a callback."""
    stamp, nonce = str(int(world.now())), str(secrets.randbelow(10**9))
    sign = signature(account.token, stamp, nonce)
    echo = str(secrets.randbelow(9 * 10**18) + 10**18)
    return {"signature": sign, "timestamp": stamp, "nonce": nonce, "echostr": echo}


async def verify_url(world: World, postman: Postman, account: Account) -> dict[str, Any]:
    """Do what saving the server configuration does: the callback must echo the echostr."""
    query = verification_query(world, account)
    try:
        url = httpx.URL(account.callback_url).copy_merge_params(query)
        response = await postman.client.get(url, timeout=world.settings.push_timeout_s)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return {"ok": False, "status": None, "detail": f"连接失败：{type(error).__name__}"}
    if response.status_code != 200:
        return {"ok": False, "status": response.status_code, "detail": f"HTTP {response.status_code}"}
    if response.text != query["echostr"]:
        return {"ok": False, "status": 200, "detail": "没有原样返回 echostr"}
    return {"ok": True, "status": 200, "detail": "验证通过"}
