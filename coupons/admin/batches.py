"""Batches: made in two steps, with a page of their own; opened, paused, extended, ended, made void."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    AutocompleteFilter,
    BaseAdmin,
    DressedForm,
    OwnPage,
    ask_about,
    bound_data,
    column,
    name_actions,
    name_details,
    operation,
    percent,
    staff_actor,
    thousands,
)
from core.codes import new_public_id
from core.errors import Refusal
from coupons import selectors, services
from coupons.admin.batch_filters import CodesFilter, DoorFilter, StateFilter
from coupons.admin.batch_form import FRESH, BatchForm, MoreForm, MoreMoneyForm, VoidForm
from coupons.admin.batch_page import batch_page, voiding_of
from coupons.admin.code_imports import CodeImports
from coupons.admin.mini_codes import MiniCodes
from coupons.contracts import BatchTerms
from coupons.models import BatchState, Coupon, CouponBatch, CouponTemplate
from coupons.selectors.batch_words import (
    batch_notes,
    batch_sentence,
    door_words,
    standing_words,
    window_words,
)
from coupons.selectors.batches import batch_terms_of
from coupons.selectors.templates import terms_of
from coupons.selectors.words import money_words

name_actions(
    {
        "coupons.batch_created": _("新增券批次"),
        "coupons.batch_changed": _("修改券批次"),
        "coupons.batch_opened": _("开始发放"),
        "coupons.batch_paused": _("暂停发放"),
        "coupons.batch_ended": _("结束发放"),
        "coupons.batch_void_started": _("开始整批作废"),
        "coupons.batch_voided": _("整批作废"),
        "coupons.chosen_voided": _("作废选中的券"),
        "coupons.quota_extended": _("追加数量"),
        "coupons.budget_extended": _("追加预算"),
        "coupons.codes_imported": _("导入合作方券码"),
    }
)
name_details(
    {
        "quota": _("总数量"),
        "more": _("追加数量"),
        "more_fen": _("追加预算（分）"),
        "added_count": _("新增券码"),
        "coupon_count": _("券数"),
    }
)
_COLOURS = {"draft": "info", "open": "success", "paused": "warning", "ended": "danger"}


@admin.register(CouponBatch)
class CouponBatchAdmin(OwnPage, CodeImports, MiniCodes, BaseAdmin):
    """Batches, the newest first, with what is left of each."""

    list_display = (
        "name",
        "template",
        "state_label",
        "progress",
        "redeemed",
        "money",
        "window",
        "doors_label",
    )
    list_filter = (StateFilter, DoorFilter, CodesFilter, ("template", AutocompleteFilter))
    list_select_related = ("template",)
    search_fields = ("name", "template__title", "partner_name")
    search_help_text = _("按批次名称、券名称或合作方查找")
    ordering = ("-pk",)
    actions_detail = ("open", "pause", "extend", "extend_money", "import_codes", "end", "void")

    class Media:
        css = {"all": ["admin_xiaoer/coupons.css"]}

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        sums = selectors.sum_batches([row.pk for row in rows])
        for row in rows:
            row.sums = sums[row.pk]

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: Any) -> tuple[str, str]:
        return standing_words(row.state, row.opens_at, row.closes_at, row.sums, clock.now(), row.cost_fen)

    @column(_("已发放"))
    def progress(self, row: Any) -> SafeString:
        return _bar(row.sums.issued_count, row.sums.quota)

    @column(_("已核销"))
    def redeemed(self, row: Any) -> str:
        count, issued = row.sums.redeemed_count, row.sums.issued_count
        return thousands(count) if not issued else f"{thousands(count)}（{percent(count, issued)}）"

    @column(_("优惠金额"))
    def money(self, row: Any) -> str:
        spent = money_words(row.sums.discount_fen)
        return spent if row.budget_fen is None else f"{spent} / {money_words(row.budget_fen)}"

    @column(_("发放时间"), ordering="opens_at")
    def window(self, row: CouponBatch) -> str:
        return window_words(row.opens_at, row.closes_at)

    @column(_("从哪里发"))
    def doors_label(self, row: CouponBatch) -> str:
        return door_words(row.doors)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<int:pk>/mini-code.png", "coupons_batch_code", self.mini_code_view),
            ("<int:pk>/voiding/", "coupons_batch_voiding", self.voiding_view),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Step one is the form, step two what it will do in plain words; ?template= and ?copy= fill it in."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._form_page(request, BatchForm(initial=self._start(request)), None)
        form = BatchForm(request.POST)
        terms = form.usable_terms()
        if terms is None or "back" in request.POST:
            return self._form_page(request, form, None)
        template: CouponTemplate = form.cleaned_data["template"]
        save = request.POST.get("save", "")
        if save not in {"draft", "open"}:
            return self._summary_page(request, terms, template, partner=form.cleaned_data["partner_name"])
        try:
            batch = services.create_batch(
                template_id=template.pk,
                terms=terms,
                partner_name=form.cleaned_data["partner_name"],
                public_id=request.POST.get("public_id", ""),
                actor=staff_actor(request),
            )
            if save == "open":
                services.open_batch(batch_id=batch.id, actor=staff_actor(request))
        except Refusal as refusal:
            form.add_error(None, refusal.message)
            return self._form_page(request, form, None)
        messages.success(
            request, _now("批次已建好，正在发放") if save == "open" else _now("批次已建好，还没有开始发放")
        )
        return HttpResponseRedirect(_page_url(batch.id))

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The batch's page; with ?edit its form."""
        may_change = self.has_change_permission(request, row)
        if (
            may_change
            and row.state != BatchState.ENDED
            and (request.method == "POST" or "edit" in request.GET)
        ):
            return self._edit(request, row)
        context = {
            **self.below_form(request, row),
            **batch_page(request, row, may_change=may_change),
            "title": row.name,
            "original": row,
        }
        return self._page(request, "batch.html", context)

    def _edit(self, request: HttpRequest, row: CouponBatch) -> HttpResponse:
        form = BatchForm(request.POST or None, row=row, initial=dataclasses.asdict(batch_terms_of(row)))
        terms = form.usable_terms() if request.method == "POST" else None
        if terms is not None:
            try:
                services.change_batch(batch_id=row.pk, terms=terms, actor=staff_actor(request))
            except Refusal as refusal:
                field = refusal.details.get("field")
                form.add_error(field if field in form.fields else None, refusal.message)
            else:
                messages.success(request, _now("已保存"))
                return HttpResponseRedirect(_page_url(row.pk))
        return self._form_page(request, form, row)

    def _start(self, request: HttpRequest) -> dict[str, Any]:
        """What the new batch takes over: the template it was asked for, or another batch without its dates."""
        number = request.GET.get("copy", "")
        older = CouponBatch.objects.filter(pk=int(number)).first() if _is_id(number) else None
        if older is not None:
            values = dataclasses.asdict(batch_terms_of(older)) | {"opens_at": None, "closes_at": None}
            name = _now("%(name)s（副本）") % {"name": older.name[:36]}
            return values | {"template": older.template_id, "partner_name": older.partner_name, "name": name}
        template = request.GET.get("template", "")
        return FRESH | ({"template": int(template)} if _is_id(template) else {})

    def _form_page(self, request: HttpRequest, form: BatchForm, row: CouponBatch | None) -> HttpResponse:
        back = reverse("admin:coupons_couponbatch_changelist") if row is None else _page_url(row.pk)
        context = {
            "title": _("新的批次") if row is None else row.name,
            "form": form,
            "media": form.media,
            "fault_count": sum(map(len, form.errors.values())),
            "original": row,
            "is_fixed": row is not None and row.state != BatchState.DRAFT,
            "public_id": request.POST.get("public_id") or new_public_id(),
            "back_url": back,
        }
        return self._page(request, "batch_form.html", context)

    def _summary_page(
        self, request: HttpRequest, terms: BatchTerms, template: CouponTemplate, *, partner: str
    ) -> HttpResponse:
        coupon = terms_of(template)
        sent = [
            (name, value)
            for name in request.POST
            if name not in {"csrfmiddlewaretoken", "save", "back"}
            for value in request.POST.getlist(name)
        ]
        context = {
            "title": _("新的批次"),
            "sentence": batch_sentence(terms, coupon, is_partner=bool(partner)),
            "notes": batch_notes(terms, coupon),
            "name": terms.name,
            "partner": partner,
            "face": selectors.face_of(coupon),
            "example_words": selectors.example_words(coupon, clock.now()),
            "sent": sent,
        }
        return self._page(request, "batch_summary.html", context)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/coupons/{template}", whole)

    @operation(_("开始发放"), icon="play_arrow", variant="primary", path="open")
    def open(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        lines = [] if row is None else [
            batch_sentence(batch_terms_of(row), terms_of(row.template), is_partner=row.has_partner_codes),
            *batch_notes(batch_terms_of(row), terms_of(row.template)),
        ]  # fmt: skip
        lines.append(_now("开始后模板的条款不能再改；要改就另存为新版本"))
        return self._ask(request, object_id, _("开始发放"), lines, services.open_batch)

    @operation(_("暂停"), icon="pause", path="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("暂停后谁也领不到，已发出的券照常使用，可以再开始")]
        return self._ask(request, object_id, _("暂停发放"), lines, services.pause_batch)

    @operation(_("追加数量"), icon="add", path="extend")
    def extend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = self._numbers(request, object_id)
        form = MoreForm(bound_data(request))
        return self._ask(request, object_id, _("追加数量"), lines, services.extend_quota, form=form)

    @operation(_("追加预算"), icon="payments", path="extend-budget")
    def extend_money(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = self._numbers(request, object_id)
        form = MoreMoneyForm(bound_data(request))
        return self._ask(request, object_id, _("追加预算"), lines, services.extend_budget, form=form)

    @operation(_("结束"), icon="stop", variant="danger", path="end")
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [*self._numbers(request, object_id), _now("结束后不能再发放，也不能恢复；已发出的券照常使用")]
        return self._ask(request, object_id, _("结束发放"), lines, services.end_batch, is_dangerous=True)

    @operation(_("整批作废"), icon="delete_forever", variant="danger", path="void")
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        unused = Coupon.objects.filter(batch=row).unused() if row is not None else Coupon.objects.none()
        lines = [
            _now("作废 %(coupons)s 张没用过的券，涉及 %(members)s 位会员，不能恢复")
            % {
                "coupons": thousands(unused.count()),
                "members": thousands(unused.values("member_id").distinct().count()),
            },
            _now("批次不会自动结束：还要继续发放就不用管，否则请一并结束"),
        ]
        form = VoidForm(bound_data(request), initial={"key": new_public_id()})
        return self._ask(
            request,
            object_id,
            _("整批作废"),
            lines,
            services.start_void_job,
            form=form,
            is_dangerous=True,
            done=_now("已经开始作废，进度在这一页上"),
        )

    def voiding_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The part of the page that asks for itself while a batch is being made void."""
        row = self.subject(request, str(pk))
        if row is None or not self.has_view_permission(request, row):
            raise PermissionDenied
        standing = voiding_of(row)
        answer = TemplateResponse(request, "admin/xiaoer/coupons/_voiding.html", standing)
        if not standing["is_voiding"]:
            answer["HX-Refresh"] = "true"  # the numbers around it have changed as well
        return answer

    def _numbers(self, request: HttpRequest, object_id: str) -> list[str]:
        row = self.subject(request, object_id)
        if row is None:
            return []
        sums = selectors.sum_batch(row.pk)
        lines = [
            _now("已发 %(issued)s / %(quota)s 张，还剩 %(left)s 张")
            % {
                "issued": thousands(sums.issued_count),
                "quota": thousands(sums.quota),
                "left": thousands(sums.remaining_count),
            }
        ]
        if sums.budget_fen is not None:
            lines.append(
                _now("预算 %(budget)s，已预留 %(reserved)s")
                % {"budget": money_words(sums.budget_fen), "reserved": money_words(sums.reserved_fen)}
            )
        return lines

    def _ask(
        self,
        request: HttpRequest,
        object_id: str,
        title: Any,
        lines: list[str],
        service: Callable[..., Any],
        *,
        form: DressedForm | None = None,
        is_dangerous: bool = False,
        done: str = "",
    ) -> HttpResponse:
        """One question about one batch; the form's values go to the service by name."""

        def run(row: Any, cleaned: dict[str, Any]) -> str:
            service(batch_id=row.pk, **cleaned, actor=staff_actor(request))
            return done or _now("%(title)s：已完成") % {"title": title}

        return ask_about(
            self, request, object_id, title=title, lines=lines, run=run, form=form, is_dangerous=is_dangerous
        )


def _page_url(batch_id: int) -> str:
    return reverse("admin:coupons_couponbatch_change", args=[batch_id])


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16


def _bar(part: int, whole: int) -> SafeString:
    share = min(100, part * 100 // whole) if whole else 0
    context = {"words": f"{thousands(part)} / {thousands(whole)}", "share": share}
    return render_to_string("admin/xiaoer/coupons/_bar.html", context)
