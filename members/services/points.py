"""Points come in, go out, are frozen and released.

Every request carries a `source_key`, unique for her account: the same key gets the first answer's entry again and
changes nothing; the same key with another kind or amount is refused.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from core import clock
from core.actor import Actor
from members.contracts import PointsChange
from members.errors import ExpiryUnusable, NotEnoughPoints, NotFrozen
from members.events import PointsCredited, PointsDebited
from members.models import PointsEntry, PointsEntryKind, PointsLotUse
from members.selectors.points import get_points_decisions
from members.services.points_ledger import Ledger, open_ledger, usable_key, usable_points
from members.services.points_reversal import apply_waiting

_MONTHS: Final = 12


def credit_points(
    *,
    member_id: int,
    points: int,
    source_key: str,
    reason: str = "",
    expires_on: dt.date | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> PointsChange:
    """She has so many points more, in a lot that expires after the chain's months, or after `expires_on`.

    A debt is paid from them first. A return that came before is applied at once. Refuses unusable numbers and
    keys, a day that is over, and a key that meant something else.
    """
    at = at or clock.now()
    usable_points(points)
    usable_key(source_key)
    if expires_on is not None and expires_on < clock.business_day(at):
        raise ExpiryUnusable(field="expires_on")
    with transaction.atomic():
        ledger = open_ledger(member_id=member_id, actor=actor, at=at)
        entry = ledger.repeated(source_key, kinds=[PointsEntryKind.EARN], asked=points)
        if entry is None:
            entry = bring_in(
                ledger=ledger,
                kind=PointsEntryKind.EARN,
                points=points,
                source_key=source_key,
                reason=reason,
                expires_on=expires_on,
            )
        return ledger.answer(entry)


def debit_points(
    *,
    member_id: int,
    points: int,
    source_key: str,
    reason: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> PointsChange:
    """She has spent so many points, those first that expire first. Refuses more than she may spend."""
    at = at or clock.now()
    usable_points(points)
    usable_key(source_key)
    with transaction.atomic():
        ledger = open_ledger(member_id=member_id, actor=actor, at=at)
        entry = ledger.repeated(source_key, kinds=[PointsEntryKind.SPEND], asked=-points)
        if entry is None:
            entry = take_out(
                ledger=ledger,
                kind=PointsEntryKind.SPEND,
                points=points,
                source_key=source_key,
                reason=reason,
            )
        return ledger.answer(entry)


def freeze_points(
    *,
    member_id: int,
    points: int,
    source_key: str,
    reason: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> PointsChange:
    """So many points are set aside for an order under way: she cannot spend them and they do not expire.

    They leave their lots as if spent; `release_points` gives them back to the same lots, `spend_frozen_points`
    makes the spending final. Refuses more than she may spend.
    """
    at = at or clock.now()
    usable_points(points)
    usable_key(source_key)
    with transaction.atomic():
        ledger = open_ledger(member_id=member_id, actor=actor, at=at)
        entry = ledger.repeated(source_key, kinds=[PointsEntryKind.FREEZE], asked=-points)
        if entry is None:
            ledger.account.frozen += points
            entry = take_out(
                ledger=ledger,
                kind=PointsEntryKind.FREEZE,
                points=points,
                source_key=source_key,
                reason=reason,
            )
        return ledger.answer(entry)


def release_points(
    *,
    member_id: int,
    freeze_key: str,
    source_key: str,
    reason: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> PointsChange:
    """What the freeze under `freeze_key` set aside is hers again, in the lots it came from.

    Points whose day passed meanwhile expire at once, and a debt is paid. Refuses what is not frozen (any more).
    """
    at = at or clock.now()
    usable_key(source_key)
    with transaction.atomic():
        ledger = open_ledger(member_id=member_id, actor=actor, at=at)
        freeze = _freeze(ledger, freeze_key)
        entry = ledger.repeated(
            source_key, kinds=[PointsEntryKind.RELEASE], asked=-freeze.delta, undoes=freeze.source_key
        )
        if entry is None:
            entry = _release(ledger, freeze, source_key=source_key, reason=reason)
        return ledger.answer(entry)


def spend_frozen_points(
    *,
    member_id: int,
    freeze_key: str,
    source_key: str,
    reason: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> PointsChange:
    """What the freeze under `freeze_key` set aside is spent, from the lots it came from, expired or not.

    The ledger shows a release and a spending; the answer's entry is the spending, which can be reversed like
    any other. Refuses what is not frozen (any more).
    """
    at = at or clock.now()
    usable_key(source_key)
    with transaction.atomic():
        ledger = open_ledger(member_id=member_id, actor=actor, at=at)
        freeze = _freeze(ledger, freeze_key)
        entry = ledger.repeated(source_key, kinds=[PointsEntryKind.SPEND], asked=freeze.delta)
        if entry is not None:
            return ledger.answer(entry)
        release = _unfreeze(ledger, freeze, source_key=f"release@{source_key}", reason=reason)
        ledger.give_back(release, freeze)
        entry = ledger.write(PointsEntryKind.SPEND, freeze.delta, source_key=source_key, reason=reason)
        _take_same(entry, freeze, ledger)
        apply_waiting(ledger=ledger, entry=entry)
        ledger.close()
        ledger.tell("members.points_debited", entry, PointsDebited)
        return ledger.answer(entry)


def bring_in(
    *,
    ledger: Ledger,
    kind: PointsEntryKind,
    points: int,
    source_key: str,
    reason: str,
    expires_on: dt.date | None = None,
) -> PointsEntry:
    """The inner part of every credit, on an open ledger."""
    ledger.expire_overdue(source_key)
    debt = ledger.debt
    entry = ledger.write(kind, points, source_key=source_key, reason=reason)
    ledger.grant(entry, expiry_of(at=ledger.at, expires_on=expires_on))
    apply_waiting(ledger=ledger, entry=entry)
    ledger.repay(entry, debt)
    ledger.close()
    ledger.tell("members.points_credited", entry, PointsCredited)
    return entry


def take_out(
    *, ledger: Ledger, kind: PointsEntryKind, points: int, source_key: str, reason: str
) -> PointsEntry:
    """The inner part of every debit, on an open ledger. Raises NotEnoughPoints."""
    ledger.expire_overdue(source_key)
    if ledger.account.balance < points:
        raise NotEnoughPoints(field="points")
    entry = ledger.write(kind, -points, source_key=source_key, reason=reason)
    ledger.take(entry, points)
    apply_waiting(ledger=ledger, entry=entry)
    ledger.close()
    ledger.tell("members.points_debited", entry, PointsDebited)
    return entry


def expiry_of(*, at: dt.datetime, expires_on: dt.date | None) -> dt.datetime | None:
    """The instant at which points credited at `at` expire: the Shanghai midnight that ends their last day.

    The last day is `expires_on`, or the same day of the month after the chain's months (the last of a shorter
    month). None: never.
    """
    if expires_on is None:
        return expiry_after(at=at, months=get_points_decisions().expiry_months)
    return clock.day_bounds(expires_on)[1]


def expiry_after(*, at: dt.datetime, months: int | None) -> dt.datetime | None:
    """The same so many months later; None: never."""
    return None if months is None else clock.day_bounds(_months_later(clock.business_day(at), months))[1]


def _months_later(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.month - 1 + months, _MONTHS)
    first = day.replace(year=day.year + years, month=month + 1, day=1)
    following = (first + dt.timedelta(days=31)).replace(day=1)
    last = (following - dt.timedelta(days=1)).day
    return first.replace(day=min(day.day, last))


def _freeze(ledger: Ledger, freeze_key: str) -> PointsEntry:
    entry = ledger.find(freeze_key)
    if entry is None or entry.kind != PointsEntryKind.FREEZE:
        raise NotFrozen
    return entry


def _unfreeze(ledger: Ledger, freeze: PointsEntry, *, source_key: str, reason: str) -> PointsEntry:
    if PointsEntry.objects.filter(reversed_entry=freeze).exists():
        raise NotFrozen
    ledger.account.frozen += freeze.delta
    return ledger.write(
        PointsEntryKind.RELEASE, -freeze.delta, source_key=source_key, reason=reason, undoes=freeze
    )


def _release(ledger: Ledger, freeze: PointsEntry, *, source_key: str, reason: str) -> PointsEntry:
    debt = ledger.debt
    entry = _unfreeze(ledger, freeze, source_key=source_key, reason=reason)
    ledger.give_back(entry, freeze)
    ledger.expire_overdue(f"{source_key}@after")
    ledger.repay(entry, debt)
    ledger.close()
    ledger.tell("members.points_credited", entry, PointsCredited)
    return entry


def _take_same(entry: PointsEntry, freeze: PointsEntry, ledger: Ledger) -> None:
    """The spending takes what the freeze took, also from lots that are past their day."""
    for use in PointsLotUse.objects.filter(entry=freeze).select_related("lot"):
        ledger.take(entry, use.amount, first=use.lot)
