"""Coupon templates: the builder with its live card, the page of terms that are frozen, versions and what they changed."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    OwnPage,
    Question,
    ask,
    column,
    name_actions,
    name_details,
    operation,
    staff_actor,
    thousands,
)
from core.codes import new_public_id
from core.errors import Refusal
from coupons import selectors, services
from coupons.admin.fields import YuanField
from coupons.admin.template_form import FRESH, TemplateForm, start_values
from coupons.contracts import TemplateCard, TemplateTerms
from coupons.errors import TemplateFrozen
from coupons.models import BatchState, CouponBatch, CouponKind, CouponTemplate, TemplateState
from coupons.selectors.goods import GOODS
from coupons.selectors.templates import template_card_of, terms_of
from coupons.selectors.words import money_words
from guides import selectors as guide_selectors
from members.selectors.conditions import find_keys

name_actions(
    {
        "coupons.template_created": _("新增券模板"),
        "coupons.template_changed": _("修改券模板"),
        "coupons.template_revised": _("另存为新版本"),
        "coupons.template_retired": _("停用券模板"),
    }
)
name_details({"from_id": _("来自模板")})
# Codes that were pasted.
_MOST_TYPED: Final = 4_000
_OPEN = (BatchState.OPEN, BatchState.PAUSED)


class KindFilter(ChoiceFilter):
    title = _("类型")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in CouponKind)


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "stands"
    options = (("free", _("可修改")), ("frozen", _("已发放，条款固定")), ("retired", _("已停用")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        active = queryset.filter(state=TemplateState.ACTIVE)
        found = {
            "free": active.filter(frozen_at__isnull=True),
            "frozen": active.filter(frozen_at__isnull=False),
            "retired": queryset.filter(state=TemplateState.RETIRED),
        }
        return found.get(str(self.value()), queryset)


class UseFilter(ChoiceFilter):
    title = _("使用情况")
    parameter_name = "use"
    options = (("now", _("有批次在发")), ("none", _("没有批次在发")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        in_use = Exists(CouponBatch.objects.filter(template=OuterRef("pk"), state__in=_OPEN))
        if self.value() == "now":
            return queryset.filter(in_use)
        return queryset.filter(~in_use) if self.value() == "none" else queryset


@admin.register(CouponTemplate)
class CouponTemplateAdmin(OwnPage, BaseAdmin):
    """Templates, the newest first. Once a batch was opened the terms stay; a new version takes changes."""

    list_display = ("card", "title", "version_words", "value", "state_label", "in_use")
    list_display_links = ("card", "title")
    list_filter = (KindFilter, StateFilter, UseFilter)
    search_fields = ("title", "gift_name")
    search_help_text = _("按券名称或赠品查找")
    ordering = ("-pk",)
    list_per_page = 20
    actions_detail = ("retire",)

    class Media:
        css = {"all": ["admin_xiaoer/coupons.css"]}

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        batches = CouponBatch.objects.filter(template__in=[row.pk for row in rows], state__in=_OPEN)
        open_ones: dict[int, int] = {}
        for template_id in batches.values_list("template_id", flat=True):
            open_ones[template_id] = open_ones.get(template_id, 0) + 1
        for row in rows:
            row.open_count = open_ones.get(row.pk, 0)

    @column(_("卡片"))
    def card(self, row: CouponTemplate) -> SafeString:
        context = {"face": selectors.face_of(terms_of(row), is_brief=True), "is_small": True}
        return render_to_string("admin/xiaoer/coupons/_card.html", context)

    @column(_("版本"), ordering="version")
    def version_words(self, row: CouponTemplate) -> str:
        return _now("第 %(n)s 版") % {"n": row.version}

    @column(_("优惠"))
    def value(self, row: CouponTemplate) -> str:
        return template_card_of(row).value_words

    @column(_("状态"), labels={"active": "success", "frozen": "info", "retired": "warning"})
    def state_label(self, row: CouponTemplate) -> tuple[str, str]:
        return _state(template_card_of(row))

    @column(_("在发的批次"))
    def in_use(self, row: Any) -> str:
        return thousands(row.open_count) if row.open_count else "—"

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("preview/", "coupons_template_preview", self.preview_view),
            ("pick/<slug:what>/", "coupons_pick", self.pick_view),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new template, or with ?revise= a new version of one."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._builder(request, None, self._older(request))

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The builder while the terms may change, else the page that says why not and what may be done."""
        card = template_card_of(row)
        may_change = self.has_change_permission(request, row)
        if may_change and card.is_active and not card.is_frozen:
            return self._builder(request, row, None)
        if request.method == "POST":
            messages.error(request, TemplateFrozen().message)
        context = {
            **self.below_form(request, row),
            **_page_context(card, may_change=may_change),
            "title": card.terms.title,
            "original": row,
        }
        return self._page(request, "template.html", context)

    def preview_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The card of what stands in the form, saved or not."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TemplateForm(request.POST, initial={})
        form.is_valid()
        return TemplateResponse(
            request,
            "admin/xiaoer/coupons/_preview.html",
            _preview(form.terms(), request.POST.get("try_amount")),
        )

    def pick_view(self, request: HttpRequest, what: str, model_admin: Any = None) -> HttpResponse:
        """What a picker offers for the typed text: for choosing where a coupon is good, every place of the chain,
        and all goods that were sold or named."""
        others = ("coupons.add_issuejob", "coupons.change_standingrule")
        if not (self.has_view_permission(request) or any(map(request.user.has_perm, others))):
            raise PermissionDenied
        # The field's own name, where what is typed counts without being chosen.
        query = str(next(iter(request.GET.values()), ""))[:_MOST_TYPED]
        found: Sequence[tuple[Any, str]]
        if what in {"categories", "products"}:
            found = find_keys(GOODS, what, query)
        else:
            search = guide_selectors.search_dealers if what == "dealers" else guide_selectors.search_stores
            found = search(query)
        context = {"found": found, "takes_typed": what in {"categories", "products"}}
        return TemplateResponse(request, "admin/xiaoer/coupons/_picker_found.html", context)

    def _builder(
        self, request: HttpRequest, row: CouponTemplate | None, older: TemplateCard | None
    ) -> HttpResponse:
        start = terms_of(row) if row is not None else older.terms if older is not None else None
        initial = FRESH if start is None else start_values(start)
        posted = request.method == "POST"
        form = TemplateForm(request.POST if posted else None, initial=initial)
        if posted:
            terms = form.usable_terms()
            if terms is not None:
                try:
                    return self._save(request, row, older, terms)
                except Refusal as refusal:
                    form.add_error(None, refusal.message)
        elif start is None:
            start = TemplateTerms(
                title="", **{name: FRESH[name] for name in ("kind", "validity", "valid_days")}
            )
        shown = form.terms() if posted else start
        assert shown is not None
        submit = _("保存") if row is not None else _("保存为新版本") if older is not None else _("建好模板")
        context = {
            **_preview(shown, request.POST.get("try_amount")),
            "title": row.title if row is not None else _("新版本") if older is not None else _("新的券模板"),
            "form": form,
            "fault_count": sum(map(len, form.errors.values())),
            "has_excluded": bool(shown.exclude_categories or shown.exclude_products),
            "older": older,
            "original": row,
            "public_id": request.POST.get("public_id") or new_public_id(),
            "preview_url": reverse("admin:coupons_template_preview"),
            "submit_words": submit,
            "back_url": reverse("admin:coupons_coupontemplate_changelist"),
            "versions": [] if row is None else selectors.list_template_versions(row.series),
        }
        return self._page(request, "builder.html", context)

    def _save(
        self,
        request: HttpRequest,
        row: CouponTemplate | None,
        older: TemplateCard | None,
        terms: TemplateTerms,
    ) -> HttpResponse:
        actor, public_id = staff_actor(request), request.POST.get("public_id", "")
        if row is not None:
            services.change_template(template_id=row.pk, terms=terms, actor=actor)
            words = _now("已保存")
        elif older is not None:
            services.revise_template(template_id=older.id, terms=terms, public_id=public_id, actor=actor)
            words = _now("新版本已保存，新批次请选它")
        else:
            services.create_template(terms=terms, public_id=public_id, actor=actor)
            words = _now("模板已建好，接着可以用它建批次")
        messages.success(request, words)
        return HttpResponseRedirect(reverse("admin:coupons_coupontemplate_changelist"))

    def _older(self, request: HttpRequest) -> TemplateCard | None:
        number = request.GET.get("revise", "")
        row = CouponTemplate.objects.filter(pk=int(number)).first() if _is_id(number) else None
        return None if row is None else template_card_of(row)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/coupons/{template}", whole)

    @operation(_("停用"), icon="block", variant="danger", path="retire")
    def retire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.retire_template(template_id=row.pk, actor=staff_actor(request))
            return _now("已停用")

        open_count = CouponBatch.objects.filter(template=row, state__in=_OPEN).count()
        question = Question(
            title=_now("停用 %(name)s") % {"name": row.title},
            submit=_("停用"),
            back_url=reverse("admin:coupons_coupontemplate_change", args=[row.pk]),
            lines=[
                _now("%(n)s 个正在发的批次都不再发放，不能恢复") % {"n": thousands(open_count)},
                _now("已经发出的券仍然可以使用"),
            ],
            is_dangerous=True,
        )
        return ask(self, request, question, run, subject=row)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16


