"""The statement that folds facts into numbers. The job writes them into the tables, the proof into copies beside them.

Each table of facts has a query that groups the facts between two ids (`%(after)s` exclusive, `%(until)s` inclusive)
into rows of one shape; what follows is the same for all: four upserts that add. Rows are written in the order of
their keys, so that two writers could never wait for each other crosswise.
"""

from collections.abc import Mapping
from typing import Final

from coupons.models import FactSource

NUMBERS: Final = (
    "issued_count", "redeemed_count", "reversed_count", "voided_count", "expired_count", "discount_fen", "sales_fen",
)  # fmt: skip
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": (
        "day", "batch_id", "door", "guide_id", "issued_store_id", "redeemed_store_id", "redeemed_guide_id",
    ),
    "total": ("day", "batch_id", "door"),
    "month": ("side", "month", "store_id", "guide_id", "batch_id", "door"),
    "due": ("last_day", "batch_id", "door", "guide_id", "issued_store_id"),
}  # fmt: skip
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "day": NUMBERS,
    "total": (*NUMBERS, "first_coupon_id", "last_coupon_id"),
    "month": NUMBERS,
    "due": ("unused_count",),
}
ROLL_UPS: Final[Mapping[str, str]] = {
    "day": "coupons_couponday",
    "total": "coupons_coupondaytotal",
    "month": "coupons_couponmonth",
    "due": "coupons_coupondue",
}
COPIES: Final[Mapping[str, str]] = {name: f"pg_temp.proof_{name}" for name in ROLL_UPS}
TABLES: Final[Mapping[str, str]] = {
    FactSource.COUPONS: "coupons_coupon",
    FactSource.EVENTS: "coupons_couponevent",
    FactSource.ENTRIES: "coupons_redemptionentry",
    FactSource.SETTLEMENT: "coupons_redemptionentry",
}

# Who issued a coupon, and its last day: nothing of it changes after it was issued.
_ISSUED: Final = """
batch_id, door, coalesce(issued_by_guide_id, 0) AS guide_id, coalesce(issued_store_id, 0) AS issued_store_id
"""
_LAST_DAY: Final = "((valid_until AT TIME ZONE 'Asia/Shanghai') - interval '1 microsecond')::date AS last_day"
_COUPONS: Final = """
SELECT (issued_at AT TIME ZONE 'Asia/Shanghai')::date AS day, <issued>,
       0::bigint AS redeemed_store_id, 0::bigint AS redeemed_guide_id, <last day>,
       count(*) AS issued_count, 0 AS redeemed_count, 0 AS reversed_count, 0 AS voided_count, 0 AS expired_count,
       0 AS discount_fen, 0 AS sales_fen, count(*) AS unused_count,
       min(coupon.id) AS first_coupon_id, max(coupon.id) AS last_coupon_id
FROM coupons_coupon coupon
WHERE coupon.id > %(after)s AND coupon.id <= %(until)s
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
# What a redemption means in money stands in its entries; here a coupon only ends, or is unused again.
_EVENTS: Final = """
SELECT (event.at AT TIME ZONE 'Asia/Shanghai')::date AS day, <issued>,
       0::bigint AS redeemed_store_id, 0::bigint AS redeemed_guide_id, <last day>,
       0 AS issued_count, 0 AS redeemed_count, 0 AS reversed_count,
       count(*) FILTER (WHERE to_state = 'voided') AS voided_count,
       count(*) FILTER (WHERE to_state = 'expired') AS expired_count, 0 AS discount_fen, 0 AS sales_fen,
       count(*) FILTER (WHERE to_state IN ('issued', 'locked', 'gifting'))
           - count(*) FILTER (WHERE from_state IN ('issued', 'locked', 'gifting')) AS unused_count,
       NULL::bigint AS first_coupon_id, NULL::bigint AS last_coupon_id
