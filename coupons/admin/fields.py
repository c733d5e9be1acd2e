"""Form fields in the words of a marketer: yuan, 折, days, chips. Cleaned values are those of the terms."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core import clock
from coupons.selectors.templates import yuan

_WORD_SIGNS = str.maketrans(dict.fromkeys("，；;、\n\r\t ", ","))
_FOLDER = "admin/xiaoer/coupons"
_INPUT = " ".join([*widgets.INPUT_CLASSES, "xe-moment"])


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


class TicksField(forms.TypedMultipleChoiceField):
    """Some of a few values, shown side by side."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": TicksWidget(), **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return [str(one) for one in value] if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> tuple[Any, ...]:
        return tuple(super().clean(value))


class TicksWidget(forms.CheckboxSelectMultiple):
    """Pills to tick. To the admin's templates not a box beside its label: the label stands above."""

    input_type = "pills"

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = {str(one) for one in (value if isinstance(value, list | tuple) else [value])}
        choices = [(str(key), label, str(key) in chosen, "") for key, label in self.choices]
        context = {"name": name, "kind": "checkbox", "choices": choices, "id": (attrs or {}).get("id", "")}
        return render_to_string(f"{_FOLDER}/_ticks.html", context)


class OneTickWidget(forms.RadioSelect):
    """Pills of which one is chosen; `hints` are sentences below them."""

    template = "_ticks.html"
    hints: Mapping[str, Any] = {}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        choices = [
            (str(key), label, str(key) == str(value), self.hints.get(str(key), ""))
            for key, label in self.choices
        ]
        context = {"name": name, "kind": "radio", "choices": choices, "id": (attrs or {}).get("id", "")}
        return render_to_string(f"{_FOLDER}/{self.template}", context)


class SwatchWidget(OneTickWidget):
    """Colours to choose from."""

    template = "_swatches.html"


class KindWidget(OneTickWidget):
    """Cards to choose from, each with a sentence."""

    template = "_kinds.html"
    hints = {
        "cash_off": _("满多少减多少，或每满多少减一次"),
        "percent": _("按折扣付钱，可以封顶"),
        "exchange": _("指定商品免费换几件"),
        "fixed_price": _("指定商品按一口价卖"),
        "gift": _("买就送一样东西"),
    }


class _ManyTexts(forms.Widget):
    """A control of the page's script that sends one hidden input a value."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return list(data.getlist(name)) if hasattr(data, "getlist") else list(data.get(name, []))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False


class ChipsWidget(_ManyTexts):
    """Codes as chips, found by name or code; what is typed and not yet a chip counts as well, also a code that nobody
    has heard of."""

    def __init__(self, url: Callable[[], str], names: Callable[[Collection[str]], Mapping[str, str]]) -> None:
        super().__init__()
        self.url, self.names = url, names

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        codes = [word for word in value or [] if word]
        names = self.names(codes)
        chosen = [
            (code, f"{names[code]}（{code}）" if names.get(code, code) != code else code) for code in codes
        ]
        context = {"name": name, "url": self.url(), "chosen": chosen, **(attrs or {})}
        return render_to_string(f"{_FOLDER}/_chips.html", context)


class ChipsField(forms.Field):
    """Codes, each once; a pasted list is taken apart at commas, blanks and line ends."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})

    def clean(self, value: Any) -> tuple[str, ...]:
        words = ",".join(map(str, value or [])).translate(_WORD_SIGNS).split(",")
        return tuple(dict.fromkeys(word for word in words if word))


class PickerWidget(_ManyTexts):
    """Rows found by typing; the chosen ones are chips with their names."""

    def __init__(self, url: Callable[[], str], names: Callable[[list[int]], Mapping[int, str]]) -> None:
        super().__init__()
        self.url, self.names = url, names

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        ids = _whole_numbers(value or [])
        names = self.names(ids)
        chosen = [(one, names.get(one, f"#{one}")) for one in ids]
        context = {"name": name, "url": self.url(), "chosen": chosen, **(attrs or {})}
        return render_to_string(f"{_FOLDER}/_picker.html", context)


class IdsField(forms.Field):
    """Ids of rows; whether they exist is the service's to say."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})

    def clean(self, value: Any) -> tuple[int, ...]:
        return tuple(dict.fromkeys(_whole_numbers(value or [])))


class TreeWidget(_ManyTexts):
    """The tree of regions to tick; a ticked one means all below it."""

    def __init__(self, nodes: Callable[[], Sequence[Any]]) -> None:
        super().__init__()
        self.nodes = nodes

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = set(_whole_numbers(value or []))
        nodes = [(node, node.id in chosen) for node in self.nodes()]
        return render_to_string(f"{_FOLDER}/_tree.html", {"name": name, "nodes": nodes, **(attrs or {})})


class HoursWidget(forms.Widget):
    """Spans of a day, from and to; midnight as an end is 24:00."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        spans = [span.replace("24:00", "00:00").partition("-")[::2] for span in value or []]
        return render_to_string(f"{_FOLDER}/_hours.html", {"name": name, "spans": spans, **(attrs or {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        sides = [
            data.getlist(f"{name}_{side}") if hasattr(data, "getlist") else [] for side in ("from", "to")
        ]
        pairs = zip(*sides, strict=False)
        return [f"{start}-{'24:00' if end == '00:00' else end}" for start, end in pairs if start or end]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False


class HoursField(forms.Field):
    widget = HoursWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})

    def clean(self, value: Any) -> tuple[str, ...]:
        return tuple(value or ())


class DayInput(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(attrs={"class": _INPUT}, format="%Y-%m-%d")


class MomentWidget(forms.MultiWidget):
    """A day and, where it matters, a time of day."""

    def __init__(self, *, is_end: bool) -> None:
        self.is_end = is_end
        time = forms.TimeInput(attrs={"type": "time", "class": _INPUT}, format="%H:%M")
        super().__init__([DayInput(), time])

    def decompress(self, value: Any) -> list[Any]:
        if not isinstance(value, dt.datetime):
            return [None, None]
        local = value.astimezone(clock.SHANGHAI)
        if local.time() == dt.time.min:
            return [local.date() - dt.timedelta(days=1) if self.is_end else local.date(), None]
        return [local.date(), local.time()]


class MomentField(forms.MultiValueField):
    """An instant: without a time of day the beginning of the day, or as an end the end of it."""

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        self.is_end = is_end
        fields = (
            forms.DateField(required=False, error_messages={"invalid": _("请选择日期")}),
            forms.TimeField(required=False, error_messages={"invalid": _("时间请写成 10:00 这样")}),
        )
        given = {
            "required": False,
            "require_all_fields": False,
            "widget": MomentWidget(is_end=is_end),
            **kwargs,
        }
        super().__init__(fields=fields, **given)

    def compress(self, data_list: Any) -> dt.datetime | None:
        if not data_list or data_list[0] is None:
            if data_list and data_list[1] is not None:
                raise forms.ValidationError(_("请选择日期"))
            return None
        day, time = data_list
        if time is None:
            return clock.day_bounds(day)[1 if self.is_end else 0]
        return dt.datetime.combine(day, time, clock.SHANGHAI).astimezone(dt.UTC)


def _whole_numbers(values: Any) -> list[int]:
    texts = [str(value) for value in values]
    return [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 16]
