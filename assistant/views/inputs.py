"""Typed reading of what a request carries."""

import datetime as dt
import re
import unicodedata
from typing import Final

from django.http import HttpRequest

from core import clock
from core.errors import InvalidInput
from coupons.errors import AmountUnusable

_LONGEST_QUERY: Final = 40
# Whole yuan up to eight digits, with or without thousands' commas, and up to two decimals.
_YUAN: Final = re.compile(r"([0-9]{1,8}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{1,2})?)?")
_KEY: Final = re.compile(r"[0-9A-Za-z_-]{8,40}")


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


def yuan_in_fen(request: HttpRequest, name: str) -> int | None:
    """An amount of money as people type it (199, 1,299.50, ￥30), in fen; None for an empty field.

    Raises AmountUnusable for anything else: signs, letters, three decimals, more digits than any order has.
    """
    typed = unicodedata.normalize("NFKC", request.POST.get(name, "")[:40])
    text = typed.strip().removeprefix("¥").strip()
    if not text:
        return None
    found = _YUAN.fullmatch(text)
    if found is None:
        raise AmountUnusable(field=name)
    return int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))


def request_key(request: HttpRequest) -> str:
    """The key that the page gave its form: the same tap twice has the same. Raises InvalidInput without one."""
    key = request.POST.get("request_key", "")
    if not _KEY.fullmatch(key):
        raise InvalidInput(field="request_key")
    return key


def public_ids(request: HttpRequest, name: str, *, most: int) -> list[str]:
    """The ids that were picked, each once, in their order. More than anybody picks is refused (InvalidInput)."""
    sent = (request.POST if request.method == "POST" else request.GET).getlist(name)
    if len(sent) > most * 2:
        raise InvalidInput(field=name)
    return [text.replace("\0", "")[:17] for text in dict.fromkeys(sent)]


def member_part(request: HttpRequest) -> str:
    """The narrower list that is asked for; a word of nobody's is none."""
    asked = request.GET.get("only", "")
    return asked if asked in {"due", "falling"} else ""
