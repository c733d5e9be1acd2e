"""A provider over HTTP as the sandbox plays it: signed requests, approved signatures and templates.

Request: JSON, with `X-Key-Id`, `X-Timestamp` (Unix seconds) and `X-Signature`, the hex HMAC-SHA256 under the key's
secret of "<timestamp>\\n<body>". Answer: `{"code": "OK", "message", "biz_id"}` or another code (docs/sandbox.md).
"""

import functools
import hashlib
import hmac
import json
import logging
import os
from typing import Any, Final

import urllib3
from django.conf import settings
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from core import clock
from core.outside import refuse_open_transaction
from sms.gateways.base import Gateway, Sending, Verdict

logger = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S: Final = 3.0
_LARGEST_ANSWER: Final = 64 * 1024
# Said before anything was done: coming back later is right.
_LATER: Final = {"throttled": 30, "day_limit": 3600}
_CODE_SIGNS: Final = frozenset("abcdefghijklmnopqrstuvwxyz_0123456789")


@functools.cache
def _connections() -> urllib3.PoolManager:
    return urllib3.PoolManager(num_pools=2, maxsize=8, retries=False)


# A worker that inherited open connections would share them with its parent.
os.register_at_fork(after_in_child=_connections.cache_clear)


class SandboxGateway(Gateway):
    """One request a text. What broke off after it left is unclear and never repeated."""

    def send(self, sending: Sending) -> Verdict:
        refuse_open_transaction()
        body = json.dumps(
            {
                "phone": sending.phone,
                "sign": settings.SMS_SIGN,
                "template": settings.SMS_TEMPLATE_CODES.get(sending.template, ""),
                "params": sending.params,
                "out_id": sending.reference,
            },
            ensure_ascii=False,
        ).encode()
        try:
            status, answer = _exchange(body)
        except (NewConnectionError, ConnectTimeoutError):
            return Verdict("later", "no_connection")
        except (HTTPError, TimeoutError) as error:
            return Verdict("unclear", "timeout" if isinstance(error, ReadTimeoutError) else "connection")
        return _verdict(status, answer)


def _exchange(body: bytes) -> tuple[int, bytes]:
    stamp = str(int(clock.now().timestamp()))
    proof = hmac.new(settings.SMS_KEY_SECRET.encode(), f"{stamp}\n".encode() + body, hashlib.sha256)
    response = _connections().request(
        "POST",
        settings.SMS_URL,
        body=body,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "X-Key-Id": settings.SMS_KEY_ID,
            "X-Timestamp": stamp,
            "X-Signature": proof.hexdigest(),
        },
        redirect=False,
        preload_content=False,
        timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=settings.SMS_TIMEOUT_S),
    )
    try:
        return response.status, response.read(_LARGEST_ANSWER)
    finally:
        response.close()
        response.release_conn()


def _verdict(status: int, answer: bytes) -> Verdict:
    """A refusal is a promise that nothing was sent; an answer nobody can read is none."""
    told: Any
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        told = None
    if status != 200 or not isinstance(told, dict):
        return Verdict("unclear", f"http_{status}")
    code = "".join(sign for sign in str(told.get("code", "")).lower() if sign in _CODE_SIGNS)[:30]
    if code == "ok":
        return Verdict("sent", provider_ref=str(told.get("biz_id", ""))[:80])
    if code in _LATER:
        return Verdict("later", code, pause_s=_LATER[code])
    if code in {"", "system_busy"}:
        return Verdict("unclear", code or "unreadable")
    logger.error("sms.refused", extra={"outcome": code})
    return Verdict("refused", code)
