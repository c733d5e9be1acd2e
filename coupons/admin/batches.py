"""Batches with their progress: opening, pausing, extending, ending, making void; a partner's codes; bulk issue."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    DressedForm,
    Question,
    ReadOnlyAdmin,
    ServiceForms,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    operation,
    percent,
    staff_actor,
    thousands,
    when,
)
from coupons import selectors, services
from coupons.admin.fields import TermsForm, TicksField, YuanField
from coupons.contracts import BatchTerms
from coupons.errors import OF_OUTCOME
from coupons.models import BatchState, Coupon, CouponBatch, Door, IssueJob
from coupons.selectors.templates import yuan

name_actions(
    {
        "coupons.batch_created": _("新增券批次"),
        "coupons.batch_changed": _("修改券批次"),
        "coupons.batch_opened": _("开始发放"),
        "coupons.batch_paused": _("暂停发放"),
        "coupons.batch_ended": _("结束发放"),
        "coupons.batch_voided": _("整批作废"),
        "coupons.quota_extended": _("追加数量"),
        "coupons.budget_extended": _("追加预算"),
        "coupons.codes_imported": _("导入合作方券码"),
        "coupons.bulk_started": _("开始批量发券"),
        "coupons.bulk_finished": _("批量发券完成"),
    }
)
name_details(
    {
        "quota": _("总数量"),
        "more": _("追加数量"),
        "more_fen": _("追加预算（分）"),
        "added_count": _("新增券码"),
        "coupon_count": _("券数"),
        "asked_count": _("应发人数"),
        "issued_count": _("已发张数"),
    }
)
_COLOURS = {"draft": "info", "open": "success", "paused": "warning", "ended": "danger"}
_JOB_COLOURS = {"running": "info", "done": "success", "stopped": "danger"}


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in BatchState)


class BatchForm(TermsForm):
    """How many, for whom, when, through which doors."""

    doors = TicksField(label=_("发放渠道"), choices=Door.choices, coerce=str)
    budget_fen = YuanField(label=_("预算（元）"), help_text=_("留空表示不设预算；按单张最高成本预留"))
    cost_fen = YuanField(label=_("单张最高成本（元）"), help_text=_("留空由系统按模板计算"))

    class Meta:
        model = CouponBatch
        fields = "__all__"


class MoreForm(DressedForm):
    more = forms.IntegerField(label=_("追加数量"), min_value=1)


class MoreMoneyForm(DressedForm):
    more_fen = YuanField(label=_("追加预算（元）"), required=True)


class ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


class CodesForm(DressedForm):
    file = forms.FileField(label=_("券码文件"), help_text=_("文本文件，每行一个券码；重复上传不会重复导入"))


@admin.register(CouponBatch)
class CouponBatchAdmin(ServiceForms, BaseAdmin):
    """Batches, the newest first, with what is left of each."""

    form = BatchForm
    list_display = (
        "name",
        "template",
        "state_label",
        "progress",
        "redeemed",
        "cost",
        "opens_at",
        "closes_at",
    )
    list_filter = (StateFilter,)
    list_select_related = ("template",)
    search_fields = ("name", "template__title")
    search_help_text = _("按批次名称或券名称查找")
    ordering = ("-pk",)
    autocomplete_fields = ("template",)
    actions_detail = ("open", "pause", "extend", "extend_money", "import_codes", "end", "void")
    fieldsets = (
        (None, {"fields": (("template", "name"), "partner_name")}),
        (_("数量与预算"), {"fields": ("quota", ("budget_fen", "cost_fen"))}),
        (_("领取规则"), {"fields": (("member_limit", "member_daily_limit"), "doors")}),
        (_("发放时间"), {"fields": ("opens_at", "closes_at")}),
        (_("导购额度"), {"fields": (("guide_quota", "guide_quota_period"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("template", "partner_name")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what makes sense for the batch as it is."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        is_over = row.state == BatchState.ENDED
        hidden = {
            "open": is_over or row.state == BatchState.OPEN,
            "pause": row.state != BatchState.OPEN,
            "extend": is_over or row.has_partner_codes,
            "extend_money": is_over or row.budget_fen is None,
            "import_codes": is_over or not row.has_partner_codes,
            "end": is_over,
        }
        shown = super().get_actions_detail(request, object_id)
        return [one for one in shown if not hidden.get(one.action_name.partition("couponbatch_")[2], False)]

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        sums = selectors.sum_batches([row.pk for row in rows])
        for row in rows:
            row.sums = sums[row.pk]

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: CouponBatch) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("已发放"))
    def progress(self, row: Any) -> str:
        return f"{thousands(row.sums.issued_count)} / {thousands(row.sums.quota)}"

    @column(_("已核销"))
    def redeemed(self, row: Any) -> str:
        count, issued = row.sums.redeemed_count, row.sums.issued_count
        return thousands(count) if not issued else f"{thousands(count)}（{percent(count, issued)}）"

    @column(_("优惠金额（元）"))
    def cost(self, row: Any) -> str:
        return yuan(row.sums.discount_fen)

    def run_service(self, request: HttpRequest, row: CouponBatch, form: Any, change: bool) -> int:
        cleaned, actor = form.cleaned_data, staff_actor(request)
        names = {field.name for field in dataclasses.fields(BatchTerms)}
        terms = BatchTerms(**{name: cleaned[name] for name in names})
        if change:
            return services.change_batch(batch_id=row.pk, terms=terms, actor=actor).id
        return services.create_batch(
            template_id=cleaned["template"].pk, terms=terms, partner_name=cleaned["partner_name"], actor=actor
        ).id

    @operation(_("开始发放"), icon="play_arrow", variant="primary", path="open")
    def open(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("开始后模板的条款不能再改"), _now("到发放开始时间前，会员看得到但领不了")]
        return self._ask(request, object_id, _("开始发放"), lines, services.open_batch)

    @operation(_("暂停"), icon="pause", path="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("暂停后谁也领不到，已发出的券照常使用，可以再开始")]
        return self._ask(request, object_id, _("暂停发放"), lines, services.pause_batch)

    @operation(_("追加数量"), icon="add", path="extend")
    def extend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = MoreForm(bound_data(request))
        return self._ask(request, object_id, _("追加数量"), [], services.extend_quota, form=form)

    @operation(_("追加预算"), icon="payments", path="extend-budget")
    def extend_money(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = MoreMoneyForm(bound_data(request))
        return self._ask(request, object_id, _("追加预算"), [], services.extend_budget, form=form)

    @operation(_("结束"), icon="stop", variant="danger", path="end")
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lines = [_now("结束后不能再发放，也不能恢复；已发出的券照常使用")]
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
        form = ReasonForm(bound_data(request))
        return self._ask(
            request, object_id, _("整批作废"), lines, services.void_coupons, form=form, is_dangerous=True
        )

    @operation(_("导入券码"), icon="upload_file", path="codes")
    def import_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = CodesForm(bound_data(request), request.FILES or None)

        def load(*, batch_id: int, file: Any, actor: Any) -> str:
            text = file.read().decode("utf-8-sig", errors="replace")
            done = services.import_partner_codes(batch_id=batch_id, lines=text.splitlines(), actor=actor)
            words = _now("新增 %(added)s 个券码，重复 %(repeated)s 个") % {
                "added": thousands(done.added_count),
                "repeated": thousands(done.repeated_count),
            }
            if done.bad_lines:
                words += _now("，这些行不能用：%(lines)s") % {"lines": "、".join(map(str, done.bad_lines))}
            return words

        return self._ask(request, object_id, _("导入合作方券码"), [], load, form=form)

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
    ) -> HttpResponse:
        """One question about one batch; the form's values go to the service by name."""
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            answer = service(batch_id=row.pk, **cleaned, actor=staff_actor(request))
            return answer if isinstance(answer, str) else _now("%(title)s：已完成") % {"title": title}

        question = Question(
            title=f"{title} · {row.name}",
            submit=title,
            back_url=reverse("admin:coupons_couponbatch_change", args=[row.pk]),
            lines=lines,
            is_dangerous=is_dangerous,
        )
        return ask(self, request, question, run, form=form, subject=row)


