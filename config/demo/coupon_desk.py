"""What lies on head office's desk in the demo: a template that may still be changed, one in two versions, a batch to
hand out, and a bulk issue that waits to be confirmed."""

import dataclasses
import datetime as dt

from django.apps import apps

from core.actor import Actor
from coupons import selectors, services
from coupons.contracts import Audience, BatchTerms, IssueDraft, TemplateTerms
from guides import selectors as guide_selectors


def seed_coupon_desk(*, at: dt.datetime, actor: Actor) -> None:
    """Called once, after the other coupons."""
    services.create_template(
        terms=TemplateTerms(
            title="双旦到店礼",
            kind="exchange",
            units=1,
            cap_fen=9_900,
            min_quantity=2,
            validity="month_end",
            weekdays=(4, 5, 6),
            hours=("10:00-22:00",),
            include_categories=("accessories",),
            colour="purple",
            usage_words="凭券在门店任选一条围巾，超出 99 元的部分补差价。",
        ),
        actor=actor,
        at=at,
    )
    older = TemplateTerms(title="周年庆满减", kind="cash_off", off_fen=3_000, min_spend_fen=20_000,
                          validity="from_today", valid_days=15, gifting="first")  # fmt: skip
    first = services.create_template(terms=older, actor=actor, at=at)
    batch = services.create_batch(
        template_id=first.id,
        terms=BatchTerms(name="周年庆首轮", quota=3_000, doors=("system", "claim"), budget_fen=6_000_000),
        actor=actor,
        at=at,
    )
    services.open_batch(batch_id=batch.id, actor=actor, at=at)
    newer = dataclasses.replace(older, off_fen=4_000, min_spend_fen=25_000, valid_days=30)
    services.revise_template(template_id=first.id, terms=newer, actor=actor, at=at)
    east = apps.get_model("guides", "Region").objects.filter(parent__isnull=False).order_by("pk").first()
    if east is None:
        return
    words = selectors.audience_words(Audience(region_ids=(east.pk,)))
    services.draft_issue_job(
        batch_id=batch.id,
        member_ids=guide_selectors.place_member_ids(region_ids=[east.pk]),
        key="demo-anniversary",
        draft=IssueDraft(audience_words=words),
        actor=actor,
        at=at,
    )
