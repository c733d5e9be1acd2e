"""A till that signs its requests as docs/open-api.md tells, with the standard library and nothing of ours."""

import hashlib
import hmac
import itertools
import json
import secrets
import time
from typing import Any

from django.test import Client

from core.actor import Actor
from openapi import services
from openapi.contracts import ClientTerms

API = "/openapi/v1"
BOSS = Actor.system("test")
ALL = (
    "behaviours",
    "journeys",
    "lock",
    "members",
    "price",
    "redeem",
    "return",
    "sales:read",
    "sales:write",
    "segments:read",
    "segments:write",
    "verify",
)
_keys = itertools.count(1)
LINES = [
    {
        "key": "1",
        "product": "shirt",
        "categories": ["clothes", "shirts"],
        "amount_fen": 20_000,
        "quantity": 2,
    },
    {"key": "2", "product": "shoes", "categories": ["shoes"], "amount_fen": 10_001},
]


def new_key() -> str:
    """An Idempotency-Key nobody used."""
    return f"key-{next(_keys)}"


class Till:
    """One client of the API. `skew_s` is how far its clock runs ahead."""

    def __init__(self, key_id: str, secret: str, *, skew_s: int = 0) -> None:
        self.key_id, self.secret, self.skew_s = key_id, secret, skew_s

    def headers(self, method: str, path: str, body: bytes, **change: str) -> dict[str, str]:
        """The four headers; `change` bends one of them before or after signing."""
        timestamp = change.get("timestamp", str(int(time.time()) + self.skew_s))
        nonce = change.get("nonce", secrets.token_urlsafe(18))
        digest = hashlib.sha256(body).hexdigest()
        lines = ["XIAOER1-HMAC-SHA256", method, path, self.key_id, timestamp, nonce, digest]
        signature = hmac.new(self.secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        return {
            "X-Xiaoer-Key": change.get("key_id", self.key_id),
            "X-Xiaoer-Time": timestamp,
            "X-Xiaoer-Nonce": nonce,
            "X-Xiaoer-Signature": change.get("signature", signature),
        }

    def send(self, method: str, path: str, raw: bytes, headers: dict[str, str]) -> Any:
        """The response, with its JSON in `.data`."""
        options: dict[str, Any] = {} if method == "GET" else {"data": raw, "content_type": "application/json"}
        client = Client(raise_request_exception=False)
        response = client.generic(method, path, headers=headers, **options)
        response.data = json.loads(response.content)  # type: ignore[attr-defined]
        return response

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = "", **change: str) -> Any:
        """A signed request; `key` None: without an Idempotency-Key, empty: with a fresh one."""
        raw = b"" if method == "GET" else body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        headers = self.headers(method, f"{API}{path}", raw, **change)
        if method != "GET" and key is not None:
            headers["Idempotency-Key"] = key or new_key()
        return self.send(method, f"{API}{path}", raw, headers)

    def get(self, path: str, **change: str) -> Any:
        return self.ask("GET", path, **change)

    def post(self, path: str, body: Any = None, *, key: str | None = "") -> Any:
        return self.ask("POST", path, body, key=key)

    def redeem(self, *codes: str, key: str = "", **values: Any) -> Any:
        given = {"order_no": "S1", "coupons": list(codes), "lines": LINES}
        return self.post("/orders/redeem", given | values, key=key)


def make_till(store_id: int | None = None, *, scopes: tuple[str, ...] = ALL, **values: Any) -> Till:
    """A client that may everything in that store, or in the chain."""
    terms = ClientTerms(name="一号机", kind="till", scopes=scopes, store_id=store_id, **values)
    made = services.create_client(terms=terms, actor=BOSS)
    return Till(made.key_id, made.secret)


def codes(answer: Any) -> tuple[int, str]:
    """What a refusal says to programs."""
    return answer.status_code, answer.data["code"]
