"""What somebody asks of the nine numbers: whose, of which period; kept in the address, narrowed to the account's part."""

import datetime as dt
from typing import Any, Final, cast

from django import forms
from django.apps import apps
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import DressedForm, autocomplete_field, narrow, plain_address
from guides import selectors as guide_selectors
from sales import selectors
from sales.admin.boards_form import DayInput, span_words
from sales.contracts import PeriodName
from sales.contracts.nine import STOODS, NineScopeName, StoodName
from sales.models import NinePeriod, Sale, Stood

PLACES: Final[tuple[NineScopeName, ...]] = ("region", "dealer", "store", "guide")
_ROWS: Final = {"region": ("Store", "region"), "dealer": ("Store", "dealer")}
# By what a segment's rule names a place.
_KEYS: Final = {"region": "pk", "dealer": "code", "store": "code", "guide": "number"}


class NineForm(DressedForm):
    """All optional; at most one place. `day` lies in the period."""

    period = forms.ChoiceField(label=_("周期"), choices=NinePeriod.choices, required=False)
    day = forms.DateField(label=_("日期（周期内任意一天）"), required=False, widget=DayInput)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("region", _("区域")), ("dealer", _("经销商"))):
            model, field = apps.get_model("guides", _ROWS[name][0]), _ROWS[name][1]
            rows = apps.get_model("guides", name.capitalize())._default_manager.all()
            self.fields[name] = autocomplete_field(model, field, rows, label=label, required=False)
        for name, label, field in (("store", _("门店"), "store"), ("guide", _("导购"), "serving_guide")):
            self.fields[name] = autocomplete_field(
                Sale, field, _mine(request, name.capitalize()), label=label, required=False
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if sum(bool(cleaned.get(name)) for name in PLACES) > 1:
            self.add_error("guide", _("区域、经销商、门店、导购只选一个"))
        day = cleaned.get("day")
        if day and not dt.date(2000, 1, 1) <= day <= clock.today() + dt.timedelta(days=366):
            self.add_error("day", _("日期不对"))
        return cleaned


class Asked:
    """A request's question. `fault` says why there is no answer: a part that the account does not see, or none at all."""

    def __init__(self, request: HttpRequest) -> None:
        self.address = plain_address(request, rows=PLACES)
        usual = {"period": "month", "day": clock.today().isoformat()}
        self.form = NineForm(request, usual | self.address)
        self.is_valid = self.form.is_valid()
        cleaned = self.form.cleaned_data
        self.period = cast("PeriodName", cleaned.get("period") or "month")
        self.span = selectors.span_of(self.period, cleaned.get("day") or clock.today())
        stood = self.address.get("stood", "")
        self.stood: StoodName | None = next((one for one in STOODS if one == stood), None)
        self.has_bought = self.address.get("bought") == "1"
        self.scope: NineScopeName = "chain"
        self.ref, self.fault, self.where = 0, "", _now("全公司")
        self._key: Any = None
        if self.is_valid:
            self._place(request, cleaned)

    def _place(self, request: HttpRequest, cleaned: dict[str, Any]) -> None:
        chosen = next((name for name in PLACES if cleaned.get(name)), None)
        if chosen is not None:
            self._take(chosen, cleaned[chosen])
        elif not request.user.is_superuser:
            self._own_place(request)
        if self.scope in ("region", "dealer") and not request.user.is_superuser:
            held = guide_selectors.list_store_ids(**{f"{self.scope}_id": self.ref})
            mine = set(_mine(request, "Store").values_list("pk", flat=True))
            if not held <= mine:
                self.fault = _now("“%(place)s”里有不归您查看的门店，请选自己的区域、门店或导购") % {
                    "place": self.where
                }

    def _own_place(self, request: HttpRequest) -> None:
        """The first part of an account that does not see the chain."""
        rows = apps.get_model("guides", "StaffScope")._default_manager.filter(staff_id=request.user.pk)
        own = rows.select_related("region", "dealer", "store").order_by("pk").first()
        if own is None:
            self.fault = _now("您的账号还没有可以查看的范围，请联系管理员")
            return
        for name in PLACES[:3]:
            if (row := getattr(own, name)) is not None:
                self._take(name, row)

    def _take(self, scope: NineScopeName, row: Any) -> None:
        self.scope, self.ref, self.where = scope, row.pk, str(row)
        self._key = getattr(row, _KEYS[scope])

    def rule(self, stood: StoodName | None, *, has_bought: bool) -> dict[str, Any]:
        """The members behind a cell as the rule of a segment."""
        last = self.span.ends_on - dt.timedelta(days=1)
        values: dict[str, Any] = {
            "when": {"from": self.span.starts_on.isoformat(), "until": last.isoformat()}
        }
        values |= {"stood": [stood]} if stood else {}
        values |= {"did": "bought"} if has_bought else {}
        values |= {} if self.scope == "chain" else {f"{self.scope}s": [self._key]}
        return {"all": [{"is": "sales.came", "with": values}]}

    def rule_name(self, stood: StoodName | None, *, has_bought: bool) -> str:
        """What a segment of them might be called."""
        return " ".join(self._words(stood, has_bought=has_bought))

    def url(self, **changes: Any) -> str:
        """The same question but for these; None takes a filter away."""
        kept = {name: value for name, value in self.address.items() if name != "page"} | changes
        return "?" + urlencode({name: value for name, value in kept.items() if value is not None})

    def words(self) -> list[str]:
        """Each part of the question in a few words."""
        return self._words(self.stood, has_bought=self.has_bought)

    def _words(self, stood: StoodName | None, *, has_bought: bool) -> list[str]:
        told = [self.where, span_words(self.span)]
        told += [str(Stood(stood).label)] if stood else []
        return [*told, _now("买了") if has_bought else _now("来过")]

    def members_among(self, request: HttpRequest) -> QuerySet[Any, Any] | None:
        """Ids of the members whom the account may see; None for head office."""
        if request.user.is_superuser:
            return None
        model = apps.get_model("members", "Member")
        return narrow(model, request.user, model._default_manager.all()).values("pk")


def _mine(request: HttpRequest, name: str) -> QuerySet[Any]:
    model = apps.get_model("guides", name)
    return narrow(model, request.user, model._default_manager.all())
