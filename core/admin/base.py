"""The base of every admin page."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from unfold.views import ChangeList as UnfoldChangeList

from core import audit
from core.admin.audit_words import describe
from core.admin.extensions import ExtraColumn, actions_of, columns_of, filters_of, inlines_of, panels_of
from core.admin.forms import Autocomplete
from core.admin.questions import staff_actor
from core.admin.unfolded import UnfoldModelAdmin

Row = models.Model
_HISTORY_PAGE = 50


def narrow(model: type[Row], staff: Any, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The rows of a table that a staff account may see, by the scope table (`settings.SCOPES`).

    A scoped page of a table without an entry shows its rows to head office only.
    """
    scopes = import_string(settings.SCOPES)
    path = scopes.get(model._meta.label)
    if path is not None:
        narrowed: models.QuerySet[Any] = import_string(path)(staff, queryset)
        return narrowed
    return queryset if staff.is_superuser else queryset.none()


class _ChangeList(UnfoldChangeList):  # type: ignore[misc]
    """A list that reads what its rows need for the whole page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found: Any = self.result_list  # type: ignore[has-type]
        rows: list[Any] = list(found)
        page: BaseAdmin = self.model_admin
        page.prepare_rows(request, rows)
        keys = [row.pk for row in rows]
        extra = {column.name: column.load(keys) if keys else {} for column in columns_of(self.model)}
        for row in rows:
            row.extra_values = {name: values.get(row.pk, "") for name, values in extra.items()}
        self.result_list = rows


def _extra_cell(extra: ExtraColumn) -> Callable[[Any], Any]:
    def cell(row: Any) -> Any:
        return row.extra_values.get(extra.name) or "—"

    cell.__name__ = extra.name
    cell.short_description = extra.title  # type: ignore[attr-defined]
    return cell


class BaseAdmin(UnfoldModelAdmin):
    """Lists of bounded cost, an audit box on detail pages, extensions, Chinese empty values, no deletion."""

    list_per_page = 50
    list_filter_sheet = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    empty_value_display = "—"
    empty_words: Any = ""  # what fills a list that has nothing yet
    has_audit_box = True
    change_form_outer_after_template = "admin/xiaoer/below_form.html"

    def prepare_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """Read what the columns need for all rows of the page; the default needs nothing."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return _ChangeList

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = list(super().get_list_display(request))
        for extra in columns_of(self.model):
            at = shown.index(extra.after) + 1 if extra.after in shown else len(shown)
            shown.insert(at, _extra_cell(extra))
        return shown

    def get_actions(self, request: HttpRequest) -> Any:
        """Its own, and what higher apps registered for this account."""
        extra = [one for one in actions_of(self.model) if request.user.has_perm(one.permission)]
        return super().get_actions(request) | {one.name: (one.run, one.name, one.title) for one in extra}

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [*super().get_list_filter(request), *filters_of(self.model)]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [*super().get_inlines(request, obj), *inlines_of(self.model)]

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May run this page's services: the right to change the row, also where fields are read-only."""
        opts = self.model._meta
        return request.user.has_perm(f"{opts.app_label}.change_{opts.model_name}")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are closed, ended or switched off, never deleted; the few pages that may delete say so."""
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choices without the side buttons that add and change the chosen row."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            for side_button in (
                "can_add_related",
                "can_change_related",
                "can_view_related",
                "can_delete_related",
            ):
                setattr(field.widget, side_button, False)
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only what the related page shows to this account may be chosen, also by a hand-made POST."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = Autocomplete(db_field, self.admin_site, using=kwargs.get("using"))
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(field, ModelChoiceField) and isinstance(related, ScopedAdmin):
            field.queryset = related.get_queryset(request)
        return field

    def subject(self, request: HttpRequest, object_id: str) -> Any:
        """The row of a detail button's URL, or None when it does not exist or is not this account's."""
        return self.get_object(request, unquote(object_id))

    def no_subject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The answer for a row that does not exist, the same as for one outside the account's part."""
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return answer

    def below_form(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        """What stands below a detail page: panels, then the audit box."""
        entries = audit.list_entries(subject=instance, limit=20) if self.has_audit_box else []
        return {
            "panels": panels_of(request, instance),
            "has_audit_box": self.has_audit_box,
            "audit_lines": [describe(entry) for entry in entries],
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        extra_context = {
            "show_save_and_add_another": False,
            "show_history": self.has_audit_box,
            **(extra_context or {}),
        }
        if object_id is not None and request.method == "GET":
            instance = self.get_object(request, unquote(object_id))
            if instance is not None and self.has_view_or_change_permission(request, instance):
                extra_context |= self.below_form(request, instance)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The whole audit trail of one row, page by page; the box on its own page shows the newest. Rows of ledgers,
        which are written once, have none, and their pages no button that leads here."""
        instance = self.get_object(request, unquote(object_id))
        if instance is None:
            return self.no_subject(request, object_id)
        if not self.has_view_or_change_permission(request, instance):
            raise PermissionDenied
        shown = Paginator(audit.entries_about(subject=instance), _HISTORY_PAGE)
        page = shown.get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": instance,
            "title": _("%(name)s 的操作记录") % {"name": instance},
            "newer_url": f"?p={page.previous_page_number()}" if page.has_previous() else "",
            "older_url": f"?p={page.next_page_number()}" if page.has_next() else "",
            "audit_lines": [describe(entry) for entry in page],
            "back_url": reverse(
                f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[instance.pk]
            ),
        }
        return TemplateResponse(request, "admin/xiaoer/history.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save and keep who did it; the audit row names the changed fields, never their values."""
        super().save_model(request, obj, form, change)
        audit.record(
            action=f"{self.opts.app_label}.{self.opts.model_name}.{'change' if change else 'add'}",
            subject=obj,
            actor=staff_actor(request),
            fields=sorted(form.changed_data),
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save an inline and keep who did it, by counts."""
        super().save_formset(request, form, formset, change)
        counts: dict[str, Any] = {
            "added": len(formset.new_objects),
            "changed": len(formset.changed_objects),
            "deleted": len(formset.deleted_objects),
        }
        if any(counts.values()):
            opts = formset.model._meta
            action = f"{opts.app_label}.{opts.model_name}.inline"
            audit.record(action=action, subject=form.instance, actor=staff_actor(request), **counts)


class ScopedAdmin(BaseAdmin):
    """Shows a staff account its part of the chain. List, detail, choices and actions all read this query."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return narrow(self.model, request.user, super().get_queryset(request))


class _ReadOnly:
    """Nothing can be added, changed or deleted by hand; buttons may still run services."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(_ReadOnly, BaseAdmin):
    """A ledger that is the same for every account with the right to view it."""


class ScopedReadOnlyAdmin(_ReadOnly, ScopedAdmin):
    """A ledger of which every account sees its part."""
