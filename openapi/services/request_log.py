"""The log of requests that staff read: endpoint, outcome and time, and nothing of anybody."""

import datetime as dt
import logging
from typing import Final

from django.db import DatabaseError

from core.compiled import ask

logger = logging.getLogger(__name__)

# The till does not wait until this row is on the disk: only a crash of the database's machine loses it, and the last
# half second of the log with it. The setting holds for this statement's own transaction.
_NOTE: Final = """
WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO openapi_apirequest (client_id, at, method, endpoint, status, code, took_ms, is_replay)
SELECT %(client)s::bigint, %(at)s::timestamptz, %(method)s::text, %(endpoint)s::text, %(status)s::bigint, %(code)s::text,
       %(took_ms)s::bigint, %(is_replay)s::boolean
FROM soon
"""


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
        ask(
            _NOTE,
            {
                "client": client_id,
                "at": at,
                "method": method[:7],
                "endpoint": endpoint[:40],
                "status": status,
                "code": code[:60],
                "took_ms": took_ms,
                "is_replay": is_replay,
            },
        )
    except DatabaseError:
        logger.warning("openapi.request_not_logged")
