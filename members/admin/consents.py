"""Consent at the staff's desk: kinds, texts with their versions, the book of who said what, a panel per member."""

import difflib
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import (
    BaseAdmin,
    ChoiceFilter,
    Panel,
    Question,
    ScopedReadOnlyAdmin,
    ServiceForms,
    TypedSearch,
    ask,
    column,
    name_actions,
    name_details,
    name_values,
    operation,
    register_panel,
    staff_actor,
    thousands,
    when,
)
from members import selectors, services
from members.contracts import ConsentCard
from members.models import ConsentAction, ConsentDoor, ConsentEntry, ConsentKind, ConsentText, Member

name_actions(
    {
        "members.consent_kind_created": _("新增授权项目"),
        "members.consent_kind_changed": _("修改授权项目"),
        "members.consent_text_drafted": _("起草授权文本"),
        "members.consent_text_published": _("发布授权文本"),
        "members.consent_agreed": _("同意授权"),
        "members.consent_withdrawn": _("撤回授权"),
    }
)
name_details({"version": _("版本"), "door": _("渠道"), "code": _("代码")})
name_values("door", ConsentDoor.choices, within="members.consent_")
# Kinds that a chain adds go by the code it gave them.
name_values(
    "kind",
    {
        "privacy": _("隐私政策"),
        "charter": _("会员章程"),
        "marketing": _("营销信息"),
        "recommendation": _("个性化推荐"),
    },
    within="members.consent_",
)


