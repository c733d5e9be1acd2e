"""The gateway to systems of others: one POST, signed, to an address of the internet. It knows no member and no table."""

from webhook.posting import Posted, is_inside, is_public, post

__all__ = ["Posted", "is_inside", "is_public", "post"]
