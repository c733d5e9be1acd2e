"""Pages on which a topic gets a template: fields for its places and a phone beside them, before the first save as after it."""

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.admin.keywords import initial_of, place_fields, source_of
from campaigns.contracts import TOPICS
from core.admin import BaseAdmin, PhonePages, ServiceForms
from core.admin.forms import dress

Sources = Mapping[str, Mapping[str, str]]

if TYPE_CHECKING:
    _Form = forms.ModelForm[Any]
else:
    _Form = object


class MappingFields(_Form):
    """Mix into the form of a mapping, in front of ModelForm. With a card it has two fields for each of its places."""

    choice_field: ClassVar[str]  # which field names the template
    of_topic: ClassVar[str] = ""
    card: ClassVar[Any] = None
    sources: ClassVar[Sources] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "topic" in self.fields:
            offered: Any = self.fields["topic"]
            offered.choices = [("", _("请选择")), *((one.code, one.label) for one in TOPICS.values())]
        if self.choice_field in self.fields:
            dress(self.fields[self.choice_field])
        if self.card is None:
            return
        self.initial["topic"] = self.of_topic
        self.initial[self.choice_field] = str(self.card.id)
        for name in self.fields:
            if name.startswith(("value__", "words__")):
                self.initial[name] = initial_of(name, self.sources)

    def typed_sources(self, cleaned: Mapping[str, Any]) -> dict[str, dict[str, str]] | None:
        """What was chosen for each place; None where the browser showed none of this template's."""
        places = [name.partition("__")[2] for name in self.fields if name.startswith("value__")]
        if not places or any(f"value__{name}" not in self.data for name in places):
            return None
        return {name: source_of(cleaned, name) for name in places}


class MappingPages(PhonePages, ServiceForms, BaseAdmin):
    """A mapping's page. Whoever chooses another topic or template gets the page anew with its places, guessed."""

    phone_waits_for = _("选好事项和模板，就能看到样子，也可以选每个字段填什么")
    has_long_sample = True
    form: Any

    @abc.abstractmethod
    def find_card(self, *, row: Any = None, choice: str = "") -> Any:
        """The template that the row has, or that was chosen; None where there is none."""

    @abc.abstractmethod
    def list_places(self, card: Any) -> list[tuple[str, str, str]]:
        """Name, label and rule of each place."""

    @abc.abstractmethod
    def guess(self, topic: str, card: Any) -> Sources:
        """What most likely fills each place."""

    @abc.abstractmethod
    def draw(self, *, topic: str, card: Any, sources: Sources, is_long: bool = False) -> dict[str, Any]:
        """What the phone needs."""

    def name_choice(self) -> str:
        return str(self.form.choice_field)

    def subject_of(self, request: HttpRequest, row: Any = None) -> tuple[str, Any, Sources] | None:
        """Topic, template and what fills it, as the page in hand has them; None while either is not chosen."""
        given = request.POST if request.method == "POST" else request.GET
        choice = given.get(self.name_choice(), "")
        topic = given.get("topic", "") if row is None else row.topic
        kept = None if row is None else self.find_card(row=row)
        card = self.find_card(choice=choice) or kept
        if topic not in TOPICS or card is None:
            return None
        is_kept = kept is not None and kept.id == card.id
        return topic, card, row.fields if is_kept else self.guess(topic, card)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        subject = self.subject_of(request, obj)
        if subject is not None:
            topic, card, sources = subject
            fields = place_fields(topic, self.list_places(card))
            made = {"of_topic": topic, "card": card, "sources": sources, **fields}
            kwargs["form"] = type("PlaceForm", (self.form,), made)
        return super().get_form(request, obj, change=change, **kwargs)

    def draw_phone(self, request: HttpRequest, row: Any) -> dict[str, Any] | None:
        subject = self.subject_of(request, row)
        if subject is None:
            return None
        topic, card, sources = subject
        if request.method == "POST":
            sources = self._typed(request, card, sources)
        is_long = request.POST.get("sample") == "1"
        return self.draw(topic=topic, card=card, sources=sources, is_long=is_long)

    def _typed(self, request: HttpRequest, card: Any, sources: Sources) -> Sources:
        names = [name for name, _label, _rule in self.list_places(card)]
        typed = {name: source_of(request.POST, name) for name in names if f"value__{name}" in request.POST}
        return {**sources, **typed}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("topic",) if obj is not None else ()

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """What was guessed unseen, by a browser without scripts, is looked at next."""
        answer = super().response_add(request, obj, post_url_continue)
        if any(name.startswith("value__") for name in request.POST):
            return answer
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[obj.pk]))
