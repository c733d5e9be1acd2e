"""Who came, took a guide and used a coupon in the demo chain's past, as the ledger counts it."""

import datetime as dt
from typing import Final

from django.apps import apps

from core.actor import Actor
from sales import services

_YEAR: Final = dt.timedelta(days=366)


def seed_facts(*, at: dt.datetime, actor: Actor) -> int:
    """The facts of the last year stand in the ledger. Seeds once; how many entries this call wrote."""
    if apps.get_model("sales", "PerformanceEntry").objects.exclude(fact_kind="").exists():
        return 0
    _note_joinings(actor)
    written = services.catch_up_facts(look_back=_YEAR, at=at + dt.timedelta(minutes=1))
    services.fold_totals()
    return written


def _note_joinings(actor: Actor) -> None:
    """The chain's people came by a file, which leaves no trace of each: they joined when the file says."""
    entry = apps.get_model("core", "AuditEntry")
    joined = apps.get_model("members", "Member").objects.filter(stage="member").exclude(source="import")
    entry.objects.bulk_create(
        [
            entry(
                at=moment, actor_kind=actor.kind, actor_label=actor.label, action="members.registered",
                subject_kind="members.member", subject_id=pk, details={"source": source, "has_joined": True},
            )
            for pk, source, moment in joined.order_by("pk").values_list("pk", "source", "registered_at")
        ],
        batch_size=1_000,
    )  # fmt: skip
