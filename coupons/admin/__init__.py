"""Coupons in the staff admin."""

from coupons.admin import (
    batches,
    coupons,
    face_to_face,
    orders,
    settlement,
    settlement_policies,
    standing,
    stats,
    templates,
)

__all__ = [
    "batches",
    "coupons",
    "face_to_face",
    "orders",
    "settlement",
    "settlement_policies",
    "standing",
    "stats",
    "templates",
]
