"""Which part of the chain a staff account sees, as an inline of the account."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import UnfoldTabularInline, register_inline
from guides.models import StaffScope


class ScopeForm(forms.ModelForm[StaffScope]):
    class Meta:
        model = StaffScope
        fields = ("region", "dealer", "store")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [name for name in ("region", "dealer", "store") if cleaned.get(name) is not None]
        if len(chosen) != 1 and not self.errors:
            raise forms.ValidationError(_("每一行只选一个：区域、经销商或门店"))
        return cleaned


class StaffScopeInline(UnfoldTabularInline):
    """Parts add up. An account that is not head office and has no part sees nothing."""

    model = StaffScope
    form = ScopeForm
    extra = 0
    autocomplete_fields = ("region", "dealer", "store")
    verbose_name = _("可见范围")
    verbose_name_plural = _("可见范围（总部账号不用填；其他账号不填就什么也看不到）")

    def _may(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)


register_inline("core.StaffAccount", StaffScopeInline)
