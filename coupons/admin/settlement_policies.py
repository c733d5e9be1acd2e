"""Who bears what: the settlement's policies, as percentages."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    BaseAdmin,
    Question,
    ServiceForms,
    ask,
    column,
    name_actions,
    name_details,
    operation,
    staff_actor,
)
from coupons import services
from coupons.admin.terms_form import TermsForm
from coupons.contracts import PolicyTerms
from coupons.models import SettlementPolicy

name_actions({"coupons.policy_decided": _("设定结算规则"), "coupons.policy_dropped": _("删除结算规则")})
name_details(
    {
        "issuer_bp": _("发券方（万分比）"),
        "redeemer_bp": _("核销方（万分比）"),
        "chain_bp": _("总部（万分比）"),
    }
)


class PercentField(forms.DecimalField):
    """Percent with two decimals on the page, basis points for the service."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"decimal_places": 2, "max_digits": 5, "min_value": 0, "max_value": 100, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return f"{Decimal(value) / 100:f}" if isinstance(value, int) else value

    def clean(self, value: Any) -> int:
        return int((super().clean(value) * 100).quantize(Decimal(1), ROUND_HALF_UP))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class PolicyForm(TermsForm):
    """Three parts that make up the whole."""

    issuer_bp = PercentField(label=_("发券方承担（%）"))
    redeemer_bp = PercentField(label=_("核销方承担（%）"))
    chain_bp = PercentField(label=_("总部承担（%）"))

    class Meta:
        model = SettlementPolicy
        fields = "__all__"


@admin.register(SettlementPolicy)
class SettlementPolicyAdmin(ServiceForms, BaseAdmin):
    """The default first, then templates, then batches: the later in the list, the stronger."""

    form = PolicyForm
    list_display = ("subject_words", "issuer_part", "redeemer_part", "chain_part")
    list_select_related = ("template", "batch")
    ordering = (F("batch").asc(nulls_first=True), F("template").asc(nulls_first=True))
    autocomplete_fields = ("template", "batch")
    actions_detail = ("drop",)
    fieldsets = (
        (
            _("适用对象"),
            {
                "fields": (("template", "batch"),),
                "description": _("都不选就是默认规则；模板的规则管它的所有版本，批次的规则优先"),
            },
        ),
        (_("谁承担优惠"), {"fields": (("issuer_bp", "redeemer_bp", "chain_bp"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("template", "batch")

    def run_service(self, request: HttpRequest, row: SettlementPolicy, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        terms = PolicyTerms(cleaned["issuer_bp"], cleaned["redeemer_bp"], cleaned["chain_bp"])
        if change:
            return services.decide_policy(terms=terms, policy_id=row.pk, actor=staff_actor(request))
        return services.decide_policy(
            terms=terms,
            template_id=getattr(cleaned["template"], "pk", None),
            batch_id=getattr(cleaned["batch"], "pk", None),
            actor=staff_actor(request),
        )

    @column(_("适用对象"))
    def subject_words(self, row: SettlementPolicy) -> str:
        if row.batch is not None:
            return _now("批次：%(name)s") % {"name": row.batch}
        if row.template is not None:
            return _now("模板：%(name)s（所有版本）") % {"name": row.template.title}
        return _now("默认规则")

    @column(_("发券方承担"))
    def issuer_part(self, row: SettlementPolicy) -> str:
        return f"{row.issuer_bp / 100:g}%"

    @column(_("核销方承担"))
    def redeemer_part(self, row: SettlementPolicy) -> str:
        return f"{row.redeemer_bp / 100:g}%"

    @column(_("总部承担"))
    def chain_part(self, row: SettlementPolicy) -> str:
        return f"{row.chain_bp / 100:g}%"

    @operation(_("删除规则"), icon="delete", variant="danger", path="drop")
    def drop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.drop_policy(policy_id=row.pk, actor=staff_actor(request))
            return _now("已删除")

        question = Question(
            title=_now("删除结算规则 · %(name)s") % {"name": self.subject_words(row)},
            submit=_("删除规则"),
            back_url=reverse("admin:coupons_settlementpolicy_changelist"),
            lines=[
                _now("以后的核销改用模板规则或默认规则；没有默认规则时由总部承担"),
                _now("已有的结算明细不变"),
            ],
            is_dangerous=True,
        )
        return ask(self, request, question, run)