FROM coupons_couponevent event JOIN coupons_coupon coupon ON coupon.id = event.coupon_id
WHERE event.id > %(after)s AND event.id <= %(until)s
  AND (from_state = 'redeemed' OR to_state IN ('redeemed', 'expired', 'voided'))
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_ENTRIES: Final = """
SELECT entry.day, <issued>, redemption.store_id AS redeemed_store_id,
       coalesce(redemption.redeemed_by_guide_id, 0) AS redeemed_guide_id, NULL::date AS last_day,
       0 AS issued_count,
       count(*) FILTER (WHERE what = 'redeemed') - count(*) FILTER (WHERE what = 'reversed') AS redeemed_count,
       count(*) FILTER (WHERE what = 'reversed') AS reversed_count, 0 AS voided_count, 0 AS expired_count,
       sum(entry.discount_fen) AS discount_fen, sum(entry.sales_fen) AS sales_fen, 0 AS unused_count,
       NULL::bigint AS first_coupon_id, NULL::bigint AS last_coupon_id
FROM coupons_redemptionentry entry
JOIN coupons_redemption redemption ON redemption.id = entry.redemption_id
JOIN coupons_coupon coupon ON coupon.id = redemption.coupon_id
WHERE entry.id > %(after)s AND entry.id <= %(until)s
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_FACTS: Final[Mapping[str, str]] = {
    source: query.replace("<issued>", _ISSUED.strip()).replace("<last day>", _LAST_DAY)
    for source, query in (
        (FactSource.COUPONS, _COUPONS),
        (FactSource.EVENTS, _EVENTS),
        (FactSource.ENTRIES, _ENTRIES),
    )
}
# A fact belongs to who issued and to who redeemed; each side has rows of its own.
_SIDES: Final = """
(SELECT 'issued' AS side, date_trunc('month', day)::date AS month, issued_store_id AS store_id, guide_id, batch_id, door,
        <numbers>
 FROM fact
 UNION ALL
 SELECT 'redeemed', date_trunc('month', day)::date, redeemed_store_id, redeemed_guide_id, batch_id, door, <numbers>
 FROM fact) side
""".replace("<numbers>", ", ".join(NUMBERS))
_FROM: Final[Mapping[str, str]] = {"month": _SIDES.strip()}
_FOLD: Final = (
    "WITH fact AS MATERIALIZED (<fact>), days AS (<day>), totals AS (<total>), months AS (<month>) <due>"
)
_ADD: Final = """
INSERT INTO <table> AS own (<keys>, <values>)
SELECT <keys>, <sums> FROM <source> WHERE <worth> GROUP BY <keys> ORDER BY <keys>
ON CONFLICT (<keys>) DO UPDATE SET <added>
"""
_HOW: Final[Mapping[str, tuple[str, str]]] = {
    "first_coupon_id": ("min", "least(own.first_coupon_id, excluded.first_coupon_id)"),
    "last_coupon_id": ("max", "greatest(own.last_coupon_id, excluded.last_coupon_id)"),
}


def fold_statement(*, source: str, tables: Mapping[str, str]) -> str:
    """Adds the facts of `source` between two ids to the four tables."""
    statement = _FOLD.replace("<fact>", _FACTS[source])
    for name, table in tables.items():
        statement = statement.replace(f"<{name}>", _add(name, table))
    return statement


def _add(name: str, table: str) -> str:
    keys, values = ", ".join(KEYS[name]), VALUES[name]
    sums = (f"{_HOW[value][0]}({value})" if value in _HOW else f"sum({value})" for value in values)
    added = (f"{value} = {_added(value)}" for value in values)
    # A fact that changes none of the numbers of a table makes no row there.
    worth = " OR ".join(f"{value} <> 0" for value in values if value not in _HOW)
    parts = {
        "table": table,
        "source": _FROM.get(name, "fact"),
        "keys": keys,
        "values": ", ".join(values),
        "sums": ", ".join(sums),
        "added": ", ".join(added),
    }
    statement = _ADD.replace("<worth>", worth)
    for part, text in parts.items():
        statement = statement.replace(f"<{part}>", text)
    return statement


def _added(value: str) -> str:
    return _HOW[value][1] if value in _HOW else f"own.{value} + excluded.{value}"
