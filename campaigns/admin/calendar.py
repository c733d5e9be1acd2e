"""营销日历: a month with its campaigns, festivals and the chain's members' days."""

import calendar
import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _now

from campaigns.admin import campaign_sight as sights
from campaigns.admin.campaign_words import COLOURS, month_of, shifted
from campaigns.contracts.campaigns import Festival
from campaigns.models import Campaign, CampaignState
from campaigns.selectors.campaigns import get_campaign_policy, members_days_of
from campaigns.selectors.campaigns.festivals import festivals_of, moon_day
from campaigns.selectors.campaigns.times import WEEKDAYS, MembersDays, moments, recurrence_of
from core import clock

_MOST_A_DAY: Final = 4


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignSpot:
    """A campaign on a day of the calendar: it begins (or runs again) there, or goes on."""

    campaign: Campaign
    colour: str
    words: str
    is_start: bool


@dataclasses.dataclass(frozen=True, slots=True)
class DaySight:
    day: dt.date
    is_in_month: bool
    is_today: bool
    is_members_day: bool
    moon: str
    festivals: tuple[Festival, ...]
    spots: tuple[CampaignSpot, ...]
    more: int
    starts_at: str  # what a new campaign of that day starts from


def sight_month(first: dt.date, campaigns: Iterable[Campaign], members: MembersDays) -> list[list[DaySight]]:
    """The weeks of a month, Monday first."""
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    spots = _spots(list(campaigns), weeks[0][0], weeks[-1][-1], members)
    today = clock.today()
    return [[_day(day, first, today, members, spots.get(day, [])) for day in week] for week in weeks]


def _day(
    day: dt.date, first: dt.date, today: dt.date, members: MembersDays, spots: list[CampaignSpot]
) -> DaySight:
    ordered = sorted(spots, key=lambda spot: (not spot.is_start, spot.campaign.pk))
    return DaySight(
        day=day,
        is_in_month=day.month == first.month,
        is_today=day == today,
        is_members_day=members.has(day),
        moon=moon_day(day),
        festivals=festivals_of(day),
        spots=tuple(ordered[:_MOST_A_DAY]),
        more=max(0, len(ordered) - _MOST_A_DAY),
        starts_at=f"{day.isoformat()}T10:00" if day >= today else "",
    )


def _spots(
    campaigns: list[Campaign], first: dt.date, last: dt.date, members: MembersDays
) -> dict[dt.date, list[CampaignSpot]]:
    """Once: every day until the end; by a calendar rule: the days on which it runs."""
    found: dict[dt.date, list[CampaignSpot]] = {}
    for campaign in campaigns:
        if campaign.starts_at is None or campaign.ends_at is None:
            continue
        for day, is_start in _days_of(campaign, members):
            if first <= day <= last:
                words = f"{sights.place_words(campaign)} · {campaign.name}"
                spot = CampaignSpot(campaign, COLOURS[campaign.state] or "plain", words, is_start)
                found.setdefault(day, []).append(spot)
    return found


def _days_of(campaign: Campaign, members: MembersDays) -> Iterable[tuple[dt.date, bool]]:
    assert campaign.starts_at is not None
    assert campaign.ends_at is not None
    ends_at = min(campaign.ends_at, campaign.ended_at or campaign.ends_at)
    rule = recurrence_of(campaign.recurrence)
    if rule is not None:
        every = moments(rule, starts_at=campaign.starts_at, ends_at=ends_at, members_days=members)
        return [(clock.business_day(moment), True) for moment in every]
    first = clock.business_day(campaign.starts_at)
    last = clock.business_day(max(campaign.starts_at, ends_at - dt.timedelta(seconds=1)))
    return [(first + dt.timedelta(days=n), n == 0) for n in range((last - first).days + 1)]


def calendar_view(page: Any, request: HttpRequest) -> HttpResponse:
    """The month that the address names, else this one."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    first = month_of(request.GET.get("month", "")) or clock.today().replace(day=1)
    begins, _end = clock.day_bounds(first - dt.timedelta(days=7))
    ends, _end = clock.day_bounds(shifted(first, 1) + dt.timedelta(days=7))
    rows = page.get_queryset(request).select_related("region", "store")
    rows = rows.filter(starts_at__lt=ends, ends_at__gte=begins).exclude(
        Q(state=CampaignState.ENDED, code="dropped")
    )
    policy = get_campaign_policy()
    weeks = sight_month(first, rows.order_by("pk"), members_days_of(policy))
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": _now("营销日历"),
        "month": _now("%(y)s年%(m)s月") % {"y": first.year, "m": first.month},
        "before": f"{shifted(first, -1):%Y-%m}",
        "after": f"{shifted(first, 1):%Y-%m}",
        "weekdays": WEEKDAYS,
        "weeks": weeks,
        "may_add": page.has_add_permission(request),
        "has_members_days": bool(members_days_of(policy)),
        "has_campaigns": any(day.spots for week in weeks for day in week),
        "media": page.media,
    }
    return TemplateResponse(request, "admin/xiaoer/campaigns/calendar.html", context)
