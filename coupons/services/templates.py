"""Templates: made, changed while nobody holds a coupon of them, revised afterwards, retired."""

import dataclasses
import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Max

from core import audit, clock
from core.actor import Actor
from core.models import changed_fields
from coupons.contracts import TemplateCard, TemplateTerms
from coupons.errors import NoSuchTemplate, TemplateFrozen, TemplateRetired
from coupons.models import CouponTemplate, TemplateState
from coupons.selectors.templates import template_card_of
from coupons.services.template_terms import check_terms, usable_public_id


def create_template(
    *, terms: TemplateTerms, public_id: str = "", actor: Actor, at: dt.datetime | None = None
) -> TemplateCard:
    """The template exists. A form sends the `public_id` it was given: sent twice, it gets the first answer. Refuses
    terms that make no sense."""
    check_terms(terms)
    public_id = usable_public_id(public_id=public_id)
    with transaction.atomic():
        row, is_new = CouponTemplate.objects.get_or_create(
            public_id=public_id, defaults={**_columns(terms), "created_at": at or clock.now()}
        )
        if not is_new:
            return template_card_of(row)
        audit.record(action="coupons.template_created", subject=row, actor=actor, at=at)
    return template_card_of(row)


def change_template(
    *, template_id: int, terms: TemplateTerms, actor: Actor, at: dt.datetime | None = None
) -> TemplateCard:
    """The template has these terms. Refuses once a batch of it was opened (people may hold coupons under the old
    terms: `revise_template` makes a new version), a retired one, and terms that make no sense."""
    check_terms(terms)
    with transaction.atomic():
        row = _lock(template_id)
        if row.state == TemplateState.RETIRED:
            raise TemplateRetired
        changed = changed_fields(row, **_columns(terms))
        if changed and row.frozen_at is not None:
            raise TemplateFrozen(field=changed[0])
        if changed:
            row.save(update_fields=changed)
            audit.record(action="coupons.template_changed", subject=row, actor=actor, at=at, fields=changed)
    return template_card_of(row)


def revise_template(
    *,
    template_id: int,
    terms: TemplateTerms,
    public_id: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> TemplateCard:
    """A new version of the series has these terms; batches and coupons of earlier versions stay as they are. A form
    sends the `public_id` it was given: sent twice, it gets the first answer.

    Refuses a retired template, and terms that make no sense.
    """
    check_terms(terms)
    with transaction.atomic():
        row = _lock(template_id)
        if row.state == TemplateState.RETIRED:
            raise TemplateRetired
        series = CouponTemplate.objects.filter(series=row.series)
        # Two who revise two versions at once wait for each other at the first.
        CouponTemplate.objects.lock_all([series.order_by("pk").values_list("pk", flat=True)[0]])
        first = CouponTemplate.objects.filter(public_id=public_id).first()
        if first is not None:
            return template_card_of(first)
        latest = series.aggregate(version=Max("version"))["version"]
        new = CouponTemplate.objects.create(
            **_columns(terms),
            public_id=usable_public_id(public_id=public_id),
            series=row.series,
            version=latest + 1,
            created_at=at or clock.now(),
        )
        audit.record(action="coupons.template_revised", subject=new, actor=actor, at=at, from_id=row.pk)
    return template_card_of(new)


def retire_template(*, template_id: int, actor: Actor, at: dt.datetime | None = None) -> TemplateCard:
    """Nothing is issued from the template any more, through whatever batch. Coupons that are out stay good; to take
    them back is `void_coupons`. Doing it again changes nothing."""
    with transaction.atomic():
        row = _lock(template_id)
        if changed_fields(row, state=TemplateState.RETIRED):
            row.save(update_fields=["state"])
            audit.record(action="coupons.template_retired", subject=row, actor=actor, at=at)
    return template_card_of(row)


def _lock(template_id: int) -> CouponTemplate:
    rows = CouponTemplate.objects.lock_all([template_id])
    if not rows:
        raise NoSuchTemplate
    return rows[0]


def _columns(terms: TemplateTerms) -> dict[str, Any]:
    values = {field.name: getattr(terms, field.name) for field in dataclasses.fields(terms)}
    columns = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return columns | {"title": terms.title.strip(), "gift_name": terms.gift_name.strip()}