class _HeadOffice(ServiceForms, BaseAdmin):
    """What the whole chain asks its members: everybody with the right may look, head office changes it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(ConsentKind)
class ConsentKindAdmin(_HeadOffice):
    """What members agree to or not."""

    list_display = ("title", "code", "required_words", "current_words", "order")
    ordering = ("order", "pk")
    search_fields = ("title", "code")
    search_help_text = _("按名称或代码查找")
    fields = (("title", "code"), ("is_required", "offers_erasure"), "order")
    actions_list = ("fill_standard",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("code", "is_required")

    def run_service(self, request: HttpRequest, row: Any, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        actor = staff_actor(request)
        if not change:
            return services.create_consent_kind(**cleaned, actor=actor)
        return services.change_consent_kind(
            kind_id=row.pk,
            title=cleaned["title"],
            order=cleaned["order"],
            offers_erasure=cleaned["offers_erasure"],
            actor=actor,
        )

    def prepare_rows(self, request: HttpRequest, rows: Any) -> None:
        current = {card.kind: card for card in selectors.list_current_consent_texts()}
        for row in rows:
            row.current = current.get(row.code)

    @column(_("必须同意"), ordering="is_required")
    def required_words(self, row: ConsentKind) -> str:
        return _now("必须") if row.is_required else _now("自愿")

    @column(_("现行版本"))
    def current_words(self, row: Any) -> str:
        return (
            f"v{row.current.version} · {when(row.current.published_at)}"
            if row.current
            else _now("还没有发布")
        )

    @operation(_("补齐常用的四项"), icon="playlist_add", path="fill-standard")
    def fill_standard(self, request: HttpRequest) -> HttpResponse:
        """隐私政策, 会员章程, 营销信息, 个性化推荐: those that are missing."""
        made = services.ensure_consent_kinds(actor=staff_actor(request))
        messages.success(
            request, _now("新增了 %(n)s 项") % {"n": made} if made else _now("四项都已经有了，没有改动")
        )
        return HttpResponseRedirect(reverse("admin:members_consentkind_changelist"))


class TextStateFilter(ChoiceFilter):
    title = _("状态")
    parameter_name = "state"
    options = (("draft", _("草稿")), ("published", _("已发布")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        return queryset.filter(published_at__isnull=value == "draft") if value else queryset


@admin.register(ConsentText)
class ConsentTextAdmin(_HeadOffice):
    """Versions. A draft is written and rewritten; published it stays as members saw it."""

    list_display = ("title", "kind", "version_words", "state_label", "change_note", "published_words")
    list_select_related = ("kind",)
    list_filter = (TextStateFilter, "kind")
    ordering = ("kind__order", "-version")
    search_fields = ("title",)
    search_help_text = _("按标题查找")
    fields = ("kind", "title", "body", "change_note")
    actions_detail = ("publish",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("kind",) if obj.published_at is None else self.fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and getattr(obj, "published_at", None) is None

    def run_service(self, request: HttpRequest, row: Any, form: Any, change: bool) -> int:
        return services.draft_consent_text(
            kind=row.kind.code,
            title=form.cleaned_data["title"],
            body=form.cleaned_data["body"],
            change_note=form.cleaned_data["change_note"],
            actor=staff_actor(request),
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        row = self.subject(request, str(object_id))
        return [] if row is None or row.published_at else super().get_actions_detail(request, object_id)

    @column(_("版本"), ordering="version")
    def version_words(self, row: ConsentText) -> str:
        return f"v{row.version}"

    @column(_("状态"), ordering="published_at", labels={"draft": "warning", "published": "success"})
    def state_label(self, row: ConsentText) -> tuple[str, str]:
        return ("published", _now("已发布")) if row.published_at else ("draft", _now("草稿"))

    @column(_("发布"), ordering="published_at")
    def published_words(self, row: ConsentText) -> str:
        return f"{when(row.published_at)} · {row.published_by}" if row.published_at else "—"

    @operation(_("发布"), icon="publish", variant="primary", path="publish")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.subject(request, object_id)
        if row is None:
            return self.no_subject(request, object_id)
        again = selectors.count_agreed(row.kind.code)

        def run(cleaned: dict[str, Any]) -> str:
            services.publish_consent_text(text_id=row.pk, actor=staff_actor(request))
            return _now("已发布，会员下次打开小程序时会看到")

        question = Question(
            title=_now("发布 %(title)s v%(version)s") % {"title": row.title, "version": row.version},
            submit=_("发布"),
            back_url=reverse("admin:members_consenttext_change", args=[row.pk]),
            lines=[
                _now("发布后不能再改，要改只能起草下一版"),
                _now("%(n)s 位会员同意过旧版，会被请求重新同意") % {"n": thousands(again)},
            ],
        )
        return ask(self, request, question, run, subject=row)


def _diff_panel(request: HttpRequest, text: ConsentText) -> Panel | None:
    """What this version says differently from the one before, line by line."""
    before = ConsentText.objects.filter(kind=text.kind, version__lt=text.version).order_by("-version").first()
    if before is None:
        return None
    compared = difflib.ndiff(before.body.splitlines(), text.body.splitlines())
    lines = [(line[0].strip(), line[2:]) for line in compared if line[0] != "?"]
    return Panel(
        _now("与 v%(version)s 相比") % {"version": before.version},
        "admin/xiaoer/panel_diff.html",
        {"lines": lines, "is_same": all(not mark for mark, _line in lines)},
    )


class ActionFilter(ChoiceFilter):
    title = _("动作")
    parameter_name = "action"
    options = tuple((action.value, action.label) for action in ConsentAction)


class DoorFilter(ChoiceFilter):
    title = _("渠道")
    parameter_name = "door"
    options = tuple((door.value, door.label) for door in ConsentDoor)


class OfMember(TypedSearch, ScopedReadOnlyAdmin):
    """Rows with a member's key, found as members are found."""

    search_fields = ("member__code",)
    search_help_text = _("会员姓名、拼音、手机号或会员码")

    def found_by(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queryset.filter(member_id__in=selectors.search_member_ids(text))

    @column(_("会员"))
    def member_name(self, row: Any) -> str:
        return selectors.card_of(row.member).display_name


@admin.register(ConsentEntry)
class ConsentEntryAdmin(OfMember):
    """Who said yes or no to which version; never changed by hand."""

    list_display = ("member_name", "kind", "version_words", "action_label", "door_words", "moment", "actor")
    list_select_related = ("member", "kind", "text")
    list_filter = (ActionFilter, DoorFilter, "kind")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    has_audit_box = False
    fields = (
        ("member_name", "kind"),
        ("version_words", "action_label"),
        ("door_words", "moment"),
        "actor",
        "text_digest",
    )

    @column(_("版本"))
    def version_words(self, row: ConsentEntry) -> str:
        return f"v{row.text.version}"

    @column(_("动作"), ordering="action", labels={"agreed": "success", "withdrawn": "warning"})
    def action_label(self, row: ConsentEntry) -> tuple[str, str]:
        return row.action, str(row.get_action_display())

    @column(_("渠道"), ordering="door")
    def door_words(self, row: ConsentEntry) -> str:
        return str(row.get_door_display())

    @column(_("时间"), ordering="at")
    def moment(self, row: ConsentEntry) -> str:
        return when(row.at)


def _state_words(card: ConsentCard) -> str:
    if card.version is None:
        return _now("没有问过")
    if not card.is_agreed:
        return _now("已撤回")
    if card.is_pending:
        return _now("同意过旧版，等待重新同意")
    return _now("已同意")


def _consent_panel(request: HttpRequest, member: Member) -> Panel | None:
    """What she says to everything, to accounts with the right to see the book."""
    if not request.user.has_perm("members.view_consententry"):
        return None
    rows = [
        (
            card.title,
            _state_words(card),
            f"v{card.version}" if card.version else "—",
            card.door_label or "—",
            when(card.changed_at),
        )
        for card in selectors.list_consents(member.pk)
    ]
    context: dict[str, Any] = {
        "heads": (_("授权项目"), _("状态"), _("版本"), _("渠道"), _("时间")),
        "rows": rows,
        "empty": _("还没有设置授权项目"),
        "more_url": f"{reverse('admin:members_consententry_changelist')}?q={member.code}",
        "more_text": _("全部授权记录"),
    }
    return Panel(_("授权"), "admin/xiaoer/panel_table.html", context)


register_panel("members.ConsentText", _diff_panel)
register_panel("members.Member", _consent_panel, order=70)
