"""RFM 设置: how scores, groups and stages are given, tried on today's members before it is saved."""

import dataclasses
import re
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin import BaseAdmin, DressedForm, staff_actor, thousands
from core.admin.questions import add_refusal
from core.errors import Refusal
from sales import selectors, services
from sales.admin.rfm_words import grid_of
from sales.contracts import RfmPreview, RfmRules
from sales.models import GROUPS, SCORES, CutMode, RfmSettings

_LISTS: Final = {
    "recency_cuts": 1,
    "frequency_cuts": 1,
    "money_cuts": 100,
    "price_cuts": 100,
    "stage_days": 1,
}
_SEPARATORS: Final = re.compile(r"[\s,，、;；]+")
_MOST_DIGITS: Final = 12


class NumbersField(forms.CharField):
    """Whole numbers in one line, "30、90、180、365"; money is typed in yuan and kept in fen."""

    def __init__(self, *, times: int, **kwargs: Any) -> None:
        super().__init__(max_length=120, **kwargs)
        self.times = times

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            return "、".join(str(number // self.times) for number in value)
        return value

    def clean(self, value: Any) -> tuple[int, ...]:
        words = [word for word in _SEPARATORS.split(super().clean(value)) if word]
        if not all(word.isascii() and word.isdecimal() and len(word) <= _MOST_DIGITS for word in words):
            raise forms.ValidationError(_("请填写整数，用顿号隔开"))
        return tuple(int(word) * self.times for word in words)


class RfmForm(DressedForm):
    """All of the rules."""

    mode = forms.ChoiceField(label=_("分档方式"), choices=CutMode.choices)
    recency_cuts = NumbersField(
        times=1, label=_("R：距上次消费不超过几天，5、4、3、2 分（4 个数，从小到大）")
    )
    frequency_cuts = NumbersField(times=1, label=_("F：近 12 个月至少几单，2、3、4、5 分（4 个数）"))
    money_cuts = NumbersField(times=100, label=_("M：近 12 个月至少多少元，2、3、4、5 分（4 个数）"))
    recency_high = forms.IntegerField(label=_("R 几分起算高（2 到 5）"))
    frequency_high = forms.IntegerField(label=_("F 几分起算高（2 到 5）"))
    money_high = forms.IntegerField(label=_("M 几分起算高（2 到 5）"))
    price_cuts = NumbersField(times=100, label=_("价格带：每件多少元分界（1 到 8 个数）"))
    new_days = forms.IntegerField(label=_("首次消费多少天内算新客"))
    stage_days = NumbersField(
        times=1, label=_("多少天没来算：活跃截止、沉睡 1 个月、3 个月、6 个月截止（4 个数）")
    )

    def __init__(self, *args: Any, rules: RfmRules, **kwargs: Any) -> None:
        values = dataclasses.asdict(rules)
        initial = {name: values[name] for name in self.base_fields}
        initial |= {f"name_{place}": name for place, name in enumerate(rules.group_names)}
        super().__init__(*args, initial=initial, **kwargs)
        for place in reversed(range(GROUPS)):
            field = forms.CharField(label=_group_words(place), max_length=12)
            self.fields[f"name_{place}"] = field
        # Fields that were added wear the admin's widgets as well.
        for place in range(GROUPS):
            self.fields[f"name_{place}"].widget.attrs.update(self.fields["new_days"].widget.attrs)
            self.fields[f"name_{place}"].widget.attrs.pop("type", None)

    def rules(self) -> RfmRules:
        """What was typed."""
        cleaned = self.cleaned_data
        names = tuple(cleaned[f"name_{place}"] for place in range(GROUPS))
        return RfmRules(group_names=names, **{name: cleaned[name] for name in self.base_fields})

    @property
    def number_fields(self) -> list[Any]:
        return [self[name] for name in self.base_fields]

    @property
    def name_fields(self) -> list[Any]:
        return [self[f"name_{place}"] for place in reversed(range(GROUPS))]


@admin.register(RfmSettings)
class RfmSettingsAdmin(BaseAdmin):
    """One page: what holds, what a change would do, and the change. Head office changes it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is always there."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The form; with 预览 what it would make of today's members, with 保存 it holds."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_change = bool(request.user.is_superuser)
        if request.method == "POST" and not may_change:
            raise PermissionDenied
        rules = selectors.get_rfm_rules()
        form = RfmForm(request.POST or None, rules=rules)
        preview = None
        if request.method == "POST" and form.is_valid():
            try:
                wanted = services.usable_rules(form.rules())
                if "_save" in request.POST:
                    services.change_rfm_rules(rules=wanted, actor=staff_actor(request))
                    messages.success(request, _now("已保存，会员正在按新规则重新分群"))
                    return HttpResponseRedirect(reverse("admin:sales_rfmsettings_changelist"))
                preview = selectors.preview_rules(rules=wanted, day=clock.today())
            except Refusal as refusal:
                add_refusal(form, refusal)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("RFM 设置"),
            "form": form,
            "may_change": may_change,
            "scores": range(1, SCORES + 1),
            "preview": None if preview is None else _preview_words(preview),
            "back_url": reverse("admin:sales_membermetrics_changelist"),
        }
        return TemplateResponse(request, "admin/xiaoer/rfm_settings.html", context)


def _group_words(place: int) -> str:
    """ "R 高 F 高 M 低"."""
    return " ".join(
        f"{name} {_now('高') if place & weight else _now('低')}"
        for name, weight in (("R", 1), ("F", 2), ("M", 4))
    )


def _preview_words(preview: RfmPreview) -> dict[str, Any]:
    rules = preview.rules
    whole = sum(preview.group_counts)
    return {
        "grid": grid_of(preview.cells),
        "changed": thousands(preview.changed_count),
        "whole": thousands(whole),
        "is_estimate": preview.is_estimate,
        "cuts": [
            ("R", "、".join(str(cut) for cut in rules.recency_cuts), _("天")),
            ("F", "、".join(str(cut) for cut in rules.frequency_cuts), _("单")),
            ("M", "、".join(f"{cut / 100:,.0f}" for cut in rules.money_cuts), _("元")),
        ],
        "groups": [
            (rules.group_names[group], thousands(preview.group_counts[group]))
            for group in reversed(range(GROUPS))
        ],
    }
