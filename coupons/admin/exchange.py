"""Exchange codes: sets made, imported, downloaded once, made void; who used which."""

import io
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import (
    AutocompleteFilter,
    BaseAdmin,
    ChoiceFilter,
    DressedForm,
    Panel,
    Question,
    ServiceForms,
    ask,
    bound_data,
    column,
    name_actions,
    name_details,
    narrow,
    operation,
    percent,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from core.workbooks import write_csv, write_rows
from coupons import selectors, services
from coupons.admin.terms_form import TermsForm
from coupons.contracts import ExchangeTerms
from coupons.models import (
    Coupon,
    ExchangeCode,
    ExchangeKind,
    ExchangeSet,
    ExchangeSetState,
)
from coupons.selectors.exchange import exchange_set_card_of, source_key_of
from members import selectors as member_selectors

name_actions(
    {
        "coupons.exchange_set_created": _("新增兑换码"),
        "coupons.exchange_codes_imported": _("导入兑换码"),
        "coupons.exchange_codes_taken": _("下载兑换码"),
        "coupons.exchange_set_voided": _("作废兑换码"),
    }
)
name_details({"code_count": _("兑换码数量")})
_COLOURS = {"open": "success", "voided": "danger"}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHOWN = 20


class SetStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = tuple((state.value, state.label) for state in ExchangeSetState)


class KindFilter(ChoiceFilter):
    title = _("方式")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in ExchangeKind)


class ExchangeSetForm(TermsForm):
    """How many codes, or which phrase."""

    code_count = forms.IntegerField(
        label=_("生成多少个"),
        required=False,
        min_value=0,
        help_text=_("不能多于批次的总数量，最多 100,000 个"),
    )
    phrase = forms.CharField(
        label=_("口令"),
        required=False,
        max_length=60,
        help_text=_("4 到 40 个字，空格和大小写不影响；每位会员只能用一次"),
    )
    use_limit = forms.IntegerField(
        label=_("最多兑换次数"),
        required=False,
        min_value=1,
        help_text=_("留空表示发完为止；抢兑的场合请留空，让批次的总数量来限"),
    )

    class Meta:
        model = ExchangeSet
        fields = "__all__"


class FileForm(DressedForm):
    format = forms.ChoiceField(label=_("格式"), choices=(("xlsx", "Excel"), ("csv", "CSV")), initial="xlsx")


class CodesForm(DressedForm):
    file = forms.FileField(
        label=_("兑换码文件"), help_text=_("文本文件，每行一个，8 到 40 位字母或数字；重复上传不会重复导入")
    )


class ReasonForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)


