"""Opening hours as seven friendly rows instead of raw JSON."""

import datetime as dt
from typing import Any, Final

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

DAYS: Final = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))


class HoursWidget(forms.Widget):
    """From and to for every weekday; both empty is a day off."""

    template_name = "admin/xiaoer/hours_widget.html"

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        spans = value if isinstance(value, list) and len(value) == len(DAYS) else [""] * len(DAYS)
        rows = [
            {"day": day, "number": number, "opens": span.partition("-")[0], "closes": span.partition("-")[2]}
            for number, (day, span) in enumerate(zip(DAYS, spans, strict=True))
        ]
        return {**super().get_context(name, None, attrs), "name": name, "rows": rows}

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """With the project's template engine: the forms' own one does not know our folder."""
        return render_to_string(template_name, context)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """ "10:00-22:00" for each day; "-" ends missing when only one of the two was filled in."""
        spans = []
        for number in range(len(DAYS)):
            opens = str(data.get(f"{name}_{number}_opens", "")).strip()
            closes = str(data.get(f"{name}_{number}_closes", "")).strip()
            spans.append(f"{opens}-{closes}" if opens or closes else "")
        return spans

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}_0_opens" not in data


class HoursField(forms.Field):
    """Seven spans, Monday first; an empty list when every day is empty (hours not given)."""

    widget = HoursWidget

    def clean(self, value: Any) -> list[str]:
        spans = [str(span) for span in value or []]
        if not any(spans):
            return []
        for day, span in zip(DAYS, spans, strict=True):
            opens, _dash, closes = span.partition("-")
            if span and (_time(opens) is None or _time(closes) is None):
                raise forms.ValidationError(
                    _("%(day)s的营业时间要填开始和结束，休息日两个都空着") % {"day": day}
                )
        return spans

    def has_changed(self, initial: Any, data: Any) -> bool:
        def plain(spans: Any) -> list[str]:
            return list(spans) if spans and any(spans) else []

        return plain(initial) != plain(data)


def _time(text: str) -> dt.time | None:
    try:
        return dt.time.fromisoformat(text)
    except ValueError:
        return None
