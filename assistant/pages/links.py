"""Addresses of pages with what they are asked for."""

from urllib.parse import urlencode

from django.urls import reverse


def url_of(name: str, *parts: object, **values: object) -> str:
    """The address of the page with its query; empty values are left out."""
    given = {key: value for key, value in values.items() if value not in ("", None)}
    address = reverse(name, args=parts)
    return f"{address}?{urlencode(given)}" if given else address
