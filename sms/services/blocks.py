"""Numbers that get no texts but codes."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.db.models import Q

from core import audit, clock, crypto
from core.actor import Actor
from core.errors import NotFound
from sms.models import SmsBlock
from sms.models.reports import BlockReason

CONTEXT: Final = "sms.blocks"
# The provider takes a number off its list now and then; asking again costs nothing.
_BLACKLISTED_FOR: Final = dt.timedelta(days=30)


def block_number(*, phone: str, reason: BlockReason, at: dt.datetime) -> None:
    """The number gets no texts but codes. What its owner said stays until somebody lifts it; what the provider says is
    asked again after thirty days, and does not shorten the other."""
    until = at + _BLACKLISTED_FOR if reason == BlockReason.BLACKLISTED else None
    row = SmsBlock(
        phone_index=crypto.blind_index(phone, context=CONTEXT),
        phone_tail=phone[-4:],
        reason=reason,
        blocked_at=at,
        until=until,
    )
    SmsBlock.objects.bulk_create([row], ignore_conflicts=True)
    same = SmsBlock.objects.filter(phone_index=row.phone_index)
    if until is not None:
        same = same.filter(until__isnull=False)
    same.update(reason=reason, blocked_at=at, until=until)


def list_blocked(phones: Mapping[int, str], *, at: dt.datetime) -> dict[int, str]:
    """Of these numbers, by whatever they are keyed, those that get no texts, and why (a code of `words`)."""
    by_index: dict[str, list[int]] = {}
    for key, phone in phones.items():
        for index in crypto.blind_indexes(phone, context=CONTEXT):
            by_index.setdefault(index, []).append(key)
    live = Q(until=None) | Q(until__gt=at)
    rows = SmsBlock.objects.filter(live, phone_index__in=by_index).values_list("phone_index", "reason")
    return {key: f"sms.{reason}" for index, reason in rows for key in by_index[index]}


def lift_block(*, block_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The number gets texts again, after its owner asked for them. Raises NotFound."""
    with transaction.atomic():
        rows = SmsBlock.objects.filter(pk=block_id).lock_rows()
        if not rows:
            raise NotFound
        audit.record(
            action="sms.block.lift", subject=rows[0], actor=actor, at=at or clock.now(), reason=rows[0].reason
        )
        SmsBlock.objects.filter(pk=block_id).delete()
