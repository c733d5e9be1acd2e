"""What owners of stores owe each other, added up from the lines."""

import datetime as dt
from typing import Any, Final

from django.db import connection
from django.db.models import BigIntegerField, Case, Count, F, Q, QuerySet, Sum, When

from coupons.contracts import OwnerSum, StoreSum
from coupons.models import SettlementLine, SettlementMonth, SettlementStatement

# The chain owes what it bears itself and what it bears as the issuer: one debt, one line.
_OWED: Final = """
SELECT debtor, creditor, count(*), sum(fen), coalesce(sum(fen) FILTER (WHERE is_correction), 0)
FROM (
    SELECT issuer_id AS debtor, redeemer_id AS creditor,
           issuer_fen + CASE WHEN issuer_id IS NULL THEN chain_fen ELSE 0 END AS fen, is_correction
    FROM coupons_settlementline
    WHERE month = %(month)s AND issuer_id IS DISTINCT FROM redeemer_id
      AND (%(stores)s::bigint[] IS NULL OR issued_store_id = ANY(%(stores)s) OR redeemed_store_id = ANY(%(stores)s))
    UNION ALL
    SELECT NULL, redeemer_id, chain_fen, is_correction
    FROM coupons_settlementline
    WHERE month = %(month)s AND issuer_id IS NOT NULL AND redeemer_id IS NOT NULL
      AND (%(stores)s::bigint[] IS NULL OR issued_store_id = ANY(%(stores)s) OR redeemed_store_id = ANY(%(stores)s))
) debt
WHERE fen <> 0 GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST
"""


def sum_owners(month: dt.date, *, store_ids: frozenset[int] | None = None) -> tuple[OwnerSum, ...]:
    """Who owes whom for the month, by pairs; `store_ids` narrows to lines that one of these stores issued or redeemed."""
    stores = None if store_ids is None else sorted(store_ids)
    with connection.cursor() as cursor:
        cursor.execute(_OWED, {"month": month, "stores": stores})
        return tuple(
            OwnerSum(debtor, creditor, count, int(owed), int(late))
            for debtor, creditor, count, owed, late in cursor.fetchall()
        )


def list_frozen_sums(month: dt.date) -> tuple[OwnerSum, ...] | None:
    """The statements of the newest closing; None while the month is open."""
    row = SettlementMonth.objects.filter(month=month, state="closed").first()
    if row is None:
        return None
    found = SettlementStatement.objects.filter(month=row, version=row.version).order_by(
        F("debtor").asc(nulls_first=True), F("creditor").asc(nulls_first=True)
    )
    return tuple(
        OwnerSum(one.debtor_id, one.creditor_id, one.line_count, one.owed_fen, one.correction_fen)
        for one in found
    )


def month_lines(month: dt.date, *, store_ids: frozenset[int] | None = None) -> QuerySet[SettlementLine]:
    """The lines of a month, as they came in."""
    lines = SettlementLine.objects.filter(month=month)
    if store_ids is not None:
        lines = lines.filter(Q(issued_store__in=store_ids) | Q(redeemed_store__in=store_ids))
    return lines.select_related("entry__redemption__coupon", "batch").order_by("pk")


def sum_stores(month: dt.date, *, store_ids: frozenset[int] | None = None) -> tuple[StoreSum, ...]:
    """What each store gave away, what others owe it for that, and what it owes for coupons it issued."""
    lines = month_lines(month, store_ids=store_ids).order_by().select_related(None)
    same = Q(issuer=F("redeemer")) | Q(issuer__isnull=True, redeemer__isnull=True)
    by_issuer = Case(When(same, then=0), default=F("issuer_fen"), output_field=BigIntegerField())
    by_chain = Case(
        When(redeemer__isnull=True, then=0), default=F("chain_fen"), output_field=BigIntegerField()
    )
    sums: dict[int, dict[str, Any]] = {}
    for row in lines.values("redeemed_store_id").annotate(
        redeemed=Count("pk", filter=Q(entry__what="redeemed"))
        - Count("pk", filter=Q(entry__what="reversed")),
        discount=Sum("discount_fen"),
        due=Sum(by_issuer) + Sum(by_chain),
    ):
        sums[row["redeemed_store_id"]] = {
            "redeemed_count": row["redeemed"], "discount_fen": row["discount"], "due_fen": row["due"],
            "own_fen": row["discount"] - row["due"], "owes_fen": 0,
        }  # fmt: skip
    owed = lines.filter(issued_store__isnull=False).values("issued_store_id").annotate(owes=Sum(by_issuer))
    nothing = {"redeemed_count": 0, "discount_fen": 0, "due_fen": 0, "own_fen": 0, "owes_fen": 0}
    for store_id, owes in owed.values_list("issued_store_id", "owes"):
        sums.setdefault(store_id, dict(nothing))["owes_fen"] = owes
    kept = {pk: one for pk, one in sums.items() if store_ids is None or pk in store_ids}
    return tuple(StoreSum(store_id=store_id, **values) for store_id, values in sorted(kept.items()))
