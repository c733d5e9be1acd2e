"""Plain forms in the admin's dress."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold import widgets

# First match wins, so subclasses stand before their bases.
_DRESS: tuple[tuple[type[forms.Widget], Any], ...] = (
    (forms.PasswordInput, widgets.UnfoldAdminPasswordWidget),
    (forms.URLInput, widgets.UnfoldAdminURLInputWidget),
    (forms.NumberInput, widgets.UnfoldAdminIntegerFieldWidget),
    (forms.DateTimeInput, None),
    (forms.DateInput, widgets.UnfoldAdminSingleDateWidget),
    (forms.TextInput, widgets.UnfoldAdminTextInputWidget),
    (forms.Textarea, widgets.UnfoldAdminTextareaWidget),
    (forms.CheckboxInput, widgets.UnfoldBooleanSwitchWidget),
)


def dress(field: forms.Field) -> None:
    """Give a field the admin's own widget; one that has been chosen by hand stays."""
    widget = field.widget
    if type(widget) is forms.Select:
        dressed = widgets.UnfoldAdminSelectWidget(choices=widget.choices)
    else:
        maker = next((maker for kind, maker in _DRESS if type(widget) is kind), None)
        if maker is None:
            return
        attrs = {name: value for name, value in widget.attrs.items() if name != "class"}
        dressed = maker(attrs=attrs)
    dressed.is_required = field.required
    dressed.is_localized = widget.is_localized
    field.widget = dressed


class DayInput(forms.DateInput):
    """The browser's own picker: the admin's needs a catalogue of words that only its forms load."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "xe-day-input"}, format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """A day and a time of day, by the browser's own picker."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "xe-day-input"}, format="%Y-%m-%dT%H:%M")


class DressedForm(forms.Form):
    """A form whose fields wear the admin's widgets. Labels and refusals are the subclass's."""

    template_name_label = "unfold/helpers/form_label.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dress_all()

    def dress_all(self) -> None:
        """Again for fields that a subclass adds; dressed ones stay as they are."""
        for field in self.fields.values():
            dress(field)


class Autocomplete(AutocompleteSelect):
    """Django's own leaves the field empty, which looks like one that failed to load."""

    unchosen: Any = _("请选择")

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        return attrs | {"data-placeholder": str(self.unchosen)}


def autocomplete_field(
    model: type[models.Model],
    field_name: str,
    queryset: models.QuerySet[Any],
    *,
    unchosen: Any = "",
    **kwargs: Any,
) -> forms.ModelChoiceField[Any]:
    """A choice by typing, as for the foreign key `model.field_name`; `queryset` is what may be chosen. `unchosen` stands in
    the field while nothing is; by itself 请选择."""
    widget = Autocomplete(model._meta.get_field(field_name), admin.site)
    widget.unchosen = unchosen or widget.unchosen
    return forms.ModelChoiceField(queryset=queryset, widget=widget, **kwargs)


def plain_address(request: HttpRequest, *, rows: Sequence[str]) -> dict[str, str]:
    """What the address asks, short and without signs that no database takes. `rows` name fields that choose a row: a
    widget that looks rows up cannot draw what is no number, and 0 is no row either, and says so."""
    asked = {
        name: value.replace("\0", "")[:40]
        for name, value in request.GET.items()
        if isinstance(value, str) and value
    }
    for name in rows:
        if name in asked and not (asked[name].isascii() and asked[name].isdecimal()):
            asked[name] = "0"
    return asked
