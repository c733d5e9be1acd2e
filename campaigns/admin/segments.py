"""人群: the list, the builder with its count, a segment's page, and lists that are uploaded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from campaigns import services
from campaigns.admin.segment_form import Draft, draft_from_post, draft_of, menu, rule_of, sight_of
from campaigns.admin.segment_sight import SegmentSight
from campaigns.admin.segment_tags import SegmentTags
from campaigns.errors import RuleUnfit, SegmentNameUnusable
from campaigns.models import Segment, SegmentKind, SegmentMember, SegmentSize
from campaigns.selectors import segments
from campaigns.selectors.segment_tags import list_following
from core import clock
from core.admin import (
    ChoiceFilter,
    Column,
    DressedForm,
    Exports,
    OwnPage,
    Question,
    ReadOnlyAdmin,
    ScopedReadOnlyAdmin,
    TypedSearch,
    ask,
    column,
    operation,
    register_rule_url,
    staff_actor,
    thousands,
    when,
)
from core.admin.questions import add_refusal
from core.errors import Refusal
from core.uploads import drop_file, keep_file
from coupons import services as coupon_services
from members import selectors as member_selectors
from members.admin.cells import MemberCells

_LIST: Final = "admin:campaigns_segment_changelist"
_ROW: Final = "admin:campaigns_segment_change"
_COLOURS: Final = {"living": "success", "snapshot": "info", "listed": ""}
_MADE: Final = (SegmentKind.LIVING, SegmentKind.SNAPSHOT)
_DAYS: Final = 60
_MOST_NAME: Final = 40


class KindFilter(ChoiceFilter):
    title = _("类型")
    parameter_name = "kind"
    options = tuple((kind.value, kind.label) for kind in SegmentKind)


class UseFilter(ChoiceFilter):
    title = _("启用")
    parameter_name = "is_active"
    options = (("1", _("使用中")), ("0", _("已停用")))


class UploadForm(DressedForm):
    """A name and the file with the members."""

    name = forms.CharField(label=_("名称"), max_length=_MOST_NAME)
    note = forms.CharField(label=_("说明"), max_length=200, required=False)
    file = forms.FileField(
        label=_("名单文件"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.xlsx"}),
        help_text=_(
            "CSV 或 XLSX，每行一个手机号、会员码或会员卡号，最多 10 万行；不归您查看的会员不会进名单"
        ),
    )


@admin.register(Segment)
class SegmentAdmin(OwnPage, SegmentSight, SegmentTags, ReadOnlyAdmin):
    """Segments are the chain's; members behind them are shown by what each account sees."""

    list_display = ("name", "kind_label", "size", "filled", "state", "note")
    list_filter = (KindFilter, UseFilter)
    search_fields = ("name", "note")
    search_help_text = _("按名称或说明查找")
    ordering = ("-is_active", "-pk")
    actions_list = ("upload",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("campaigns.add_segment"))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            *self.sight_urls(),
            *self.tag_urls(),
            ("upload-list/", "campaigns_segment_upload_list", self.upload_view),
            ("<int:pk>/edit/", "campaigns_segment_edit", self.edit_view),
            ("<int:pk>/refresh/", "campaigns_segment_refresh", self.refresh_view),
            ("<int:pk>/retire/", "campaigns_segment_retire", self.retire_view),
        )

    @column(_("类型"), ordering="kind", labels=_COLOURS)
    def kind_label(self, row: Segment) -> tuple[str, str]:
        return row.kind, str(row.get_kind_display())

    @column(_("人数"), ordering="member_count")
    def size(self, row: Segment) -> str:
        return _size_words(row)

    @column(_("最近计算"), ordering="filled_at")
    def filled(self, row: Segment) -> str:
        return when(row.filled_at)

    @column(_("状态"))
    def state(self, row: Segment) -> str:
        return _state_words(row)

    @operation(_("上传名单"), icon="upload_file", needs=("add",), path="upload")
    def upload(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:campaigns_segment_upload_list"))

    # The builder ---------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new segment by a rule."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            asked = {
                "kind": SegmentKind.LIVING,
                "name": request.GET.get("name", "").replace("\0", "")[:_MOST_NAME],
            }
            return self._builder(request, None, _asked_draft(request), asked)
        draft = draft_from_post(request.POST)
        try:
            public_id = services.create_segment(
                name=request.POST.get("name", ""),
                note=request.POST.get("note", ""),
                kind=request.POST.get("kind", ""),
                rule=rule_of(draft),
                actor=staff_actor(request),
            )
        except Refusal as refusal:
            return self._builder(request, None, draft, request.POST, refusal)
        return HttpResponseRedirect(reverse(_ROW, args=[Segment.objects.get(public_id=public_id).pk]))

    def edit_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """Name, note and rule of one that is in use."""
        row = self._row(request, pk, may_change=True)
        if request.method != "POST":
            draft = draft_of(row.rule) if row.rule else Draft()
            values = {"name": row.name, "note": row.note, "kind": row.kind, "version": row.version}
            return self._builder(request, row, draft, values)
        draft = draft_from_post(request.POST)
        try:
            services.change_segment(
                public_id=row.public_id,
                version=_whole(request.POST.get("version", "")),
                name=request.POST.get("name", ""),
                note=request.POST.get("note", ""),
                rule=rule_of(draft) if row.kind != SegmentKind.LISTED else None,
                actor=staff_actor(request),
            )
        except Refusal as refusal:
            return self._builder(request, row, draft, request.POST, refusal)
        return HttpResponseRedirect(reverse(_ROW, args=[pk]))

    def _builder(
        self,
        request: HttpRequest,
        row: Segment | None,
        draft: Draft,
        values: Any,
        refusal: Refusal | None = None,
    ) -> HttpResponse:
        faults = refusal.details["faults"] if isinstance(refusal, RuleUnfit) else []
        context = {
            "title": _now("新建人群") if row is None else _now("修改人群：%(name)s") % {"name": row.name},
            "row": row,
            "is_list": row is not None and row.kind == SegmentKind.LISTED,
            "values": {name: values.get(name, "") for name in ("name", "note", "kind", "version")},
            "kinds": [(kind.value, kind.label) for kind in _MADE],
            "tree": sight_of(draft, faults),
            "menu": menu(),
            "fault": refusal.message if refusal is not None else "",
            "is_name_bad": isinstance(refusal, SegmentNameUnusable),
            "back_url": reverse(_LIST) if row is None else reverse(_ROW, args=[row.pk]),
            **(self.count_words(request, draft) if draft.parts else {}),
        }
        return self._page(request, "builder", context)

    def upload_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """A list of the members in a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = UploadForm(request.POST if posted else None, request.FILES if posted else None)
        if posted and form.is_valid():
            try:
                return HttpResponseRedirect(reverse(_ROW, args=[self._upload(request, form)]))
            except Refusal as refusal:
                add_refusal(form, refusal)
        context = {"title": _now("上传名单"), "form": form, "media": form.media, "back_url": reverse(_LIST)}
        return self._page(request, "upload", context)

    def _upload(self, request: HttpRequest, form: UploadForm) -> int:
        """The file is read and forgotten; who reads it says how many lines are nobody."""
        stored_as, _digest = keep_file(form.cleaned_data["file"])
        try:
            path = Path(settings.IMPORT_ROOT) / stored_as
            listed = coupon_services.read_issue_list(path=path, staff=request.user)  # type: ignore[arg-type]
        except Refusal as refusal:
            refusal.details.setdefault("field", "file")
            raise
        finally:
            drop_file(stored_as)
        public_id = services.create_list(
            name=form.cleaned_data["name"],
            note=form.cleaned_data["note"],
            member_ids=listed.member_ids,
            actor=staff_actor(request),
        )
        messages.success(
            request,
            _now("名单里有 %(n)s 位会员，%(bad)s 行没有用上")
            % {"n": thousands(len(listed.member_ids)), "bad": thousands(len(listed.bad_lines))},
        )
        return Segment.objects.get(public_id=public_id).pk

    # A segment's page ----------------------------------------------------------------------------------------

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """What it says, how many they were day by day, what they are like."""
        rule = {"all": [{"is": "campaigns.segment", "with": {"segments": [row.public_id]}}]}
        sizes = list(SegmentSize.objects.filter(segment=row).order_by("-day")[:_DAYS])[::-1]
        most = max((size.member_count for size in sizes), default=0) or 1
        context = {
            **self.below_form(request, row),
            "title": row.name,
            "row": row,
            "original": row,
            "size": _size_words(row),
            "state": _state_words(row),
            "filled": when(row.filled_at),
            "changed": when(row.changed_at),
            "lines": segments.rule_lines(segments.node_of(row.rule)) if row.rule else [],
            "most": most,
            "is_counting": row.is_active and row.due_at is not None and row.due_at <= clock.now(),
            "sizes": [(size, max(2, size.member_count * 100 // most)) for size in sizes],
            "users": Segment.objects.active().filter(uses__contains=[row.pk]).order_by("name"),
            "tags": list_following(row.pk),
            "may_bind": request.user.is_superuser and row.kind == SegmentKind.LIVING and row.is_active,
            "rule": segments.rule_text(row.rule or rule),
            "rule_json": json.dumps(row.rule, ensure_ascii=False, indent=2),
            "members_rule": segments.rule_text(rule),
            "may_change": row.is_active and self.has_operate_permission(request),
            "may_see_members": request.user.has_perm("campaigns.view_segmentmember"),
        }
        return self._page(request, "segment", context)

    def refresh_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """Worked out anew, by POST only."""
        row = self._row(request, pk, may_change=True)
        if request.method != "POST":
            raise PermissionDenied
        try:
            services.refresh_segment(public_id=row.public_id, actor=staff_actor(request))
            messages.success(request, _now("已经开始重新计算，一般几秒钟后就好"))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse(_ROW, args=[pk]))

    def retire_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """A question first."""
        row = self._row(request, pk, may_change=True)
        question = Question(
            title=_now("停用人群“%(name)s”") % {"name": row.name},
            submit=_now("停用"),
            back_url=reverse(_LIST),
            lines=(
                _now("里面的 %(n)s 位会员会被清出，以后不能再选它；历史人数会保留。")
                % {"n": thousands(row.member_count)},
                _now("停用后不能恢复，名称可以再用。"),
            ),
            is_dangerous=True,
        )

        def run(_cleaned: dict[str, Any]) -> str:
            services.retire_segment(public_id=row.public_id, actor=staff_actor(request))
            return _now("人群“%(name)s”已停用") % {"name": row.name}

        return ask(self, request, question, run, subject=row)

    def _row(self, request: HttpRequest, pk: int, *, may_change: bool) -> Segment:
        row = self.subject(request, str(pk))
        if not isinstance(row, Segment) or (may_change and not self.has_operate_permission(request)):
            raise PermissionDenied
        return row

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/xiaoer/segments/{name}.html", whole)


def _asked_draft(request: HttpRequest) -> Draft:
    """The rule that another page's link brings along; a rule that does not read is none."""
    try:
        return draft_of(segments.write_rule(segments.read_rule_text(request.GET.get("rule", ""))))
    except RuleUnfit:
        return Draft()


