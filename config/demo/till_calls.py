"""How a till calls the open API: each request signed, each write under a key of its own."""

import json
import secrets
import time
import urllib.error
import urllib.request
from typing import Any, Final

from openapi.services import canonical_text, sign

API: Final = "/openapi/v1"


class SignedCalls:
    """One key at one address."""

    def __init__(self, url: str, key: str, secret: str, *, timeout_s: float = 15) -> None:
        self.url = url.rstrip("/")
        self.key = key
        self._secret = secret
        self._timeout_s = timeout_s

    def call(self, method: str, path: str, body: Any = None, once: str = "") -> tuple[int, Any]:
        """(status, answer), refusals too. `once` is the Idempotency-Key. Raises OSError when nobody answers, and
        ValueError for what is no JSON."""
        raw = b"" if body is None else json.dumps(body).encode()
        stamp, nonce, full = str(int(time.time())), secrets.token_urlsafe(18), f"{API}{path}"
        text = canonical_text(
            method=method, path=full, key_id=self.key, timestamp=stamp, nonce=nonce, body=raw
        )
        headers = {
            "Content-Type": "application/json",
            "X-Xiaoer-Key": self.key,
            "X-Xiaoer-Time": stamp,
            "X-Xiaoer-Nonce": nonce,
            "X-Xiaoer-Signature": sign(secret=self._secret, text=text),
        } | ({"Idempotency-Key": once} if once else {})
        request = urllib.request.Request(  # noqa: S310  (http or https, checked by whoever made this)
            f"{self.url}{full}", data=raw or None, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


def new_once(prefix: str = "till") -> str:
    """An Idempotency-Key nobody used."""
    return f"{prefix}-{secrets.token_hex(8)}"
