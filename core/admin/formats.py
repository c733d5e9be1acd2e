"""Numbers, times and identifiers as the admin shows them."""

import datetime as dt

from django.utils.translation import gettext as _

from core import clock


def mask_openid(value: str) -> str:
    """An openid, unionid or the like with its middle gone: enough to compare, not enough to use."""
    if not value:
        return ""
    if len(value) < 10:
        return "…"
    return f"{value[:2]}…{value[-4:]}"


def when(at: dt.datetime | None) -> str:
    """An instant in Shanghai time, the year only when it is not this one; a dash for none."""
    if at is None:
        return "—"
    local = at.astimezone(clock.SHANGHAI)
    time = f"{local:%H:%M}"
    if local.date() == clock.today():
        return _("今天 %(time)s") % {"time": time}
    if local.year == clock.today().year:
        return _("%(month)s月%(day)s日 %(time)s") % {"month": local.month, "day": local.day, "time": time}
    return f"{local:%Y-%m-%d %H:%M}"


def thousands(number: int) -> str:
    """1204 → 1,204."""
    return f"{number:,}"


def percent(part: int, whole: int) -> str:
    """A share for people, one decimal; a dash when there is nothing to share."""
    return f"{part / whole:.1%}" if whole else "—"


def money(fen: int) -> str:
    """Fen as yuan: 128,050 → "1,280.50"."""
    return f"{fen / 100:,.2f}"


def cost_words(hundredths: int) -> str:
    """Hundredths of a fen as yuan, with all that is not zero: 450 → "¥0.045"; a dash for nothing."""
    if not hundredths:
        return "—"
    yuan, rest = divmod(hundredths, 10_000)
    parts = f"{rest:04d}".rstrip("0")
    return f"¥{yuan:,}.{parts:0<2}"
