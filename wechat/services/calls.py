"""The log of calls out: one row for each HTTP call, written after it and never in its way."""

import functools
import logging
from collections.abc import Sequence
from typing import Final

from django.db import DatabaseError, connection

from core import clock
from wechat.client.gateway import CallRecord, Journal

logger = logging.getLogger(__name__)

# A sender of thousands writes as many rows: through the ORM they would cost it a third of what the sends cost.
_INSERT: Final = """
INSERT INTO wechat_outboundcall (account_id, path, called_at, called_on, outcome, errcode, rid, latency_ms)
SELECT %(account_id)s, one.*
FROM unnest(%(paths)s::text[], %(called_at)s::timestamptz[], %(called_on)s::date[], %(outcomes)s::text[],
            %(errcodes)s::int[], %(rids)s::text[], %(latencies)s::int[]) one
"""


def journal_for(account_id: int) -> Journal:
    """Where the account's client notes its calls."""
    return functools.partial(record_call, account_id)


def record_call(account_id: int, record: CallRecord) -> None:
    """Keep how one call went. A database that does not answer costs the row, not the call."""
    record_calls(account_id, [record])


def record_calls(account_id: int, records: Sequence[CallRecord]) -> None:
    """Keep how several calls went, in one statement; see `record_call`."""
    if not records:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                _INSERT,
                {
                    "account_id": account_id,
                    "paths": [record.path[:80] for record in records],
                    "called_at": [record.called_at for record in records],
                    "called_on": [clock.business_day(record.called_at) for record in records],
                    "outcomes": [record.outcome[:16] for record in records],
                    "errcodes": [record.errcode for record in records],
                    "rids": [record.rid[:80] for record in records],
                    "latencies": [record.latency_ms for record in records],
                },
            )
    except DatabaseError:
        logger.warning("wechat.call_not_recorded", extra={"account_id": account_id, "path": records[0].path})
