"""Which template says a topic, and what fills its keywords."""

from collections.abc import Mapping
from typing import Final

from django.db import transaction

from campaigns.contracts import TOPICS
from campaigns.errors import MappingUnfit
from campaigns.models import TopicTemplate
from core import audit
from core.actor import Actor
from wechat.contracts import TemplateCard, TemplateField
from wechat.errors import TemplateFieldUnfit
from wechat.services.template_fields import fit_value
from wechat.services.templates import get_template

# What a kind of keyword is mostly for, where its words say nothing.
_BY_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("time", "day"),
    "date": ("day", "time"),
    "amount": ("amount", "worth"),
    "number": ("count", "points"),
    "character_string": ("order_no",),
    "name": ("member", "guide"),
    "phrase": ("step", "tier", "kind"),
}


def map_topic(
    *,
    topic: str,
    template_pk: int,
    fields: Mapping[str, Mapping[str, str]] | None,
    page: str,
    is_on: bool,
    actor: Actor,
) -> int:
    """The topic is said by this template in the template's account; the id of the mapping. Without `fields` they are
    guessed from the words beside them.

    Raises TemplateGone, and MappingUnfit with `details["faults"]` (keyword → why): a value the topic does not have, or a
    fixed text that WeChat would refuse.
    """
    card = get_template(template_pk)
    chosen = guess_fields(topic=topic, card=card) if fields is None else fields
    faults = _faults(topic, card, chosen)
    if faults:
        raise MappingUnfit(faults=faults)
    with transaction.atomic():
        row, _is_new = TopicTemplate.objects.update_or_create(
            topic=topic,
            account_id=card.account_id,
            kind=card.channel,
            defaults={
                "template_id": card.template_id,
                "fields": {name: dict(source) for name, source in chosen.items()},
                "page": page,
                "is_on": is_on,
            },
        )
        audit.record(
            action="campaigns.topic_template_set", subject=row, actor=actor, topic=topic, is_on=is_on
        )
    return row.pk


def guess_fields(*, topic: str, card: TemplateCard) -> dict[str, dict[str, str]]:
    """What most likely fills each keyword; staff look at it and change it."""
    values = TOPICS[topic].values
    return {field.name: {"value": _guess(field, values)} for field in card.fields}


def _guess(field: TemplateField, values: Mapping[str, object]) -> str:
    for name, label in values.items():
        if str(label) in field.label or field.label in str(label):
            return name
    for name in _BY_KIND.get(field.kind, ()):
        if name in values:
            return name
    return "title"


def _faults(topic: str, card: TemplateCard, fields: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    faults = {}
    for field in card.fields:
        source = fields.get(field.name, {})
        if "value" in source:
            if source["value"] not in TOPICS[topic].values:
                faults[field.name] = str(MappingUnfit.sentence)
            continue
        try:
            fit_value(field, source.get("words", ""))
        except TemplateFieldUnfit as refusal:
            faults[field.name] = str(refusal.details["rule"])
    return faults
