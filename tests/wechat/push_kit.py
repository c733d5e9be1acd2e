"""Plays WeChat's side of a push in tests: signs, encrypts and shapes bodies, independent of the gateway's code."""

import base64
import hashlib
import json
import secrets
import struct
import time
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TOKEN = "TestToken123"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
APP_ID = "wxtest0000000001"
ORIGINAL_ID = "gh_test00000001"


def sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def encrypt(text: str, *, key: str = AES_KEY, app_id: str = APP_ID, pad: int | None = None) -> str:
    raw_key = base64.b64decode(key + "=")
    body = text.encode()
    plain = secrets.token_bytes(16) + struct.pack(">I", len(body)) + body + app_id.encode()
    count = 32 - len(plain) % 32
    plain += bytes([count if pad is None else pad]) * count
    encryptor = Cipher(algorithms.AES(raw_key), modes.CBC(raw_key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def decrypt(text: str, *, key: str = AES_KEY) -> tuple[str, str]:
    """(message, trailing appid)"""
    raw_key = base64.b64decode(key + "=")
    decryptor = Cipher(algorithms.AES(raw_key), modes.CBC(raw_key[:16])).decryptor()
    plain = decryptor.update(base64.b64decode(text)) + decryptor.finalize()
    content = plain[16 : -plain[-1]]
    (length,) = struct.unpack(">I", content[:4])
    return content[4 : 4 + length].decode(), content[4 + length :].decode()


def xml(fields: dict[str, Any]) -> str:
    def node(name: str, value: Any) -> str:
        if isinstance(value, dict):
            return f"<{name}>{''.join(node(k, v) for k, v in value.items())}</{name}>"
        if isinstance(value, int):
            return f"<{name}>{value}</{name}>"
        return f"<{name}><![CDATA[{value}]]></{name}>"

    return f"<xml>{''.join(node(name, value) for name, value in fields.items())}</xml>"


def message(**fields: Any) -> dict[str, Any]:
    """The fields of a push with plausible defaults."""
    base: dict[str, Any] = {
        "ToUserName": ORIGINAL_ID,
        "FromUserName": "oTESTUSER_00000000000000001",
        "CreateTime": int(time.time()),
        "MsgType": "text",
    }
    return base | fields


def text_message(content: str, **fields: Any) -> dict[str, Any]:
    return message(MsgType="text", Content=content, MsgId=secrets.randbelow(2**62), **fields)


def event(name: str, **fields: Any) -> dict[str, Any]:
    return message(MsgType="event", Event=name, **fields)


def plain_query(*, token: str = TOKEN, at: int | None = None, nonce: str | None = None) -> dict[str, str]:
    timestamp, nonce = str(at or int(time.time())), nonce or str(secrets.randbelow(10**9))
    return {"timestamp": timestamp, "nonce": nonce, "signature": sign(token, timestamp, nonce)}


def sealed(
    body: str, *, key: str = AES_KEY, app_id: str = APP_ID, as_json: bool = False, pad: int | None = None
) -> tuple[dict[str, str], bytes]:
    """(query, request body) of a safe-mode push."""
    encrypted = encrypt(body, key=key, app_id=app_id, pad=pad)
    return sealed_query(encrypted), envelope(encrypted, as_json=as_json)


def sealed_query(encrypted: str, *, token: str = TOKEN) -> dict[str, str]:
    query = plain_query(token=token)
    return query | {
        "encrypt_type": "aes",
        "msg_signature": sign(token, query["timestamp"], query["nonce"], encrypted),
    }


def envelope(encrypted: str, *, as_json: bool = False) -> bytes:
    if as_json:
        return json.dumps({"ToUserName": ORIGINAL_ID, "Encrypt": encrypted}).encode()
    return xml({"ToUserName": ORIGINAL_ID, "Encrypt": encrypted}).encode()
