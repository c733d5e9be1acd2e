"""Months of settlement: closed, reopened with a reason, computed again; and the policies behind them."""

import datetime as dt
from typing import Final

from django.db import IntegrityError, transaction

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from coupons import errors
from coupons.contracts import MonthRun, PolicyTerms
from coupons.models import (
    CouponBatch,
    CouponTemplate,
    EntryKind,
    FactSource,
    MonthState,
    RedemptionEntry,
    SettlementLine,
    SettlementMonth,
    SettlementPolicy,
    SettlementStatement,
)
from coupons.selectors.settlement import sum_owners
from coupons.services.history import usable_reason
from coupons.services.settlement import (
    WHOLE,
    next_month,
    policies_of,
    settle_redemptions,
    share_lines,
)
from coupons.services.stats import lock_cursor

_SLICE: Final = 5_000
_SHARES: Final = ("issuer_bp", "redeemer_bp", "issuer_fen", "redeemer_fen", "chain_fen")


def close_month(*, month: dt.date, actor: Actor, at: dt.datetime | None = None) -> MonthRun:
    """The month is frozen with a statement for each pair of owners; what comes late goes to the first open month.

    Refuses a month that is not over, one that is closed, and one after an open month with lines.
    """
    at = at or clock.now()
    month = month.replace(day=1)
    if clock.business_day(at) < next_month(month=month):
        raise errors.MonthNotOver
    if not settle_redemptions(actor=actor, at=at).is_whole:
        raise errors.SettlementBusy
    with transaction.atomic():
        lock_cursor(source=FactSource.SETTLEMENT)
        row = _lock_month(month)
        if row.state == MonthState.CLOSED:
            raise errors.MonthIsClosed
        if SettlementMonth.objects.filter(state=MonthState.OPEN, month__lt=month).exists():
            raise errors.EarlierMonthOpen
        row.state, row.version, row.closed_at = MonthState.CLOSED, row.version + 1, at
        row.save(update_fields=["state", "version", "closed_at"])
        sums = sum_owners(month)
        SettlementStatement.objects.bulk_create(
            SettlementStatement(
                month=row,
                version=row.version,
                debtor_id=one.debtor_id,
                creditor_id=one.creditor_id,
                line_count=one.line_count,
                owed_fen=one.owed_fen,
                correction_fen=one.correction_fen,
            )
            for one in sums
        )
        run = MonthRun(
            month,
            SettlementLine.objects.filter(month=month).count(),
            len(sums),
            sum(one.owed_fen for one in sums),
        )
        audit.record(
            action="coupons.month_closed",
            subject=row,
            actor=actor,
            at=at,
            line_count=run.line_count,
            owed_fen=run.owed_fen,
        )
    return run