def _keep_url(request: HttpRequest, rule: Mapping[str, Any], name: str) -> str:
    if not request.user.has_perm("campaigns.add_segment"):
        return ""
    return f"{reverse('admin:campaigns_segment_add')}?" + urlencode(
        {"rule": segments.rule_text(rule), "name": name[:_MOST_NAME]}
    )


register_rule_url(_keep_url)


def _size_words(row: Segment) -> str:
    return "—" if row.filled_at is None else thousands(row.member_count)


def _state_words(row: Segment) -> str:
    if not row.is_active:
        return _now("已停用")
    if row.fault:
        return _now("上次没有算完，稍后再试")
    if row.filled_at is None:
        return _now("正在计算")
    return _now("使用中")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


@admin.register(SegmentMember)
class SegmentMemberAdmin(MemberCells, Exports, TypedSearch, ScopedReadOnlyAdmin):
    """Who is in a segment, as it was last worked out; each account sees members of its part."""

    list_display = ("member_name", "member_code", "phone", "segment", "entered")
    list_select_related = ("segment",)
    list_filter = (("segment", admin.RelatedOnlyFieldListFilter),)
    search_help_text = _("会员姓名、拼音、手机号或会员码")
    search_fields = ("=member__code",)
    ordering = ("-pk",)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("export/", "campaigns_segmentmember_export", self.export_view),)

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(member_id__in=member_selectors.search_member_ids(text))

    def export_columns(self, request: HttpRequest) -> tuple[Column, ...]:
        """No name and no phone: whoever must write to them does it through the system."""
        return (
            Column(_("会员码"), lambda row: row.member.code),
            Column(_("手机尾号"), lambda row: row.member.phone_tail),
            Column(_("人群"), lambda row: row.segment.name),
            Column(_("进入时间"), lambda row: row.entered_at, "moment"),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("segment", "member").defer("member__name", "member__phone")

    @column(_("会员码"))
    def member_code(self, row: Any) -> str:
        return str(row.member.code)

    @column(_("手机号"))
    def phone(self, row: Any) -> str:
        return row.card.masked_phone if row.card is not None and row.card.masked_phone else "—"

    @column(_("进入时间"), ordering="entered_at")
    def entered(self, row: SegmentMember) -> str:
        return when(row.entered_at)
