"""Binding policies, tried on past scans before they are switched on."""

import datetime as dt
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import BaseAdmin, column, operation, percent, thousands
from guides import services
from guides.models import BindingPolicy

SPANS: Final = (30, 90)


class PolicyForm(forms.ModelForm[BindingPolicy]):
    class Meta:
        model = BindingPolicy
        fields = ("name", "region", "protected_days", "change_pause_days", "is_active")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("is_active"):
            rivals = BindingPolicy.objects.filter(region=cleaned.get("region"), is_active=True)
            rival = rivals.exclude(pk=self.instance.pk).first()
            if rival is not None:
                self.add_error(
                    "is_active", _("这个范围已经启用了「%(name)s」，请先停用它") % {"name": rival.name}
                )
        return cleaned


@admin.register(BindingPolicy)
class BindingPolicyAdmin(BaseAdmin):
    """What happens when a bound member scans another guide's code."""

    form = PolicyForm
    list_display = ("name", "region_words", "rule_words", "is_active")
    list_select_related = ("region",)
    list_filter = ("is_active",)
    search_fields = ("name", "region__name")
    search_help_text = _("按名称或区域查找")
    autocomplete_fields = ("region",)
    actions_detail = ("try_out",)
    fields = ("name", "region", "protected_days", "change_pause_days", "is_active")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new policy starts switched off: save it, try it on past scans, then switch it on."""
        return {"is_active": False, **super().get_changeform_initial_data(request)}

    @column(_("范围"), ordering="region__name")
    def region_words(self, row: BindingPolicy) -> str:
        return row.region.name if row.region is not None else _now("全部门店")

    @column(_("已绑定的会员扫了别人的码"), ordering="protected_days")
    def rule_words(self, row: BindingPolicy) -> str:
        return rule_words(row.protected_days)

    @operation(_("试算"), icon="calculate", needs=("view",), path="try")
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What this policy would have done to the scans of the last 30 or 90 days. Changes nothing."""
        policy = self.subject(request, object_id)
        if policy is None:
            return self.no_subject(request, object_id)
        asked = request.GET.get("days", "")
        days = int(asked) if asked in {str(span) for span in SPANS} else SPANS[0]
        trial = services.dry_run_policy(
            region_id=policy.region_id,
            protected_days=policy.protected_days,
            since=clock.now() - dt.timedelta(days=days),
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _now("试算「%(name)s」") % {"name": policy.name},
            "policy": policy,
            "region": self.region_words(policy),
            "rule": rule_words(policy.protected_days),
            "days": days,
            "spans": SPANS,
            "trial": trial,
            "share": percent(trial.changed_member_count, trial.member_count),
            "difference": thousands(abs(trial.changed_member_count - trial.really_changed_member_count)),
            "is_same": trial.changed_member_count == trial.really_changed_member_count,
            "is_more": trial.changed_member_count >= trial.really_changed_member_count,
            "back_url": reverse("admin:guides_bindingpolicy_change", args=[policy.pk]),
        }
        return TemplateResponse(request, "admin/xiaoer/policy_trial.html", context)


def rule_words(protected_days: int | None) -> str:
    """The policy in one sentence."""
    if protected_days is None:
        return _now("先绑定的导购一直保留")
    if protected_days == 0:
        return _now("以最后一次扫码为准，马上换导购")
    return _now("先绑定的导购保护 %(n)s 天，之后再扫别人的码就换") % {"n": protected_days}
