"""What a slice of a bulk issue locks before it issues, and for how long a worker that stands still may hold it."""

from typing import Any, Final

from django.db import connection

from coupons.models import IssueSlice
from members import selectors as member_selectors
from members import services as member_services

# A worker that is frozen inside a slice holds its members and all counters of the batch: every claim would wait for it.
# After this time its session ends, the slice is undone and somebody else does it; what it writes later is refused.
MOST_IDLE_S: Final = 5

_NOT_LIVING: Final = """
SELECT own.id FROM (SELECT unnest(member_ids) AS id FROM coupons_issueslice WHERE id = %s) own
LEFT JOIN ({living}) living (id) ON living.id = own.id WHERE living.id IS NULL
"""
_SHARDS: Final = "SELECT 1 FROM coupons_couponbatchshard WHERE batch_id = %s ORDER BY shard FOR NO KEY UPDATE"


def lock_slice(*, slice_id: int) -> None:
    """The rest of the transaction has at most `MOST_IDLE_S` between two statements. Where coupons will be issued one by
    one (a partner's codes, members merged since), all members are locked, then all counters.

    `coupons_issue_slice` locks in that order itself, but one by one each coupon would take its member and one counter in
    turn: two such slices, or one and a claim, would wait for each other.
    """
    limit_idle()
    batch_id, has_partner_codes = IssueSlice.objects.values_list(
        "job__batch_id", "job__batch__has_partner_codes"
    ).get(pk=slice_id)
    living, values = member_selectors.living_member_ids().query.sql_with_params()
    if not has_partner_codes and not _run(_NOT_LIVING.format(living=living), [slice_id, *values]):
        return
    ids = IssueSlice.objects.values_list("member_ids", flat=True).get(pk=slice_id)
    targets = member_selectors.list_merge_targets(ids)
    member_services.lock_members(sorted({*ids, *targets.values()}))
    _run(_SHARDS, [batch_id])


def limit_idle() -> None:
    """The rest of the transaction has at most `MOST_IDLE_S` between two statements, or is undone."""
    _run(f"SET LOCAL idle_in_transaction_session_timeout = '{MOST_IDLE_S}s'")


def _run(sql: str, values: list[Any] | None = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []
