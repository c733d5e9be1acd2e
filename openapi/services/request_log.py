"""The log of requests that staff read: endpoint, outcome and time, and nothing of anybody."""

import datetime as dt
import logging

from django.db import DatabaseError

from openapi.models import ApiRequest

logger = logging.getLogger(__name__)


def note_request(
    *,
    client_id: int,
    method: str,
    endpoint: str,
    status: int,
    code: str,
    took_ms: int,
    is_replay: bool,
    at: dt.datetime,
) -> None:
    """The request is in its client's log. Never raises: an answer is not lost for its log."""
    try:
        ApiRequest.objects.create(
            client_id=client_id,
            at=at,
            method=method[:7],
            endpoint=endpoint[:40],
            status=status,
            code=code[:60],
            took_ms=took_ms,
            is_replay=is_replay,
        )
    except DatabaseError:
        logger.warning("openapi.request_not_logged")
