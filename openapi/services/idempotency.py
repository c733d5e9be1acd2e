"""Each write happens once: the first answer to an Idempotency-Key is kept with its effect and given again.

The row of the key is there before the work begins; its lock is held while the work runs, and the answer is written in
the transaction of the effect. So a second request finds the lock held (in flight), the answer (replayed), or neither:
then whoever began has died without changing anything, and the work is done now.
"""

import datetime as dt
import json
import logging
import re
from collections.abc import Callable
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from core import clock
from core.errors import Refusal
from openapi.contracts import Answer
from openapi.errors import IdempotencyKeyMissing, IdempotencyKeyReused, InFlight
from openapi.models import ApiCall

logger = logging.getLogger(__name__)

KEPT: Final = dt.timedelta(hours=72)
_KEY: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,60}")
_TRIES: Final = 3
_BAD_REQUEST, _TOO_MANY, _OUR_FAULT = 400, 429, 500


def answer_once(
    *,
    client_id: int,
    key: str,
    fingerprint: str,
    run: Callable[[], dict[str, Any]],
    body_of: Callable[[Refusal], dict[str, Any]],
    waits: bool = False,
    at: dt.datetime | None = None,
) -> Answer:
    """The answer of `run`, which joins this transaction, or the one that was given before. Refusals are answers too
    and are kept; but not those of input that cannot be read, of limits, and of faults of ours: then the key is free.

    Refuses a missing key, one that came with another request (`fingerprint`), and one that is being worked on; with
    `waits` it is waited for instead, as long as the database waits for any lock.
    """
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing
    at = at or clock.now()
    row = _find_or_begin(client_id, key, fingerprint, at)
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    if row.status is not None:
        return _stored(row)
    with transaction.atomic():
        mine = ApiCall.objects.filter(pk=row.pk)
        held = mine.lock_rows() if waits else mine.claim(1)
        if not held:
            raise InFlight(retry_after_s=1)
        if held[0].status is not None:
            return _stored(held[0])
        try:
            with transaction.atomic():
                status, body = 200, run()
        except Refusal as refusal:
            if not _is_kept(refusal):
                held[0].delete()
                unkept = refusal
            else:
                return _keep(held[0], refusal.http_status, body_of(refusal))
        else:
            return _keep(held[0], status, body)
    raise unkept


def _find_or_begin(client_id: int, key: str, fingerprint: str, at: dt.datetime) -> ApiCall:
    rows = ApiCall.objects.filter(client_id=client_id, key=key)
    for _attempt in range(_TRIES):
        if (row := rows.first()) is not None:
            return row
        fresh = ApiCall(client_id=client_id, key=key, fingerprint=fingerprint, started_at=at)
        ApiCall.objects.bulk_create([fresh], ignore_conflicts=True)
    raise InFlight(retry_after_s=1)


def _is_kept(refusal: Refusal) -> bool:
    status = refusal.http_status
    return status < _OUR_FAULT and status not in {_BAD_REQUEST, _TOO_MANY}


def _keep(row: ApiCall, status: int, body: dict[str, Any]) -> Answer:
    row.status = status
    row.answer = json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False)
    row.save(update_fields=["status", "answer"])
    return Answer(status, json.loads(row.answer))


def _stored(row: ApiCall) -> Answer:
    return Answer(row.status or _OUR_FAULT, json.loads(row.answer), is_replay=True)
