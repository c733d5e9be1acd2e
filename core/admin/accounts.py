"""Staff accounts, permission groups and the audit trail."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from core.admin.audit_words import ACTORS, action_words, actor_words, describe, name_actions
from core.admin.base import BaseAdmin, ReadOnlyAdmin
from core.admin.filters import ChoiceFilter
from core.admin.unfolded import column
from core.models import AuditEntry, StaffAccount

name_actions(
    {
        "core.staffaccount.add": _("新建后台账号"),
        "core.staffaccount.change": _("修改后台账号"),
        "auth.group.add": _("新建权限组"),
        "auth.group.change": _("修改权限组"),
    }
)

admin.site.unregister(Group)


@admin.register(StaffAccount)
class StaffAccountAdmin(BaseAdmin, UserAdmin[StaffAccount]):
    """Logins of the office. Which part of the chain one sees is an inline that `guides` brings."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "kind", "is_active", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    search_help_text = _("按用户名或姓名查找")
    search_fields = ("username", "first_name", "last_name")
    ordering = ("username",)
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "last_name", "first_name", "email")}),
        (_("权限"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("时间"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "password1", "password2")}),
        (_("权限"), {"fields": ("is_staff", "groups")}),
    )

    @column(_("姓名"), ordering="last_name")
    def full_name(self, row: StaffAccount) -> str:
        return row.get_full_name()

    @column(_("身份"), ordering="is_superuser", labels={"head": "success", "part": "info"})
    def kind(self, row: StaffAccount) -> tuple[str, Any]:
        return ("head", _("总部")) if row.is_superuser else ("part", _("按范围"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A head-office account is changed by head office only."""
        if obj is not None and getattr(obj, "is_superuser", False) and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Rights are given by head office only: nobody raises her own."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if request.user.is_superuser else (*fixed, "is_superuser", "is_staff", "groups")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """A part of the chain is given to an account that exists, in a second step."""
        return super().get_inlines(request, obj) if obj is not None else []


@admin.register(Group)
class PermissionGroupAdmin(BaseAdmin, GroupAdmin):
    """Bundles of rights given to accounts."""

    list_display = ("name", "account_count")
    search_fields = ("name",)
    search_help_text = _("按组名查找")
    filter_horizontal = ("permissions",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(account_total=Count("user", distinct=True))

    @column(_("账号数"), ordering="account_total")
    def account_count(self, row: Any) -> int:
        return int(row.account_total)


class ActorKindFilter(ChoiceFilter):
    title = _("操作者")
    parameter_name = "actor_kind"
    options = tuple(ACTORS.items())


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what to which row; written by services, never by hand."""

    list_display = ("when_done", "who", "what", "subject_words", "details_words")
    list_filter = (ActorKindFilter,)
    search_fields = ("actor_label", "action")
    search_help_text = _("按操作者或动作代码查找")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    has_audit_box = False
    fields = ("when_done", "who", "what", "action", "subject_words", "details_words")

    @column(_("时间"), ordering="at")
    def when_done(self, row: AuditEntry) -> Any:
        return row.at

    @column(_("操作者"))
    def who(self, row: AuditEntry) -> str:
        return actor_words(row)

    @column(_("动作"), ordering="action")
    def what(self, row: AuditEntry) -> Any:
        return action_words(row.action)

    @column(_("对象"))
    def subject_words(self, row: AuditEntry) -> str:
        app_label, _dot, model_name = row.subject_kind.partition(".")
        try:
            name: Any = apps.get_model(app_label, model_name)._meta.verbose_name
        except LookupError:
            name = row.subject_kind
        return f"{name} #{row.subject_id}"

    @column(_("详情"))
    def details_words(self, row: AuditEntry) -> str:
        return describe(row).details
