"""Writes of `coupons`, and what is counted without any."""

from coupons.services.pricing import price_basket
from coupons.services.pricing_refund import refund_of

__all__ = ["price_basket", "refund_of"]
