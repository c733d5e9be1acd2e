"""Coupons in the staff admin."""

from coupons.admin import batches, coupons, orders, templates

__all__ = ["batches", "coupons", "orders", "templates"]
