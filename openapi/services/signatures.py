"""Whose request it is: HMAC-SHA256 over what was asked, when, once, and with what.

The text that is signed has seven lines (docs/open-api.md has a worked example, tests/openapi/test_signatures.py the
vector): the scheme, the method, the path with its query as it is sent, the key's id, the time stamp in Unix seconds,
the nonce, and the SHA-256 of the body in hex (that of nothing for a request without one).
"""

import datetime as dt
import hashlib
import hmac
import re
from typing import Final

from django.db import IntegrityError, connection
from django.db.models import Q, QuerySet

from core import clock
from core.compiled import Given, ask, compiled
from core.constraints import violated
from openapi.contracts import Caller, SignedRequest
from openapi.errors import ClockSkewed, Replayed, SignatureMissing, SignatureWrong
from openapi.models import ApiClient, ApiSecret, ClientState

SCHEME: Final = "XIAOER1-HMAC-SHA256"
WINDOW: Final = dt.timedelta(minutes=5)
# A time stamp of the future counts for twice the window; a nonce is kept longer than that.
NONCE_KEPT: Final = dt.timedelta(minutes=15)
# "Last used" is written at most so often: a write a request would make the row a hot one.
_NOTED_EVERY: Final = dt.timedelta(minutes=1)
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_NONCE: Final = re.compile(r"[0-9A-Za-z_-]{16,64}")
_KEY_ID: Final = re.compile(r"[0-9A-Z]{16}")
_NOBODYS: Final = "xks_nobody"  # signs for unknown keys, so that they take as long as known ones
# Not waited for until it is on the disk: the commit of what the request does takes it there, before anything is answered.
_USE: Final = """
WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO openapi_apinonce (client_id, nonce, seen_at)
SELECT %(client)s::bigint, %(nonce)s::text, %(at)s::timestamptz FROM soon
"""


def canonical_text(*, method: str, path: str, key_id: str, timestamp: str, nonce: str, body: bytes) -> str:
    """What is signed."""
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join((SCHEME, method.upper(), path, key_id, timestamp, nonce, digest))


def sign(*, secret: str, text: str) -> str:
    """The signature, 64 hex digits."""
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def find_caller(*, request: SignedRequest, at: dt.datetime | None = None) -> Caller:
    """The client that signed this request, for the first time.

    Raises SignatureMissing; ClockSkewed, before the key is looked at; SignatureWrong for everything that does not
    prove an active key, without telling what; Replayed for a nonce that this key has used. PostgreSQL keeps the
    nonces, so a replay is refused whatever becomes of Redis.
    """
    at = at or clock.now()
    if not all((request.key_id, request.timestamp, request.nonce, request.signature)):
        raise SignatureMissing
    if not _SECONDS.fullmatch(request.timestamp):
        raise SignatureWrong
    if abs(at.timestamp() - int(request.timestamp)) > WINDOW.total_seconds():
        raise ClockSkewed(server_time=int(at.timestamp()))
    if not _NONCE.fullmatch(request.nonce):
        raise SignatureWrong
    client, known = _known(request.key_id, at)
    text = canonical_text(
        method=request.method,
        path=request.path,
        key_id=request.key_id,
        timestamp=request.timestamp,
        nonce=request.nonce,
        body=request.body,
    )
    told = request.signature.encode()
    matches = [hmac.compare_digest(sign(secret=secret, text=text).encode(), told) for secret in known]
    if client is None or not any(matches):
        raise SignatureWrong
    _use_nonce(client.pk, request.nonce, at)
    _note_used(client, at)
    return Caller(
        client.pk,
        client.key_id,
        client.name,
        client.kind,
        frozenset(client.scopes),
        client.store_id,
        client.dealer_id,
        client.per_minute,
        client.source,
    )


def _known(key_id: str, at: dt.datetime) -> tuple[ApiClient | None, list[str]]:
    """The active client and the secrets that sign for it; nobody's where there is none."""
    found = _signing(key_id=key_id, at=at) if _KEY_ID.fullmatch(key_id) else []
    client = found[0].client if found else None
    return client, [one.secret for one in found] or [_NOBODYS]


@compiled
def _signing(*, key_id: Given, at: Given) -> QuerySet[ApiSecret]:
    """What signs for the active client of that key, with the client."""
    theirs = ApiSecret.objects.filter(client__key_id=key_id, client__state=ClientState.ACTIVE)
    return theirs.signing(at).select_related("client").order_by("pk")


def _use_nonce(client_id: int, nonce: str, at: dt.datetime) -> None:
    if connection.in_atomic_block:
        raise RuntimeError("a nonce is used for good, whatever becomes of its request")
    try:
        ask(_USE, {"client": client_id, "nonce": nonce, "at": at})
    except IntegrityError as error:
        if violated(error) == "apinonce_once":
            raise Replayed from None
        raise


def _note_used(client: ApiClient, at: dt.datetime) -> None:
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=at - _NOTED_EVERY)
    if client.last_used_at is None or client.last_used_at < at - _NOTED_EVERY:
        ApiClient.objects.filter(stale, pk=client.pk).update(last_used_at=at)
