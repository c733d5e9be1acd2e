"""Coupons in the staff admin."""

from coupons.admin import batches, coupon_life, coupons, issue_desk, redemptions, templates

__all__ = ["batches", "coupon_life", "coupons", "issue_desk", "redemptions", "templates"]
