"""What somebody asks of the boards: filters of the page, kept in its address."""

import datetime as dt
from typing import Any, Final, cast

from django import forms
from django.apps import apps
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import DressedForm, autocomplete_field, narrow, plain_address
from guides import selectors as guide_selectors
from sales import selectors
from sales.admin.words import month_words
from sales.contracts import BoardScope, BoardSubject, MetricName, PeriodName, Span
from sales.models import FrozenSubject, Sale

PERIODS: Final = {
    "day": _("日"),
    "week": _("周"),
    "month": _("月"),
    "quarter": _("季度"),
    "year": _("年"),
    "range": _("自选日期"),
}
_PLACES: Final = ("region", "dealer", "store")
_LONGEST_DAYS: Final = 1_100


class DayInput(forms.DateInput):
    """The browser's own picker."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "xe-day-input"}, format="%Y-%m-%d")


class BoardsForm(DressedForm):
    """All optional; at most one place. `day` lies in the period, `until` ends a free range, both inclusive."""

    subject = forms.ChoiceField(label=_("排什么"), choices=FrozenSubject.choices, required=False)
    metric = forms.ChoiceField(label=_("按什么排"), choices=selectors.offered_choices, required=False)
    period = forms.ChoiceField(label=_("周期"), choices=list(PERIODS.items()), required=False)
    day = forms.DateField(label=_("日期（周期内任意一天）"), required=False, widget=DayInput)
    until = forms.DateField(label=_("到（自选日期用）"), required=False, widget=DayInput)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        store = apps.get_model("guides", "Store")
        for name, label in (("region", _("区域")), ("dealer", _("经销商"))):
            model = apps.get_model("guides", name.capitalize())
            self.fields[name] = autocomplete_field(
                store, name, model._default_manager.all(), label=label, required=False
            )
        stores = narrow(store, request.user, store._default_manager.all())
        self.fields["store"] = autocomplete_field(Sale, "store", stores, label=_("门店"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        day, until = cleaned.get("day"), cleaned.get("until")
        if cleaned.get("period") == "range":
            if not day or not until:
                self.add_error("until", _("自选日期要填写从哪天到哪天"))
            elif until < day:
                self.add_error("until", _("结束日期要在开始日期之后"))
            elif (until - day).days > _LONGEST_DAYS:
                self.add_error("until", _("最多看三年"))
        if sum(bool(cleaned.get(name)) for name in _PLACES) > 1:
            self.add_error("store", _("区域、经销商、门店只选一个"))
        return cleaned


class Asked:
    """A request's question, narrowed to the stores the account sees, and the addresses of its neighbours."""

    def __init__(self, request: HttpRequest) -> None:
        self.address = plain_address(request, rows=_PLACES)
        usual = {
            "subject": "guide", "metric": "sales_fen", "period": "month", "day": clock.today().isoformat(),
        }  # fmt: skip
        self.form = BoardsForm(request, usual | self.address)
        self.is_valid = self.form.is_valid()
        cleaned = self.form.cleaned_data
        self.subject = cast("BoardSubject", cleaned.get("subject") or "guide")
        self.metric = cast("MetricName", cleaned.get("metric") or "sales_fen")
        self.period = cast("PeriodName", cleaned.get("period") or "month")
        day = cleaned.get("day") or clock.today()
        until = cleaned.get("until") or day
        if self.period == "range":
            self.span = Span(day, until + dt.timedelta(days=1))
        else:
            self.span = selectors.span_of(self.period, day)
        self.scope = self._scope(request) if self.is_valid else BoardScope(())

    def _scope(self, request: HttpRequest) -> BoardScope:
        """The place asked for; for an account of a part of the chain no more than its stores."""
        cleaned = self.form.cleaned_data
        region, dealer, store = (cleaned.get(name) for name in _PLACES)
        scope = BoardScope(
            store_ids=None if store is None else (store.pk,),
            region_id=None if region is None else region.pk,
            dealer_id=None if dealer is None else dealer.pk,
        )
        if request.user.is_superuser:
            return scope
        model = apps.get_model("guides", "Store")
        rows = narrow(model, request.user, model._default_manager.all())
        mine: set[int] = set(rows.values_list("pk", flat=True))
        if scope.store_ids is not None:
            return scope if mine.issuperset(scope.store_ids) else BoardScope(())
        if scope.region_id is not None or scope.dealer_id is not None:
            held = guide_selectors.list_store_ids(region_id=scope.region_id, dealer_id=scope.dealer_id)
            if held <= mine:
                return scope
            mine &= held
        return BoardScope(tuple(sorted(mine)))

    def url(self, **changes: Any) -> str:
        """The same question but for these; None takes a filter away."""
        kept = {name: value for name, value in self.address.items() if name != "page"} | changes
        return "?" + urlencode({name: value for name, value in kept.items() if value is not None})

    @property
    def before_day(self) -> dt.date:
        """A day of the period before."""
        return selectors.span_before(self.span).starts_on

    @property
    def span_words(self) -> str:
        return span_words(self.span)


def span_words(span: Span) -> str:
    """ "2026 年 11 月", "2026 年第 4 季度", "2026-11-02 至 2026-11-08"."""
    first, last = span.starts_on, span.ends_on - dt.timedelta(days=1)
    words = {
        "day": f"{first}",
        "month": month_words(first),
        "quarter": _now("%(year)d 年第 %(number)d 季度")
        % {"year": first.year, "number": (first.month + 2) // 3},
        "year": _now("%(year)d 年") % {"year": first.year},
    }
    return words.get(span.name, _now("%(first)s 至 %(last)s") % {"first": first, "last": last})
