"""触达规则 and 触达事项: when members are left alone, how often they are written to, and what of which topic."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from campaigns.contracts import CHANNEL_LABELS, CHANNELS, TOPICS
from campaigns.errors import QuietHoursUnusable
from campaigns.models import FrequencyCap, ReachPolicy, TopicRule
from campaigns.selectors.policy import list_topic_terms, split_channels
from campaigns.services.policy import set_topic_rule
from core.admin import BaseAdmin, OnlyRow, ServiceForms, UnfoldTabularInline, column, staff_actor


class PolicyForm(forms.ModelForm[ReachPolicy]):
    """Quiet hours need a length."""

    class Meta:
        model = ReachPolicy
        fields = ("is_quiet_on", "quiet_from", "quiet_until", "mass_needs_second")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if cleaned.get("quiet_from") is not None and cleaned["quiet_from"] == cleaned.get("quiet_until"):
            self.add_error("quiet_until", str(QuietHoursUnusable.sentence))
        return cleaned


class CapInline(UnfoldTabularInline):
    """The caps, one a line."""

    model = FrequencyCap
    fields = ("channel", "importance", "span", "most")
    extra = 0
    tab = False

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Nothing chosen is a choice here: all of them together."""
        field: Any = super().formfield_for_choice_field(db_field, request, **kwargs)
        if db_field.blank:
            known = [(code, label) for code, label in field.choices if code]
            field.choices = [("", _("合计")), *known]
        return field


@admin.register(ReachPolicy)
class ReachPolicyAdmin(OnlyRow, BaseAdmin):
    """One row for the chain, with its caps."""

    form = PolicyForm
    inlines = (CapInline,)
    fieldsets = (
        (
            _("免打扰"),
            {
                "fields": ("is_quiet_on", ("quiet_from", "quiet_until")),
                "description": _("免打扰时段里的一般通知和营销消息等到结束时再发；必须告知的照常发送。"),
            },
        ),
        (_("群发"), {"fields": ("mass_needs_second",)}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Caps are settings, not records: a line that is taken out is gone."""
        formset.save()


class TopicForm(forms.ModelForm[TopicRule]):
    """The chain as boxes to tick; the order is ours."""

    chosen = forms.MultipleChoiceField(
        label=_("通道"),
        choices=[(channel, CHANNEL_LABELS[channel]) for channel in CHANNELS],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("从上到下逐个尝试，前一个发不了才用下一个；短信要先在“短信内容”里配置，按条收费"),
    )

    class Meta:
        model = TopicRule
        fields = ("topic", "is_on", "importance")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "topic" in self.fields:
            offered: Any = self.fields["topic"]
            offered.choices = [(topic.code, topic.label) for topic in TOPICS.values()]
        if self.instance.pk is not None:
            self.initial["chosen"] = list(split_channels(self.instance.channels))


@admin.register(TopicRule)
class TopicRuleAdmin(ServiceForms, BaseAdmin):
    """Topics that the chain handles otherwise than by default."""

    form = TopicForm
    list_display = ("topic_words", "is_on", "importance_words", "channel_words")
    ordering = ("topic",)
    fields = ("topic", "is_on", "importance", "chosen")
    list_before_template = "admin/xiaoer/topic_defaults.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        terms = list_topic_terms()
        known = set(TopicRule.objects.values_list("topic", flat=True))
        lines = [
            (topic, " → ".join(str(CHANNEL_LABELS[channel]) for channel in terms[topic.code].channels))
            for topic in TOPICS.values()
            if topic.code not in known
        ]
        return super().changelist_view(request, {**(extra_context or {}), "topic_defaults": lines})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """How the topic is handled so far, so that only what is to change is touched."""
        terms = list_topic_terms().get(request.GET.get("topic", ""))
        if terms is None:
            return {}
        return {
            "topic": terms.topic,
            "is_on": terms.is_on,
            "importance": terms.importance,
            "chosen": list(terms.channels),
        }

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("topic",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def run_service(self, request: HttpRequest, row: TopicRule, form: Any, change: bool) -> int:
        cleaned = form.cleaned_data
        return set_topic_rule(
            topic=row.topic,
            is_on=cleaned["is_on"],
            importance=cleaned["importance"],
            channels=cleaned["chosen"],
            actor=staff_actor(request),
        )

    @column(_("事项"), ordering="topic")
    def topic_words(self, row: TopicRule) -> str:
        return str(row)

    @column(_("重要程度"))
    def importance_words(self, row: TopicRule) -> str:
        return str(row.get_importance_display())

    @column(_("通道"))
    def channel_words(self, row: TopicRule) -> str:
        return " → ".join(str(CHANNEL_LABELS[channel]) for channel in split_channels(row.channels)) or _now(
            "—"
        )
