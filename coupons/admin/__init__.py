"""Coupons in the staff admin."""

from coupons.admin import (
    batches,
    coupons,
    exchange,
    exchange_codes,
    face_to_face,
    orders,
    settlement,
    settlement_policies,
    standing,
    stats,
    templates,
    unlocks,
)

__all__ = [
    "batches",
    "coupons",
    "exchange",
    "exchange_codes",
    "face_to_face",
    "orders",
    "settlement",
    "settlement_policies",
    "standing",
    "stats",
    "templates",
    "unlocks",
]
