"""Coupons in the staff admin."""

from coupons.admin import (
    batches,
    coupons,
    orders,
    settlement,
    settlement_policies,
    stats,
    templates,
)

__all__ = [
    "batches",
    "coupons",
    "orders",
    "settlement",
    "settlement_policies",
    "stats",
    "templates",
]