@admin.register(IssueJob)
class IssueJobAdmin(ReadOnlyAdmin):
    """Bulk issues and how far each is."""

    list_display = ("key", "batch", "state_label", "progress", "missed", "started", "started_by")
    list_select_related = ("batch",)
    ordering = ("-pk",)
    search_fields = ("key", "batch__name")
    search_help_text = _("按任务编号或批次名称查找")
    fieldsets = (
        (None, {"fields": (("key", "batch"), ("state_label", "stop_reason_words"), "progress", "missed")}),
        (_("来由"), {"fields": (("door", "issued_by_guide"), ("started", "started_by"), "finished_at")}),
    )

    @column(_("状态"), ordering="state", labels=_JOB_COLOURS)
    def state_label(self, row: IssueJob) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("进度"))
    def progress(self, row: IssueJob) -> str:
        done = selectors.get_issue_progress(row.pk)
        return _now("已处理 %(done)s / %(asked)s，发出 %(issued)s 张") % {
            "done": thousands(done.done_count),
            "asked": thousands(done.asked_count),
            "issued": thousands(done.issued_count),
        }

    @column(_("没有发到的"))
    def missed(self, row: IssueJob) -> str:
        refused = selectors.get_issue_progress(row.pk).refused
        words = [f"{_reason_words(reason)} {thousands(count)}" for reason, count in sorted(refused.items())]
        return "；".join(words) or "—"

    @column(_("停止原因"))
    def stop_reason_words(self, row: IssueJob) -> str:
        return _reason_words(row.stop_reason) if row.stop_reason else "—"

    @column(_("开始时间"), ordering="started_at")
    def started(self, row: IssueJob) -> str:
        return when(row.started_at)


def _reason_words(reason: str) -> str:
    refusal = OF_OUTCOME.get(reason)
    return str(refusal.sentence) if refusal is not None else _now("查无此人")