def _state(card: TemplateCard) -> tuple[str, str]:
    if not card.is_active:
        return "retired", _now("已停用")
    return ("frozen", _now("已发放，条款固定")) if card.is_frozen else ("active", _now("可修改"))


def _preview(terms: TemplateTerms, try_amount: str | None = None) -> dict[str, Any]:
    """What the card and the worked example show."""
    amount = None
    if try_amount:
        field = YuanField(min_value=0, max_value=1_000_000)
        try:
            amount = field.clean(try_amount)
        except forms.ValidationError:
            amount = None
    return {
        "face": selectors.face_of(terms),
        "example_words": selectors.example_words(terms, clock.now()),
        "sentences": services.work_example(terms=terms, amount_fen=amount),
        "try_amount": try_amount or "",
    }


def _page_context(card: TemplateCard, *, may_change: bool) -> dict[str, Any]:
    pk = card.id
    why = {
        "retired": _now("这个模板已停用：不再发放，已经发出的券照常使用。"),
        "frozen": _now(
            "这个模板已经开始发放，会员手里的券按这些条款算，所以不能再改。要改就另存为新版本，已发出的券不受影响。"
        ),
        "active": _now("您的账号只能查看券模板。"),
    }
    return {
        **_preview(card.terms),
        "card": card,
        "state_words": _state(card)[1],
        "why_words": why[_state(card)[0]],
        "lines": selectors.describe_terms(card.terms),
        "may_change": may_change,
        "batches": _batches_of(pk),
        "versions": _versions_of(card),
        "batch_url": f"{reverse('admin:coupons_couponbatch_add')}?template={pk}",
        "revise_url": f"{reverse('admin:coupons_coupontemplate_add')}?revise={pk}",
        "retire_url": reverse("admin:coupons_coupontemplate_retire", args=[pk]),
        "list_url": reverse("admin:coupons_coupontemplate_changelist"),
    }


def _batches_of(template_id: int) -> list[dict[str, str]]:
    rows = list(CouponBatch.objects.filter(template_id=template_id).order_by("-pk")[:50])
    sums = selectors.sum_batches([row.pk for row in rows])
    return [
        {
            "name": row.name,
            "url": reverse("admin:coupons_couponbatch_change", args=[row.pk]),
            "state": str(row.get_state_display()),
            "issued": thousands(sums[row.pk].issued_count),
            "quota": thousands(sums[row.pk].quota),
            "redeemed": thousands(sums[row.pk].redeemed_count),
            "discount": money_words(sums[row.pk].discount_fen),
        }
        for row in rows
    ]


def _versions_of(card: TemplateCard) -> list[dict[str, Any]]:
    """The newest first, each with what it changed against the one before."""
    cards = selectors.list_template_versions(card.series)
    before = [*cards[1:], None]
    return [
        {
            "card": one,
            "is_this": one.id == card.id,
            "url": reverse("admin:coupons_coupontemplate_change", args=[one.id]),
            "state": _state(one)[1],
            "changes": [] if older is None else selectors.compare_terms(older.terms, one.terms),
        }
        for one, older in zip(cards, before, strict=True)
    ]
