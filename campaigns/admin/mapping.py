"""通知模板: which template says a topic in which account, and what fills its keywords."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.keywords import field_names
from campaigns.admin.mapping_pages import MappingFields, MappingPages, Sources
from campaigns.contracts import TOPICS
from campaigns.errors import MappingUnfit
from campaigns.models import TopicTemplate
from campaigns.services.mapping import guess_fields, map_topic
from campaigns.services.previewing import find_fault, preview_mapping
from core.admin import ChoiceFilter, column, staff_actor
from wechat.contracts import TemplateCard, TemplateField
from wechat.services.template_fields import kind_of
from wechat.services.templates import find_template, list_templates, live_title


def _templates() -> list[tuple[str, str]]:
    cards = list_templates()
    return [("", _now("请选择")), *((str(card.id), f"{card.account_name} · {card.title}") for card in cards)]


class MappingForm(MappingFields, forms.ModelForm[TopicTemplate]):
    """Topic and template, and what fills the template's keywords."""

    choice_field = "template"
    template = forms.ChoiceField(
        label=_("模板"), choices=_templates, help_text=_("没有想要的模板时，先到“模板消息”里同步")
    )

    class Meta:
        model = TopicTemplate
        fields = ("topic", "page", "is_on")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        cleaned["fields"] = self.typed_sources(cleaned)
        for field in self.card.fields if cleaned["fields"] is not None else ():
            self._check(field, cleaned["fields"][field.name])
        if self.instance.pk is None and self.card is not None and self._is_taken():
            self.add_error("topic", _("这个事项在这个账号里已经有模板了，请在列表里打开它来修改"))
        return cleaned

    def _is_taken(self) -> bool:
        return TopicTemplate.objects.filter(
            topic=self.of_topic, account_id=self.card.account_id, kind=self.card.channel
        ).exists()

    def _check(self, field: TemplateField, source: dict[str, str]) -> None:
        """What WeChat would not take is said at its field."""
        fault = find_fault(topic=self.of_topic, field=field, source=source)
        if fault:
            self.add_error(f"{'value' if 'value' in source else 'words'}__{field.name}", fault)


class TopicFilter(ChoiceFilter):
    title = _("事项")
    parameter_name = "topic"
    options = tuple((topic.code, topic.label) for topic in TOPICS.values())


@admin.register(TopicTemplate)
class TopicTemplateAdmin(MappingPages):
    """One template for a topic in an account."""

    empty_words = _("给事项选一个模板，会员就能收到这件事的通知")
    form = MappingForm
    phone_template = "admin/xiaoer/_mapping_phone.html"
    list_display = ("topic_words", "account", "kind_words", "title", "is_on")
    list_select_related = ("account",)
    list_filter = (TopicFilter, "account")
    ordering = ("topic", "account")

    def get_queryset(self, request: HttpRequest) -> Any:
        title = live_title(account="account_id", template="template_id")
        return super().get_queryset(request).annotate(template_title=title)

    def find_card(self, *, row: Any = None, choice: str = "") -> TemplateCard | None:
        if row is not None:
            return find_template(account_id=row.account_id, template_id=row.template_id)
        return next((card for card in list_templates() if str(card.id) == choice), None)

    def list_places(self, card: TemplateCard) -> list[tuple[str, str, str]]:
        return [
            (field.name, f"{field.label}（{field.name}）", str(kind_of(field.kind).words))
            for field in card.fields
        ]

    def guess(self, topic: str, card: TemplateCard) -> Sources:
        return guess_fields(topic=topic, card=card)

    def draw(
        self, *, topic: str, card: TemplateCard, sources: Sources, is_long: bool = False
    ) -> dict[str, Any]:
        lines = preview_mapping(topic=topic, card=card, fields=sources, is_long=is_long)
        return {"card": card, "lines": lines}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        head = (None, {"fields": ("topic", "template", "page", "is_on")})
        subject = self.subject_of(request, obj)
        if subject is None:
            return (head,)
        names = field_names(field.name for field in subject[1].fields)
        description = _(
            "选择每个字段填什么；选“固定文字”时写上文字。会员的内容超出微信限制时自动截短，固定文字要一次写对。"
        )
        return (head, (_("字段"), {"fields": names, "description": description}))

    def run_service(self, request: HttpRequest, row: TopicTemplate, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        try:
            return map_topic(
                topic=row.topic,
                template_pk=int(cleaned["template"]),
                fields=cleaned["fields"],
                page=cleaned["page"],
                is_on=cleaned["is_on"],
                actor=staff_actor(request),
            )
        except MappingUnfit as refusal:
            faults = refusal.details["faults"]
            raise MappingUnfit(
                _now("这些字段填不进：%(fields)s")
                % {"fields": "；".join(f"{name} {rule}" for name, rule in faults.items())}
            ) from refusal

    @column(_("事项"), ordering="topic")
    def topic_words(self, row: TopicTemplate) -> str:
        return str(row.get_topic_display())

    @column(_("类型"), ordering="kind")
    def kind_words(self, row: TopicTemplate) -> str:
        return str(row.get_kind_display())

    @column(_("模板"))
    def title(self, row: TopicTemplate) -> str:
        return getattr(row, "template_title", None) or _now("已不存在")
