"""通知模板: which template says a topic in which account, and what fills its keywords."""

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

from campaigns.admin.keywords import field_names, initial_of, place_fields, source_of
from campaigns.contracts import TOPICS
from campaigns.errors import MappingUnfit
from campaigns.models import TopicTemplate
from campaigns.services.mapping import map_topic
from campaigns.services.previewing import find_fault, preview_mapping
from core.admin import BaseAdmin, ChoiceFilter, ServiceForms, column, staff_actor
from core.admin.forms import dress
from wechat.contracts import TemplateCard
from wechat.services.template_fields import kind_of
from wechat.services.templates import find_template, list_templates, live_title

_PHONE: Final = "admin/xiaoer/_mapping_phone.html"


def _templates() -> list[tuple[str, str]]:
    cards = list_templates()
    return [("", _now("请选择")), *((str(card.id), f"{card.account_name} · {card.title}") for card in cards)]


class MappingForm(forms.ModelForm[TopicTemplate]):
    """A new mapping takes topic and template; its keywords are guessed, and looked at on the next page."""

    template = forms.ChoiceField(
        label=_("模板"), choices=_templates, help_text=_("没有想要的模板时，先到“模板消息”里同步")
    )

    class Meta:
        model = TopicTemplate
        fields = ("topic", "page", "is_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.card = self._find_card()
        if "topic" in self.fields:
            offered: Any = self.fields["topic"]
            offered.choices = [(topic.code, topic.label) for topic in TOPICS.values()]
        if "template" in self.fields:
            dress(self.fields["template"])
        if self.card is not None:
            self.initial["template"] = str(self.card.id)
            for name in field_names(field.name for field in self.card.fields):
                if name in self.fields:
                    self.initial[name] = initial_of(name, self.instance.fields)

    def _find_card(self) -> TemplateCard | None:
        row = self.instance
        known = row.pk is not None
        return find_template(account_id=row.account_id, template_id=row.template_id) if known else None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        template = cleaned.get("template")
        is_same = self.card is not None and str(self.card.id) == template
        cleaned["fields"] = None
        if is_same and self.card is not None:
            cleaned["fields"] = {field.name: source_of(cleaned, field.name) for field in self.card.fields}
            self._check(self.card, cleaned["fields"])
        return cleaned

    def _check(self, card: TemplateCard, sources: dict[str, dict[str, str]]) -> None:
        """What WeChat would not take is said at its field."""
        for field in card.fields:
            source = sources[field.name]
            fault = find_fault(topic=self.instance.topic, field=field, source=source)
            if fault:
                self.add_error(f"{'value' if 'value' in source else 'words'}__{field.name}", fault)


def _form_for(row: TopicTemplate, card: TemplateCard | None) -> type[MappingForm]:
    """The form with two fields for each keyword of the template."""
    places = [
        (field.name, f"{field.label}（{field.name}）", str(kind_of(field.kind).words))
        for field in (card.fields if card is not None else ())
    ]
    return type("KeywordForm", (MappingForm,), dict(place_fields(row.topic, places)))


class TopicFilter(ChoiceFilter):
    title = _("事项")
    parameter_name = "topic"
    options = tuple((topic.code, topic.label) for topic in TOPICS.values())


@admin.register(TopicTemplate)
class TopicTemplateAdmin(ServiceForms, BaseAdmin):
    """One template for a topic in an account."""

    class Media:
        js = ("admin_xiaoer/mappings.js",)

    form = MappingForm
    change_form_outer_after_template = "admin/xiaoer/mapping_after.html"
    list_display = ("topic_words", "account", "kind_words", "title", "is_on")
    list_select_related = ("account",)
    list_filter = (TopicFilter, "account")
    ordering = ("topic", "account")

    def get_queryset(self, request: HttpRequest) -> Any:
        title = live_title(account="account_id", template="template_id")
        return super().get_queryset(request).annotate(template_title=title)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = _form_for(obj, self._card(obj))
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        head = ("topic", "template", "page", "is_on")
        if obj is None:
            return ((None, {"fields": head}),)
        card = self._card(obj)
        names = field_names(field.name for field in (card.fields if card else ()))
        description = _(
            "选择每个字段填什么；选“固定文字”时写上文字。会员的内容超出微信限制时自动截短，固定文字要一次写对。"
        )
        return (
            (None, {"fields": head}),
            (_("字段"), {"fields": names, "description": description}),
        )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("<int:pk>/preview/", "campaigns_topictemplate_preview", self.preview_view),)

    def below_form(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        card = self._card(instance)
        if card is None:
            return super().below_form(request, instance)
        return {
            **super().below_form(request, instance),
            "preview_url": reverse("admin:campaigns_topictemplate_preview", args=[instance.pk]),
            "phone_template": _PHONE,
            "card": card,
            "lines": preview_mapping(topic=instance.topic, card=card, fields=instance.fields),
        }

    def preview_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The phone as the form in hand would have it; stores nothing."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        card = self._card(row)
        if not self.has_change_permission(request, row) or card is None:
            raise PermissionDenied
        fields = {field.name: source_of(request.POST, field.name) for field in card.fields}
        lines = preview_mapping(
            topic=row.topic, card=card, fields=fields, is_long=request.POST.get("sample") == "1"
        )
        return TemplateResponse(request, _PHONE, {"card": card, "lines": lines})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("topic",) if obj is not None else ()

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """What was guessed is looked at next."""
        super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(reverse("admin:campaigns_topictemplate_change", args=[obj.pk]))

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

    def _card(self, row: TopicTemplate) -> TemplateCard | None:
        return find_template(account_id=row.account_id, template_id=row.template_id)

    @column(_("事项"), ordering="topic")
    def topic_words(self, row: TopicTemplate) -> str:
        return str(row.get_topic_display())

    @column(_("类型"), ordering="kind")
    def kind_words(self, row: TopicTemplate) -> str:
        return str(row.get_kind_display())

    @column(_("模板"))
    def title(self, row: TopicTemplate) -> str:
        return getattr(row, "template_title", None) or _now("已不存在")
