"""活动规则: what head office lets campaigns do, and the chain's members' days."""

import re
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import CHANNEL_LABELS
from campaigns.contracts.campaigns import MOST_HOLDOUT_BP, PART_ACTS
from campaigns.models import CampaignPolicy
from campaigns.selectors.acts import ACT_KINDS
from campaigns.selectors.campaigns.limits import EARLIEST, LATEST
from campaigns.selectors.campaigns.times import WEEKDAYS
from core.admin import BaseAdmin, OnlyRow
from core.admin.forms import dress
from coupons.admin.fields import TicksField, YuanField

_SIGNS: Final = re.compile(r"[，,、\s]+")
_ALL: Final = _("都不选就是都可以")


class RulesForm(forms.ModelForm[CampaignPolicy]):
    """The row in a marketer's words: percent, yuan, days."""

    least_holdout = forms.DecimalField(
        label=_("对照组最少（%）"), min_value=0, max_value=50, decimal_places=1, initial=0
    )
    most_holdout = forms.DecimalField(
        label=_("对照组最多（%）"), min_value=0, max_value=50, decimal_places=1, initial=30
    )
    campaign_budget = YuanField(label=_("每个活动的预算上限（元）"), help_text=_("不填不限"))
    month_budget = YuanField(
        label=_("每个区域、门店每月的预算上限（元）"),
        help_text=_("按活动开始的月份，加起来不能超过；已结束的按实际花费算"),
    )
    chosen_acts = TicksField(
        label=_("可以做什么"),
        choices=[(kind, ACT_KINDS[kind].label) for kind in PART_ACTS],
        help_text=_ALL,
    )
    chosen_channels = TicksField(
        label=_("可以用的通道"), choices=list(CHANNEL_LABELS.items()), help_text=_ALL
    )
    on_month_days = forms.CharField(
        label=_("每月几号是会员日"),
        required=False,
        max_length=100,
        help_text=_("如 8、18、28；这个月没有的日子算月底"),
    )
    on_week_days = TicksField(label=_("每周几是会员日"), choices=list(enumerate(WEEKDAYS, 1)), coerce=int)

    class Meta:
        model = CampaignPolicy
        fields = ("may_regions", "may_stores", "approvers", "most_recipients", "earliest", "latest")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        if row._state.adding:
            self.initial.update(earliest=EARLIEST, latest=LATEST)
        else:
            known: dict[str, Any] = {
                "least_holdout": f"{row.least_holdout_bp / 100:g}",
                "most_holdout": f"{row.most_holdout_bp / 100:g}",
                "campaign_budget": row.campaign_budget_fen,
                "month_budget": row.month_budget_fen,
                "chosen_acts": row.acts,
                "chosen_channels": row.channels,
                "on_month_days": "、".join(map(str, row.month_days)),
                "on_week_days": row.week_days,
            }
            self.initial.update(known)
        for field in self.fields.values():
            dress(field)

    def clean_on_month_days(self) -> list[int]:
        words = [one for one in _SIGNS.split(self.cleaned_data["on_month_days"]) if one]
        if not all(
            one.isascii() and one.isdecimal() and len(one) <= 2 and 1 <= int(one) <= 31 for one in words
        ):
            raise forms.ValidationError(_("填 1 到 31 的数字，用顿号隔开"))
        return sorted({int(one) for one in words})

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        least, most = cleaned.get("least_holdout"), cleaned.get("most_holdout")
        if least is not None and most is not None and least > most:
            self.add_error("most_holdout", _("最多不能小于最少"))
        if cleaned.get("earliest") and cleaned.get("latest") and cleaned["earliest"] >= cleaned["latest"]:
            self.add_error("latest", _("停止时间要晚于起发时间"))
        return cleaned

    def save(self, commit: bool = True) -> CampaignPolicy:
        row, cleaned = self.instance, self.cleaned_data
        row.pk = 1
        row.least_holdout_bp = min(MOST_HOLDOUT_BP, int(cleaned["least_holdout"] * 100))
        row.most_holdout_bp = min(MOST_HOLDOUT_BP, int(cleaned["most_holdout"] * 100))
        row.campaign_budget_fen, row.month_budget_fen = cleaned["campaign_budget"], cleaned["month_budget"]
        row.acts, row.channels = list(cleaned["chosen_acts"]), list(cleaned["chosen_channels"])
        row.month_days, row.week_days = cleaned["on_month_days"], sorted(cleaned["on_week_days"])
        return super().save(commit)


@admin.register(CampaignPolicy)
class CampaignPolicyAdmin(OnlyRow, BaseAdmin):
    """One row for the chain; until somebody has decided, the defaults."""

    form = RulesForm

    class Media:
        css: Any = {"all": ("admin_xiaoer/coupons.css",)}

    fieldsets = (
        (
            _("区域和门店自己的活动"),
            {
                "fields": (
                    ("may_regions", "may_stores"),
                    "approvers",
                    "most_recipients",
                    ("campaign_budget", "month_budget"),
                    "chosen_acts",
                    "chosen_channels",
                ),
            },
        ),
        (
            _("所有活动"),
            {
                "fields": (("least_holdout", "most_holdout"), ("earliest", "latest")),
                "description": _("总部的活动也受这些限制；免打扰和频次上限在“触达规则”里。"),
            },
        ),
        (_("会员日"), {"fields": ("on_month_days", "on_week_days")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
