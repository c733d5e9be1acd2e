"""What somebody may ask of campaigns side by side: filters of the page, kept in its address."""

import datetime as dt
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from campaigns.contracts.proof import LeagueQuery
from campaigns.models import CampaignGoal, CampaignKind
from core import clock
from core.admin import DayInput, DressedForm, plain_address
from coupons.selectors import visible_store_ids

_DAYS: Final = 90
_LONGEST: Final = 731
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100
_SCOPES: Final = (("", _("全部")), ("chain", _("总部的")), ("region", _("区域的")), ("store", _("门店的")))


class LeagueForm(DressedForm):
    """All optional; days both inclusive, of the launch."""

    since = forms.DateField(label=_("开始日期从"), required=False, widget=DayInput)
    until = forms.DateField(label=_("到"), required=False, widget=DayInput)
    kind = forms.ChoiceField(
        label=_("类型"), choices=[("", _("全部")), *CampaignKind.choices], required=False
    )
    goal = forms.ChoiceField(
        label=_("目标"), choices=[("", _("全部")), *CampaignGoal.choices], required=False
    )
    scope = forms.ChoiceField(label=_("谁的活动"), choices=_SCOPES, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("since", "until"):
            if cleaned.get(name) and not _FIRST_YEAR <= cleaned[name].year <= _LAST_YEAR:
                self.add_error(name, _("日期不对"))
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("结束日期要在开始日期之后"))
        elif since and until and (until - since).days > _LONGEST:
            self.add_error("until", _("一次最多看两年"))
        return cleaned


class Asked:
    """A request's question with the account's scope, and addresses of its neighbours."""

    def __init__(self, request: HttpRequest) -> None:
        self.address = plain_address(request, rows=())
        today = clock.today()
        given = {"since": (today - dt.timedelta(days=_DAYS - 1)).isoformat(), "until": today.isoformat()}
        self.form = LeagueForm(given | self.address)
        self.is_valid = self.form.is_valid()
        cleaned = self.form.cleaned_data
        until = cleaned.get("until") or today
        self.query = LeagueQuery(
            since=cleaned.get("since") or until - dt.timedelta(days=_LONGEST),
            until=until,
            kind=cleaned.get("kind") or "",
            goal=cleaned.get("goal") or "",
            scope=cleaned.get("scope") or "",
            store_ids=visible_store_ids(request.user),  # type: ignore[arg-type]
        )
        self.sort = self.address.get("sort", "")

    def url(self, **changes: Any) -> str:
        """The same question but for these; None takes a filter away."""
        kept = {name: value for name, value in self.address.items() if name != "page"} | changes
        return "?" + urlencode({name: value for name, value in kept.items() if value is not None})
