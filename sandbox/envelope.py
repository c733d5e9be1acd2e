"""Dressing a message for the callback: query, signatures and body in the three modes and two formats.

Official pages: "message push / access" and "message push / encryption".
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from sandbox.crypto import encrypt, signature
from sandbox.models import Account
from sandbox.state import World

Encryptor = Callable[[str, str, str], str]


@dataclass
class Parcel:
    """One signed request to a callback, ready to be sent."""

    query: dict[str, str]
    body: bytes
    content_type: str
    aes_key: str  # the key it was encrypted with; the answer must come back under the same one


def _cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, dict):
        inner = "".join(_element(key, item) for key, item in value.items())
    elif isinstance(value, bool) or value is None:
        inner = ""
    elif isinstance(value, int | float):
        inner = escape(str(value))
    else:
        inner = _cdata(str(value))
    return f"<{name}>{inner}</{name}>"


def to_xml(fields: dict[str, Any]) -> str:
    """Write fields as the platform does: text in CDATA, numbers bare, lists as repeated elements."""
    return "<xml>" + "".join(_element(name, value) for name, value in fields.items()) + "</xml>"


def to_text(account: Account, fields: dict[str, Any]) -> str:
    """Write fields in the account's format."""
    if account.format == "json":
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return to_xml(fields)


def push_key(account: Account) -> str:
    """Return the key pushes are encrypted with now: after a rotation the old one for a while."""
    if account.previous_aes_key and account.old_key_pushes != 0:
        return account.previous_aes_key
    return account.aes_key


def count_old_key_push(account: Account) -> None:
    """One more push went out; when the grace is used up the new key takes over."""
    if account.old_key_pushes:
        account.old_key_pushes -= 1


def seal(
    world: World,
    account: Account,
    fields: dict[str, Any],
    *,
    openid: str,
    timestamp: int | None = None,
    mode: str | None = None,
    encryptor: Encryptor = encrypt,
) -> Parcel:
    """Sign and, by mode, encrypt a message with fresh nonce and random bytes."""
    mode = mode or account.mode
    stamp = str(int(world.now()) if timestamp is None else timestamp)
    nonce = str(secrets.randbelow(9 * 10**8) + 10**8)
    query = {
        "signature": signature(account.token, stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "openid": openid,
    }
    content_type = "application/json" if account.format == "json" else "text/xml"
    if mode == "plain":
        return Parcel(query, to_text(account, fields).encode(), content_type, "")
    key = push_key(account)
    ciphertext = encryptor(to_text(account, fields), key, account.app_id)
    query["encrypt_type"] = "aes"
    query["msg_signature"] = signature(account.token, stamp, nonce, ciphertext)
    outer = {"ToUserName": fields.get("ToUserName", account.original_id)} if mode == "safe" else fields
    body = to_text(account, {**outer, "Encrypt": ciphertext})
    return Parcel(query, body.encode(), content_type, key)
