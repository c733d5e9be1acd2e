"""What was just sold and counts for her, on whatever page she is."""

import dataclasses
import datetime as dt

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.links import url_of
from guides.contracts import GuideCard
from sales import selectors as sale_selectors


@dataclasses.dataclass(frozen=True, slots=True)
class Deals:
    """How much of today's the page knows (`mark`, "W9CA….2026-11-28.3.128000"), and what is new since; no text: nothing to say.

    The mark counts what there is instead of naming the last row: of two bookings the one with the lower number may be
    seen later. A file of thousands is one sentence.
    """

    mark: str
    text: str = ""
    url: str = ""


def build_deals(guide: GuideCard, *, mark: str, now: dt.datetime) -> Deals | None:
    """None when nothing was sold since the mark. An empty or an unreadable mark, and one of another day, learns how
    things stand without a word."""
    known = sale_selectors.sum_deals(guide.id, at=now)
    # A phone that two guides use keeps them apart.
    today = f"{guide.public_id}.{known.day.isoformat()}"
    current = f"{today}.{known.count}.{known.fen}"
    if current == mark:
        return None
    seen, _dot, fen = mark.rpartition(".")
    day, _dot, count = seen.rpartition(".")
    if day != today or not (_is_number(count) and _is_number(fen)):
        return Deals(current)
    new_count, new_fen = known.count - int(count), known.fen - int(fen)
    if new_count <= 0:
        return Deals(current)
    amount = phrases.say_money(new_fen)
    if new_count > 1:
        text = _("新成交 %(n)d 单，共 %(amount)s") % {"n": new_count, "amount": amount}
        return Deals(current, text, url_of("assistant:performance-orders"))
    public_id = sale_selectors.find_sale_address(known.newest_ref)
    url = url_of("assistant:performance-orders")
    if public_id is not None:
        url = url_of("assistant:performance-order", public_id)
    return Deals(current, _("刚刚成交 %(amount)s") % {"amount": amount}, url)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
