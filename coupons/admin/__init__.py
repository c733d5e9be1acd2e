"""Coupons in the staff admin."""

from coupons.admin import (
    batches,
    coupon_life,
    coupons,
    exchange,
    exchange_codes,
    face_to_face,
    issue_desk,
    orders,
    redemptions,
    settlement,
    settlement_policies,
    standing,
    stats,
    templates,
    unlocks,
    void_jobs,
)

__all__ = [
    "batches",
    "coupon_life",
    "coupons",
    "exchange",
    "exchange_codes",
    "face_to_face",
    "issue_desk",
    "orders",
    "redemptions",
    "settlement",
    "settlement_policies",
    "standing",
    "stats",
    "templates",
    "unlocks",
    "void_jobs",
]
