"""购后设置: what members hear after a purchase, whom the chain asks for a rating, and what a low one becomes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import BaseAdmin, OnlyRow, Panel, name_actions, register_panel, thousands
from core.admin.forms import dress
from core.errors import NotFound
from coupons.admin.terms_form import RowsField
from coupons.selectors import visible_store_ids
from guides import selectors as guide_selectors
from sales.models import PurchaseCare
from sales.selectors.earning import count_would_earn

name_actions(
    {
        "sales.purchasecare.add": _("设置购后通知与评价"),
        "sales.purchasecare.change": _("修改购后通知与评价"),
        "sales.review_answered": _("评价购物"),
        "sales.review_exported": _("导出购物评价"),
    }
)


def _kinds() -> list[tuple[str, str]]:
    """Kinds of requests that words alone open."""
    kinds = [kind for kind in guide_selectors.list_request_kinds() if not kind.wants_time]
    return [("", str(_("不转服务请求"))), *((kind.code, kind.name) for kind in kinds)]


class CareForm(forms.ModelForm[PurchaseCare]):
    """The chain's one row."""

    low_score_kind = forms.ChoiceField(
        label=_("转成哪种服务请求"),
        choices=_kinds,
        required=False,
        help_text=_("低分的评价会转给会员的专属导购，没有导购的转给成交门店；需要约时间的类型不能选"),
    )
    review_store_ids = RowsField("guides.Store", label=_("邀请评价的门店"), help_text=_("都不选表示全部门店"))
    review_region_ids = RowsField("guides.Region", label=_("邀请评价的区域"), help_text=_("包括下级区域"))

    class Meta:
        model = PurchaseCare
        fields = (
            "news_hours",
            "is_notice_on",
            "is_return_notice_on",
            "is_review_on",
            "review_after_hours",
            "review_open_days",
            "low_score",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields["low_score_kind"])
        for name in ("low_score_kind", "review_store_ids", "review_region_ids"):
            self.initial.setdefault(name, getattr(self.instance, name))


@admin.register(PurchaseCare)
class PurchaseCareAdmin(OnlyRow, BaseAdmin):
    """One row for the chain."""

    form = CareForm
    fieldsets = (
        (_("通知"), {"fields": (("is_notice_on", "is_return_notice_on"), "news_hours")}),
        (
            _("评价"),
            {
                "fields": (
                    "is_review_on",
                    ("review_after_hours", "review_open_days"),
                    "review_store_ids",
                    "review_region_ids",
                )
            },
        ),
        (_("低分"), {"fields": (("low_score", "low_score_kind"),)}),
    )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("would-earn/<int:rule_id>/", "sales_would_earn", self.would_earn_view),)

    def would_earn_view(self, request: HttpRequest, rule_id: int, model_admin: Any = None) -> HttpResponse:
        """The part of a coupon rule's page that asks for itself: how many purchases would have earned it."""
        if not request.user.has_perm("coupons.view_standingrule"):
            raise PermissionDenied
        try:
            found = count_would_earn(rule_id, store_ids=visible_store_ids(request.user))  # type: ignore[arg-type]
        except NotFound:
            raise Http404 from None
        words = _now(
            "最近 30 天有 %(orders)s 笔会员订单符合（%(members)s 位会员），按现在退货后的金额算；会员等级按今天的算"
        ) % {"orders": thousands(found.order_count), "members": thousands(found.member_count)}
        return HttpResponse(escape(words))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = 1
        for name in ("low_score_kind", "review_store_ids", "review_region_ids"):
            value = form.cleaned_data[name]
            setattr(obj, name, list(value) if isinstance(value, tuple) else value)
        super().save_model(request, obj, form, change)


def _would_earn_panel(request: HttpRequest, rule: Any) -> Panel | None:
    if rule.occasion != "purchase":
        return None
    url = reverse("admin:sales_would_earn", args=[rule.pk])
    return Panel(_("如果早 30 天开启"), "admin/xiaoer/panel_later.html", {"url": url})


register_panel("coupons.StandingRule", _would_earn_panel, order=30)
