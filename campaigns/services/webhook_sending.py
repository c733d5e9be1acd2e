"""Webhooks leave: claimed in handfuls of a few for each endpoint, sent with no transaction open, settled under the lease.

At least once: whoever hears one twice knows it by its id. An endpoint that is slow or down has a few in hand at a time, so
that the others are told meanwhile.
"""

import datetime as dt
import hashlib
import hmac
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import urllib3
from django.db import connection, transaction
from urllib3.exceptions import HTTPError

from campaigns.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from campaigns.services.webhooks import is_inside, is_public
from core import clock, crypto
from core.outside import refuse_open_transaction

# Longer than the slowest send.
LEASE: Final = dt.timedelta(seconds=60)
# After each try that failed; then it is over. About a day.
PAUSES: Final = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800)
)
_EACH: Final = 8
_THREADS: Final = 8
_MOST_ROUNDS: Final = 50
_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=8.0)
_LARGEST_ANSWER: Final = 4_096
_SEALED_AS: Final = WebhookDelivery._meta.get_field("content").seal_context()  # type: ignore[union-attr]
_KEYS_SEALED_AS: Final = WebhookEndpoint._meta.get_field("secret").seal_context()  # type: ignore[union-attr]

_CLAIM: Final = """
WITH due AS (
    SELECT found.id, endpoint.url, endpoint.secret
    FROM campaigns_webhookendpoint endpoint CROSS JOIN LATERAL (
        SELECT id FROM campaigns_webhookdelivery
        WHERE endpoint_id = endpoint.id AND state = 'waiting' AND not_before <= %(now)s
        ORDER BY not_before, id LIMIT %(each)s FOR NO KEY UPDATE SKIP LOCKED
    ) found
    WHERE endpoint.is_active
)
UPDATE campaigns_webhookdelivery row SET
    state = 'sending', lease_holder = %(holder)s, leased_until = %(until)s, attempt_count = attempt_count + 1
FROM due WHERE row.id = due.id
RETURNING row.id, row.key, row.content, row.attempt_count, due.url, due.secret
"""


class _Sending(NamedTuple):
    id: int
    key: str
    content: str
    attempt_count: int
    url: str
    secret: str


class _Told(NamedTuple):
    """What came of a try: an empty code is a 2xx."""

    code: str
    status: int | None = None


def work_webhooks() -> int:
    """What is due has been tried; how many tries. Lost or killed, the next run goes on."""
    refuse_open_transaction()
    rescue_webhooks()
    count = 0
    with ThreadPoolExecutor(_THREADS) as threads:
        for _round in range(_MOST_ROUNDS):
            holder = secrets.token_hex(16)
            hand = _claim(holder)
            if not hand:
                break
            for sending, told in zip(hand, threads.map(_send, hand), strict=True):
                _settle(sending, told, holder)
            count += len(hand)
    return count


def rescue_webhooks() -> int:
    """What a dead sender left waits again; how many."""
    with transaction.atomic():
        stuck = [row.pk for row in WebhookDelivery.objects.stuck(clock.now()).claim(1_000)]
        return WebhookDelivery.objects.filter(pk__in=stuck).update(
            state=DeliveryState.WAITING, lease_holder="", leased_until=None, not_before=clock.now()
        )


def _claim(holder: str) -> list[_Sending]:
    now = clock.now()
    values = {"now": now, "until": now + LEASE, "holder": holder, "each": _EACH}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
    return [
        _Sending(pk, key, _open(content, _SEALED_AS), attempts, url, _open(secret, _KEYS_SEALED_AS))
        for pk, key, content, attempts, url, secret in sorted(rows)
    ]


def _open(sealed: str, context: str) -> str:
    return crypto.unseal(sealed, context=context) if sealed else ""


def _send(sending: _Sending) -> _Told:
    """One try, on a thread: no database here."""
    parts = urlsplit(sending.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = {found[4][0] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        return _Told("no_address")
    inside = is_inside(host, parts.port)
    if not addresses or (not inside and not all(is_public(str(address)) for address in addresses)):
        return _Told("not_public")
    # The address that was looked at is the one that is called: a name may point elsewhere a moment later.
    pool = _pool(parts.scheme, str(sorted(addresses, key=str)[0]), host, port)
    body = sending.content.encode()
    try:
        response = pool.urlopen(
            "POST",
            f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}",
            body=body,
            headers=_headers(sending, body, parts.netloc),
            redirect=False,
            retries=False,
            timeout=_TIMEOUT,
            preload_content=False,
        )
        try:
            response.read(_LARGEST_ANSWER)
        finally:
            response.close()
    except (HTTPError, OSError):
        return _Told("no_answer")
    finally:
        pool.close()
    return _Told("", response.status) if 200 <= response.status < 300 else _Told("status", response.status)


def _pool(scheme: str, address: str, host: str, port: int) -> Any:
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, maxsize=1)
    return urllib3.HTTPSConnectionPool(address, port, maxsize=1, server_hostname=host, assert_hostname=host)


def _headers(sending: _Sending, body: bytes, netloc: str) -> dict[str, str]:
    """The signature is over the moment, a dot and the body, so that an old telling cannot be told again as a new one."""
    moment = str(int(clock.now().timestamp()))
    signed = hmac.new(sending.secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "Host": netloc,
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "xiaoer-webhook",
        "X-Xiaoer-Id": sending.key,
        "X-Xiaoer-Timestamp": moment,
        "X-Xiaoer-Signature": f"sha256={signed}",
    }


def _settle(sending: _Sending, told: _Told, holder: str) -> None:
    now = clock.now()
    mine = WebhookDelivery.objects.filter(pk=sending.id, state=DeliveryState.SENDING, lease_holder=holder)
    common: dict[str, Any] = {
        "lease_holder": "", "leased_until": None, "code": told.code, "status_code": told.status,
    }  # fmt: skip
    if not told.code:
        mine.update(state=DeliveryState.DELIVERED, finished_at=now, **common)
    elif sending.attempt_count > len(PAUSES):
        mine.update(state=DeliveryState.FAILED, finished_at=now, **common)
    else:
        pause = PAUSES[sending.attempt_count - 1]
        mine.update(state=DeliveryState.WAITING, not_before=now + pause, **common)
