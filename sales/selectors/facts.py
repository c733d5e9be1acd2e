"""Facts as the apps that keep them say: what counts, for whom, and which of it the ledger may have missed."""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from core import clock
from coupons import selectors as coupon_selectors
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from sales.contracts import Fact, FactKindName, FactLine, FactLines, FactNote, Span
from sales.models import PerformanceEntry
from sales.selectors.offered import OWN_KINDS, find_describer


def list_facts(kind: FactKindName, refs: Collection[int]) -> list[Fact]:
    """What the rows with these ids say today, those that count for anybody. Of a kind that `sales` counts itself.

    A new member counts for the guide by whose code she came, for the store alone where the code was the store's, and
    without a code for the guide she took herself by the end of the day. A redemption counts in the store that took
    the coupon, for the guide who scanned it; a till's for the store alone. A follow-up counts for the guide who did it.
    """
    if kind == "member":
        return _members(refs)
    if kind == "binding":
        return [
            Fact("binding", one.id, one.bound_at, one.guide_id, one.store_id, one.counts)
            for one in guide_selectors.list_won_bindings(refs)
        ]
    if kind == "redemption":
        return [
            Fact("redemption", one.id, one.redeemed_at, one.guide_id, one.store_id, one.stands)
            for one in coupon_selectors.list_used_coupons(refs)
        ]
    if kind == "task":
        return _follow_ups(refs)
    raise ValueError(kind)


def list_doubtful_refs(kind: FactKindName, *, since: dt.datetime, until: dt.datetime) -> list[int]:
    """Rows of this kind that came in the half-open span and stand in no entry, and all of which something was taken
    back or merged in it, in order."""
    span: dict[str, Any] = {"since": since, "until": until}
    if kind == "member":
        fresh = _uncounted(kind, member_selectors.joined_entries(**span), "subject_id")
        return sorted(fresh | _merged_rows(span))
    if kind == "binding":
        fresh = _uncounted(kind, guide_selectors.won_binding_ids(**span), "pk")
        ended = guide_selectors.soon_ended_binding_ids(**span)
        return sorted({*fresh, *ended, *guide_selectors.binding_ids_of(_merged_rows(span))})
    if kind == "task":
        return sorted(guide_selectors.changed_follow_up_ids(**span))
    fresh = _uncounted(kind, coupon_selectors.redeemed_ids(**span), "redemption_id")
    return sorted({*fresh, *coupon_selectors.reversed_ids(**span)})


def list_guide_facts(
    guide_id: int, span: Span, *, metric: str, limit: int = 20, offset: int = 0
) -> FactLines:
    """The facts behind a number of hers, the newest first."""
    return _lines(PerformanceEntry.objects.filter(guide_id=guide_id), span, metric, limit, offset)


def list_store_facts(
    store_id: int, span: Span, *, metric: str, guide_id: int | None = None, limit: int = 20, offset: int = 0
) -> FactLines:
    """The facts behind a number of a store, or of one guide in it."""
    entries = PerformanceEntry.objects.filter(store_id=store_id)
    if guide_id is not None:
        entries = entries.filter(guide_id=guide_id)
    return _lines(entries, span, metric, limit, offset)


def describe_facts(facts: Iterable[tuple[str, int]]) -> dict[tuple[str, int], FactNote]:
    """What these facts (kind, ref) were about; those that nobody describes are missing."""
    refs: dict[str, set[int]] = {kind: set() for kind in OWN_KINDS}
    for kind, ref in facts:
        refs.setdefault(kind, set()).add(ref)
    notes = [FactNote("member", ref, ref, "") for ref in refs["member"]]
    if refs["binding"]:
        notes += [
            FactNote("binding", one.id, one.member_id, one.source_label)
            for one in guide_selectors.list_won_bindings(refs["binding"])
        ]
    if refs["redemption"]:
        notes += [
            FactNote("redemption", one.id, one.member_id, one.title)
            for one in coupon_selectors.list_used_coupons(refs["redemption"])
        ]
    if refs["task"]:
        notes += [
            FactNote("task", one.id, one.member_id, one.title)
            for one in guide_selectors.list_done_follow_ups(refs["task"])
        ]
    for kind in sorted(set(refs) - set(OWN_KINDS)):
        describe = find_describer(kind)
        notes += [] if describe is None else describe(refs[kind])
    living = member_selectors.list_merge_targets({note.member_id for note in notes if note.member_id})
    return {
        (note.kind, note.ref): FactNote(note.kind, note.ref, living.get(note.member_id or 0), note.words)
        for note in notes
    }


