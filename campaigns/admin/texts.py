"""短信内容: which template of the provider's says a topic by text message, and what fills its places."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.keywords import field_rows
from campaigns.admin.mapping_pages import MappingFields, MappingPages, Sources
from campaigns.contracts import TOPICS, topics
from campaigns.errors import MappingUnfit
from campaigns.models import TopicText
from campaigns.selectors.policy import list_topic_terms
from campaigns.services.previewing_texts import preview_text
from campaigns.services.text_mapping import guess_places, map_topic_to_text
from core.admin import column, cost_words, staff_actor
from sms import services as sms_services
from sms.contracts import TextCard
from sms.services.words import name_reasons, words_of


def _cards() -> list[TextCard]:
    return [card for card in sms_services.list_texts() if card.purpose != "code"]


def _choices() -> list[tuple[str, str]]:
    return [("", _now("请选择")), *((str(card.id), f"{card.title}（{card.code}）") for card in _cards())]


class TextForm(MappingFields, forms.ModelForm[TopicText]):
    """Topic and template, and what fills the template's places."""

    choice_field = "chosen"
    chosen = forms.ChoiceField(
        label=_("短信模板"), choices=_choices, help_text=_("没有想要的模板时，先到“短信模板”里新增")
    )

    class Meta:
        model = TopicText
        fields = ("topic", "is_on")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        cleaned["places"] = self.typed_sources(cleaned)
        return cleaned


@admin.register(TopicText)
class TopicTextAdmin(MappingPages):
    """One template for a topic."""

    empty_words = _("给事项选一个短信模板，再到“触达事项”里勾选短信")
    form = TextForm
    phone_template = "admin/xiaoer/_text_phone.html"
    list_display = ("topic_words", "template_title", "trouble", "in_chain", "is_on")
    ordering = ("topic",)

    def prepare_rows(self, request: HttpRequest, rows: Any) -> None:
        """What the columns say, asked for at once."""
        cards = {card.id: card for card in sms_services.list_texts()}
        terms = list_topic_terms()
        for row in rows:
            row.card = cards[row.template_id]
            row.is_chained = topics.SMS in terms[row.topic].channels if row.topic in terms else False

    def find_card(self, *, row: Any = None, choice: str = "") -> TextCard | None:
        if row is not None:
            return sms_services.get_text(row.template_id)
        return next((card for card in _cards() if str(card.id) == choice), None)

    def list_places(self, card: TextCard) -> list[tuple[str, str, str]]:
        limit = _now("最多 %(n)s 个字，超过的会截短；不能有网址") % {"n": card.gap_limit}
        return [(str(gap), _now("变量 {%(n)s}") % {"n": gap}, limit) for gap in range(1, card.gap_count + 1)]

    def guess(self, topic: str, card: TextCard) -> Sources:
        return guess_places(topic=topic, card=card)

    def draw(self, *, topic: str, card: TextCard, sources: Sources, is_long: bool = False) -> dict[str, Any]:
        text = preview_text(topic=topic, card=card, fields=sources, is_long=is_long)
        return {
            "text": text,
            "cost": cost_words(text.cost_hundredths),
            "trouble": words_of(card.trouble) if card.trouble else "",
        }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        head = (None, {"fields": ("topic", "chosen", "is_on")})
        subject = self.subject_of(request, obj)
        if subject is None:
            return (head,)
        rows = field_rows(name for name, _label, _rule in self.list_places(subject[1]))
        description = _("选择每个变量填什么；选“固定文字”时写上文字。右边的手机马上显示样子，保存后才生效。")
        return (head, (_("变量"), {"fields": rows, "description": description}))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

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
