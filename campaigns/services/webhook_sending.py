"""Webhooks leave: claimed in handfuls of a few for each endpoint, sent with no transaction open, settled under the lease.

At least once: whoever hears one twice knows it by its id. An endpoint that is slow or down has a few in hand at a time, so
that the others are told meanwhile.
"""

import datetime as dt
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from campaigns.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from core import clock, crypto
from core.outside import refuse_open_transaction
from webhook import Posted, post

# Longer than the slowest send; of a hand that the threads need several rounds for, for each of them.
LEASE: Final = dt.timedelta(seconds=60)
# After each try that failed; then it is over. About a day.
PAUSES: Final = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800)
)
_EACH: Final = 8
_THREADS: Final = 8
_MOST_ROUNDS: Final = 50
_SEALED_AS: Final = WebhookDelivery._meta.get_field("content").seal_context()
_KEYS_SEALED_AS: Final = WebhookEndpoint._meta.get_field("secret").seal_context()

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


def hand_lease(endpoint_count: int) -> dt.timedelta:
    """How long a hand of so many endpoints may take when all of them are slow: nobody else takes over what still waits for a
    thread."""
    return LEASE * max(1, -(-endpoint_count * _EACH // _THREADS))


def _claim(holder: str) -> list[_Sending]:
    now = clock.now()
    until = now + hand_lease(WebhookEndpoint.objects.filter(is_active=True).count())
    values: dict[str, Any] = {"now": now, "until": until, "holder": holder, "each": _EACH}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
    return [
        _Sending(pk, key, _open(content, _SEALED_AS), attempts, url, _open(secret, _KEYS_SEALED_AS))
        for pk, key, content, attempts, url, secret in sorted(rows)
    ]


def _open(sealed: str, context: str) -> str:
    return crypto.unseal(sealed, context=context) if sealed else ""


def _send(sending: _Sending) -> Posted:
    """One try, on a thread: no database here."""
    return post(url=sending.url, secret=sending.secret, name=sending.key, body=sending.content.encode())


def _settle(sending: _Sending, told: Posted, holder: str) -> None:
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
