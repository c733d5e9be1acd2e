"""How the pages of sales write money, rates and months."""

import datetime as dt
import re
from typing import Final

from django.utils.translation import gettext as _

_MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


def yuan(fen: int | None) -> str:
    """¥1,280.50; whole yuan without the noughts, a dash for nothing known."""
    if fen is None:
        return "—"
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{abs(fen) / 100:,.2f}".removesuffix(".00")


def rate(share_bp: int | None) -> str:
    """12.3 %, a dash for nothing known."""
    return "—" if share_bp is None else f"{share_bp / 100:.1f}%"


def month_words(month_on: dt.date) -> str:
    """2026 年 9 月."""
    return _("%(year)s 年 %(month)s 月") % {"year": month_on.year, "month": month_on.month}


def read_month(text: str, fallback: dt.date) -> dt.date:
    """The first day of a month written 2026-09; the fallback for anything else."""
    found = _MONTH.fullmatch(text)
    return dt.date(int(found[1]), int(found[2]), 1) if found else fallback.replace(day=1)
