"""Form fields in the words of a marketer: yuan, 折, lists. Cleaned values are those of the terms."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.apps import apps
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.admin.forms import dress
from coupons.selectors.templates import yuan

_WORD_SIGNS = str.maketrans(dict.fromkeys("，；;、\n\r\t ", ","))


class YuanField(forms.DecimalField):
    """Yuan with two decimals on the page, fen in the terms."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "decimal_places": 2, "max_digits": 12, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return yuan(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        number = super().clean(value)
        return None if number is None else int(number * 100)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class DiscountField(forms.DecimalField):
    """8.5 折 on the page, 8,500 basis points in the terms."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "decimal_places": 3, "max_digits": 6, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 1000:g}" if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        number = super().clean(value)
        return None if number is None else int((number * 1000).quantize(Decimal(1), ROUND_HALF_UP))


class WordsField(forms.CharField):
    """Codes with commas or blanks between them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return "，".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> tuple[Any, ...]:
        return tuple(word for word in super().clean(value).translate(_WORD_SIGNS).split(",") if word)


class NumbersField(WordsField):
    """Whole numbers with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return "，".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> tuple[Any, ...]:
        words = super().clean(value)
        if any(not word.isdecimal() or len(word) > 18 for word in words):
            raise forms.ValidationError(_("请填写数字，用逗号隔开"))
        return tuple(int(word) for word in words)


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Rows of another app's table, as ids."""

    def __init__(self, label_of: str, **kwargs: Any) -> None:
        queryset = apps.get_model(label_of)._default_manager.order_by("pk")
        widget = widgets.UnfoldAdminSelect2MultipleWidget()
        super().__init__(queryset, **{"required": False, "widget": widget, **kwargs})

    def clean(self, value: Any) -> tuple[int, ...]:  # type: ignore[override]
        return tuple(row.pk for row in super().clean(value))


class TicksField(forms.TypedMultipleChoiceField):
    """Some of a few fixed values."""

    def __init__(self, **kwargs: Any) -> None:
        widget = widgets.UnfoldAdminCheckboxSelectMultipleWidget()
        super().__init__(**{"required": False, "widget": widget, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return [str(one) for one in value] if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> tuple[Any, ...]:
        return tuple(super().clean(value))


class TermsForm(forms.ModelForm[Any]):
    """A form whose values go to a service, which says what is wrong with them; the row is only what it starts from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    def _post_clean(self) -> None:
        pass
