"""Coupons by code or holder, the life of each in words; given by hand, made void one by one or as they are filtered."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock, codes
from core.admin import (
    AutocompleteFilter,
    ChoiceFilter,
    Column,
    DaysFilter,
    DressedForm,
    Exports,
    Question,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    operation,
    staff_actor,
    thousands,
    when,
)
from coupons import services
from coupons.admin.batch_form import VoidForm
from coupons.admin.hand_issue import HandIssue
from coupons.models import Coupon, CouponState, Door
from coupons.selectors.checks import state_at
from coupons.selectors.coupons import CODE_LENGTH, in_state
from coupons.selectors.words import end_words
from coupons.services.closing import SLICE
from members import selectors as member_selectors

name_actions(
    {
        "coupons.coupon_issued": _("发券"),
        "coupons.coupon_voided": _("作废券"),
        "coupons.coupon_exported": _("导出券"),
        "coupons.code_read": _("扫描动态券码"),
    }
)
name_details({"coupon_id": _("券编号"), "row_count": _("条数")})
_COLOURS = {
    "issued": "success", "locked": "warning", "gifting": "info", "redeemed": "info", "expired": "warning",
    "voided": "danger",
}  # fmt: skip


class StateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in CouponState)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By what a coupon counts for now, as the list shows it."""
        return queryset.filter(in_state(str(self.value()), clock.now())) if self.value() else queryset


class DoorFilter(ChoiceFilter):
    title = _("发放渠道")
    parameter_name = "door"
    options = tuple((door.value, door.label) for door in Door)


class ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


def may_see_codes(request: HttpRequest) -> bool:
    """A right of its own: who has the code has the coupon."""
    return request.user.has_perm("coupons.see_code")


def shown_code(code: str, *, is_whole: bool) -> str:
    """In groups of four; without the right the last group only."""
    groups = [code[start : start + 4] for start in range(0, len(code), 4)]
    return " ".join(groups if is_whole else [*["••••"] * (len(groups) - 1), groups[-1]])


