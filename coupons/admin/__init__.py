"""Coupons in the staff admin."""

from coupons.admin import batches, coupons, settlement, settlement_policies, stats, templates

__all__ = ["batches", "coupons", "settlement", "settlement_policies", "stats", "templates"]
