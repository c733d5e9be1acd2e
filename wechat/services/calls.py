"""The log of calls out: one row for each HTTP call, written after it and never in its way."""

import functools
import logging
from collections.abc import Sequence

from django.db import DatabaseError

from core import clock
from wechat.client.gateway import CallRecord, Journal
from wechat.models import OutboundCall

logger = logging.getLogger(__name__)


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
        OutboundCall.objects.bulk_create(
            OutboundCall(
                account_id=account_id,
                path=record.path[:80],
                called_at=record.called_at,
                called_on=clock.business_day(record.called_at),
                outcome=record.outcome[:16],
                errcode=record.errcode,
                rid=record.rid[:80],
                latency_ms=record.latency_ms,
            )
            for record in records
        )
    except DatabaseError:
        logger.warning("wechat.call_not_recorded", extra={"account_id": account_id, "path": records[0].path})