@admin.register(ExchangeSet)
class ExchangeSetAdmin(ServiceForms, BaseAdmin):
    """Sets, the newest first, with how much of each was used."""

    form = ExchangeSetForm
    list_display = (
        "name",
        "batch",
        "kind_words",
        "state_label",
        "used",
        "opens_at",
        "closes_at",
        "file_words",
    )
    list_filter = (SetStateFilter, KindFilter, ("batch", AutocompleteFilter))
    list_select_related = ("batch",)
    search_fields = ("name", "batch__name")
    search_help_text = _("按名称或批次名称查找")
    ordering = ("-pk",)
    autocomplete_fields = ("batch",)
    actions_detail = ("download", "import_codes", "void")
    conditional_fields = {
        "code_count": "kind == 'generated'",
        "phrase": "kind == 'shared'",
        "use_limit": "kind == 'shared'",
    }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (
                (None, {"fields": (("batch", "name"), "kind", "code_count", ("phrase", "use_limit"))}),
                (_("兑换时间"), {"fields": ("opens_at", "closes_at")}),
            )
        return (
            (None, {"fields": (("batch", "name"), ("kind", "state_label"), ("used", "file_words"))}),
            (_("兑换时间"), {"fields": ("opens_at", "closes_at")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What people hold in their hands is not changed; a set is made void, and another one made."""
        if obj is None:
            return ()
        return (
            "batch", "name", "kind", "state_label", "used", "file_words", "opens_at", "closes_at",
        )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and bool(super().has_change_permission(request, obj))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what makes sense for the set as it is."""
        row = self.subject(request, str(object_id))
        if row is None:
            return []
        is_open = row.state == ExchangeSetState.OPEN
        possible = {
            "download": exchange_set_card_of(row).may_download,
            "import": is_open and row.kind == ExchangeKind.IMPORTED,
            "void": is_open,
        }
        offered = super().get_actions_detail(request, object_id)
        return [action for action in offered if possible.get(action.path, True)]

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        sums = selectors.sum_exchange_sets([row.pk for row in rows])
        for row in rows:
            row.sums = sums[row.pk]

    @column(_("方式"), ordering="kind")
    def kind_words(self, row: ExchangeSet) -> str:
        return str(row.get_kind_display())

    @column(_("状态"), ordering="state", labels=_COLOURS)
    def state_label(self, row: ExchangeSet) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @column(_("已兑换"))
    def used(self, row: Any) -> str:
        sums = getattr(row, "sums", None) or selectors.sum_exchange_sets([row.pk])[row.pk]
        if row.kind == ExchangeKind.SHARED:
            most = _now("不限") if row.use_limit is None else thousands(row.use_limit)
            return f"{thousands(sums.used_count)} / {most}"
        share = f"（{percent(sums.used_count, sums.code_count)}）" if sums.used_count else ""
        return f"{thousands(sums.used_count)} / {thousands(sums.code_count)}{share}"

    @column(_("下载"))
    def file_words(self, row: ExchangeSet) -> str:
        if row.kind != ExchangeKind.GENERATED:
            return "—"
        return _now("还没下载") if row.taken_at is None else when(row.taken_at)

    def run_service(self, request: HttpRequest, row: ExchangeSet, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        terms = ExchangeTerms(
            name=cleaned["name"],
            kind=cleaned["kind"],
            code_count=cleaned["code_count"] or 0,
            phrase=cleaned["phrase"],
            use_limit=cleaned["use_limit"],
            opens_at=cleaned["opens_at"],
            closes_at=cleaned["closes_at"],
        )
        return services.create_exchange_set(
            batch_id=cleaned["batch"].pk, terms=terms, actor=staff_actor(request)
        ).id

    @operation(_("下载兑换码"), icon="download", variant="primary", path="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> HttpResponse:
            made = services.take_exchange_codes(set_id=row.pk, actor=staff_actor(request))
            rows = ([str(number), code] for number, code in enumerate(made.codes, start=1))
            return _file(made.name, [[_now("序号"), _now("兑换码")], *rows], cleaned["format"])

        lines = [
            _now("一共 %(n)s 个兑换码，只能下载这一次，请保存好") % {"n": thousands(row.code_count)},
            _now("下载后系统里不再保留明文；没有存下来的话，请作废后重新生成一批"),
        ]
        form = FileForm(bound_data(request))
        return self._ask(request, row, _("下载兑换码"), lines, run, form)

    @operation(_("导入兑换码"), icon="upload_file", path="import")
    def import_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            text = cleaned["file"].read().decode("utf-8-sig", errors="replace")
            done = services.import_exchange_codes(
                set_id=row.pk, lines=text.splitlines(), actor=staff_actor(request)
            )
            words = _now("新增 %(added)s 个兑换码，重复 %(repeated)s 个") % {
                "added": thousands(done.added_count),
                "repeated": thousands(done.repeated_count),
            }
            if done.bad_lines:
                words += _now("，这些行不能用：%(lines)s") % {"lines": "、".join(map(str, done.bad_lines))}
            return words

        form = CodesForm(bound_data(request), request.FILES or None)
        return self._ask(request, row, _("导入兑换码"), [], run, form)

    @operation(_("作废"), icon="block", variant="danger", path="void")
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)

        def run(cleaned: dict[str, Any]) -> str:
            count = services.void_exchange_set(
                set_id=row.pk, reason=cleaned["reason"], actor=staff_actor(request)
            )
            return _now("已作废，%(n)s 个没用过的兑换码不能再用") % {"n": thousands(count)}

        sums = selectors.sum_exchange_sets([row.pk])[row.pk]
        lines = [
            _now("没用过的兑换码全部失效，不能恢复"),
            _now("已经兑换的 %(n)s 张券照常使用") % {"n": thousands(sums.used_count)},
        ]
        form = ReasonForm(bound_data(request))
        return self._ask(request, row, _("作废"), lines, run, form, is_dangerous=True)

    def _ask(
        self,
        request: HttpRequest,
        row: ExchangeSet,
        title: Any,
        lines: list[str],
        run: Any,
        form: DressedForm,
        *,
        is_dangerous: bool = False,
    ) -> HttpResponse:
        question = Question(
            title=f"{title} · {row.name}",
            submit=title,
            back_url=reverse("admin:coupons_exchangeset_change", args=[row.pk]),
            lines=lines,
            is_dangerous=is_dangerous,
        )
        return ask(self, request, question, run, form=form, subject=row)


def _file(name: str, rows: list[list[str]], kind: str) -> HttpResponse:
    stream = io.BytesIO()
    if kind == "xlsx":
        write_rows(rows=rows, stream=stream, title=_now("兑换码"))
    else:
        write_csv(rows=rows, stream=stream)
    day = clock.today().isoformat()
    answer = HttpResponse(
        stream.getvalue(), content_type=_XLSX if kind == "xlsx" else "text/csv; charset=utf-8"
    )
    file_name = f"{_now('兑换码')}-{name}-{day}.{kind}"
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file_name)}"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _uses_panel(request: HttpRequest, row: ExchangeSet) -> Panel:
    coupons = (
        narrow(Coupon, request.user, Coupon.objects.filter(source_key=source_key_of(row)))
        .select_related("member")
        .order_by("-pk")[:_SHOWN]
    )
    numbers = dict(
        ExchangeCode.objects.filter(coupon__in=[coupon.pk for coupon in coupons]).values_list(
            "coupon_id", "number"
        )
    )
    rows = [
        (
            when(coupon.issued_at),
            thousands(numbers[coupon.pk]) if coupon.pk in numbers else "—",
            member_selectors.card_of(coupon.member).display_name,
            str(coupon.get_state_display()),
        )
        for coupon in coupons
    ]
    context = {
        "heads": (_("兑换时间"), _("序号"), _("会员"), _("券的状态")),
        "rows": rows,
        "empty": _("还没有人兑换"),
        "more_url": f"{reverse('admin:coupons_exchangecode_changelist')}?exchange_set__id__exact={row.pk}",
        "more_text": _("查看全部兑换码"),
    }
    return Panel(_("最近的兑换"), "admin/xiaoer/panel_table.html", context)


register_panel("coupons.ExchangeSet", _uses_panel)
