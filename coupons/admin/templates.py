"""Coupon templates: a form in groups, a card's words, new versions."""

import dataclasses
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
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
from coupons.admin.fields import (
    DiscountField,
    NumbersField,
    RowsField,
    TermsForm,
    TicksField,
    WordsField,
    YuanField,
)
from coupons.contracts import TemplateTerms
from coupons.models import CouponTemplate, TemplateState
from coupons.selectors.templates import terms_of, validity_words, value_words

name_actions(
    {
        "coupons.template_created": _("新增券模板"),
        "coupons.template_changed": _("修改券模板"),
        "coupons.template_revised": _("另存为新版本"),
        "coupons.template_retired": _("停用券模板"),
    }
)
name_details({"from_id": _("来自模板")})

_WEEKDAYS = tuple(
    (number, title)
    for number, title in enumerate(
        (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    )
)
_CODES_HELP = _("填编号，用逗号隔开；留空表示不限")


class TemplateForm(TermsForm):
    """Money in yuan, discounts in 折."""

    usage_words = forms.CharField(
        label=_("使用说明"), required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=500
    )
    off_fen = YuanField(label=_("减多少（元）"), help_text=_("满减券填写"))
    per_fen = YuanField(label=_("每满多少减一次（元）"), help_text=_("留空表示只减一次"))
    rate_bp = DiscountField(label=_("打几折"), help_text=_("折扣券填写，例如 8.5"))
    cap_fen = YuanField(label=_("最多优惠（元）"), help_text=_("留空表示不封顶；兑换券是每件的上限"))
    price_fen = YuanField(label=_("一口价（元）"), help_text=_("一口价券填写，每件的价格"))
    units = forms.IntegerField(label=_("件数"), required=False, help_text=_("兑换券、一口价券填写"))
    gift_value_fen = YuanField(label=_("赠品价值（元）"), help_text=_("赠品券填写"))
    min_spend_fen = YuanField(label=_("满多少元可用"), help_text=_("留空表示没有门槛"))
    store_ids = RowsField(
        "guides.Store", label=_("适用门店"), help_text=_("门店、区域、经销商都不选表示全部门店")
    )
    region_ids = RowsField("guides.Region", label=_("适用区域"), help_text=_("包括下级区域"))
    dealer_ids = RowsField("guides.Dealer", label=_("适用经销商"))
    tier_ids = NumbersField(label=_("适用会员等级"), help_text=_("填等级编号，用逗号隔开；留空表示不限"))
    channels = WordsField(label=_("适用渠道"), help_text=_("例如 store，mini_program；留空表示不限"))
    include_products = WordsField(label=_("适用商品"), help_text=_CODES_HELP)
    include_categories = WordsField(label=_("适用类目"), help_text=_CODES_HELP)
    exclude_products = WordsField(label=_("排除商品"), help_text=_("填编号，用逗号隔开"))
    exclude_categories = WordsField(label=_("排除类目"), help_text=_("填编号，用逗号隔开"))
    weekdays = TicksField(label=_("可用日子"), choices=_WEEKDAYS, coerce=int, help_text=_("都不选表示每天"))
    hours = WordsField(label=_("可用时段"), help_text=_("例如 10:00-14:00，18:00-22:00；留空表示全天"))

    class Meta:
        model = CouponTemplate
        fields = "__all__"


@admin.register(CouponTemplate)
class CouponTemplateAdmin(ServiceForms, BaseAdmin):
    """Templates, the newest first. Once a batch was opened the terms stay; a new version takes changes."""

    form = TemplateForm
    list_display = ("title", "version", "kind_words", "card_words", "span_words", "state_label")
    list_filter = ("kind", "state")
    search_fields = ("title",)
    search_help_text = _("按券名称查找")
    ordering = ("-pk",)
    actions_detail = ("revise", "retire")
    fieldsets = (
        (_("券面"), {"fields": (("title", "colour"), "usage_words")}),
        (
            _("优惠"),
            {
                "fields": (
                    "kind",
                    ("off_fen", "per_fen"),
                    ("rate_bp", "cap_fen"),
                    ("price_fen", "units"),
                    ("gift_name", "gift_value_fen"),
                )
            },
        ),
        (_("使用门槛"), {"fields": (("min_spend_fen", "min_quantity"),)}),
        (_("有效期"), {"fields": ("validity", "valid_from", "valid_until", "valid_days")}),
        (_("可用时间"), {"fields": ("weekdays", "hours")}),
        (
            _("适用门店与渠道"),
            {"fields": ("store_ids", "region_ids", "dealer_ids", ("channels", "tier_ids"))},
        ),
        (
            _("适用商品"),
            {
                "fields": (
                    ("include_products", "include_categories"),
                    ("exclude_products", "exclude_categories"),
                )
            },
        ),
        (
            _("叠加与转赠"),
            {"fields": (("stacking_group", "max_per_order"), "is_exclusive", "gifting")},
        ),
    )

    @column(_("类型"), ordering="kind")
    def kind_words(self, row: CouponTemplate) -> str:
        return str(row.get_kind_display())

    @column(_("优惠"))
    def card_words(self, row: CouponTemplate) -> str:
        return value_words(terms_of(row))

    @column(_("有效期"))
    def span_words(self, row: CouponTemplate) -> str:
        return validity_words(terms_of(row))

    @column(_("状态"), labels={"active": "success", "frozen": "info", "retired": "warning"})
    def state_label(self, row: CouponTemplate) -> tuple[str, str]:
        if row.state == TemplateState.RETIRED:
            return "retired", _now("已停用")
        return ("frozen", _now("发放中，条款不可改")) if row.frozen_at else ("active", _now("可修改"))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version starts from the terms it takes over."""
        older = self._older(request)
        return {} if older is None else dataclasses.asdict(terms_of(older))

    def _older(self, request: HttpRequest) -> CouponTemplate | None:
        number = request.GET.get("revise", "")
        return CouponTemplate.objects.filter(pk=int(number)).first() if number.isdecimal() else None

    def run_service(self, request: HttpRequest, row: CouponTemplate, form: Any, change: bool) -> int:
        cleaned, actor = dict(form.cleaned_data), staff_actor(request)
        cleaned["min_spend_fen"] = cleaned["min_spend_fen"] or 0
        names = {field.name for field in dataclasses.fields(TemplateTerms)}
        terms = TemplateTerms(**{name: cleaned[name] for name in names})
        if change:
            return services.change_template(template_id=row.pk, terms=terms, actor=actor).id
        older = self._older(request)
        if older is not None:
            return services.revise_template(template_id=older.pk, terms=terms, actor=actor).id
        return services.create_template(terms=terms, actor=actor).id

    @operation(_("另存为新版本"), icon="content_copy", path="revise")
    def revise(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        return HttpResponseRedirect(f"{reverse('admin:coupons_coupontemplate_add')}?revise={row.pk}")

    @operation(_("停用"), icon="block", variant="danger", path="retire")
    def retire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.retire_template(template_id=row.pk, actor=staff_actor(request))
            return _now("已停用")

        question = Question(
            title=_now("停用 %(name)s") % {"name": row.title},
            submit=_("停用"),
            back_url=reverse("admin:coupons_coupontemplate_changelist"),
            lines=[_now("它的所有批次都不再发放，不能恢复"), _now("已经发出的券仍然可以使用")],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=row)
