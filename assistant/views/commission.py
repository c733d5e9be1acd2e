"""我的提成."""

import datetime as dt
import re
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from assistant.pages.commission import build_commission
from assistant.screens import guide_screen, show
from assistant.views.inputs import whole_number
from guides.contracts import GuideCard

_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@require_safe
@guide_screen
def commission(request: HttpRequest, guide: GuideCard) -> HttpResponse:
    """Her own statement and nobody else's: the address names a month only."""
    page = whole_number(request, "page", default=1, low=1, high=1_000)
    return show(
        request, "assistant/commission.html", build_commission(guide, month_on=_month(request), page=page)
    )


def _month(request: HttpRequest) -> dt.date | None:
    found = _MONTH.fullmatch(request.GET.get("month", ""))
    return dt.date(int(found[1]), int(found[2]), 1) if found else None
