"""Typed reading of what a request carries."""

import datetime as dt
from typing import Final

from django.http import HttpRequest

from core import clock
from core.errors import InvalidInput

_LONGEST_QUERY: Final = 40


def whole_number(request: HttpRequest, name: str, *, default: int, low: int, high: int) -> int:
    """A whole number; outside of the bounds the nearer bound. Raises InvalidInput for anything else."""
    text = (request.POST if request.method == "POST" else request.GET).get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput(field=name)
    return min(max(int(text), low), high)


def search_words(request: HttpRequest) -> str:
    """What was typed into the search, without outer blanks and without NUL, which PostgreSQL refuses."""
    return request.GET.get("q", "").replace("\0", "").strip()[:_LONGEST_QUERY]


def local_time(request: HttpRequest, name: str) -> dt.datetime:
    """What a date-and-time field sent, in Shanghai's time. Raises InvalidInput for anything else."""
    text = request.POST.get(name, "")
    try:
        found = dt.datetime.strptime(text[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=clock.SHANGHAI)
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(field=name) from error
