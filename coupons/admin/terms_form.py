"""Plain forms of terms: exchange codes, unlocks, standing rules, settlement policies."""

from typing import Any

from django import forms
from django.apps import apps
from unfold import widgets

from core.admin.forms import dress


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Rows of another app's table, as ids."""

    def __init__(self, label_of: str, **kwargs: Any) -> None:
        queryset = apps.get_model(label_of)._default_manager.order_by("pk")
        widget = widgets.UnfoldAdminSelect2MultipleWidget()
        super().__init__(queryset, **{"required": False, "widget": widget, **kwargs})

    def clean(self, value: Any) -> tuple[int, ...]:  # type: ignore[override]
        return tuple(row.pk for row in super().clean(value))


class TermsForm(forms.ModelForm[Any]):
    """A form whose values go to a service, which says what is wrong with them; the row is only what it starts from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    def _post_clean(self) -> None:
        pass
