"""重新归属: who has which part, what that moves from whom to whom, then the decision with its reason."""

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.apps import apps
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, DressedForm, autocomplete_field, money, narrow, operation, staff_actor
from core.admin.forms import dress
from core.admin.questions import add_refusal
from core.codes import new_public_id
from core.errors import Refusal
from guides import selectors as guide_selectors
from sales import selectors, services
from sales.admin.desk_text import metric_words, name_holders, signed_words
from sales.contracts import AttributionCard, EffectLine, Share
from sales.models import Sale, ShareRole

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

MOST_PARTS: Final = 4


class PartsForm(DressedForm):
    """Up to four parts in percent, the reason, and what was looked at."""

    reason = forms.CharField(label=_("原因"), max_length=120, required=False)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, request: HttpRequest, sale: Sale, card: AttributionCard | None, data: Any) -> None:
        self.sale = sale
        shares = card.shares if card is not None else ()
        first: dict[str, Any] = {"seen": card.id if card else None, "request_key": new_public_id()}
        for place, share in enumerate(shares):
            first |= {
                f"role_{place}": share.role, f"guide_{place}": share.guide_id,
                f"store_{place}": share.store_id, f"percent_{place}": f"{share.share_bp / 100:g}",
            }  # fmt: skip
        super().__init__(data, initial=first)
        guides = _choices(request, "guides.Guide", {share.guide_id for share in shares if share.guide_id})
        stores = _choices(request, "guides.Store", {share.store_id for share in shares} | {sale.store_id})
        roles = [("", "—"), *ShareRole.choices]
        for place in range(MOST_PARTS):
            self.fields[f"role_{place}"] = forms.ChoiceField(choices=roles, required=False)
            self.fields[f"guide_{place}"] = autocomplete_field(Sale, "serving_guide", guides, required=False)
            self.fields[f"store_{place}"] = autocomplete_field(Sale, "store", stores, required=False)
            self.fields[f"percent_{place}"] = forms.DecimalField(
                max_digits=5, decimal_places=2, min_value=0, max_value=100, required=False
            )
        for field in self.fields.values():
            dress(field)

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The rows of the page."""
        return [
            {name: self[f"{name}_{place}"] for name in ("role", "guide", "store", "percent")}
            for place in range(MOST_PARTS)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        shares = []
        for place in range(MOST_PARTS):
            role, guide, store, percent = (
                cleaned.get(f"{name}_{place}") for name in ("role", "guide", "store", "percent")
            )
            if not role and not percent and guide is None:
                continue
            if not role or not percent:
                self.add_error(f"percent_{place}", _("请把身份和比例都填上"))
                continue
            if role != ShareRole.STORE and guide is None:
                self.add_error(f"guide_{place}", _("请选择导购"))
                continue
            shares.append(self._share(role, guide, store, int(percent * 100)))
        total = sum(share.share_bp for share in shares)
        if not self.errors and total != 10_000:
            self.add_error(None, _now("比例合计是 %(n)s%%，要正好 100%%") % {"n": f"{total / 100:g}"})
        return cleaned | {"shares": tuple(shares)}

    def _share(self, role: str, guide: Any, store: Any, share_bp: int) -> Share:
        """Without a store: where the sale was made, or where that guide works."""
        is_own = role in (ShareRole.STORE, ShareRole.SERVING)
        guide_id = None if role == ShareRole.STORE else guide.pk
        store_id = store.pk if store is not None else self.sale.store_id if is_own else guide.store_id
        return Share(role, guide_id, store_id, share_bp)  # type: ignore[arg-type]


class Reattribution(_Base):
    """Mix into the admin of sales."""

    def has_reattribute_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own: it moves what people are paid for."""
        return bool(request.user.has_perm("sales.reattribute_sale"))

    @operation(_("重新归属"), icon="swap_horiz", needs=("reattribute",), path="reattribute")
    def reattribute(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """First what it would move, then the decision."""
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        card = selectors.get_attribution(row.pk)
        form = PartsForm(request, row, card, request.POST if request.method == "POST" else None)
        effect: list[dict[str, Any]] | None = None
        if request.method == "POST" and form.is_valid():
            try:
                if "_confirmed" in request.POST:
                    return self._decide(request, row, form)
                effect = _effect_rows(
                    services.preview_reattribution(
                        sale_id=row.pk, shares=form.cleaned_data["shares"], actor=staff_actor(request)
                    )
                )
            except Refusal as refusal:
                add_refusal(form, refusal)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": _now("重新归属 %(number)s") % {"number": row.order_no},
            "form": form,
            "media": form.media,
            "card": selectors.get_attribution(row.pk),
            "left": money(row.amount_fen - row.returned_fen),
            "effect": effect,
            "back_url": reverse("admin:sales_sale_change", args=[row.pk]),
        }
        return TemplateResponse(request, "admin/sales/reattribute.html", context)

    def _decide(self, request: HttpRequest, row: Sale, form: PartsForm) -> HttpResponse:
        services.reattribute_sale(
            sale_id=row.pk,
            shares=form.cleaned_data["shares"],
            reason=form.cleaned_data["reason"],
            request_key=form.cleaned_data["request_key"],
            replaces=form.cleaned_data["seen"],
            actor=staff_actor(request),
        )
        messages.success(request, _now("已重新归属，业绩流水已冲回并重记"))
        return HttpResponseRedirect(reverse("admin:sales_sale_change", args=[row.pk]))


def _choices(request: HttpRequest, label: str, also: set[int]) -> Any:
    """Rows of the asker's part, and those that have a part now."""
    rows = apps.get_model(label)._default_manager.all()
    return narrow(rows.model, request.user, rows) | rows.filter(pk__in=also)


def _effect_rows(effect: tuple[EffectLine, ...]) -> list[dict[str, Any]]:
    """One row for each holder and day, its metrics side by side."""
    names = name_holders((line.guide_id, line.store_id) for line in effect)
    stores = guide_selectors.list_store_names([line.store_id for line in effect])
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in effect:
        key = (line.guide_id, line.store_id, line.booked_on, line.due_on)
        row = rows.setdefault(
            key,
            {
                "holder": names[(line.guide_id, line.store_id)],
                "is_guide": line.guide_id is not None,
                "store": stores.get(line.store_id, ""),
                "day": line.booked_on,
                "due": line.due_on,
                "is_late": line.booked_on != line.due_on,
                "values": [],
            },
        )
        row["values"].append(
            (metric_words(line.metric), signed_words(line.metric, line.value), line.value < 0)
        )
    return list(rows.values())
