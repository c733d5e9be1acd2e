"""Who bears a discount: a line for every entry in the book of redemptions, put into a month.

The store that redeemed gave the discount away at its till. The policy of the batch, of the template or of the chain
says which parts the issuing owner, the redeeming owner and the chain bear; a store without a dealer is the chain's.
What is taken back later goes back in the shares and to the owners of the redemption's first line.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import transaction

from core import clock
from core.actor import Actor
from core.horizons import complete_until
from core.shares import split
from coupons.contracts import FoldRun, PolicyTerms
from coupons.models import (
    CouponBatch,
    EntryKind,
    FactSource,
    MonthState,
    RedemptionEntry,
    SettlementLine,
    SettlementMonth,
    SettlementPolicy,
)
from coupons.services.stats import PATIENCE, lock_cursor, move_cursor
from coupons.services.stats_sql import TABLES
from guides import selectors as guide_selectors

SLICE: Final = 5_000
WHOLE: Final = 10_000
# Until somebody decides otherwise.
CHAIN_BEARS: Final = PolicyTerms(0, 0, WHOLE)


def split_fen(*, amount_fen: int, terms: PolicyTerms) -> tuple[int, int, int]:
    """The parts of issuer, redeemer and chain, which add up to the amount: whole fen first, the fen that are left to
    the largest remainders, the earlier of equal ones first."""
    issuer, redeemer, chain = split(
        amount=amount_fen, weights=(terms.issuer_bp, terms.redeemer_bp, terms.chain_bp)
    )
    return issuer, redeemer, chain


def settle_redemptions(
    *, patience: dt.timedelta = PATIENCE, actor: Actor, at: dt.datetime | None = None
) -> FoldRun:
    """Every entry that had committed when this began has its line, in the month of its day, or in the first open
    month where that one is closed. Run twice, or by two at once, each has one."""
    horizon = complete_until(TABLES[FactSource.SETTLEMENT], patience=patience)
    if horizon is None:
        return FoldRun(0, False)
    greatest, asked_at = horizon
    settled = 0
    while True:
        with transaction.atomic():
            cursor = lock_cursor(source=FactSource.SETTLEMENT)
            until = min(greatest, cursor.last_id + SLICE)
            settled += _settle(cursor.last_id, until)
            is_last = until >= greatest
            move_cursor(cursor=cursor, last_id=until, read_until=asked_at if is_last else None)
        if is_last:
            return FoldRun(settled, True)


def share_lines(*, lines: Iterable[SettlementLine], entries: Mapping[int, RedemptionEntry]) -> None:
    """The shares of each line, in the order of its redemption: what is borne of all entries up to this one, less what
    was borne up to the one before. So a full reversal takes back to the fen what was given."""
    before = _sums_before(entries)
    for line in lines:
        entry = entries[line.entry_id]
        had = before[entry.redemption_id]
        before[entry.redemption_id] = had + entry.discount_fen
        terms = PolicyTerms(line.issuer_bp, line.redeemer_bp, WHOLE - line.issuer_bp - line.redeemer_bp)
        old, new = (split_fen(amount_fen=sum_fen, terms=terms) for sum_fen in (had, had + entry.discount_fen))
        line.issuer_fen, line.redeemer_fen, line.chain_fen = (new[place] - old[place] for place in range(3))


def policies_of(*, batch_ids: Iterable[int]) -> dict[int, PolicyTerms]:
    """The terms of each batch: its own, its template's series', the default, or the chain bears all."""
    batches = dict(CouponBatch.objects.filter(pk__in=set(batch_ids)).values_list("pk", "template__series"))
    rules = list(SettlementPolicy.objects.all())

    def terms_of(rule: SettlementPolicy) -> PolicyTerms:
        return PolicyTerms(rule.issuer_bp, rule.redeemer_bp, rule.chain_bp)

    by_batch = {rule.batch_id: terms_of(rule) for rule in rules if rule.batch_id is not None}
    by_series = {rule.series: terms_of(rule) for rule in rules if rule.series}
    default = next(
        (terms_of(rule) for rule in rules if rule.batch_id is None and not rule.series), CHAIN_BEARS
    )
    return {
        batch_id: by_batch.get(batch_id) or by_series.get(series) or default
        for batch_id, series in batches.items()
    }


def first_open_month() -> dt.date:
    """The first month that takes lines: the one after the newest closed one."""
    closed = SettlementMonth.objects.filter(state=MonthState.CLOSED).order_by("-month").first()
    return dt.date.min if closed is None else next_month(month=closed.month)


def next_month(*, month: dt.date) -> dt.date:
    """The first day of the month after."""
    return (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def _settle(after: int, until: int) -> int:
    """Lines for the entries between two ids; the caller holds the cursor."""
    found = RedemptionEntry.objects.filter(pk__gt=after, pk__lte=until).select_related("redemption__coupon")
    entries = {entry.pk: entry for entry in found.order_by("pk")}
    if not entries:
        return 0
    firsts = _first_lines(entries.values())
    policies = policies_of(batch_ids={entry.redemption.coupon.batch_id for entry in entries.values()})
    owners = guide_selectors.list_store_owners()
    earliest = first_open_month()
    lines = []
    for entry in entries.values():
        line = _line_of(entry, firsts.get(entry.redemption_id), policies, owners)
        line.month = max(entry.day.replace(day=1), earliest)
        line.is_correction = line.redeemed_on.replace(day=1) < line.month
        if entry.what == EntryKind.REDEEMED:
            firsts[entry.redemption_id] = line
        lines.append(line)
    share_lines(lines=lines, entries=entries)
    SettlementMonth.objects.bulk_create(
        [SettlementMonth(month=month) for month in sorted({line.month for line in lines})],
        ignore_conflicts=True,
    )
    SettlementLine.objects.bulk_create(lines)
    return len(lines)


def _line_of(
    entry: RedemptionEntry,
    first: SettlementLine | None,
    policies: Mapping[int, PolicyTerms],
    owners: Mapping[int, int | None],
) -> SettlementLine:
    redemption = entry.redemption
    coupon = redemption.coupon
    line = SettlementLine(
        entry_id=entry.pk,
        redeemed_on=clock.business_day(redemption.redeemed_at),
        batch_id=coupon.batch_id,
        issued_store_id=coupon.issued_store_id,
        redeemed_store_id=redemption.store_id,
        discount_fen=entry.discount_fen,
    )
    if first is not None:
        line.issuer_id, line.redeemer_id = first.issuer_id, first.redeemer_id
        line.issuer_bp, line.redeemer_bp = first.issuer_bp, first.redeemer_bp
        return line
    terms = policies[coupon.batch_id]
    line.issuer_id = owners.get(coupon.issued_store_id) if coupon.issued_store_id is not None else None
    line.redeemer_id = owners.get(redemption.store_id)
    line.issuer_bp, line.redeemer_bp = terms.issuer_bp, terms.redeemer_bp
    return line


def _first_lines(entries: Iterable[RedemptionEntry]) -> dict[int, SettlementLine]:
    later = {entry.redemption_id for entry in entries if entry.what != EntryKind.REDEEMED}
    found = SettlementLine.objects.select_related("entry").filter(
        entry__redemption__in=later, entry__what=EntryKind.REDEEMED
    )
    return {line.entry.redemption_id: line for line in found}


def _sums_before(entries: Mapping[int, RedemptionEntry]) -> dict[int, int]:
    """Discount of each redemption in the entries before the first of these; nothing where there is none."""
    firsts: dict[int, int] = {}
    for entry in sorted(entries.values(), key=lambda entry: entry.pk):
        firsts.setdefault(entry.redemption_id, entry.pk)
    sums = dict.fromkeys(firsts, 0)
    earlier: Sequence[tuple[int, int, int]] = list(
        RedemptionEntry.objects.filter(redemption__in=list(firsts)).values_list(
            "pk", "redemption_id", "discount_fen"
        )
    )
    for pk, redemption_id, discount_fen in earlier:
        if pk < firsts[redemption_id]:
            sums[redemption_id] += discount_fen
    return sums
