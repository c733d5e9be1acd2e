"""待处理单据: what could not be booked, by reason, with what to do about it; tried again, mended or set aside."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core import clock
from core.admin import (
    ChoiceFilter,
    OwnPage,
    Question,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    bound_data,
    column,
    operation,
    run_for_each,
    staff_actor,
    thousands,
    when,
)
from sales import services
from sales.admin.held_mending import HeldMending, ReasonForm
from sales.admin.held_page import held_page
from sales.admin.held_words import held_words
from sales.errors import DocumentConflict
from sales.models import DeskJob, HeldDocument, HeldState
from sales.selectors.desk import list_held_groups
from sales.selectors.staff_scopes import visible_store_codes
from sales.services.held import HELD_FOR

# Up to so many are tried while the person waits; more go to a worker.
_AT_ONCE: Final = 200
_KINDS: Final = {"order": _("销售单"), "return": _("退货单")}


class StateFilter(ChoiceFilter):
    """What waits, unless somebody asks for what was settled."""

    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in HeldState)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in HeldState.values:
            return queryset.filter(state=self.value())
        return queryset.filter(state=HeldState.WAITING)


class ReasonFilter(ChoiceFilter):
    title = _("原因")
    parameter_name = "reason"
    options = tuple((kind.code, kind.sentence) for kind in HELD_FOR)


class ValueFilter(ChoiceFilter):
    """Set by the groups above the list; a code can be anything."""

    title = _("内容")
    parameter_name = "value"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get("value", "")[:64]
        return [(value, value)] if value else [("", "—")]


class KindFilter(ChoiceFilter):
    title = _("单据类型")
    parameter_name = "kind"
    options = tuple(_KINDS.items())


class SourceFilter(ChoiceFilter):
    title = _("来源系统")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = HeldDocument.objects.order_by("source").values_list("source", flat=True).distinct()
        return [(source, source) for source in rows[:50]]


class WaitingFilter(ChoiceFilter):
    title = _("等了多久")
    parameter_name = "waits"
    options = (("1", _("一天以上")), ("7", _("一周以上")), ("30", _("一个月以上")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"1", "7", "30"}:
            return queryset
        return queryset.filter(held_at__lte=clock.now() - dt.timedelta(days=int(str(self.value()))))


@admin.register(HeldDocument)
class HeldDocumentAdmin(TypedSearch, HeldMending, OwnPage, ScopedReadOnlyAdmin):
    """Waiting documents, the oldest first."""

    list_display = (
        "number",
        "kind_label",
        "source",
        "store_code",
        "reason_label",
        "held",
        "tries",
        "state_label",
    )
    list_filter = (StateFilter, ReasonFilter, ValueFilter, KindFilter, SourceFilter, WaitingFilter)
    search_fields = ("number", "order_no", "store_code")
    search_help_text = _("按单号、原订单号或门店编号的开头查找")
    ordering = ("pk",)
    actions = ("retry_selected", "discard_selected")
    actions_detail = ("retry", "explain", "member", "accept", "keep", "discard", "restore")
    list_before_template = "admin/sales/held_head.html"

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("retry-all/", "sales_held_retry", self.retry_group_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        found = [queryset.filter(**{f"{name}__startswith": text}) for name in self.search_fields]
        return found[0] | found[1] | found[2]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        groups = [
            {
                "words": held_words(group.reason, group.field, group.value),
                "count": thousands(group.count),
                "since": when(group.since),
                "url": "?"
                + urlencode({"reason": group.reason} | ({"value": group.value} if group.value else {})),
                "reason": group.reason,
                "value": group.value,
                # Trying again changes nothing between two contents: somebody has to decide.
                "may_retry": group.reason != DocumentConflict.code,
            }
            for group in list_held_groups(store_codes=visible_store_codes(request.user))  # type: ignore[arg-type]
        ]
        context = {
            "groups": groups,
            "retry_url": reverse("admin:sales_held_retry"),
            "may_operate": self.has_operate_permission(request),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    @column(_("类型"), ordering="kind")
    def kind_label(self, row: HeldDocument) -> str:
        return str(_KINDS.get(row.kind, row.kind))

    @column(_("原因"), ordering="reason")
    def reason_label(self, row: HeldDocument) -> str:
        return held_words(row.reason, row.field, row.value)

    @column(_("收到时间"), ordering="held_at")
    def held(self, row: HeldDocument) -> str:
        return when(row.held_at)

    @column(
        _("状态"),
        ordering="state",
        labels={"waiting": "warning", "booked": "success", "discarded": "danger"},
    )
    def state_label(self, row: HeldDocument) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @operation(_("再试一次"), icon="refresh")
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[HeldDocument]) -> HttpResponse | None:
        ids = list(queryset.filter(state=HeldState.WAITING).values_list("pk", flat=True)[:10_000])
        return self._start(request, {"ids": ids}, _now("选中的单据"))

    @operation(_("作废"), icon="delete", variant="danger")
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[HeldDocument]) -> HttpResponse:
        rows = list(queryset.filter(state=HeldState.WAITING)[:1_000])
        question = Question(
            title=_now("作废 %(n)s 张待处理单据") % {"n": thousands(len(rows))},
            submit=_("作废"),
            back_url=reverse("admin:sales_helddocument_changelist"),
            lines=[_now("作废的单据不再入账，以后可以恢复")],
            is_dangerous=True,
        )

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            run_for_each(
                request,
                rows,
                lambda row: services.discard_document(
                    public_id=row.public_id, reason=cleaned["reason"], actor=staff_actor(request)
                ),
                lambda n: ngettext("已作废 %(n)s 张", "已作废 %(n)s 张", n) % {"n": n},
            )
            return HttpResponseRedirect(question.back_url)

        return ask(self, request, question, run, form=ReasonForm(bound_data(request)))

    def retry_group_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """All that wait for one thing, or all there are: by POST only."""
        if not self.has_operate_permission(request) or request.method != "POST":
            raise PermissionDenied
        reason, value = request.POST.get("reason", "")[:40], request.POST.get("value", "")[:64]
        terms: dict[str, Any] = {"reason": reason} if reason else {}
        if value:
            terms["value"] = value
        words = held_words(reason, "", value) if reason else _now("全部待处理单据")
        return self._start(request, terms, words)

    def _start(self, request: HttpRequest, terms: dict[str, Any], words: str) -> HttpResponse:
        """A few at once, many by a worker; the answer is the job's page or a sentence above the list."""
        codes = visible_store_codes(request.user)  # type: ignore[arg-type]
        job = services.start_retry(
            staff_id=request.user.pk or 0,
            terms=terms | {"store_codes": codes},
            words=words,
            actor=staff_actor(request),
        )
        if job.asked_count > _AT_ONCE:
            return HttpResponseRedirect(reverse("admin:sales_deskjob_change", args=[job.pk]))
        services.work_desk_job(job_id=job.pk, actor=staff_actor(request))
        job = DeskJob.objects.get(pk=job.pk)
        told = _now("已入账 %(booked)s 张，还有 %(held)s 张不能入账") % {
            "booked": thousands(job.result["booked"]),
            "held": thousands(job.result["held"]),
        }
        (messages.warning if job.result["held"] else messages.success)(request, told)
        return HttpResponseRedirect(reverse("admin:sales_helddocument_changelist"))

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **self.below_form(request, row),
            **held_page(request, row),
            "opts": self.opts,
            "original": row,
            "title": f"{self.kind_label(row)} {row.number}",
            "state": row.get_state_display(),
            "buttons": self.buttons_of(request, row),
            "list_url": reverse("admin:sales_helddocument_changelist"),
        }
        return TemplateResponse(request, "admin/sales/held.html", context)

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """The list shows columns only; bodies stay sealed."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Opening the seal of every row costs more than the list.
        return super().get_queryset(request).defer("body")
