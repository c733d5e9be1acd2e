"""E-coupons. So far the pricing of baskets, which needs no table."""
