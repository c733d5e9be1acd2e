"""Each write happens once: the first answer to an Idempotency-Key is kept with its effect and given again.

Whoever works under a key holds its lock, and the answer is written in the transaction of the effect. So a second request
finds the lock held (in flight), the answer (replayed), or neither: then nobody has done anything under this key yet,
or whoever began has died without changing anything, and the work is done now.

The lock is an advisory one: a row to lock would have to be committed before the work, and cost a commit more. The look
for the answer is in the statement that tries the lock, whose snapshot is older: the answer of somebody who ended just
between the two is not seen. Then the key's UNIQUE refuses ours, all of it is undone, and the look is repeated.
"""

import dataclasses
import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction

from core import clock
from core.compiled import ask
from core.constraints import violated
from core.errors import Refusal
from openapi.contracts import Answer
from openapi.errors import IdempotencyKeyMissing, IdempotencyKeyReused, InFlight

KEPT: Final = dt.timedelta(hours=72)
_KEY: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,60}")
_TRIES: Final = 3
_BAD_REQUEST, _TOO_MANY, _OUR_FAULT = 400, 429, 500
_WAIT: Final = "SELECT 1 FROM pg_advisory_xact_lock(%(lock)s::bigint)"
_LOOK: Final = """
SELECT pg_try_advisory_xact_lock(%(lock)s::bigint), one.fingerprint, one.status, one.answer
FROM (SELECT) here LEFT JOIN openapi_apicall one ON one.client_id = %(client)s::bigint AND one.key = %(key)s
"""
_KEEP: Final = """
INSERT INTO openapi_apicall (client_id, key, fingerprint, started_at, status, answer)
VALUES (%(client)s::bigint, %(key)s, %(fingerprint)s, %(at)s::timestamptz, %(status)s::bigint, %(answer)s)
"""


@dataclasses.dataclass(frozen=True, slots=True)
class _Call:
    """One request under its key."""

    client_id: int
    key: str
    fingerprint: str
    waits: bool
    at: dt.datetime

    @property
    def lock(self) -> int:
        """The number of its lock: of all the 64 bits can be, so that no other call has it."""
        name = f"openapi.call\n{self.client_id}\n{self.key}".encode()
        return int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)


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
    call = _Call(client_id, key, fingerprint, waits, at or clock.now())
    for _attempt in range(_TRIES):
        try:
            return _once(call, run, body_of)
        except IntegrityError as error:
            if violated(error) != "apicall_key_once":
                raise
    raise InFlight(retry_after_s=1)


def _once(
    call: _Call, run: Callable[[], dict[str, Any]], body_of: Callable[[Refusal], dict[str, Any]]
) -> Answer:
    try:
        with transaction.atomic():
            return _hold(call) or _keep(call, 200, _run(run))
    except _Refused as refused:
        # Whatever it did is undone, and the lock given up: in between somebody else may have done this call.
        refusal = refused.refusal
    with transaction.atomic():
        return _hold(call) or _keep(call, refusal.http_status, body_of(refusal))


class _Refused(Exception):
    """The work was refused, and that is the answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal


def _run(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return run()
    except Refusal as refusal:
        if _is_kept(refusal):
            raise _Refused(refusal) from refusal
        raise


def _hold(call: _Call) -> Answer | None:
    """The stored answer; None when there is none and the lock is ours until the transaction ends."""
    asked = {"lock": call.lock, "client": call.client_id, "key": call.key}
    [(is_ours, fingerprint, status, answer)] = ask(_LOOK, asked)
    if fingerprint is None and not is_ours and call.waits:
        ask(_WAIT, {"lock": call.lock})
        [(is_ours, fingerprint, status, answer)] = ask(_LOOK, asked)
    if fingerprint is None:
        if not is_ours:
            raise InFlight(retry_after_s=1)
        return None
    if fingerprint != call.fingerprint:
        raise IdempotencyKeyReused
    return Answer(status, json.loads(answer), is_replay=True)


def _is_kept(refusal: Refusal) -> bool:
    status = refusal.http_status
    return status < _OUR_FAULT and status not in {_BAD_REQUEST, _TOO_MANY}


def _keep(call: _Call, status: int, body: dict[str, Any]) -> Answer:
    answer = json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False)
    ask(
        _KEEP,
        {
            "client": call.client_id,
            "key": call.key,
            "fingerprint": call.fingerprint,
            "at": call.at,
            "status": status,
            "answer": answer,
        },
    )
    return Answer(status, json.loads(answer))
