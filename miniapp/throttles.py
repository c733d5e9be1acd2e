"""Limits of this API's requests (`rest.throttles`)."""

from rest.throttles import Limit

__all__ = ["Limit"]
