"""What somebody may ask of the numbers: filters of the page, kept in its address."""

import datetime as dt
from typing import Any, Final, get_args

from django import forms
from django.apps import apps
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import DayInput, DressedForm, autocomplete_field, narrow, plain_address
from coupons.contracts import StatsBy, StatsQuery
from coupons.models import Coupon, CouponBatch, Door
from coupons.selectors import visible_store_ids

BY_WORDS: Final = {
    "batch": _("批次"),
    "template": _("券模板"),
    "door": _("发放渠道"),
    "region": _("区域"),
    "dealer": _("经销商"),
    "store": _("门店"),
    "guide": _("导购"),
    "day": _("日期"),
}
assert set(BY_WORDS) == set(get_args(StatsBy))
SIDE_WORDS: Final = {"issued": _("按发券方"), "redeemed": _("按核销方")}
_DAYS: Final = 30
_ROWS: Final = ("template", "batch", "store", "guide", "region", "dealer")


class StatsForm(DressedForm):
    """All optional; days both inclusive. Choices are those the account may see."""

    since = forms.DateField(label=_("从"), required=False, widget=DayInput)
    until = forms.DateField(label=_("到"), required=False, widget=DayInput)
    side = forms.ChoiceField(label=_("口径"), choices=list(SIDE_WORDS.items()), required=False)
    by = forms.ChoiceField(label=_("汇总方式"), choices=list(BY_WORDS.items()), required=False)
    door = forms.ChoiceField(label=_("发放渠道"), choices=[("", _("全部")), *Door.choices], required=False)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

        def rows(label: str) -> Any:
            model = apps.get_model(label)
            return narrow(model, request.user, model._default_manager.all())

        self.fields["template"] = autocomplete_field(
            CouponBatch, "template", apps.get_model("coupons", "CouponTemplate")._default_manager.all(),
            label=_("券模板"), required=False, unchosen=_("全部"),
        )  # fmt: skip
        self.fields["batch"] = autocomplete_field(
            Coupon, "batch", CouponBatch.objects.all(), label=_("券批次"), required=False, unchosen=_("全部")
        )
        self.fields["store"] = autocomplete_field(
            Coupon, "issued_store", rows("guides.Store"), label=_("门店"), required=False, unchosen=_("全部")
        )
        self.fields["guide"] = autocomplete_field(
            Coupon,
            "issued_by_guide",
            rows("guides.Guide"),
            label=_("导购"),
            required=False,
            unchosen=_("全部"),
        )
        store = apps.get_model("guides", "Store")
        self.fields["region"] = autocomplete_field(
            store,
            "region",
            apps.get_model("guides", "Region")._default_manager.all(),
            label=_("区域"),
            required=False,
            unchosen=_("全部"),
        )
        self.fields["dealer"] = autocomplete_field(
            store,
            "dealer",
            apps.get_model("guides", "Dealer")._default_manager.all(),
            label=_("经销商"),
            required=False,
            unchosen=_("全部"),
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("结束日期要在开始日期之后"))
        return cleaned


class Asked:
    """A request's question: the query with the account's scope, the dimension, and addresses of its neighbours."""

    def __init__(self, request: HttpRequest) -> None:
        self.address = plain_address(request, rows=_ROWS)
        today = clock.today()
        given = {
            "since": (today - dt.timedelta(days=_DAYS - 1)).isoformat(), "until": today.isoformat(), "side": "issued",
            "by": "batch",
        }  # fmt: skip
        if "ever" in self.address:
            given |= {"since": "", "until": ""}
        self.form = StatsForm(request, given | self.address)
        self.is_valid = self.form.is_valid()
        cleaned = self.form.cleaned_data

        def pk(name: str) -> int | None:
            return getattr(cleaned.get(name), "pk", None)

        self.by: StatsBy = cleaned.get("by") or "batch"
        self.query = StatsQuery(
            since=cleaned.get("since"),
            until=cleaned.get("until"),
            template_id=pk("template"),
            batch_id=pk("batch"),
            door=cleaned.get("door") or "",
            side=cleaned.get("side") or "issued",
            region_id=pk("region"),
            dealer_id=pk("dealer"),
            store_id=pk("store"),
            guide_id=pk("guide"),
            store_ids=visible_store_ids(request.user),  # type: ignore[arg-type]
        )

    def url(self, **changes: Any) -> str:
        """The same question but for these; None takes a filter away."""
        kept = {name: value for name, value in self.address.items() if name != "page"} | changes
        return "?" + urlencode({name: value for name, value in kept.items() if value is not None})

    @property
    def span_words(self) -> str:
        """ "2026-11-01至2026-11-27", for titles and file names."""
        since, until = self.query.since, self.query.until
        if since is None and until is None:
            return str(_("全部日期"))
        return f"{since or '…'}至{until or '…'}"
