"""短信内容: which template of the provider's says a topic by text message, and what fills its places."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.keywords import field_rows, initial_of, place_fields, source_of
from campaigns.contracts import TOPICS, topics
from campaigns.errors import MappingUnfit
from campaigns.models import TopicText
from campaigns.selectors.policy import list_topic_terms
from campaigns.services.previewing_texts import preview_text
from campaigns.services.text_mapping import guess_places, map_topic_to_text
from core.admin import BaseAdmin, ServiceForms, column, cost_words, staff_actor
from core.admin.forms import dress
from sms import services as sms_services
from sms.contracts import TextCard
from sms.services.words import name_reasons, words_of

_PHONE: Final = "admin/xiaoer/_text_phone.html"


def _choices() -> list[tuple[str, str]]:
    cards = [card for card in sms_services.list_texts() if card.purpose != "code"]
    return [("", _now("请选择")), *((str(card.id), f"{card.title}（{card.code}）") for card in cards)]


class TextForm(forms.ModelForm[TopicText]):
    """A new mapping takes topic and template; its places are guessed, and looked at on the next page."""

    chosen = forms.ChoiceField(
        label=_("短信模板"), choices=_choices, help_text=_("没有想要的模板时，先到“短信模板”里新增")
    )

    class Meta:
        model = TopicText
        fields = ("topic", "is_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "topic" in self.fields:
            offered: Any = self.fields["topic"]
            offered.choices = [(topic.code, topic.label) for topic in TOPICS.values()]
        if "chosen" in self.fields:
            dress(self.fields["chosen"])
        if self.instance.pk is not None:
            self.initial["chosen"] = str(self.instance.template_id)
            for name in self.fields:
                if name.startswith(("value__", "words__")):
                    self.initial[name] = initial_of(name, self.instance.fields)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        places = [name.partition("__")[2] for name in self.fields if name.startswith("value__")]
        is_same = str(self.instance.template_id or "") == cleaned.get("chosen")
        cleaned["places"] = {name: source_of(cleaned, name) for name in places} if is_same else None
        return cleaned


def _card(row: TopicText) -> TextCard:
    return sms_services.get_text(row.template_id)


def _places(card: TextCard) -> list[str]:
    return [str(gap) for gap in range(1, card.gap_count + 1)]


def _form_for(row: TopicText) -> type[TextForm]:
    card = _card(row)
    limit = _now("最多 %(n)s 个字，超过的会截短；不能有网址") % {"n": card.gap_limit}
    places = [(gap, _now("变量 {%(n)s}") % {"n": gap}, limit) for gap in _places(card)]
    return type("PlaceForm", (TextForm,), dict(place_fields(row.topic, places)))


def _shown(
    topic: str, card: TextCard, fields: Mapping[str, Mapping[str, str]], *, is_long: bool = False
) -> dict[str, Any]:
    """What the phone beside the form needs."""
    text = preview_text(topic=topic, card=card, fields=fields, is_long=is_long)
    return {
        "text": text,
        "cost": cost_words(text.cost_hundredths),
        "trouble": words_of(card.trouble) if card.trouble else "",
    }


@admin.register(TopicText)
class TopicTextAdmin(ServiceForms, BaseAdmin):
    """One template for a topic."""

    class Media:
        js = ("admin_xiaoer/mappings.js",)

    form = TextForm
    change_form_outer_after_template = "admin/xiaoer/mapping_after.html"
    list_display = ("topic_words", "template_title", "trouble", "in_chain", "is_on")
    ordering = ("topic",)

    def prepare_rows(self, request: HttpRequest, rows: Any) -> None:
        """What the columns say, asked for at once."""
        cards = {card.id: card for card in sms_services.list_texts()}
        terms = list_topic_terms()
        for row in rows:
            row.card = cards[row.template_id]
            row.is_chained = topics.SMS in terms[row.topic].channels if row.topic in terms else False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = _form_for(obj)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        head = ("topic", "chosen", "is_on")
        if obj is None:
            return ((None, {"fields": head}),)
        description = _("选择每个变量填什么；选“固定文字”时写上文字。右边的手机马上显示样子，保存后才生效。")
        return (
            (None, {"fields": head}),
            (_("变量"), {"fields": field_rows(_places(_card(obj))), "description": description}),
        )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("<int:pk>/preview/", "campaigns_topictext_preview", self.preview_view),)

    def below_form(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        return {
            **super().below_form(request, instance),
            "preview_url": reverse("admin:campaigns_topictext_preview", args=[instance.pk]),
            "phone_template": _PHONE,
            **_shown(instance.topic, _card(instance), instance.fields),
        }

    def preview_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The phone as the form in hand would have it, another template included; stores nothing."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        card = _card(row)
        fields = {gap: source_of(request.POST, gap) for gap in _places(card)}
        chosen = request.POST.get("chosen", "")
        if chosen != str(row.template_id):
            card = next((one for one in sms_services.list_texts() if str(one.id) == chosen), card)
            fields = guess_places(topic=row.topic, card=card) if str(card.id) == chosen else fields
        return TemplateResponse(
            request, _PHONE, _shown(row.topic, card, fields, is_long=request.POST.get("sample") == "1")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("topic",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """What was guessed is looked at next."""
        super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(reverse("admin:campaigns_topictext_change", args=[obj.pk]))

    def run_service(self, request: HttpRequest, row: TopicText, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        try:
            return map_topic_to_text(
                topic=row.topic,
                template_id=int(cleaned["chosen"]),
                fields=cleaned["places"],
                is_on=cleaned["is_on"],
                actor=staff_actor(request),
            )
        except MappingUnfit as refusal:
            faults = refusal.details["faults"]
            raise MappingUnfit(
                _now("这些变量填不进：%(fields)s")
                % {"fields": "；".join(f"{{{gap}}} {rule}" for gap, rule in faults.items())}
            ) from refusal

    @column(_("事项"), ordering="topic")
    def topic_words(self, row: TopicText) -> str:
        return str(row)

    @column(_("短信模板"))
    def template_title(self, row: Any) -> str:
        return str(row.card.title)

    @column(_("能不能发"), labels={"yes": "success", "no": "danger"})
    def trouble(self, row: Any) -> tuple[str, str]:
        return ("no", words_of(row.card.trouble)) if row.card.trouble else ("yes", _now("可以发送"))

    @column(_("在发送顺序里"), labels={"yes": "success", "no": "warning"})
    def in_chain(self, row: Any) -> tuple[str, str]:
        return ("yes", _now("是")) if row.is_chained else ("no", _now("否，到“触达事项”里勾选短信"))


name_reasons({topic.code: topic.label for topic in TOPICS.values()})
