"""What has served its time goes: nonces, answers, the log."""

import datetime as dt
from typing import Final

from core import clock
from openapi.models import ApiCall, ApiNonce, ApiRequest
from openapi.services.idempotency import KEPT
from openapi.services.signatures import NONCE_KEPT

LOG_KEPT: Final = dt.timedelta(days=30)


def prune_api(*, at: dt.datetime | None = None) -> int:
    """Nonces whose time stamp is refused anyway, answers past three days and requests past thirty are gone; how
    many rows that were."""
    at = at or clock.now()
    nonces = ApiNonce.objects.filter(seen_at__lt=at - NONCE_KEPT)
    calls = ApiCall.objects.filter(started_at__lt=at - KEPT)
    requests = ApiRequest.objects.filter(at__lt=at - LOG_KEPT)
    return sum(rows.delete()[0] for rows in (nonces, calls, requests))