def reopen_month(*, month: dt.date, reason: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The newest closed month takes lines again; its statements stay as they were, the next closing writes new ones.
    Refuses an open month and one before another closed one."""
    at, reason = at or clock.now(), usable_reason(reason=reason)
    with transaction.atomic():
        lock_cursor(source=FactSource.SETTLEMENT)
        row = _lock_month(month.replace(day=1))
        if row.state != MonthState.CLOSED:
            raise errors.MonthIsOpen
        if SettlementMonth.objects.filter(state=MonthState.CLOSED, month__gt=row.month).exists():
            raise errors.LaterMonthClosed
        row.state, row.reopen_reason = MonthState.OPEN, reason
        row.save(update_fields=["state", "reopen_reason"])
        audit.record(action="coupons.month_reopened", subject=row, actor=actor, at=at, reason=reason)


def recompute_settlement(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """The lines of all open months have the shares of today's policies; how many changed. Owners stay those of the
    day the line was made, closed months stay as they are, and what takes back a redemption of a closed month keeps
    that redemption's shares."""
    at = at or clock.now()
    changed = 0
    with transaction.atomic():
        lock_cursor(source=FactSource.SETTLEMENT)
        months = SettlementMonth.objects.filter(state=MonthState.OPEN).lock_rows()
        after = 0
        while True:
            rows = SettlementLine.objects.filter(month__in=[row.month for row in months], entry_id__gt=after)
            lines = list(rows.order_by("entry_id")[:_SLICE])
            if not lines:
                break
            changed += _share_again(lines)
            after = lines[-1].entry_id
        if changed and months:
            audit.record(
                action="coupons.settlement_recomputed",
                subject=months[-1],
                actor=actor,
                at=at,
                line_count=changed,
            )
    return changed


def decide_policy(
    *,
    terms: PolicyTerms,
    template_id: int | None = None,
    batch_id: int | None = None,
    policy_id: int | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The policy of a batch, of a template in all its versions, or of everything else holds for redemptions that have
    no line yet. With `policy_id` that row is changed; its subject stays. Refuses shares that do not make up the
    whole, two subjects, and a second policy for one subject. The row's id."""
    shares = (terms.issuer_bp, terms.redeemer_bp, terms.chain_bp)
    if any(not 0 <= share <= WHOLE for share in shares) or sum(shares) != WHOLE:
        raise errors.PolicyUnusable(field="chain_bp")
    if template_id is not None and batch_id is not None:
        raise errors.PolicyUnusable(field="batch")
    try:
        with transaction.atomic():
            row = _policy_row(policy_id, template_id, batch_id)
            row.issuer_bp, row.redeemer_bp, row.chain_bp = shares
            if policy_id is None:
                row = SettlementPolicy.objects.create(
                    template_id=row.template_id,
                    series=row.series,
                    batch_id=row.batch_id,
                    issuer_bp=row.issuer_bp,
                    redeemer_bp=row.redeemer_bp,
                    chain_bp=row.chain_bp,
                )
            else:
                row.save(update_fields=["issuer_bp", "redeemer_bp", "chain_bp"])
            audit.record(
                action="coupons.policy_decided", subject=row, actor=actor, at=at or clock.now(),
                issuer_bp=shares[0], redeemer_bp=shares[1], chain_bp=shares[2],
            )  # fmt: skip
    except IntegrityError as error:
        if (violated(error) or "").startswith("settlementpolicy_o"):
            raise errors.PolicyExists from None
        raise
    return row.pk


def drop_policy(*, policy_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """The subject goes by its template's or the default policy again; lines that are there keep their shares."""
    with transaction.atomic():
        rows = SettlementPolicy.objects.lock_all([policy_id])
        if not rows:
            raise errors.NoSuchPolicy
        audit.record(action="coupons.policy_dropped", subject=rows[0], actor=actor, at=at or clock.now())
        rows[0].delete()


def _policy_row(policy_id: int | None, template_id: int | None, batch_id: int | None) -> SettlementPolicy:
    if policy_id is not None:
        rows = SettlementPolicy.objects.lock_all([policy_id])
        if not rows:
            raise errors.NoSuchPolicy
        return rows[0]
    series = ""
    if template_id is not None:
        template = CouponTemplate.objects.filter(pk=template_id).first()
        if template is None:
            raise errors.NoSuchTemplate(field="template")
        series = template.series
    if batch_id is not None and not CouponBatch.objects.filter(pk=batch_id).exists():
        raise errors.NoSuchBatch(field="batch")
    return SettlementPolicy(template_id=template_id, series=series, batch_id=batch_id)


def _lock_month(month: dt.date) -> SettlementMonth:
    rows = SettlementMonth.objects.filter(month=month).lock_rows()
    if not rows:
        raise errors.NoSuchMonth
    return rows[0]


def _share_again(lines: list[SettlementLine]) -> int:
    found = RedemptionEntry.objects.filter(pk__in=[line.entry_id for line in lines])
    entries = {entry.pk: entry for entry in found}
    policies = policies_of(batch_ids={line.batch_id for line in lines})
    firsts = {
        line.entry.redemption_id: line
        for line in SettlementLine.objects.select_related("entry").filter(
            entry__what=EntryKind.REDEEMED,
            entry__redemption__in={entry.redemption_id for entry in entries.values()},
        )
    }
    before = {line.pk: tuple(getattr(line, name) for name in _SHARES) for line in lines}
    for line in lines:
        entry = entries[line.entry_id]
        if entry.what == EntryKind.REDEEMED:
            terms = policies[line.batch_id]
            line.issuer_bp, line.redeemer_bp = terms.issuer_bp, terms.redeemer_bp
            firsts[entry.redemption_id] = line
        elif (first := firsts.get(entry.redemption_id)) is not None:
            line.issuer_bp, line.redeemer_bp = first.issuer_bp, first.redeemer_bp
    share_lines(lines=lines, entries=entries)
    moved = [line for line in lines if before[line.pk] != tuple(getattr(line, name) for name in _SHARES)]
    SettlementLine.objects.bulk_update(moved, _SHARES, batch_size=1_000)
    return len(moved)
