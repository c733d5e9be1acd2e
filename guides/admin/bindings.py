"""The history of bindings, read-only; changes are two buttons that call services."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    DressedForm,
    Question,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    autocomplete_field,
    bound_data,
    column,
    operation,
    run_for_each,
    staff_actor,
    thousands,
    when,
)
from guides import services
from guides.models import Binding, BindingSource, Guide
from members import selectors as member_selectors
from members.admin.cells import MemberCells


class SourceFilter(ChoiceFilter):
    title = _("绑定方式")
    parameter_name = "source"
    options = tuple((source.value, source.label) for source in BindingSource)


class LiveFilter(ChoiceFilter):
    title = _("是否有效")
    parameter_name = "live"
    options = (("yes", _("有效")), ("no", _("已结束")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(ended_at__isnull=self.value() == "yes")


class ReasonForm(DressedForm):
    reason = forms.CharField(
        label=_("原因"), max_length=120, help_text=_("会写进绑定历史，导购和总部都能看到")
    )


class RebindForm(ReasonForm):
    """The new guide, by typing; only guides at work whom the account may see."""

    def __init__(self, *args: Any, guides: QuerySet[Guide], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        guide = autocomplete_field(
            Binding,
            "guide",
            guides.filter(state="active"),
            label=_("改绑到哪位导购"),
            help_text=_("输入工号、姓名或门店"),
        )
        self.fields = {"guide": guide, **self.fields}


@admin.register(Binding)
class BindingAdmin(MemberCells, TypedSearch, ScopedReadOnlyAdmin):
    """Every binding there was, newest first."""

    list_display = (
        "member_name",
        "guide",
        "store",
        "source_words",
        "live_label",
        "bound",
        "ended",
        "bound_by",
    )
    list_select_related = ("guide", "store")
    list_filter = (LiveFilter, SourceFilter, ("store", AutocompleteFilter), ("guide", AutocompleteFilter))
    search_fields = ("guide__name",)
    search_help_text = _("会员姓名、拼音、手机号、会员码，或导购姓名、工号")
    date_hierarchy = "bound_at"
    ordering = ("-bound_at", "-pk")
    actions = ("rebind_selected", "unbind_selected")
    actions_detail = ("rebind_one", "unbind_one")
    fieldsets = (
        (
            None,
            {"fields": (("member_link", "live_label"), ("guide", "store"), ("source_words", "code_words"))},
        ),
        (_("开始"), {"fields": (("bound_at", "bound_by"), "reason")}),
        (_("结束"), {"fields": (("ended_at", "ended_by"), "end_reason")}),
    )

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        guides = Q(guide__name__icontains=text) | Q(guide__number__iexact=text)
        return queryset.filter(guides | Q(member_id__in=member_selectors.search_member_ids(text)))

    @column(_("绑定方式"), ordering="source")
    def source_words(self, row: Binding) -> str:
        return str(row.get_source_display())

    @column(_("渠道码"))
    def code_words(self, row: Binding) -> str:
        return str(row.channel_code) if row.channel_code is not None else "—"

    @column(_("状态"), ordering="ended_at", labels={"live": "success", "ended": "info"})
    def live_label(self, row: Binding) -> tuple[str, str]:
        return ("live", _now("有效")) if row.ended_at is None else ("ended", _now("已结束"))

    @column(_("绑定时间"), ordering="bound_at")
    def bound(self, row: Binding) -> str:
        return when(row.bound_at)

    @column(_("结束时间"), ordering="ended_at")
    def ended(self, row: Binding) -> str:
        return when(row.ended_at)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """An ended binding has no buttons."""
        row = self.subject(request, str(object_id))
        if row is None or row.ended_at is not None:
            return []
        return super().get_actions_detail(request, object_id)

    @operation(_("改绑到…"), icon="swap_horiz")
    def rebind_selected(self, request: HttpRequest, queryset: QuerySet[Binding]) -> HttpResponse:
        return self._rebind(request, queryset)

    @operation(_("解除绑定"), icon="link_off")
    def unbind_selected(self, request: HttpRequest, queryset: QuerySet[Binding]) -> HttpResponse:
        return self._unbind(request, queryset)

    @operation(_("改绑到…"), icon="swap_horiz", path="rebind")
    def rebind_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        return self._rebind(request, Binding.objects.filter(pk=row.pk))

    @operation(_("解除绑定"), icon="link_off", variant="danger", path="unbind")
    def unbind_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        return self._unbind(request, Binding.objects.filter(pk=row.pk))

    def _live(self, request: HttpRequest, queryset: QuerySet[Binding]) -> list[Binding]:
        """The live ones of the selection, with what a line about each needs."""
        live = list(queryset.filter(ended_at__isnull=True).select_related("guide", "store"))
        self.prepare_rows(request, live)
        return live

    def _counts(self, live: Sequence[Binding], chosen: int) -> list[str]:
        guides = len({row.guide_id for row in live})
        lines = [
            _now("涉及 %(members)s 位会员，她们现在属于 %(guides)s 位导购") % {
                "members": thousands(len(live)), "guides": thousands(guides)}
        ]  # fmt: skip
        if chosen > len(live):
            lines.append(_now("选中的另外 %(n)s 条早已结束，不会动") % {"n": thousands(chosen - len(live))})
        return lines

    def _rebind(self, request: HttpRequest, queryset: QuerySet[Binding]) -> HttpResponse:
        live, chosen = self._live(request, queryset), queryset.count()
        back = reverse("admin:guides_binding_changelist")
        if not live:
            messages.warning(request, _("选中的绑定都已结束，没有可以改绑的"))
            return HttpResponseRedirect(back)
        guides = self.admin_site._registry[Guide].get_queryset(request)
        form = RebindForm(bound_data(request), guides=guides)

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            done = services.rebind_members(
                member_ids=[row.member_id for row in live],
                guide_id=cleaned["guide"].pk,
                source=BindingSource.STAFF,
                reason=cleaned["reason"],
                actor=staff_actor(request),
            )
            counts = {"n": thousands(done.moved_count), "guide": cleaned["guide"].name}
            messages.success(request, _now("%(n)s 位会员已改绑到 %(guide)s") % counts)
            if done.passed_count:
                passed = {"n": thousands(done.passed_count)}
                messages.warning(request, _now("另外 %(n)s 位早已是她的会员，或已没有导购，没有动") % passed)
            return HttpResponseRedirect(back)

        question = Question(
            title=_("改绑到另一位导购"),
            submit=_("改绑"),
            back_url=back,
            lines=[
                *self._counts(live, chosen),
                _("原来的绑定会结束并留在历史里，新旧导购都会收到提醒"),
                _("会员 5 分钟后收到更换导购的通知；这期间改回来就不通知"),
            ],
        )
        return ask(self, request, question, run, form=form)

    def _unbind(self, request: HttpRequest, queryset: QuerySet[Binding]) -> HttpResponse:
        live, chosen = self._live(request, queryset), queryset.count()
        back = reverse("admin:guides_binding_changelist")
        if not live:
            messages.warning(request, _("选中的绑定都已结束，没有可以解除的"))
            return HttpResponseRedirect(back)

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            def unbind(row: Binding) -> None:
                services.unbind_member(
                    member_id=row.member_id, reason=cleaned["reason"], actor=staff_actor(request)
                )

            run_for_each(
                request,
                [_Named(row, self.member_name(row)) for row in live],
                lambda named: unbind(named.row),
                lambda n: _now("%(n)s 位会员的绑定已解除") % {"n": thousands(n)},
            )
            return HttpResponseRedirect(back)

        question = Question(
            title=_("解除绑定"),
            submit=_now("解除 %(n)s 位会员的绑定") % {"n": thousands(len(live))},
            back_url=back,
            lines=[*self._counts(live, chosen), _("解除后她们没有专属导购，直到再扫码或被指派")],
            is_dangerous=True,
        )
        return ask(self, request, question, run, form=ReasonForm(bound_data(request)))


class _Named:
    """A row under the name a refusal is shown with."""

    def __init__(self, row: Binding, name: str) -> None:
        self.row = row
        self.name = name

    def __str__(self) -> str:
        return self.name