def _follow_ups(refs: Collection[int]) -> list[Fact]:
    """One that was taken back stands no more; where it counted, its entry knows."""
    rows = guide_selectors.list_done_follow_ups(refs)
    done = [
        (row.id, row.guide_id, row.done_at)
        for row in rows
        if row.guide_id is not None and row.done_at is not None
    ]
    places = guide_selectors.list_guide_places_at([(guide_id, done_at) for _ref, guide_id, done_at in done])
    stands = [
        Fact("task", ref, done_at, guide_id, place.store_id)
        for (ref, guide_id, done_at), place in zip(done, places, strict=True)
    ]
    of_standing = {fact.ref for fact in stands}
    gone = [
        Fact("task", row.id, clock.now(), None, 0, stands=False) for row in rows if row.id not in of_standing
    ]
    return stands + gone


def _members(refs: Collection[int]) -> list[Fact]:
    joinings = list(member_selectors.list_joinings(refs).values())
    owners = guide_selectors.list_code_owners({one.scene for one in joinings})
    without_code = [one.member_id for one in joinings if one.scene not in owners]
    firsts = guide_selectors.list_first_won(without_code) if without_code else {}
    led = [(one, owners[one.scene]) for one in joinings if one.scene in owners]
    asked = [(owner.guide_id, one.joined_at) for one, owner in led if owner.guide_id is not None]
    places = iter(guide_selectors.list_guide_places_at(asked))
    facts = [
        Fact(
            "member", one.member_id, one.joined_at, owner.guide_id,
            owner.store_id if owner.guide_id is None else next(places).store_id, one.is_first,
        )
        for one, owner in led
    ]  # fmt: skip
    for one in joinings:
        first = firsts.get(one.member_id)
        if first is not None and clock.business_day(first.bound_at) <= clock.business_day(one.joined_at):
            facts.append(
                Fact("member", one.member_id, one.joined_at, first.guide_id, first.store_id, one.is_first)
            )
    return facts


def list_rows_of_persons(member_ids: Collection[int]) -> set[int]:
    """All rows of these people."""
    persons = member_selectors.list_person_rows(member_ids) if member_ids else {}
    return {row for person in persons.values() for row in person}


def _merged_rows(span: dict[str, Any]) -> set[int]:
    return list_rows_of_persons(member_selectors.list_merged_member_ids(**span))


def _uncounted(kind: FactKindName, rows: QuerySet[Any, int], column: str) -> set[int]:
    counted = PerformanceEntry.objects.filter(fact_kind=kind, fact_ref=OuterRef(column))
    return set(rows.filter(~Exists(counted)))


def _lines(
    entries: QuerySet[PerformanceEntry], span: Span, metric: str, limit: int, offset: int
) -> FactLines:
    within = entries.filter(metric=metric, booked_on__gte=span.starts_on, booked_on__lt=span.ends_on)
    rows = list(within.order_by("-booked_on", "-pk")[offset : offset + limit + 1])
    lines = tuple(
        FactLine(
            kind=row.fact_kind,  # type: ignore[arg-type]
            ref=row.fact_ref or 0,
            value=row.value,
            reason_label=str(row.get_reason_display()),
            is_reversal=row.reversed_entry_id is not None,
            booked_on=row.booked_on,
            due_on=row.due_on,
            store_id=row.store_id,
            guide_id=row.guide_id,
        )
        for row in rows[:limit]
    )
    return FactLines(lines, offset + limit if len(rows) > limit else None)
