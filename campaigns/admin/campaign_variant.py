"""One version in the campaign's form: its acts as fields, and what of a version the fields do not show."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.offered import in_chosen_order, picks_of
from campaigns.contracts import CHANNEL_LABELS
from campaigns.contracts.acts import PLACEHOLDERS
from campaigns.selectors.acts import ACT_KINDS, describe_act, find_act
from core.admin import DressedForm
from coupons.admin.fields import TicksField

# The field of each parameter, by kind of act, in the order in which acts are done.
FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "coupon": {"batch": "batch"},
    "points": {"points": "points", "reason": "points_reason"},
    "tag": {"tag": "tag", "how": "tag_how", "days": "tag_days"},
    "reach": {"title": "title", "text": "text", "page": "page", "channels": "channels"},
    "follow_up": {"title": "task_title", "script": "task_script", "days": "task_days"},
    "webhook": {"endpoint": "endpoint"},
}
# An act is meant where one of these was typed; the other fields of its kind have values of their own from the start.
_MEANT_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "coupon": ("batch",),
    "points": ("points", "points_reason"),
    "tag": ("tag",),
    "reach": ("title", "text"),
    "follow_up": ("task_title", "task_script"),
    "webhook": ("endpoint",),
}
_TASK_DAYS: Final = 3
_Act = tuple[dict[str, Any], Mapping[str, str]]


class VariantForm(DressedForm):
    """What its members get. A version without anything is none."""

    weight = forms.IntegerField(label=_("比例"), required=False, min_value=1, max_value=100, initial=1)
    batch = forms.ChoiceField(label=_("发券"), required=False)
    title = forms.CharField(label=_("消息标题"), required=False, max_length=60)
    text = forms.CharField(
        label=_("消息正文"), required=False, max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    page = forms.CharField(
        label=_("点开到哪个页面"),
        required=False,
        max_length=200,
        help_text=_("小程序里的路径，如 pages/coupons"),
    )
    channels = TicksField(label=_("通道"), choices=list(CHANNEL_LABELS.items()))
    task_title = forms.CharField(label=_("导购任务的缘由"), required=False, max_length=60)
    task_script = forms.CharField(
        label=_("导购话术"), required=False, max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    task_days = forms.IntegerField(
        label=_("几天内完成"), required=False, min_value=0, max_value=30, initial=_TASK_DAYS
    )
    points = forms.IntegerField(label=_("送积分"), required=False, min_value=1, max_value=1_000_000)
    points_reason = forms.CharField(label=_("积分说明"), required=False, max_length=60)
    tag = forms.ChoiceField(label=_("标签"), required=False)
    tag_how = forms.ChoiceField(
        label=_("打上还是去掉"), required=False, choices=[("", _("打上")), ("remove", _("去掉"))]
    )
    tag_days = forms.IntegerField(
        label=_("几天后自动去掉"), required=False, min_value=1, max_value=3_650, help_text=_("不填就一直在")
    )
    endpoint = forms.ChoiceField(label=_("通知外部系统"), required=False)
    # The acts that the version had: their order, and what the fields above have no place for.
    kept = forms.CharField(required=False, max_length=20_000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        self._offer("batch", "coupon", _now("不发券"))
        self._offer("tag", "tag", _now("不打标签"), key=int)
        self._offer("endpoint", "webhook", _now("不通知"))
        fields["batch"].help_text = _now("只有允许系统发放的批次")
        words = _now("、").join(f"{{{name}}} {label}" for name, (label, _other) in PLACEHOLDERS.items())
        fields["text"].help_text = _now("可以写：%(words)s") % {"words": words}
        fields["channels"].choices = in_chosen_order(list(CHANNEL_LABELS.items()), self._chosen_channels())
        fields["channels"].help_text = _now("不选：按“触达事项”里营销活动的顺序")
        if self.initial.get("tag_how") == "add":
            fields["tag_how"].choices = [("add", _("打上")), ("remove", _("去掉"))]
        self.dress_all()

    def _offer(self, name: str, kind: str, nothing: str, *, key: type[int] | type[str] = str) -> None:
        """What there is, and what the version has though it is not offered any more."""
        parameter: Any = ACT_KINDS[kind].parameters[name]
        chosen = self.initial.get(name, "")
        value = int(chosen) if key is int and chosen else chosen
        options = [(str(one), label) for one, label in picks_of(parameter, value)]
        field: Any = self.fields[name]
        field.choices = [("", nothing), *options]

    def _chosen_channels(self) -> list[str]:
        if self.is_bound and hasattr(self.data, "getlist"):
            return list(self.data.getlist(self.add_prefix("channels")))
        return list(self.initial.get("channels", []))

    def acts(self) -> list[_Act]:
        """The acts in the order in which they are done, each with the field of each parameter."""
        given = getattr(self, "cleaned_data", {})
        typed = {kind: self._typed(kind, given) for kind in FIELDS if _is_meant(kind, given)}
        found: list[_Act] = []
        seen: set[str] = set()
        for act in _acts_in(given.get("kept", "")):
            kind = act["do"]
            if kind in seen or kind not in FIELDS:
                found.append((act, {}))
            elif kind in typed:
                more = {name: value for name, value in act["with"].items() if name not in FIELDS[kind]}
                found.append(({"do": kind, "with": {**more, **typed.pop(kind)}}, FIELDS[kind]))
            seen.add(kind)
        return found + [({"do": kind, "with": values}, FIELDS[kind]) for kind, values in typed.items()]

    def _typed(self, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: _plain(given.get(field)) for name, field in FIELDS[kind].items()}
        if kind == "tag":
            values["tag"] = int(given["tag"])
        if kind == "reach":
            values["channels"] = list(given.get("channels") or ())
        return {name: value for name, value in values.items() if value not in (None, "", [])}

    @property
    def other_words(self) -> list[str]:
        """What it does besides, that these fields have no place for."""
        text = self.data.get(self.add_prefix("kept"), "") if self.is_bound else self.initial.get("kept", "")
        words, seen = [], set()
        for kept in _acts_in(text):
            act, _faults = find_act(kept)
            if act is not None and act.kind in seen:
                words.append(describe_act(act))
            seen.add(kept["do"])
        return words

    @property
    def has_more(self) -> bool:
        """Something is in the part that is folded away."""
        names = ("task_title", "points", "tag", "endpoint")
        return bool(self.errors) or any(self[name].value() for name in names)

    @property
    def is_filled(self) -> bool:
        """Something of it was typed, right or wrong."""
        return bool(self.errors) or bool(self.acts())


def variant_initial(row: Any) -> dict[str, Any]:
    """What the form of a version starts from."""
    found: dict[str, Any] = {"weight": row.weight, "task_days": _TASK_DAYS, "kept": json.dumps(row.acts)}
    for act in reversed(row.acts):
        fields = FIELDS.get(act["do"], {})
        found |= {field: act["with"].get(name, "") for name, field in fields.items()}
    return found | {"channels": found.get("channels") or [], "tag": str(found.get("tag", ""))}


def _is_meant(kind: str, given: Mapping[str, Any]) -> bool:
    return any(given.get(name) for name in _MEANT_BY[kind])


def _plain(value: Any) -> Any:
    """Browsers end lines with two signs."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _acts_in(text: str) -> Iterator[dict[str, Any]]:
    """The acts of a text that the page sent; what is none of them is left out, and the reader judges the rest."""
    try:
        acts = json.loads(text or "[]")
    except (RecursionError, ValueError):
        return
    for act in acts if isinstance(acts, list) else ():
        if isinstance(act, dict) and isinstance(act.get("do"), str) and isinstance(act.get("with"), dict):
            yield act
