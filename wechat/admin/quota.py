"""Today's use of WeChat's interfaces, against what WeChat allows."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from core import clock
from wechat.admin.lanes import lane_lines
from wechat.services import quota


def chosen_day(text: str) -> dt.date:
    """The day of the address; today when there is none, or none that is a day."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return clock.today()
    return min(day, clock.today())


def quota_page(page: Any, request: HttpRequest) -> HttpResponse:
    """Calls of one day by account and interface, the busiest first."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    day = chosen_day(request.GET.get("day", ""))
    lines = quota.count_calls_by_day(day)
    busiest = max((line.call_count for line in lines), default=0)
    shown = [
        {
            "line": line,
            "share": max(1, round(line.call_count * 100 / busiest)),
            "used_percent": None if line.used_bp is None else line.used_bp / 100,
            "is_tight": line.used_bp is not None and line.used_bp >= 8_000,
        }
        for line in lines
    ]
    is_today = day == clock.today()
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": _("今日接口用量") if is_today else _("接口用量"),
        "day": day,
        "before_iso": (day - dt.timedelta(days=1)).isoformat(),
        "after_iso": "" if is_today else (day + dt.timedelta(days=1)).isoformat(),
        "today": clock.today(),
        "shown": shown,
        "lanes": lane_lines(request, at=clock.now()),
        "call_count": sum(line.call_count for line in lines),
        "refused_count": sum(line.refused_count for line in lines),
        "failed_count": sum(line.failed_count for line in lines),
    }
    return TemplateResponse(request, "admin/xiaoer/quota.html", context)
