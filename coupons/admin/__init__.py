"""Coupons in the staff admin."""

from coupons.admin import batches, coupons, exchange, exchange_codes, templates, unlocks

__all__ = ["batches", "coupons", "exchange", "exchange_codes", "templates", "unlocks"]
