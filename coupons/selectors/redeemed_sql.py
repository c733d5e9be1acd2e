"""Redemptions of some coupons as SQL, for apps above that count them in a statement of their own."""

from typing import Final

_REDEEMED: Final = """
SELECT redemption.coupon_id, redemption.redeemed_at,
       redemption.discount_fen - redemption.returned_discount_fen AS discount_fen
FROM coupons_redemption redemption
WHERE redemption.reversed_at IS NULL AND redemption.coupon_id IN ({coupons})
"""


def redeemed_sql(*, coupons: str) -> str:
    """The redemption of each of these coupons that stands, if there is one: coupon_id, redeemed_at, discount_fen (net of
    what came back). `coupons` is a query that yields their ids."""
    return _REDEEMED.format(coupons=coupons)