@admin.register(Coupon)
class CouponAdmin(HandIssue, Exports, TypedSearch, ScopedReadOnlyAdmin):
    """Coupons, the newest first; found by their code or as members are found."""

    list_display = (
        "code_words",
        "coupon_words",
        "member_name",
        "state_label",
        "door_words",
        "store",
        "issued",
        "until",
    )
    list_select_related = ("batch__template", "member", "issued_store", "issued_by_guide")
    list_filter = (
        StateFilter,
        DoorFilter,
        ("batch", AutocompleteFilter),
        ("issued_store", AutocompleteFilter),
        ("issued_at", DaysFilter),
    )
    search_fields = ("code",)
    search_help_text = _("完整券码，或会员姓名、手机号或尾号、会员码")
    ordering = ("-pk",)
    actions = ("void_chosen",)
    actions_detail = ("void",)
    fieldsets = (
        (None, {"fields": (("code_words", "state_label"), ("batch", "member_name"), ("since", "until"))}),
        (
            _("发放"),
            {"fields": (("door_words", "issued"), ("issued_by_guide", "issued_store"), "source_key")},
        ),
    )

    class Media:
        css = {"all": ["admin_xiaoer/coupons.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Cells know no request: whether codes are shown whole is remembered for them.
        rows: QuerySet[Any] = super().get_queryset(request)
        seen: QuerySet[Any] = rows.annotate(is_code_seen=Value(may_see_codes(request)))
        return seen

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        if obj is None or not obj.partner_code:
            return shown
        return [*shown, (_("合作方"), {"fields": ("partner_code_words",)})]

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "coupons_coupon_export", self.export_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        code = codes.normalize(text[:40])
        if len(code) == CODE_LENGTH:
            return queryset.filter(code=code)
        return queryset.filter(member_id__in=member_selectors.search_member_ids(text))

    @column(_("券码"))
    def code_words(self, row: Any) -> SafeString:
        return format_html('<span class="xe-mono">{}</span>', shown_code(row.code, is_whole=row.is_code_seen))

    @column(_("合作方券码"))
    def partner_code_words(self, row: Any) -> str:
        if not row.partner_code:
            return "—"
        return row.partner_code if row.is_code_seen else f"•••• {row.partner_code[-4:]}"

    @column(_("券"), ordering="batch")
    def coupon_words(self, row: Coupon) -> SafeString:
        template, batch = row.batch.template.title, row.batch.name
        return format_html('{}<br><span class="xe-quiet xe-small">{}</span>', template, batch)

    @column(_("持有人"))
    def member_name(self, row: Coupon) -> str:
        return member_selectors.card_of(row.member).display_name

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: Coupon) -> tuple[str, str]:
        state = state_at(row, clock.now())
        return state, str(CouponState(state).label)

    @column(_("发放渠道"), ordering="door")
    def door_words(self, row: Coupon) -> str:
        return str(row.get_door_display())

    @column(_("发券门店"), ordering="issued_store")
    def store(self, row: Coupon) -> str:
        return row.issued_store.name if row.issued_store is not None else "—"

    @column(_("发放时间"), ordering="issued_at")
    def issued(self, row: Coupon) -> str:
        return when(row.issued_at)

    @column(_("可用开始"), ordering="valid_from")
    def since(self, row: Coupon) -> str:
        return when(row.valid_from)

    @column(_("可用到"), ordering="valid_until")
    def until(self, row: Coupon) -> str:
        return end_words(row.valid_until)

    def export_columns(self, request: HttpRequest) -> Sequence[Column]:
        is_whole, now = may_see_codes(request), clock.now()
        return (
            Column(_("券码"), lambda row: shown_code(row.code, is_whole=is_whole)),
            Column(_("券名称"), lambda row: row.batch.template.title),
            Column(_("批次"), lambda row: row.batch.name),
            Column(_("会员码"), lambda row: row.member.code),
            Column(_("手机尾号"), lambda row: row.member.phone_tail),
            Column(_("状态"), lambda row: str(CouponState(state_at(row, now)).label)),
            Column(_("发放渠道"), lambda row: str(row.get_door_display())),
            Column(_("发券导购"), lambda row: row.issued_by_guide.name if row.issued_by_guide else ""),
            Column(_("发券门店"), lambda row: row.issued_store.name if row.issued_store else ""),
            Column(_("发放时间"), lambda row: row.issued_at, "moment"),
            Column(_("可用开始"), lambda row: row.valid_from, "moment"),
            Column(_("可用到"), lambda row: row.valid_until, "moment"),
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Nothing to make void once it was used or is over."""
        row = self.subject(request, str(object_id))
        is_open = row is not None and row.state in {"issued", "locked", "gifting"}
        return super().get_actions_detail(request, object_id) if is_open else []

    @operation(_("作废"), icon="block", variant="danger", path="void")
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            services.void_coupon(coupon_id=row.pk, reason=cleaned["reason"], actor=staff_actor(request))
            return _now("已作废")

        question = Question(
            title=_now("作废 %(name)s 的券 %(code)s")
            % {"name": self.member_name(row), "code": shown_code(row.code, is_whole=row.is_code_seen)},
            submit=_("作废"),
            back_url=reverse("admin:coupons_coupon_change", args=[row.pk]),
            lines=[_now("作废后不能恢复；数量不退回批次")],
            is_dangerous=True,
        )
        return ask(self, request, question, run, form=ReasonForm(bound_data(request)), subject=row)

    @operation(_("作废选中的券"), icon="block")
    def void_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """The ticked ones, or everything the filters show."""
        chosen = Coupon.objects.filter(pk__in=queryset.order_by().values("pk"))
        unused = chosen.unused()
        total, count = chosen.count(), unused.count()
        lines = [
            _now("作废 %(coupons)s 张没用过的券，涉及 %(members)s 位会员，不能恢复")
            % {
                "coupons": thousands(count),
                "members": thousands(unused.values("member_id").distinct().count()),
            }
        ]
        if total > count:
            lines.append(
                _now("选中的 %(total)s 张里，%(n)s 张已经用过、过期或作废，保持原样")
                % {"total": thousands(total), "n": thousands(total - count)}
            )
        if count > SLICE:
            lines.append(_now("数量较多，会在后台处理，进度在「作废任务」里看"))

        def run(cleaned: dict[str, Any]) -> str | HttpResponse:
            begun = services.start_chosen_void_job(chosen=chosen, actor=staff_actor(request), **cleaned)
            if begun.asked_count <= SLICE:  # no longer than a page may take
                begun = services.run_void_job(job_id=begun.job_id)
            if begun.finished_at is None:
                return HttpResponseRedirect(reverse("admin:coupons_voidjob_change", args=[begun.job_id]))
            return _now("已作废 %(n)s 张") % {"n": thousands(begun.coupon_count)}

        question = Question(
            title=_("作废选中的券"),
            submit=_("作废"),
            back_url=f"{reverse('admin:coupons_coupon_changelist')}?{request.GET.urlencode()}",
            lines=lines,
            is_dangerous=True,
        )
        form = VoidForm(bound_data(request), initial={"key": codes.new_public_id()})
        return ask(self, request, question, run, form=form)
