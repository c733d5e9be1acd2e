"""A small callback server: verifies and decrypts pushes and answers as it is told."""

import json
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.crypto import decrypt, encrypt, signature

TOKEN = "tokenOfTheTest"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OTHER_KEY = "ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210zyxwvuA"
APP = "wx1111111111111111"
SECRET = "a-secret-that-must-not-be-logged"
ORIGINAL = "gh_0123456789ab"


@dataclass
class Received:
    """One request as it arrived."""

    query: dict[str, str]
    raw: bytes
    fields: dict[str, Any]
    key: str = ""
    at: float = field(default_factory=time.monotonic)


def parse(text: str) -> dict[str, Any]:
    """Read XML or JSON into a flat dict."""
    if text.lstrip().startswith("{"):
        data: dict[str, Any] = json.loads(text)
        return data
    return {child.tag: child.text or "" for child in ElementTree.fromstring(text)}


def read_push(query: dict[str, str], raw: bytes, *, keys: tuple[str, ...] = (KEY, OTHER_KEY)) -> Received:
    """Verify and decrypt, trying the keys in turn. Raises AssertionError when anything is wrong."""
    assert query["signature"] == signature(TOKEN, query["timestamp"], query["nonce"])
    outer = parse(raw.decode())
    if query.get("encrypt_type") != "aes":
        return Received(query, raw, outer)
    ciphertext = outer["Encrypt"]
    assert query["msg_signature"] == signature(TOKEN, query["timestamp"], query["nonce"], ciphertext)
    for key in keys:
        try:
            return Received(query, raw, parse(decrypt(ciphertext, key, APP)), key)
        except ValueError:
            continue
        except Exception as error:
            if type(error).__name__ != "CryptoError":
                raise
    raise AssertionError("no key fits")


def text_reply(push: Received, content: str) -> str:
    """Return a passive text reply in XML."""
    return (
        f"<xml><ToUserName><![CDATA[{push.fields['FromUserName']}]]></ToUserName>"
        f"<FromUserName><![CDATA[{push.fields['ToUserName']}]]></FromUserName>"
        f"<CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content></xml>"
    )


def seal_reply(message: str, *, key: str = KEY, app_id: str = APP, token: str = TOKEN) -> bytes:
    """Return an encrypted reply, in XML or JSON like the message."""
    ciphertext = encrypt(message, key, app_id)
    sign = signature(token, "1700000000", "42", ciphertext)
    if message.startswith("{"):
        body = {"Encrypt": ciphertext, "MsgSignature": sign, "TimeStamp": 1700000000, "Nonce": "42"}
        return json.dumps(body).encode()
    return (
        f"<xml><Encrypt><![CDATA[{ciphertext}]]></Encrypt><MsgSignature><![CDATA[{sign}]]></MsgSignature>"
        f"<TimeStamp>1700000000</TimeStamp><Nonce><![CDATA[42]]></Nonce></xml>"
    ).encode()


Answer = tuple[int, bytes]


class Callback:
    """Keeps what arrived; `answer` decides what is said."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.bad: list[str] = []
        self.echoes = True
        self.answer: Callable[[Received], Answer] = lambda push: (200, b"success")
        callback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet per answer

            def _say(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query))
                good = query["signature"] == signature(TOKEN, query["timestamp"], query["nonce"])
                self._say(200, query["echostr"].encode() if good and callback.echoes else b"no")

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                query = dict(parse_qsl(urlsplit(self.path).query))
                try:
                    push = read_push(query, raw)
                except Exception as error:
                    callback.bad.append(repr(error))
                    self._say(403, b"refused")
                    return
                callback.received.append(push)
                try:
                    self._say(*callback.answer(push))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/callback?slug=main"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        ).start()

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()

    def events(self) -> list[str]:
        """Names of what arrived, in order."""
        return [push.fields.get("Event") or push.fields["MsgType"] for push in self.received]
