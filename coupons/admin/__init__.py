"""Coupons in the staff admin."""

from coupons.admin import batches, coupons, templates

__all__ = ["batches", "coupons", "templates"]
